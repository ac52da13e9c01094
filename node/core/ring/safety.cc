#include "node/core/ring/safety.h"

#include <algorithm>
#include <memory>
#include <tuple>

#include "node/core/ring/ns_in_use.h"
#include "node/core/ring/preference_list.h"

namespace dynamo {

std::vector<PartitionSafety> SafetyOf(const Topology& topology, const std::set<NodeId>& ready, NodeId without) {
  PreferenceLists lists(std::make_shared<const Topology>(topology));
  std::vector<PartitionSafety> weak;
  for (const uint32_t n_val : NsInUse(topology)) {
    for (PartitionId partition = 0; partition < topology.partitions; ++partition) {
      const std::vector<NodeId>& owners = lists.For(partition, n_val).owners;
      PartitionSafety safety{partition, n_val, static_cast<uint32_t>(owners.size()), 0, 0};
      for (const NodeId owner : owners) {
        if (!ready.contains(owner)) continue;
        ++safety.ready;
        safety.ready_without += owner == without ? 0 : 1;
      }
      if (safety.ready_without < safety.owners) weak.push_back(safety);
    }
  }
  std::ranges::sort(weak, {}, [](const PartitionSafety& safety) {
    return std::tuple(safety.ready_without, safety.n_val, safety.partition);
  });
  return weak;
}

}  // namespace dynamo
