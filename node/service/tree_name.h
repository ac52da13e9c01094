// One partition's objects of one N: what a Merkle tree is over, and what moves from
// owner to owner. Objects of types with another N have other owners.
#ifndef DYNAMO_NODE_SERVICE_TREE_NAME_H_
#define DYNAMO_NODE_SERVICE_TREE_NAME_H_

#include <compare>
#include <cstdint>

#include "node/core/ring/ns_in_use.h"
#include "node/protocol/peer.pb.h"
#include "node/service/shard_context.h"

namespace dynamo {

struct TreeName {
  PartitionId partition = 0;
  uint32_t n_val = 0;

  friend auto operator<=>(const TreeName&, const TreeName&) = default;
};

// Whether the node owns it, or is about to.
bool MayHold(ShardContext& shard, NodeId node, TreeName tree);

// With the version of the topology that this node holds.
void ToProto(const ShardContext& shard, TreeName tree, peer::TreeId* out);
TreeName NameOf(const peer::TreeId& tree);
TopologyVersion VersionOf(const peer::TreeId& tree);
// kInvalidArgument: there is no such tree.
Status CheckTree(const ShardContext& shard, const peer::TreeId& tree);

}  // namespace dynamo

#endif  // DYNAMO_NODE_SERVICE_TREE_NAME_H_
