// Many seeds, one after the other or in several processes.
#ifndef DYNAMO_TESTS_SIM_CLUSTER_SEEDS_H_
#define DYNAMO_TESTS_SIM_CLUSTER_SEEDS_H_

#include <cstdint>

#include "tests/sim/cluster/run.h"
#include "tests/sim/cluster/totals.h"

namespace dynamo::sim {

struct SeedsOptions {
  uint64_t first = 1, last = 1;
  uint64_t every = 1;  // From `first` on.
  int jobs = 1;
  uint64_t twice_every = 50;  // So many seeds are run twice and compared; 0: none.
  bool verbose = false;       // A line for each seed, not only for those that fail.
  bool until_violation = false;
};

// Prints seeds that violate a property as they are found. A job that dies is counted.
Totals RunSeeds(const SeedsOptions& options, const RunOptions& run);

void Print(const RunResult& result);

}  // namespace dynamo::sim

#endif  // DYNAMO_TESTS_SIM_CLUSTER_SEEDS_H_
