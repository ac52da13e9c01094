// Sums over many seeds, for the report.
#ifndef DYNAMO_TESTS_SIM_CLUSTER_TOTALS_H_
#define DYNAMO_TESTS_SIM_CLUSTER_TOTALS_H_

#include <cstdint>
#include <string>

#include "tests/sim/cluster/run.h"

namespace dynamo::sim {

// Plain data: it travels between processes as bytes.
struct Totals {
  uint64_t seeds = 0, violated = 0, repeated = 0, died = 0;
  uint64_t events = 0;
  int64_t simulated_us = 0;
  OperationCounts operations;
  FaultCounts faults;
  NetworkCounts network;

  void Add(const RunResult& result);
  void Add(const Totals& other);
  std::string Report(double wall_seconds) const;
};

// One seed on one line.
std::string Summary(const RunResult& result);

}  // namespace dynamo::sim

#endif  // DYNAMO_TESTS_SIM_CLUSTER_TOTALS_H_
