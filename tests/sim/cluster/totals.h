// Sums over many seeds, for the report.
#ifndef DYNAMO_TESTS_SIM_CLUSTER_TOTALS_H_
#define DYNAMO_TESTS_SIM_CLUSTER_TOTALS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "tests/sim/cluster/run.h"

namespace dynamo::sim {

// Plain data: it travels between processes as bytes.
struct Totals {
  uint64_t seeds = 0, violated = 0, repeated = 0, died = 0;
  // Seeds that show something (see WhyNotCounted), and their time alone.
  uint64_t counted = 0;
  int64_t counted_us = 0;
  uint64_t events = 0;
  int64_t simulated_us = 0;
  // Keys whose owners still differed when all hints were delivered: anti-entropy
  // would find them; the final reads repaired them.
  uint64_t keys = 0, keys_repaired_by_reads = 0;
  int64_t converged_max_us = 0;  // From heal until all owners were equal, at most.
  uint64_t ring_seeds = 0;       // In which the ring changes,
  int64_t ring_max_us = 0;       // and from heal until it rests in them, at most.
  OperationCounts operations;
  FaultCounts faults;
  NetworkCounts network;

  void Add(const RunResult& result);
  void Add(const Totals& other);
  std::string Report(double wall_seconds) const;
  // What keeps the run from being a proof, each on a line: violations, fewer than
  // 95 % of the seeds that count, kinds of faults that never fired.
  std::vector<std::string> Shortcomings() const;
};

// All of it, for a file. `command`: what was run.
std::string ToJson(const Totals& totals, const std::string& command, uint64_t first, uint64_t last, uint64_t every,
                   double wall_seconds);

// One seed on one line.
std::string Summary(const RunResult& result);

}  // namespace dynamo::sim

#endif  // DYNAMO_TESTS_SIM_CLUSTER_TOTALS_H_
