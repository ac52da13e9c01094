// What one seed does: every seed draws its own cluster, workload and subset of
// faults (swarm testing, Groce et al. 2012).
#ifndef DYNAMO_TESTS_SIM_CLUSTER_PLAN_H_
#define DYNAMO_TESTS_SIM_CLUSTER_PLAN_H_

#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "common/base/random.h"
#include "tests/sim/cluster/cluster.h"
#include "tests/sim/cluster/fault_kind.h"

namespace dynamo::sim {

struct WorkloadPlan {
  int clients = 4;
  int keys = 6;
  // Of the kind that lets the latest win; the others keep siblings.
  double lww_keys = 0.3;
  uint32_t r = 2, w = 2;
  std::optional<uint32_t> dw, pr, pw;
  std::optional<bool> sloppy;
  size_t value_bytes_max = 200;
  Duration think_max{1'000'000};  // From the beginning of one to that of the next.
  Duration timeout_min{500'000}, timeout_max{5'000'000};
  // Of 100 operations; the rest reads, then puts with the context.
  int reads = 10, blind_puts = 20, deletes = 10, blind_deletes = 3, stale_puts = 7;
  uint64_t operations_min = 200;
  // Of 1,000 operations: those that no client should do.
  int retry_storms = 0, forged_contexts = 0, huge_contexts = 0, oversized_values = 0, sibling_floods = 0;
  // Of the keys, how many are only ever read and then written with that context.
  int loop_keys = 0;
  // All others are left out, by ordinal (see Workload::OrdinalOf); these stay as they were.
  std::optional<std::set<uint64_t>> only_operations;
};

struct ChaosPlan {
  bool enabled[kFaultKinds] = {};
  Duration between_max{8'000'000};  // From one fault to the next.
  // How long each lasts.
  Duration crash_max{20'000'000}, pause_max{20'000'000}, partition_max{20'000'000}, noise_max{20'000'000};
  Duration clog_max{10'000'000}, disk_max{20'000'000}, slow_max{20'000'000};
  Duration lag_max{200'000};  // Of a slow node, for each event.
  int64_t disk_slowness_max = 50;
  double read_error_rate = 0.5;
  int64_t wall_drift_ppm_max = 50'000;
  // How many disks may be lost or spoiled: any more could lose a write that only W
  // disks have.
  uint32_t disks_hurt_max = 0;
  NetworkConfig noise;  // The rates while there is noise.
  Duration skew_max{3'600'000'000};
  Duration duration{120'000'000};
  // All others are left out, by ordinal; these stay as they were.
  std::optional<std::set<uint64_t>> only_faults;

  bool Has(FaultKind kind) const { return enabled[static_cast<int>(kind)]; }
  // Some of what a noise brings.
  bool HasNoise() const;
  bool ChangesRing() const;
};

struct Plan {
  SimClusterConfig cluster;
  WorkloadPlan workload;
  ChaosPlan chaos;
  size_t spares = 0;  // Nodes of no cluster yet, where the ring changes.

  // Where the ring changes: the spares beside the members, 9 nodes at most.
  void AddSpares();
};

// `ring_always`: members change in every seed, not in half of them; those that change
// them anyway stay as they are.
Plan DrawPlan(Rng rng, bool ring_always = false);
// One line, for people.
std::string Describe(const Plan& plan);

}  // namespace dynamo::sim

#endif  // DYNAMO_TESTS_SIM_CLUSTER_PLAN_H_
