// What an administrator says when disks are lost for good: that the cluster goes on
// without the majority of its voters, and that a partition need not wait for data that
// nobody has any more. Parts of a change of the topology, pure.
#ifndef DYNAMO_NODE_CORE_RING_DISASTER_H_
#define DYNAMO_NODE_CORE_RING_DISASTER_H_

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "node/core/ring/topology.h"

namespace dynamo {

// Named in full by who asks, so that it is done to no other cluster and for nobody
// else's loss.
struct DeclaredLoss {
  ClusterId cluster;
  std::vector<NodeId> nodes;  // Whose disks are lost for good.
  std::string by;             // At most LossRecord::kByBytesMax.
  uint64_t at_ms = 0;         // Since 1970; no part of what is asked for.
};

// Begins a generation, which is ordered before all epochs of the old one, without the
// nodes that are lost: the voters are chosen among the others. No vote decides on it:
// TopologyRegister asks every other member instead. The lost ones keep their tokens until
// they are replaced or tokens are placed anew; a change under way goes on.
struct ForceTopology {
  DeclaredLoss loss;
};

// In the change under way these partitions do not wait for what only these nodes had.
struct AcceptLoss {
  DeclaredLoss loss;
  std::vector<PartitionId> partitions;
};

// Each changes `next` and returns true, or finds that it is so already.
//  kInvalidArgument  another cluster, no such member or partition, or none named;
//  kConflict         a majority of the voters is not among the lost; nobody would be left;
//                    no change is under way.
Result<bool> Apply(Topology& next, const ForceTopology& change);
Result<bool> Apply(Topology& next, const AcceptLoss& change);

uint64_t FingerprintOf(const ForceTopology& change);
uint64_t FingerprintOf(const AcceptLoss& change);

// Whose loss of the partition was accepted in the change under way.
std::set<NodeId> GivenUp(const Topology& topology, PartitionId partition);
// They, and who was replaced because its disk is lost: receivers do not wait for what these have.
std::set<NodeId> NotWaitedFor(const Topology& topology, PartitionId partition);

// What keeps a partition from changing hands, as one node sees who is up.
struct PartitionWait {
  PartitionId partition = 0;
  std::set<NodeId> owners;     // Away; a receiver has to have what they have, or accept its loss.
  std::set<NodeId> receivers;  // Away themselves.

  friend bool operator==(const PartitionWait&, const PartitionWait&) = default;
};
// In ring order; those that go on are left out.
std::vector<PartitionWait> WaitsOf(const Topology& topology, const std::function<bool(NodeId)>& is_up);

// Of which every owner, for some N in use, is among these nodes.
std::vector<PartitionId> PartitionsLostWith(const Topology& topology, const std::set<NodeId>& nodes);

}  // namespace dynamo

#endif  // DYNAMO_NODE_CORE_RING_DISASTER_H_
