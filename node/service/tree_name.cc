#include "node/service/tree_name.h"

#include <algorithm>

namespace dynamo {

bool MayHold(ShardContext& shard, NodeId node, TreeName tree) {
  if (shard.ListOf(tree.partition, tree.n_val).Owns(node)) return true;
  const std::vector<NodeId>& pending = shard.PendingOwnersOf(tree.partition, tree.n_val);
  return std::find(pending.begin(), pending.end(), node) != pending.end();
}

void ToProto(const ShardContext& shard, TreeName tree, peer::TreeId* out) {
  out->set_partition(tree.partition);
  out->set_n_val(tree.n_val);
  out->set_generation(shard.topology().version.generation);
  out->set_epoch(shard.topology().version.epoch);
}

TreeName NameOf(const peer::TreeId& tree) { return {tree.partition(), tree.n_val()}; }

TopologyVersion VersionOf(const peer::TreeId& tree) { return {tree.generation(), tree.epoch()}; }

Status CheckTree(const ShardContext& shard, const peer::TreeId& tree) {
  const Topology& topology = shard.topology();
  if (tree.partition() < topology.partitions && NsInUse(topology).contains(tree.n_val())) return {};
  return Fail(Errc::kInvalidArgument, "tree: no such partition, or no type with such an N");
}

}  // namespace dynamo
