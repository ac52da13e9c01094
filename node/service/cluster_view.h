// What a shard knows of the cluster at one moment: an immutable value that shard 0
// makes and hands to all shards.
#ifndef DYNAMO_NODE_SERVICE_CLUSTER_VIEW_H_
#define DYNAMO_NODE_SERVICE_CLUSTER_VIEW_H_

#include <map>
#include <memory>
#include <set>

#include "common/base/ids.h"
#include "node/core/membership/member_table.h"
#include "node/core/ring/topology.h"

namespace dynamo {

struct ClusterView {
  std::shared_ptr<const Topology> topology;  // nullptr: of no cluster yet.
  bool removed = false;                      // This node left or was replaced: it must not serve.
  std::map<NodeId, NodeInfo> nodes;          // Self included.
  Hash128 nodes_hash;                        // Equal where `nodes` are, self included.
  std::set<NodeId> up;                       // Self included: where requests go.

  bool IsUp(NodeId node) const { return up.contains(node); }
};
using ClusterViewPtr = std::shared_ptr<const ClusterView>;

}  // namespace dynamo

#endif  // DYNAMO_NODE_SERVICE_CLUSTER_VIEW_H_
