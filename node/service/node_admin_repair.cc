// Repairs by Merkle trees that an administrator orders: handed to the shards, and
// what these report of them.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "node/service/node_admin.h"
#include "node/service/shard_call.h"

namespace dynamo {
namespace {

constexpr size_t kRepairsKept = 100;

using State = RepairProgress::State;

RepairProgress SumOf(const std::string& id, const std::map<ShardIndex, RepairProgress>& shards) {
  RepairProgress sum;
  sum.operation_id = id;
  sum.state = State::kDone;
  for (const auto& [index, shard] : shards) {
    if (shard.state == State::kRunning) sum.state = State::kRunning;
    sum.exchanges += shard.exchanges;
    sum.exchanges_done += shard.exchanges_done;
    sum.exchanges_failed += shard.exchanges_failed;
    sum.leaves_differing += shard.leaves_differing;
    sum.keys_repaired += shard.keys_repaired;
    sum.keys_failed += shard.keys_failed;
  }
  return sum;
}

}  // namespace

Status NodeAdmin::MayRepair(std::optional<PartitionId> partition) const {
  if (!Serving()) return Fail(Errc::kUnavailable, "this node is of no cluster yet, or starting");
  const auto topology = CurrentTopology();
  if (!partition) return {};
  if (*partition >= topology->partitions) {
    return Fail(Errc::kInvalidArgument,
                fmt::format("no partition {}: there are {}, from 0 on", *partition, topology->partitions));
  }
  const PreferenceList list = WalkRing(*topology, *partition, topology->LargestN());
  if (list.Owns(identity_.node)) return {};
  std::string owners;
  for (const NodeId owner : list.owners) {
    const Member* member = topology->Find(owner);
    owners += (owners.empty() ? "" : ", ") + (member != nullptr ? member->name : ToString(owner));
  }
  return Fail(Errc::kInvalidArgument,
              fmt::format("this node does not own partition {}: ask one of {}", *partition, owners));
}

bool NodeAdmin::MakeRoomForRepair() {
  if (repairs_.size() < kRepairsKept) return true;
  const auto ended = std::find_if(repairs_.begin(), repairs_.end(), [](const OrderedRepair& repair) {
    return SumOf(repair.operation_id, repair.shards).state == State::kDone;
  });
  if (ended == repairs_.end()) return false;
  repairs_.erase(ended);
  return true;
}

Result<RepairProgress> NodeAdmin::StartRepair(std::string operation_id, std::optional<PartitionId> partition) {
  if (auto known = Repair(operation_id)) return *known;
  if (const Status may = MayRepair(partition); !may) return Fail(may.error());
  if (!MakeRoomForRepair()) return Fail(Errc::kOverloaded, "too many repairs run: wait for one of them");
  ShardContext& here = shards_->front()->context();
  OrderedRepair ordered{std::move(operation_id), {}};
  for (ShardIndex index = 0; index < shards_->size(); ++index) {
    if (partition && here.ShardOf(*partition) != index) continue;
    ordered.shards[index] = RepairProgress{};
    here.env.link->Post(index, [shard = (*shards_)[index].get(), order = RepairOrder{ordered.operation_id, partition}] {
      shard->anti_entropy().Order(order);
    });
  }
  repairs_.push_back(std::move(ordered));
  return SumOf(repairs_.back().operation_id, repairs_.back().shards);
}

void NodeAdmin::OnRepair(ShardIndex shard, const RepairProgress& progress) {
  for (OrderedRepair& repair : repairs_) {
    if (repair.operation_id == progress.operation_id) repair.shards[shard] = progress;
  }
}

std::optional<RepairProgress> NodeAdmin::Repair(const std::string& operation_id) const {
  for (const OrderedRepair& repair : repairs_) {
    if (repair.operation_id == operation_id) return SumOf(operation_id, repair.shards);
  }
  return std::nullopt;
}

Async<Result<std::vector<TreeRoot>>> NodeAdmin::TreeRoots(PartitionId partition) {
  if (const Status may = MayRepair(partition); !may) co_return Fail(may.error());
  ShardContext& here = shards_->front()->context();
  const ShardIndex index = here.ShardOf(partition);
  Shard* owner = (*shards_)[index].get();
  ShardWork<Result<std::vector<TreeRoot>>> work = [owner, partition] { return owner->anti_entropy().Roots(partition); };
  const TimePoint hung = here.Now() + here.config->anti_entropy_timeout;
  co_return co_await CallShard<Result<std::vector<TreeRoot>>>(here.env, owner->context().env, index, hung,
                                                              std::move(work));
}

}  // namespace dynamo
