// What is left of each partition's owners when one more node stops: what an operator
// asks before it restarts a node or deletes its volume.
#ifndef DYNAMO_NODE_CORE_RING_SAFETY_H_
#define DYNAMO_NODE_CORE_RING_SAFETY_H_

#include <cstdint>
#include <set>
#include <vector>

#include "node/core/ring/topology.h"

namespace dynamo {

// Owners alone count: neither who stands in nor who is about to own it.
struct PartitionSafety {
  PartitionId partition = 0;
  uint32_t n_val = 0;          // Of the bucket types it is said for.
  uint32_t owners = 0;         // min(N, members).
  uint32_t ready = 0;          // Of them, now,
  uint32_t ready_without = 0;  // and without the node.

  friend bool operator==(const PartitionSafety&, const PartitionSafety&) = default;
};

// For each N that a bucket type has and each partition, the weakest first; those that
// keep all owners are left out. `ready`: nodes that serve. `without` may be none.
std::vector<PartitionSafety> SafetyOf(const Topology& topology, const std::set<NodeId>& ready, NodeId without);

}  // namespace dynamo

#endif  // DYNAMO_NODE_CORE_RING_SAFETY_H_
