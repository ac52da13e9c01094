#include "node/protocol/reap_messages.h"

#include <string>

#include "node/core/antientropy/leaf_range.h"
#include "node/core/version/object_key.h"

namespace dynamo {
namespace {

constexpr size_t kDigestBytes = 16;

auto BadKeys(std::string_view what) { return Fail(Errc::kInvalidArgument, "reap: " + std::string(what)); }

}  // namespace

void ToProto(const std::vector<LeafEntry>& entries, LeafKeysProto* out) {
  for (const LeafEntry& entry : entries) {
    peer::LeafKey* key = out->Add();
    key->set_storage_key(entry.storage_key);
    key->set_digest(ToBytes(entry.digest));
  }
}

Result<std::vector<LeafEntry>> EntriesToReap(const LeafKeysProto& keys, uint32_t partition, uint32_t partitions) {
  if (partition >= partitions) return BadKeys("no such partition");
  if (static_cast<size_t>(keys.size()) > kReapKeysMax) return BadKeys("too many keys in one request");
  const KeyRange range = LeafKeyRange(partition, partitions, 0, kTreeLeaves - 1);
  std::vector<LeafEntry> entries;
  for (const peer::LeafKey& key : keys) {
    const bool ordered = entries.empty() || entries.back().storage_key < key.storage_key();
    const bool within = range.begin <= key.storage_key() && (range.end.empty() || key.storage_key() < range.end);
    if (!ordered || !within) return BadKeys("keys out of order or out of place");
    if (!ParseStorageKey(key.storage_key())) return BadKeys("a malformed key");
    if (key.digest().size() != kDigestBytes) return BadKeys("a malformed digest");
    entries.push_back({key.storage_key(), ByteReader(key.digest()).Hash(), false});
  }
  return entries;
}

void ToProto(const ReapAnswer& answer, peer::ReapState* out) {
  out->set_reap_generation(answer.generation);
  out->set_clean(answer.clean);
  out->set_hints(answer.hints);
  out->set_run(answer.run);
  out->set_clock(answer.clock);
  out->set_generation(answer.version.generation);
  out->set_epoch(answer.version.epoch);
  out->mutable_differing()->Add(answer.differing.begin(), answer.differing.end());
}

Result<ReapAnswer> AnswerOf(const peer::ReapState& state, size_t count) {
  ReapAnswer answer;
  answer.generation = state.reap_generation();
  answer.clean = state.clean();
  answer.hints = state.hints();
  answer.run = state.run();
  answer.clock = state.clock();
  answer.version = {state.generation(), state.epoch()};
  for (const uint32_t index : state.differing()) {
    const bool ordered = answer.differing.empty() || answer.differing.back() < index;
    if (!ordered || index >= count) return Fail(Errc::kCorrupt, "a peer's answer has indices out of order or range");
    answer.differing.push_back(index);
  }
  return answer;
}

}  // namespace dynamo
