#include "node/service/reap_generations.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "node/core/antientropy/leaf_range.h"
#include "node/service/tree_name.h"

namespace dynamo {
namespace {

constexpr std::string_view kGenerationPrefix = "reap/";
constexpr uint32_t kRaisersMax = 4096;
constexpr size_t kGenerationsMax = 1u << 16;
constexpr size_t kStrayScanItems = 256;
constexpr size_t kStrayScanBytes = 1u << 20;

WriteOp GenerationOp(PartitionId partition, ReapGeneration generation) {
  WriteOp op{WriteOp::Kind::kPut, ColumnFamily::kMeta, Bytes(kGenerationPrefix), {}};
  ByteWriter(&op.key).U32(partition);
  ByteWriter(&op.value).U64(generation);
  return op;
}

Async<Status> StoreGenerations(Storage* storage, WriteOps ops) {
  const auto written = co_await storage->Write(std::move(ops));
  if (!written) co_return Fail(written.error());
  co_return co_await storage->Sync(*written);
}

}  // namespace

ReapGenerations::ReapGenerations(ShardContext* shard, const HintStore* hints)
    : shard_(shard),
      hints_(hints),
      raising_(shard->env.scope, kRaisersMax),
      run_(static_cast<uint64_t>(shard->env.clock->WallNow())) {}

Async<Status> ReapGenerations::Load() {
  const Bytes begin(kGenerationPrefix);
  const auto stored = co_await shard_->env.storage->Scan(ColumnFamily::kMeta, begin, begin + '\xff' + '\xff',
                                                         kGenerationsMax, 1u << 24);
  if (!stored) co_return Fail(stored.error());
  for (const KeyValue& entry : *stored) {
    ByteReader key(std::string_view(entry.key).substr(kGenerationPrefix.size()));
    ByteReader value(entry.value);
    const PartitionId partition = key.U32();
    const ReapGeneration generation = value.U64();
    if (!key.at_end() || !value.at_end())
      co_return Fail(Errc::kCorrupt, "a reap generation on this volume is malformed");
    if (shard_->ShardOf(partition) == shard_->env.link->self()) states_[partition] = {generation, generation, false};
  }
  co_return Status{};
}

std::vector<PartitionId> ReapGenerations::Unknown() const {
  std::vector<PartitionId> unknown;
  for (PartitionId partition = 0; partition < shard_->topology().partitions; ++partition) {
    const bool here = shard_->ShardOf(partition) == shard_->env.link->self();
    if (here && !states_.contains(partition)) unknown.push_back(partition);
  }
  return unknown;
}

Async<Status> ReapGenerations::SetFirst(std::map<PartitionId, ReapGeneration> generations) {
  WriteOps ops;
  for (const auto& [partition, generation] : generations) ops.push_back(GenerationOp(partition, generation));
  const Status stored = co_await StoreGenerations(shard_->env.storage, std::move(ops));
  if (!stored) co_return stored;
  for (const auto& [partition, generation] : generations) states_[partition] = {generation, generation, false};
  co_return Status{};
}

Async<Result<bool>> ReapGenerations::HoldsNothing(PartitionId partition) {
  const KeyRange range = LeafKeyRange(partition, shard_->topology().partitions, 0, kTreeLeaves - 1);
  const auto any = co_await shard_->env.storage->Scan(ColumnFamily::kObjects, range.begin, range.end, 1, 1);
  if (!any) co_return Fail(any.error());
  co_return any->empty() && !hints_->HasIn(partition);
}

ReapGeneration ReapGenerations::Of(PartitionId partition) const {
  const auto found = states_.find(partition);
  return found == states_.end() ? 0 : found->second.generation;
}

Status ReapGenerations::Admit(PartitionId partition, ReapGeneration stamp) const {
  if (shard_->config->planted.Has(PlantedBug::kReapWithoutGeneration)) return {};
  const auto found = states_.find(partition);
  const ReapGeneration least = found == states_.end() ? 0 : found->second.refuses_below;
  if (stamp >= least) return {};
  shard_->metrics->reap_refused.Add();
  return Fail(Errc::kConflict,
              fmt::format("read in reap generation {} of partition {}; this node is at {}", stamp, partition, least));
}

bool ReapGenerations::clean(PartitionId partition) const {
  const auto found = states_.find(partition);
  return found != states_.end() && found->second.clean;
}

bool ReapGenerations::HasHints(PartitionId partition) const {
  if (shard_->config->planted.Has(PlantedBug::kReapHintsNotCounted)) return false;
  return hints_->HasIn(partition) || hints_being_written_.contains(partition);
}

Async<Status> ReapGenerations::Raise(PartitionId partition, ReapGeneration to) {
  if (to <= Of(partition)) co_return Status{};
  Result<KeyLocks::Guard> alone = co_await raising_.Acquire(Hash128{partition, 0});
  if (!alone) co_return Fail(alone.error());
  if (to <= Of(partition)) co_return Status{};
  if (StandingOf(Of(partition), to) == GenerationStanding::kOneIsOldDisk) {
    shard_->env.log.Error("old_disk partition={} reap_generation={} others={}", partition, Of(partition), to);
    if (old_disk_) old_disk_();
    co_return Fail(Errc::kUnavailable, "this node's disk is an old copy: others have reaped since");
  }
  co_return co_await RaiseAlone(partition, to);
}

Async<Status> ReapGenerations::RaiseAlone(PartitionId partition, ReapGeneration to) {
  // From here on nothing that was read before is taken; what is on its way to this disk
  // is counted.
  states_[partition].refuses_below = to;
  WriteOps ops;
  ops.push_back(GenerationOp(partition, to));
  const Status stored = co_await StoreGenerations(shard_->env.storage, std::move(ops));
  if (!stored) {
    states_[partition].refuses_below = states_[partition].generation;
    co_return stored;
  }
  const bool being_written = objects_being_written_.contains(partition) && !OwnsAll(partition);
  const Result<bool> strays = co_await HasStrays(partition);
  State& state = states_[partition];
  // In one instant: nothing here is old, and reads bear the new stamp.
  state.clean = strays && !*strays && !being_written && !HasHints(partition);
  state.generation = to;
  co_return Status{};
}

bool ReapGenerations::OwnsAll(PartitionId partition) {
  const std::set<uint32_t> n_vals = NsInUse(shard_->topology());
  return std::all_of(n_vals.begin(), n_vals.end(),
                     [&](uint32_t n_val) { return MayHold(*shard_, shard_->self, {partition, n_val}); });
}

Async<Result<bool>> ReapGenerations::HasStrays(PartitionId partition) {
  KeyRange range = LeafKeyRange(partition, shard_->topology().partitions, 0, kTreeLeaves - 1);
  while (!OwnsAll(partition)) {
    const auto page = co_await shard_->env.storage->Scan(ColumnFamily::kObjects, range.begin, range.end,
                                                         kStrayScanItems, kStrayScanBytes);
    if (!page) co_return Fail(page.error());
    if (page->empty()) break;
    for (const KeyValue& item : *page) {
      const Result<ObjectKey> key = ParseStorageKey(item.key);
      if (!key || !MayHold(*shard_, shard_->self, {partition, shard_->NOf(*key)})) co_return true;
    }
    range.begin = page->back().key + '\0';
  }
  co_return false;
}

}  // namespace dynamo
