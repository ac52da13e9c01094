#include "node/protocol/transfer_messages.h"

#include <algorithm>
#include <utility>

#include "node/core/version/object.h"
#include "node/core/version/object_key.h"

namespace dynamo {
namespace {

constexpr size_t kChecksumBytes = 16;

bool Holds(const KeyRange& range, const Bytes& key) {
  return range.begin <= key && (range.end.empty() || key < range.end);
}

auto BadChunk(std::string_view what) { return Fail(Errc::kCorrupt, "a peer's chunk " + std::string(what)); }
auto BadProof(std::string_view what) { return Fail(Errc::kInvalidArgument, "stray: " + std::string(what)); }

// Of everything in the chunk.
Hash128 ChecksumOf(const peer::TransferChunk& chunk) {
  Bytes all;
  ByteWriter writer(&all);
  for (const peer::TransferObject& object : chunk.objects()) {
    writer.Hash(HashOf(object.storage_key()));
    writer.Hash(HashOf(object.object()));
  }
  writer.U8(chunk.more() ? 1 : 0);
  writer.Raw(chunk.last());
  return HashOf(all);
}

}  // namespace

Result<KeyRange> RangeAskedFor(const peer::TransferGet& get, uint32_t partitions) {
  const bool leaves = get.first_leaf() <= get.last_leaf() && get.last_leaf() < kTreeLeaves;
  if (get.tree().partition() >= partitions || !leaves) {
    return Fail(Errc::kInvalidArgument, "transfer: no such partition or leaves");
  }
  KeyRange range = LeafKeyRange(get.tree().partition(), partitions, get.first_leaf(), get.last_leaf());
  if (get.after().empty()) return range;
  if (!Holds(range, get.after())) return Fail(Errc::kInvalidArgument, "transfer: to go on after a key out of place");
  range.begin = get.after() + '\0';
  return range;
}

size_t BytesAskedFor(const peer::TransferGet& get) { return std::clamp<size_t>(get.max_bytes(), 1, kChunkBytesMax); }

void ToProto(const Chunk& chunk, peer::TransferChunk* out) {
  for (const ChunkObject& object : chunk.objects) {
    peer::TransferObject* added = out->add_objects();
    added->set_storage_key(object.storage_key);
    added->set_object(object.object);
  }
  out->set_more(chunk.more);
  out->set_last(chunk.last);
  out->set_checksum(ToBytes(ChecksumOf(*out)));
}

Result<Chunk> ChunkOf(const peer::TransferChunk& chunk, const KeyRange& range) {
  if (chunk.checksum().size() != kChecksumBytes || chunk.checksum() != ToBytes(ChecksumOf(chunk))) {
    return BadChunk("fails its checksum");
  }
  if (static_cast<size_t>(chunk.objects_size()) > kChunkObjectsMax) return BadChunk("has too many objects");
  if (chunk.more() && !Holds(range, chunk.last())) return BadChunk("goes on out of place");
  Chunk out{{}, chunk.more(), chunk.last()};
  for (const peer::TransferObject& object : chunk.objects()) {
    const bool ordered = out.objects.empty() || out.objects.back().storage_key < object.storage_key();
    const bool within = Holds(range, object.storage_key()) && (!chunk.more() || object.storage_key() <= chunk.last());
    if (!ordered || !within) return BadChunk("has keys out of order or out of place");
    if (!ParseStorageKey(object.storage_key())) return BadChunk("has a malformed key");
    if (!DecodeObjectHeader(object.object())) return BadChunk("has an object that fails its checksum");
    out.objects.push_back({object.storage_key(), object.object()});
  }
  return out;
}

Result<std::vector<LeafEntry>> EntriesToProve(const peer::StrayProof& proof, uint32_t partitions) {
  if (proof.tree().partition() >= partitions) return BadProof("no such partition");
  if (proof.keys().empty() || static_cast<size_t>(proof.keys_size()) > kProofKeysMax) {
    return BadProof("no keys, or too many in one request");
  }
  const KeyRange range = LeafKeyRange(proof.tree().partition(), partitions, 0, kTreeLeaves - 1);
  std::vector<LeafEntry> entries;
  for (const peer::LeafKey& key : proof.keys()) {
    const bool ordered = entries.empty() || entries.back().storage_key < key.storage_key();
    if (!ordered || !Holds(range, key.storage_key())) return BadProof("keys out of order or out of place");
    if (!ParseStorageKey(key.storage_key())) return BadProof("a malformed key");
    if (key.digest().size() != kChecksumBytes) return BadProof("a malformed digest");
    entries.push_back({key.storage_key(), ByteReader(key.digest()).Hash(), false});
  }
  return entries;
}

Result<std::vector<uint32_t>> LackingOf(const peer::StrayProved& proved, size_t count) {
  std::vector<uint32_t> lacking;
  for (const uint32_t index : proved.lacking()) {
    const bool ordered = lacking.empty() || lacking.back() < index;
    if (!ordered || index >= count) return Fail(Errc::kCorrupt, "a peer's proof has indices out of order or range");
    lacking.push_back(index);
  }
  return lacking;
}

}  // namespace dynamo
