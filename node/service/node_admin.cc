#include "node/service/node_admin.h"

#include <algorithm>
#include <map>
#include <utility>

#include "node/service/data_path.h"
#include "node/service/locate.h"
#include "node/service/shard_call.h"

namespace dynamo {

NodeIdentity NodeAdmin::Identity() const {
  NodeIdentity identity;
  identity.node = identity_.node;
  identity.boot_number = identity_.boot_number;
  const auto topology = CurrentTopology();
  identity.empty_volume = topology == nullptr;
  if (topology != nullptr) identity.cluster = topology->cluster;
  if (topology == nullptr) {
    identity.state = "empty";
  } else if (Removed()) {
    identity.state = "removed";
  } else {
    identity.state = rolled_back_ ? "rolled back" : !Serving() ? "starting" : Ready() ? "normal" : "leaving";
  }
  return identity;
}

bool NodeAdmin::Ready() const { return Serving() && !shards_->front()->context().departing(); }

bool NodeAdmin::Serving() const {
  return CurrentTopology() != nullptr && !rolled_back_ && !Removed() &&
         std::all_of(serving_.begin(), serving_.end(), [](bool serving) { return serving; });
}

bool NodeAdmin::Removed() const { return shards_->front()->context().removed(); }

std::shared_ptr<const Topology> NodeAdmin::CurrentTopology() const {
  const ClusterViewPtr& view = shards_->front()->context().view();
  return view == nullptr ? nullptr : view->topology;
}

std::vector<NodeInfo> NodeAdmin::Members() const {
  std::vector<NodeInfo> members;
  if (const ClusterViewPtr& view = shards_->front()->context().view()) {
    for (const auto& [id, info] : view->nodes) members.push_back(info);
  }
  return members;
}

std::vector<HintCount> NodeAdmin::Hints() const {
  std::map<NodeId, HintCount> sums;
  for (const std::vector<HintCount>& counts : hints_) {
    for (const HintCount& count : counts) {
      HintCount& sum = sums[count.owner];
      sum.owner = count.owner;
      sum.hints += count.hints;
      sum.bytes += count.bytes;
    }
  }
  std::vector<HintCount> all;
  all.reserve(sums.size());
  for (const auto& [owner, count] : sums) all.push_back(count);
  return all;
}

Async<Result<KeyLocation>> NodeAdmin::Locate(ObjectKey key) {
  ShardContext& here = shards_->front()->context();
  if (!Serving()) co_return Fail(Errc::kUnavailable, "this node is of no cluster yet, or starting");
  const KeyPtr placed = Place(std::move(key), here.topology());
  const ShardIndex index = here.ShardOf(placed->partition);
  Shard* owner = (*shards_)[index].get();
  ShardWork<Result<KeyLocation>> work = [owner, placed] { return LocateKey(owner, placed); };
  const TimePoint hung = here.Now() + here.config->request_timeout_max;
  co_return co_await CallShard<Result<KeyLocation>>(here.env, owner->context().env, index, hung, std::move(work));
}

Async<Result<std::shared_ptr<const Topology>>> NodeAdmin::Create(CreateCluster request) {
  if (membership_ == nullptr) co_return Fail(Errc::kUnavailable, "this node is starting");
  co_return co_await membership_->Create(std::move(request));
}

Async<Result<uint64_t>> NodeAdmin::Change(TopologyChange change) {
  if (register_ == nullptr) co_return Fail(Errc::kUnavailable, "this node is starting");
  // Others that were removed with it might agree, and the cluster would never hear of it.
  if (Removed()) co_return Fail(shards_->front()->context().WhyNotServing());
  co_return co_await register_->Change(std::move(change));
}

}  // namespace dynamo
