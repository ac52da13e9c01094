// One seed from beginning to end: create, work under faults, heal, judge.
#ifndef DYNAMO_TESTS_SIM_CLUSTER_RUN_H_
#define DYNAMO_TESTS_SIM_CLUSTER_RUN_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "node/service/planted_bugs.h"
#include "tests/sim/cluster/chaos.h"
#include "tests/sim/cluster/plan.h"
#include "tests/sim/cluster/workload.h"
#include "tests/sim/network.h"

namespace dynamo::sim {

struct RunOptions {
  PlantedBug plant = PlantedBug::kNone;  // Needs dynamo_service_bugs.
  // Gets every operation, fault and log line.
  std::function<void(const std::string&)> say;
};

struct RunResult {
  uint64_t seed = 0;
  std::string plan;
  std::vector<std::string> violations;
  uint64_t trace_hash = 0;
  uint64_t events = 0;
  Duration simulated{0};
  OperationCounts operations;
  FaultCounts faults;
  NetworkCounts network;
};

RunResult RunSeed(uint64_t seed, const RunOptions& options);

}  // namespace dynamo::sim

#endif  // DYNAMO_TESTS_SIM_CLUSTER_RUN_H_
