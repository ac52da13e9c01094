// P15: with no more than N nodes left, sloppy puts still succeed.
#ifndef DYNAMO_TESTS_SIM_CLUSTER_AVAILABILITY_H_
#define DYNAMO_TESTS_SIM_CLUSTER_AVAILABILITY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "tests/sim/cluster/cluster.h"

namespace dynamo::sim {

// On a whole cluster: stops all nodes but N, gives the rest time to notice, writes
// with W = `w` through each of them, and starts the others again. Keys of its own.
// One line for each put that failed.
std::vector<std::string> PutWithNNodesLeft(SimCluster& cluster, uint32_t w);

}  // namespace dynamo::sim

#endif  // DYNAMO_TESTS_SIM_CLUSTER_AVAILABILITY_H_
