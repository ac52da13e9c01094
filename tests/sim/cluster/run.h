// One seed from beginning to end: create, work under faults, heal, judge.
#ifndef DYNAMO_TESTS_SIM_CLUSTER_RUN_H_
#define DYNAMO_TESTS_SIM_CLUSTER_RUN_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "node/service/planted_bugs.h"
#include "tests/oracle/check.h"
#include "tests/sim/cluster/chaos.h"
#include "tests/sim/cluster/plan.h"
#include "tests/sim/cluster/reduction.h"
#include "tests/sim/cluster/workload.h"
#include "tests/sim/network.h"

namespace dynamo::sim {

struct RunOptions {
  PlantedBug plant = PlantedBug::kNone;  // Needs dynamo_service_bugs.
  Reduction reduction;
  // Gets every operation, fault and log line.
  std::function<void(const std::string&)> say;
};

struct RunResult {
  uint64_t seed = 0;
  Plan plan;
  // What an invariant finds ends the run.
  std::vector<oracle::Violation> violations;
  uint64_t trace_hash = 0;
  uint64_t events = 0;
  Duration simulated{0};
  Duration chaos{0};  // How long clients and faults were at work.
  OperationCounts operations;
  FaultCounts faults;
  NetworkCounts network;
  // After heal and the delivery of all hints, before the final reads: keys whose
  // owners still differed. Anti-entropy would find them; here reads repair them.
  uint64_t keys = 0, keys_repaired_by_reads = 0;
  Duration converged{0};    // Since heal.
  Duration ring_rested{0};  // Likewise, where the ring changes.
  std::vector<Workload::Begun> begun;
  std::vector<uint64_t> struck;
};

// A seed that shows something: 3 to 9 nodes, at least 2 minutes of chaos, 200
// operations and 10 a second, 5 kinds of faults that came. Empty, or why not.
std::string WhyNotCounted(const RunResult& result);

RunResult RunSeed(uint64_t seed, const RunOptions& options);

}  // namespace dynamo::sim

#endif  // DYNAMO_TESTS_SIM_CLUSTER_RUN_H_
