// What Merkle trees must be at rest (P6): equal between owners, and what the disk says.
#ifndef DYNAMO_TESTS_SIM_CLUSTER_TREES_H_
#define DYNAMO_TESTS_SIM_CLUSTER_TREES_H_

#include <string>
#include <vector>

#include "common/base/hash.h"
#include "tests/sim/cluster/cluster.h"

namespace dynamo::sim {

// The root over the disk's objects of partition and N, computed without any node.
Hash128 RootFromDisk(SimDisk& disk, const Topology& topology, PartitionId partition, uint32_t n_val);

// Each tree of each node that is not out against its disk and the other owners'
// trees; empty: all is right. On a whole cluster; runs the world while the nodes hash.
std::vector<std::string> CompareTrees(SimCluster& cluster);

}  // namespace dynamo::sim

#endif  // DYNAMO_TESTS_SIM_CLUSTER_TREES_H_
