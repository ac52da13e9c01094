#include "node/service/shard_context.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

namespace dynamo {

Error ShardContext::WhyNotServing() const {
  if (removed()) {
    return {Errc::kWrongCluster, "this node was removed from cluster " + ToString(topology().cluster) +
                                     ": ask another, and empty its volume before it starts again"};
  }
  if (!rolled_back) return {Errc::kUnavailable, "this node is starting"};
  return {Errc::kUnavailable, "this node's volume is an older copy of what it had: empty it and replace the node"};
}

bool ShardContext::Adopt(ClusterViewPtr view) {
  const auto before = view_ == nullptr ? nullptr : view_->topology;
  view_ = std::move(view);
  const std::shared_ptr<const Topology>& now = view_->topology;
  if (now == nullptr || now == before || (before != nullptr && *before == *now)) return false;
  lists_.emplace(now);
  signer_.emplace(now->context_keys);
  for (const auto& waiting : std::exchange(wait_for_topology_, {})) waiting->Set();
  return true;
}

const BucketType* ShardContext::TypeOf(const ObjectKey& key) const {
  const auto type = topology().types.find(key.type);
  return type == topology().types.end() ? nullptr : &type->second;
}

uint32_t ShardContext::NOf(const ObjectKey& key) const {
  const BucketType* type = TypeOf(key);
  return type == nullptr ? BucketType{}.n_val : type->n_val;
}

const PreferenceList& ShardContext::ListOf(const PlacedKey& key) { return ListOf(key.partition, NOf(key.key)); }

std::vector<NodeId> ShardContext::CurrentAndPendingOwners(const PlacedKey& key) {
  std::vector<NodeId> owners = ListOf(key).owners;
  const std::vector<NodeId>& pending = PendingOwnersOf(key);
  owners.insert(owners.end(), pending.begin(), pending.end());
  return owners;
}

bool ShardContext::IsPendingOwner(NodeId node, const PlacedKey& key) {
  return std::ranges::find(PendingOwnersOf(key), node) != PendingOwnersOf(key).end();
}

Status ShardContext::CheckSentToPending(const PlacedKey& key, uint64_t sent_at) {
  if (sent_at >= topology().change_since || PendingOwnersOf(key).empty()) return {};
  if (config->planted.Has(PlantedBug::kEpochUnchecked)) return {};
  return Fail(Errc::kNotOwner,
              fmt::format("sent at epoch {}; at {}, others are about to own the key", sent_at, epoch()));
}

bool ShardContext::departing() const {
  if (!has_topology() || !topology().pending.empty()) return false;
  const Member* member = topology().Find(self);
  return member != nullptr && member->state == MemberState::kLeaving;
}

Async<bool> ShardContext::WaitForEpoch(uint64_t wanted, TimePoint deadline) {
  while (epoch() < wanted && Now() < deadline) {
    const auto adopted = wait_for_topology_.emplace_back(std::make_shared<Event>(*env.scope));
    co_await WaitUntil(*adopted, *env.clock, deadline);
    std::erase(wait_for_topology_, adopted);
  }
  co_return epoch() >= wanted;
}

const std::vector<NodeId>& ShardContext::PendingOwnersOf(const PlacedKey& key) {
  return PendingOwnersOf(key.partition, NOf(key.key));
}

}  // namespace dynamo
