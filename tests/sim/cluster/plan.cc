#include "tests/sim/cluster/plan.h"

#include <fmt/format.h>

#include <algorithm>

namespace dynamo::sim {
namespace {

uint32_t Draw(Rng& rng, uint32_t low, uint32_t high) { return static_cast<uint32_t>(rng.Between(low, high)); }

Duration Seconds(Rng& rng, int low, int high) { return std::chrono::seconds(rng.Between(low, high)); }

NetworkConfig DrawNoise(Rng& rng) {
  NetworkConfig noise;
  noise.delay_max = std::chrono::milliseconds(rng.Between(1, 50));
  noise.late_max = std::chrono::milliseconds(rng.Between(10, 2000));
  // Each seed has some of them only.
  for (double* rate : {&noise.drop, &noise.duplicate, &noise.reorder, &noise.slow, &noise.corrupt, &noise.reset}) {
    if (rng.Chance(0.5)) *rate = rng.Fraction() * 0.1;
  }
  return noise;
}

WorkloadPlan DrawWorkload(Rng& rng, uint32_t n) {
  WorkloadPlan plan;
  plan.clients = static_cast<int>(rng.Between(3, 8));
  plan.keys = static_cast<int>(rng.Between(1, 12));
  plan.lww_keys = rng.Chance(0.3) ? 0 : 0.4;
  plan.r = Draw(rng, 1, n);
  plan.w = Draw(rng, 1, n);
  if (rng.Chance(0.2)) plan.dw = Draw(rng, 1, n);
  if (rng.Chance(0.1)) plan.pr = Draw(rng, 1, plan.r);
  if (rng.Chance(0.1)) plan.pw = Draw(rng, 1, plan.w);
  if (rng.Chance(0.4)) plan.sloppy = false;
  plan.value_bytes_max = rng.Chance(0.1) ? 20'000 : 200;
  plan.think_max = std::chrono::milliseconds(rng.Between(200, 2500));
  return plan;
}

ChaosPlan DrawChaos(Rng& rng) {
  ChaosPlan plan;
  for (bool& enabled : plan.enabled) enabled = rng.Chance(0.6);
  // At least one that hurts.
  plan.enabled[rng.Below(4)] = true;
  plan.between_max = Seconds(rng, 2, 20);
  plan.crash_max = Seconds(rng, 1, 30);
  plan.pause_max = Seconds(rng, 1, 30);
  plan.partition_max = Seconds(rng, 1, 30);
  plan.noise_max = Seconds(rng, 5, 60);
  plan.noise = DrawNoise(rng);
  plan.skew_max = rng.Chance(0.5) ? Seconds(rng, 0, 10) : Seconds(rng, 0, 3600);
  return plan;
}

}  // namespace

std::string_view Name(FaultKind kind) {
  switch (kind) {
    case FaultKind::kCrash: return "crash";
    case FaultKind::kPause: return "pause";
    case FaultKind::kPartition: return "partition";
    case FaultKind::kNoise: return "noise";
    case FaultKind::kSkew: return "skew";
  }
  return "?";
}

Plan DrawPlan(Rng rng) {
  Plan plan;
  SimClusterConfig& cluster = plan.cluster;
  cluster.nodes = static_cast<size_t>(rng.Between(3, 9));
  cluster.shards = Draw(rng, 1, 3);
  cluster.n_val = std::min(Draw(rng, 1, 5), static_cast<uint32_t>(cluster.nodes));
  cluster.partitions = cluster.nodes > 8 ? 16u << rng.Below(3) : 8u << rng.Below(4);
  cluster.zones = rng.Chance(0.5) ? 1 : static_cast<size_t>(rng.Between(2, 3));
  cluster.drift_ppm_max = rng.Chance(0.5) ? 200 : 20'000;
  cluster.disk.memory_misses = rng.Fraction() * 0.6;
  cluster.disk.sync_max = std::chrono::milliseconds(rng.Between(1, 20));
  cluster.disk.read_max = std::chrono::milliseconds(rng.Between(1, 20));
  cluster.service.siblings_max = rng.Chance(0.2) ? 5 : 100;
  cluster.service.clock_cache_entries = rng.Chance(0.5) ? 1024 : 2;
  plan.workload = DrawWorkload(rng, cluster.n_val);
  plan.chaos = DrawChaos(rng);
  return plan;
}

std::string Describe(const Plan& plan) {
  std::string faults;
  for (int kind = 0; kind < kFaultKinds; ++kind) {
    if (!plan.chaos.enabled[kind]) continue;
    faults += faults.empty() ? "" : ",";
    faults += Name(static_cast<FaultKind>(kind));
  }
  return fmt::format("{} nodes x {} shards, N{} R{} W{} {}, Q{}, {} clients on {} keys, {}", plan.cluster.nodes,
                     plan.cluster.shards, plan.cluster.n_val, plan.workload.r, plan.workload.w,
                     plan.workload.sloppy.value_or(true) ? "sloppy" : "strict", plan.cluster.partitions,
                     plan.workload.clients, plan.workload.keys, faults);
}

}  // namespace dynamo::sim
