#include "tests/sim/cluster/convergence.h"

#include <fmt/format.h>

#include <map>
#include <optional>

#include "node/core/ring/preference_list.h"

namespace dynamo::sim {
namespace {

std::optional<Bytes> ReplicaOf(SimNode& node, const Bytes& storage_key) {
  const SimDisk::Family& objects = node.disk().applied(ColumnFamily::kObjects);
  const auto found = objects.find(storage_key);
  if (found == objects.end()) return std::nullopt;
  return found->second;
}

}  // namespace

std::vector<oracle::Violation> CompareReplicas(SimCluster& cluster, const std::vector<ObjectKey>& keys) {
  std::vector<oracle::Violation> differences;
  std::map<NodeId, SimNode*> nodes;
  for (size_t i = 0; i < cluster.size(); ++i) {
    if (cluster.node(i).started() && !cluster.IsOut(i))
      nodes[cluster.node(i).admin().Identity().node] = &cluster.node(i);
  }
  const auto topology = nodes.empty() ? nullptr : nodes.begin()->second->admin().CurrentTopology();
  if (!topology) return {{"P6", "", "nobody knows a topology"}};
  for (const ObjectKey& key : keys) {
    const Bytes storage_key = StorageKeyOf(key, topology->ring_seed);
    const PartitionId partition = PartitionOf(PositionOfStorageKey(storage_key), topology->partitions);
    const auto type = topology->types.find(key.type);
    const uint32_t n = type == topology->types.end() ? cluster.config().n_val : type->second.n_val;
    std::map<std::optional<Bytes>, std::string> holders;
    for (const NodeId owner : WalkRing(*topology, partition, n).owners) {
      if (nodes.contains(owner)) holders[ReplicaOf(*nodes[owner], storage_key)] += " " + nodes[owner]->address();
    }
    if (holders.size() <= 1) continue;
    std::string text = "owners differ:";
    for (const auto& [object, addresses] : holders) {
      text += fmt::format(" [{}:{}]", object ? ToHex(DigestOf(*object)).substr(0, 8) : "nothing", addresses);
    }
    differences.push_back({"P6", ToString(key), std::move(text)});
  }
  return differences;
}

}  // namespace dynamo::sim
