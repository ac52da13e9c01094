#include "tests/sim/cluster/trees.h"

#include <fmt/format.h>

#include <map>
#include <utility>

#include "node/core/antientropy/hash_tree.h"
#include "node/core/version/object.h"

namespace dynamo::sim {

Hash128 RootFromDisk(SimDisk& disk, const Topology& topology, PartitionId partition, uint32_t n_val) {
  std::map<LeafIndex, LeafHash> leaves;
  for (const auto& [storage_key, object] : disk.applied(ColumnFamily::kObjects)) {
    const Hash128 position = PositionOfStorageKey(storage_key);
    if (PartitionOf(position, topology.partitions) != partition) continue;
    const auto type = topology.types.find(ParseStorageKey(storage_key).value().type);
    if (type == topology.types.end() || type->second.n_val != n_val) continue;
    leaves[LeafOf(position, topology.partitions)].Add(storage_key, DigestOf(object));
  }
  HashTree tree;
  for (const auto& [leaf, hash] : leaves) tree.SetLeaf(leaf, hash.value(), tree.Now());
  return tree.root();
}

std::vector<std::string> CompareTrees(SimCluster& cluster) {
  std::vector<std::string> wrong;
  std::vector<SimNode*> nodes;
  bool any_lost = false;
  for (size_t i = 0; i < cluster.size(); ++i) {
    if (!cluster.IsOut(i)) nodes.push_back(&cluster.node(i));
    any_lost = any_lost || cluster.node(i).disk().lost();
  }
  if (nodes.empty()) return {};
  const auto topology = nodes.front()->admin().CurrentTopology();
  for (PartitionId partition = 0; partition < topology->partitions; ++partition) {
    std::map<uint32_t, std::map<std::string, std::string>> roots;  // N, then root, to nodes.
    for (SimNode* node : nodes) {
      const auto trees = cluster.world().Await(node->scope(0), node->admin().TreeRoots(partition));
      if (!trees) continue;  // No owner.
      for (const TreeRoot& tree : *trees) {
        roots[tree.n_val][ToHex(tree.root)] += " " + node->address();
        if (tree.root == RootFromDisk(node->disk(), *topology, partition, tree.n_val)) continue;
        wrong.push_back(fmt::format("partition {} N={} on {}: the tree is not what the disk holds", partition,
                                    tree.n_val, node->address()));
      }
    }
    for (const auto& [n_val, by_root] : roots) {
      if (by_root.size() > 1) wrong.push_back(fmt::format("partition {} N={}: roots differ", partition, n_val));
    }
    if (roots.empty() && !any_lost) {
      wrong.push_back(fmt::format("partition {}: nobody has a tree of it", partition));
    }
  }
  return wrong;
}

}  // namespace dynamo::sim
