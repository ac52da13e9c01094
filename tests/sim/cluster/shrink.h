// Makes a failing seed small: fewer nodes, faults, operations, less time.
#ifndef DYNAMO_TESTS_SIM_CLUSTER_SHRINK_H_
#define DYNAMO_TESTS_SIM_CLUSTER_SHRINK_H_

#include <cstdint>
#include <optional>
#include <string>

#include "tests/sim/cluster/run.h"

namespace dynamo::sim {

struct Shrunk {
  Reduction reduction;
  RunResult result;  // Of the reduced run.
  int runs = 0;      // That it took.
  size_t faults = 0, operations = 0;
  size_t length() const { return faults + operations; }
};

// Leaves out whatever can be, as long as the same property is violated. At most
// `runs_max` runs; the same every time. nullopt: the seed does not fail.
std::optional<Shrunk> Shrink(uint64_t seed, const RunOptions& options, int runs_max);

// Shrinks and prints: the plan, the faults that are left, the operations on the key
// and how to run it again. False: the seed does not fail.
bool PrintShrunk(uint64_t seed, const RunOptions& options);

}  // namespace dynamo::sim

#endif  // DYNAMO_TESTS_SIM_CLUSTER_SHRINK_H_
