#include "node/service/shard_context.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace dynamo {

Error ShardContext::WhyNotServing() const {
  if (!rolled_back) return {Errc::kUnavailable, "this node is starting"};
  return {Errc::kUnavailable, "this node's volume is an older copy of what it had: empty it and replace the node"};
}

bool ShardContext::Adopt(ClusterViewPtr view) {
  const auto before = view_ == nullptr ? nullptr : view_->topology;
  view_ = std::move(view);
  const std::shared_ptr<const Topology>& now = view_->topology;
  if (now == nullptr || now == before || (before != nullptr && *before == *now)) return false;
  lists_.emplace(now);
  pending_lists_.reset();
  if (!now->pending.empty()) {
    auto pending = std::make_shared<Topology>(*now);
    pending->current = pending->pending;
    pending_lists_.emplace(std::move(pending));
  }
  signer_.emplace(now->context_keys);
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
  if (!pending_lists_) return owners;
  for (const NodeId owner : pending_lists_->For(key.partition, NOf(key.key)).owners) {
    if (std::find(owners.begin(), owners.end(), owner) == owners.end()) owners.push_back(owner);
  }
  return owners;
}

}  // namespace dynamo
