// What all parts of one shard share: its ports, its config, and the cluster as it
// stands now. Ask anew after every co_await: views come and go.
#ifndef DYNAMO_NODE_SERVICE_SHARD_CONTEXT_H_
#define DYNAMO_NODE_SERVICE_SHARD_CONTEXT_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "node/core/ring/preference_list.h"
#include "node/core/version/context.h"
#include "node/service/cluster_view.h"
#include "node/service/placed_key.h"
#include "node/service/service_config.h"
#include "node/service/service_metrics.h"
#include "node/service/shard_env.h"

namespace dynamo {

class ShardContext {
 public:
  // All outlive this.
  ShardContext(ShardEnv env, const ServiceConfig* config, ServiceMetrics* metrics)
      : env(std::move(env)), config(config), metrics(metrics) {}

  const ShardEnv env;
  const ServiceConfig* const config;
  ServiceMetrics* const metrics;
  NodeId self;           // None until the identity is loaded.
  bool serving = false;  // What is on disk is known: requests are answered.
  // Somebody remembers a later boot of this node: its volume is an old copy, which
  // may lack what was acknowledged since. It never serves again.
  bool rolled_back = false;
  Error WhyNotServing() const;

  // Returns true if the topology is another one than before.
  bool Adopt(ClusterViewPtr view);
  const ClusterViewPtr& view() const { return view_; }
  bool has_topology() const { return view_ != nullptr && view_->topology != nullptr; }
  // This node left the cluster or was replaced in it.
  bool removed() const { return view_ != nullptr && view_->removed; }
  // The rest needs a topology.
  const Topology& topology() const { return *view_->topology; }
  bool IsUp(NodeId node) const { return node == self || view_->IsUp(node); }
  // nullptr: no such type.
  const BucketType* TypeOf(const ObjectKey& key) const;
  // The N of the key's type.
  uint32_t NOf(const ObjectKey& key) const;
  ShardIndex ShardOf(PartitionId partition) const { return partition % env.link->count(); }
  // Who owns the partition now, and who stands in.
  const PreferenceList& ListOf(PartitionId partition, uint32_t n) { return lists_->For(partition, n); }
  const std::vector<NodeId>& OwnersOf(PartitionId partition, uint32_t n) { return ListOf(partition, n).owners; }
  // Who is about to own it and does not yet; see PendingOwners.
  const std::vector<NodeId>& PendingOwnersOf(PartitionId partition, uint32_t n) {
    return lists_->PendingFor(partition, n);
  }
  // With the N of the key's type.
  const PreferenceList& ListOf(const PlacedKey& key);
  bool IsOwner(NodeId node, const PlacedKey& key) { return ListOf(key).Owns(node); }
  bool IsPendingOwner(NodeId node, const PlacedKey& key);
  // The owners of the key, and those it is being moved to.
  std::vector<NodeId> CurrentAndPendingOwners(const PlacedKey& key);
  const std::vector<NodeId>& PendingOwnersOf(const PlacedKey& key);

  uint64_t epoch() const { return topology().version.epoch; }
  // A write that was sent at an older epoch than the change under way began in did not
  // go to those who are about to own the key. From the epoch on that names them, what
  // an owner takes has been sent to them too: so this one is refused, retryably.
  // kNotOwner, with this node's epoch.
  Status CheckSentToPending(const PlacedKey& key, uint64_t sent_at);
  // This node leaves and owns nothing any more: it takes no further hints.
  bool departing() const;
  // False if the topology here is still older at `deadline`.
  Async<bool> WaitForEpoch(uint64_t epoch, TimePoint deadline);

  const ContextSigner& signer() const { return *signer_; }

  TimePoint Now() const { return env.clock->Now(); }
  // When a replica asked now is given up.
  TimePoint ReplicaDeadline() const { return Now() + config->replica_timeout; }

 private:
  ClusterViewPtr view_;
  std::optional<PreferenceLists> lists_;
  std::optional<ContextSigner> signer_;
  std::vector<std::shared_ptr<Event>> wait_for_topology_;
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_SERVICE_SHARD_CONTEXT_H_
