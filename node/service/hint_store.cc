#include "node/service/hint_store.h"

#include <algorithm>
#include <utility>

namespace dynamo {
namespace {

constexpr size_t kPositionBytes = 16;
constexpr size_t kSuffixBytes = 24;  // Owner and digest.
constexpr size_t kLoadItems = 1024;
constexpr size_t kPageBytes = 4u << 20;

// The position stays in front, unframed, so that order is ring order; the length
// after it keeps one key's hints from being a prefix of another's.
Bytes EntryPrefix(std::string_view storage_key) {
  Bytes prefix;
  ByteWriter out(&prefix);
  out.Raw(storage_key.substr(0, kPositionBytes));
  out.U32(static_cast<uint32_t>(storage_key.size() - kPositionBytes));
  out.Raw(storage_key.substr(kPositionBytes));
  return prefix;
}

// The first key after all that begin with `prefix`; empty: there is none.
Bytes EndOfPrefix(Bytes prefix) {
  while (!prefix.empty() && prefix.back() == '\xff') prefix.pop_back();
  if (!prefix.empty()) prefix.back() = static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1);
  return prefix;
}

int64_t EntryBytes(const Hint& hint) {
  return static_cast<int64_t>(hint.storage_key.size() + 4 + kSuffixBytes + hint.object.size());
}

void AppendRemoval(const Hint& hint, HintChange* change) {
  change->ops.push_back(
      {WriteOp::Kind::kDelete, ColumnFamily::kHints, HintEntryKey(hint.storage_key, hint.owner, hint.digest), {}});
  change->deltas.push_back({hint.owner, -1, -EntryBytes(hint)});
}

// For planted bugs.
HintChange RemoveAll(NodeId owner, const std::vector<Hint>& existing) {
  HintChange change;
  for (const Hint& hint : existing) {
    if (hint.owner == owner) AppendRemoval(hint, &change);
  }
  return change;
}

}  // namespace

Bytes HintEntryKey(std::string_view storage_key, NodeId owner, const Hash128& digest) {
  Bytes key = EntryPrefix(storage_key);
  ByteWriter out(&key);
  out.U64(owner.value);
  out.Hash(digest);
  return key;
}

Result<Hint> ParseHintEntry(KeyValue entry) {
  ByteReader in(entry.key);
  Hint hint;
  hint.storage_key = in.Raw(kPositionBytes);
  hint.storage_key += in.Raw(in.U32());
  hint.owner = NodeId{in.U64()};
  hint.digest = in.Hash();
  if (!in.at_end()) return Fail(Errc::kCorrupt, "a stored hint has a malformed key: " + ToHex(entry.key));
  hint.object = std::move(entry.value);
  return hint;
}

Async<Status> HintStore::Load() {
  Uncount();
  const auto any = co_await shard_->env.storage->Scan(ColumnFamily::kHints, {}, {}, 1, kPageBytes);
  if (!any) co_return Fail(any.error());
  if (any->empty()) co_return Status{};
  for (PartitionId partition = 0; partition < shard_->topology().partitions; ++partition) {
    if (shard_->ShardOf(partition) != shard_->env.link->self()) continue;
    Status loaded = co_await LoadPartition(partition);
    if (!loaded) co_return loaded;
  }
  co_return Status{};
}

Async<Status> HintStore::LoadPartition(PartitionId partition) {
  Bytes after;
  do {
    auto page = co_await ReadPage(partition, after, kLoadItems, kPageBytes);
    if (!page) co_return Fail(std::move(page.error()));
    for (const Hint& hint : page->hints) {
      Count(PositionOfStorageKey(hint.storage_key), {hint.owner, 1, EntryBytes(hint)});
    }
    after = std::move(page->last);
  } while (!after.empty());
  co_return Status{};
}

Async<Result<std::vector<Hint>>> HintStore::ReadAll(Bytes storage_key) {
  std::vector<Hint> hints;
  Bytes begin = EntryPrefix(storage_key);
  const Bytes end = EndOfPrefix(begin);
  while (Has(PositionOfStorageKey(storage_key))) {
    auto found = co_await shard_->env.storage->Scan(ColumnFamily::kHints, begin, end, kLoadItems, kPageBytes);
    if (!found) co_return Fail(std::move(found.error()));
    if (found->empty()) break;
    begin = found->back().key + '\0';
    for (KeyValue& entry : *found) {
      Result<Hint> hint = ParseHintEntry(std::move(entry));
      if (!hint) co_return Fail(std::move(hint.error()));
      hints.push_back(std::move(*hint));
    }
  }
  co_return hints;
}

Async<Result<HintStore::Page>> HintStore::ReadPage(PartitionId partition, Bytes after, size_t max_items,
                                                   size_t max_bytes) {
  const uint32_t partitions = shard_->topology().partitions;
  Bytes begin = after.empty() ? ToBytes(PartitionRange(partition, partitions).first) : after + '\0';
  Bytes end = partition + 1 == partitions ? Bytes() : ToBytes(PartitionRange(partition + 1, partitions).first);
  auto found =
      co_await shard_->env.storage->Scan(ColumnFamily::kHints, std::move(begin), std::move(end), max_items, max_bytes);
  if (!found) co_return Fail(std::move(found.error()));
  Page page;
  if (!found->empty()) page.last = found->back().key;
  for (KeyValue& entry : *found) {
    Result<Hint> hint = ParseHintEntry(std::move(entry));
    if (!hint) co_return Fail(std::move(hint.error()));
    page.hints.push_back(std::move(*hint));
  }
  co_return page;
}

Result<HintChange> HintStore::Add(const PlacedKey& key, NodeId owner, const Bytes& object,
                                  const std::vector<Hint>& existing) {
  const Hint added{key.storage_key, owner, DigestOf(object), object};
  HintChange change;
  if (shard_->config->planted.Has(PlantedBug::kHintOverwrites)) {
    change = RemoveAll(owner, existing);
  } else {
    const HintAdmission admission = AdmitHint(owner, object, existing);
    if (!admission.needed) return change;
    for (const Hint* hint : admission.superseded) AppendRemoval(*hint, &change);
  }
  const uint64_t share = shard_->config->hint_bytes_max / shard_->env.link->count();
  if (bytes_ + static_cast<uint64_t>(EntryBytes(added)) > share) {
    shard_->metrics->hints_refused.Add();
    return Fail(Errc::kOverloaded, "no room for more hints: hint_bytes_max is reached until owners return");
  }
  change.ops.push_back(
      {WriteOp::Kind::kPut, ColumnFamily::kHints, HintEntryKey(key.storage_key, owner, added.digest), object});
  change.deltas.push_back({owner, 1, EntryBytes(added)});
  return change;
}

HintChange HintStore::Remove(NodeId owner, const Hash128& digest, const std::vector<Hint>& existing) {
  if (shard_->config->planted.Has(PlantedBug::kHintAckDeletesNewer)) return RemoveAll(owner, existing);
  HintChange change;
  for (const Hint* hint : HintsDelivered(owner, digest, existing)) AppendRemoval(*hint, &change);
  return change;
}

void HintStore::Applied(const PlacedKey& key, const HintChange& change) {
  for (const HintChange::Delta& delta : change.deltas) {
    if (delta.hints > 0) shard_->metrics->hints_stored.Add();
    Count(key.position, delta);
  }
}

bool HintStore::AnyAstray(const PlacedKey& key, const HintChange& change) const {
  return std::ranges::any_of(change.deltas, [&](const HintChange::Delta& delta) {
    return delta.hints > 0 && !shard_->IsOwner(delta.owner, key) && !shard_->IsPendingOwner(delta.owner, key);
  });
}

void HintStore::Uncount() {
  for (const auto& [owner, count] : owners_) shard_->metrics->hints_pending.Add(-static_cast<int64_t>(count.hints));
  shard_->metrics->hints_pending_bytes.Add(-static_cast<int64_t>(bytes_));
  owners_.clear();
  partitions_.clear();
  keys_.clear();
  bytes_ = 0;
}

void HintStore::Count(const Hash128& position, const HintChange::Delta& delta) {
  const PartitionId partition = PartitionOf(position, shard_->topology().partitions);
  HintCount& count = owners_.try_emplace(delta.owner, HintCount{delta.owner, 0, 0}).first->second;
  count.hints += static_cast<uint64_t>(delta.hints);
  count.bytes += static_cast<uint64_t>(delta.bytes);
  if (count.hints == 0) owners_.erase(delta.owner);
  if ((partitions_[partition] += static_cast<uint64_t>(delta.hints)) == 0) partitions_.erase(partition);
  if ((keys_[position] += static_cast<uint64_t>(delta.hints)) == 0) keys_.erase(position);
  bytes_ += static_cast<uint64_t>(delta.bytes);
  shard_->metrics->hints_pending.Add(delta.hints);
  shard_->metrics->hints_pending_bytes.Add(delta.bytes);
}

std::vector<HintCount> HintStore::Counts() const {
  std::vector<HintCount> counts;
  counts.reserve(owners_.size());
  for (const auto& [owner, count] : owners_) counts.push_back(count);
  return counts;
}

std::vector<NodeId> HintStore::OwnersWithHints() const {
  std::vector<NodeId> owners;
  owners.reserve(owners_.size());
  for (const auto& [owner, count] : owners_) owners.push_back(owner);
  return owners;
}

std::vector<PartitionId> HintStore::PartitionsWithHints() const {
  std::vector<PartitionId> partitions;
  partitions.reserve(partitions_.size());
  for (const auto& [partition, hints] : partitions_) partitions.push_back(partition);
  return partitions;
}

}  // namespace dynamo
