// A look inside, after all is healed: do the owners of each key hold equal bytes?
#ifndef DYNAMO_TESTS_SIM_CLUSTER_CONVERGENCE_H_
#define DYNAMO_TESTS_SIM_CLUSTER_CONVERGENCE_H_

#include <vector>

#include "tests/oracle/check.h"
#include "tests/sim/cluster/cluster.h"

namespace dynamo::sim {

// One for each key whose owners differ (P6).
std::vector<oracle::Violation> CompareReplicas(SimCluster& cluster, const std::vector<ObjectKey>& keys);

}  // namespace dynamo::sim

#endif  // DYNAMO_TESTS_SIM_CLUSTER_CONVERGENCE_H_
