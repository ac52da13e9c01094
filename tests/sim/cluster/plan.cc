#include "tests/sim/cluster/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace dynamo::sim {
namespace {

uint32_t Draw(Rng& rng, uint32_t low, uint32_t high) { return static_cast<uint32_t>(rng.Between(low, high)); }

Duration Seconds(Rng& rng, int low, int high) { return std::chrono::seconds(rng.Between(low, high)); }

constexpr std::array kNoises{FaultKind::kDrop,      FaultKind::kDelay,   FaultKind::kReorder,
                             FaultKind::kDuplicate, FaultKind::kCorrupt, FaultKind::kReset};
constexpr int kKindsMin = 10;  // That a run has at least.
constexpr size_t kSmallObject = 24'000;
constexpr size_t kNodesMax = 9;

// The rates of the noises that the seed has.
NetworkConfig DrawNoise(Rng& rng, const ChaosPlan& plan) {
  NetworkConfig noise;
  noise.delay_max = std::chrono::milliseconds(rng.Between(1, 50));
  noise.late_max = std::chrono::milliseconds(rng.Between(10, 2000));
  const std::array rates{&noise.drop, &noise.slow, &noise.reorder, &noise.duplicate, &noise.corrupt, &noise.reset};
  for (size_t i = 0; i < rates.size(); ++i) {
    const double rate = rng.Fraction() * 0.1;
    if (plan.Has(kNoises[i])) *rates[i] = rate;
  }
  return noise;
}

WorkloadPlan DrawWorkload(Rng& rng, uint32_t n) {
  WorkloadPlan plan;
  plan.clients = static_cast<int>(rng.Between(14, 26));
  plan.keys = static_cast<int>(rng.Between(1, 12));
  plan.lww_keys = rng.Chance(0.3) ? 0 : 0.4;
  plan.r = Draw(rng, 1, n);
  plan.w = Draw(rng, 1, n);
  if (rng.Chance(0.2)) plan.dw = Draw(rng, 1, n);
  if (rng.Chance(0.1)) plan.pr = Draw(rng, 1, plan.r);
  if (rng.Chance(0.1)) plan.pw = Draw(rng, 1, plan.w);
  if (rng.Chance(0.4)) plan.sloppy = false;
  plan.value_bytes_max = rng.Chance(0.1) ? 20'000 : 200;
  // Of all clients together, most of two operations: a read, then a write.
  const int64_t rounds_per_second = rng.Between(12, 15);
  plan.think_max = Duration(int64_t{2'000'000} * plan.clients / rounds_per_second);
  // Any quorum of owners that is read meets any that was written: clients may then
  // rely on what they were told.
  if (rng.Chance(0.2)) {
    plan.pw = plan.w;
    plan.pr = plan.r = Draw(rng, n - plan.w + 1, n);
    plan.loop_keys = static_cast<int>(rng.Below(3));
  }
  return plan;
}

void DrawClientFaults(Rng& rng, const ChaosPlan& chaos, Plan* plan) {
  WorkloadPlan& workload = plan->workload;
  const auto rate = [&](FaultKind kind, int max) {
    const auto drawn = static_cast<int>(rng.Between(1, max));
    return chaos.Has(kind) ? drawn : 0;
  };
  workload.retry_storms = rate(FaultKind::kRetryStorm, 20);
  workload.forged_contexts = rate(FaultKind::kForgedContext, 30);
  workload.huge_contexts = rate(FaultKind::kHugeContext, 5);
  workload.oversized_values = rate(FaultKind::kOversizedValue, 10);
  workload.sibling_floods = rate(FaultKind::kSiblingFlood, 10);
  if (!chaos.Has(FaultKind::kStaleContext)) workload.stale_puts = 0;
  if (chaos.Has(FaultKind::kOversizedValue)) plan->cluster.service.object_bytes_max = kSmallObject;
  if (chaos.Has(FaultKind::kSiblingFlood)) plan->cluster.service.siblings_max = 5;
}

ChaosPlan DrawChaos(Rng& rng) {
  ChaosPlan plan;
  for (int kind = 0; kind < kFirstRingChange; ++kind) plan.enabled[kind] = rng.Chance(0.45);
  for (int i = 0; i < kKindsMin; ++i) plan.enabled[rng.Below(kFirstRingChange)] = true;
  // A part of every crash.
  plan.enabled[static_cast<int>(FaultKind::kUnsyncedLoss)] = plan.Has(FaultKind::kCrash);
  plan.enabled[static_cast<int>(FaultKind::kTornWrite)] = plan.Has(FaultKind::kCrash);
  plan.between_max = Seconds(rng, 2, 15);
  plan.crash_max = Seconds(rng, 1, 30);
  plan.pause_max = rng.Chance(0.2) ? Seconds(rng, 30, 600) : Seconds(rng, 1, 30);
  plan.partition_max = Seconds(rng, 1, 30);
  plan.noise_max = Seconds(rng, 5, 60);
  plan.clog_max = Seconds(rng, 1, 20);
  plan.disk_max = Seconds(rng, 1, 30);
  plan.slow_max = Seconds(rng, 1, 30);
  plan.lag_max = std::chrono::milliseconds(rng.Between(1, 500));
  plan.disk_slowness_max = rng.Between(3, 200);
  plan.read_error_rate = rng.Fraction();
  plan.noise = DrawNoise(rng, plan);
  plan.skew_max = rng.Chance(0.5) ? Seconds(rng, 0, 10) : Seconds(rng, 0, 3600);
  return plan;
}

// A write that was acknowledged by W nodes survives the loss of W-1 disks; and those
// that are left must be enough to go on.
uint32_t DisksToHurt(const Plan& plan) {
  const WorkloadPlan& workload = plan.workload;
  // Members that leave take their fallbacks with them.
  const bool strict = workload.sloppy == false || plan.chaos.ChangesRing();
  const uint32_t nodes = strict ? plan.cluster.n_val : static_cast<uint32_t>(plan.cluster.nodes);
  return std::min(workload.w - 1, nodes - std::max({workload.r, workload.w, workload.dw.value_or(0)}));
}

// Drawn last, so that all else stays as it is without.
void DrawRingChanges(Rng& rng, Plan* plan) {
  ChaosPlan& chaos = plan->chaos;
  for (int kind = kFirstRingChange; kind < kFaultKinds; ++kind) chaos.enabled[kind] = rng.Chance(0.6);
  // Without these the others find nothing to do.
  chaos.enabled[static_cast<int>(rng.Chance(0.5) ? FaultKind::kJoin : FaultKind::kFlap)] = true;
  plan->spares = rng.Between(1, 2);
  ServiceConfig& service = plan->cluster.service;
  service.transfer_max_concurrent = Draw(rng, 1, 4);
  service.transfer_chunk_bytes = static_cast<size_t>(rng.Between(200, 50'000));
  const uint64_t rate = static_cast<uint64_t>(rng.Between(50'000, 500'000));
  service.transfer_bytes_per_second = plan->workload.value_bytes_max > 1000 ? 50 * rate : rate;
  chaos.disks_hurt_max = std::min(chaos.disks_hurt_max, DisksToHurt(*plan));
}

}  // namespace

bool ChaosPlan::HasNoise() const {
  return std::ranges::any_of(kNoises, [this](FaultKind kind) { return Has(kind); });
}

bool ChaosPlan::ChangesRing() const {
  return std::any_of(enabled + kFirstRingChange, enabled + kFaultKinds, [](bool kind) { return kind; });
}

void Plan::AddSpares() {
  if (!chaos.ChangesRing()) return;
  cluster.spares = spares;
  cluster.nodes = std::min(cluster.nodes + spares, kNodesMax);
}

Plan DrawPlan(Rng rng, bool ring_always) {
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
  plan.chaos.disks_hurt_max = DisksToHurt(plan);
  DrawClientFaults(rng, plan.chaos, &plan);
  // Who repairs by schedule hides what others leave undone: half of the seeds are without.
  cluster.service.anti_entropy_interval = rng.Chance(0.5) ? Seconds(rng, 2, 20) : Duration(0);
  cluster.service.anti_entropy_rescan = Seconds(rng, 20, 200);
  if (!rng.Chance(0.5) || ring_always) DrawRingChanges(rng, &plan);
  cluster.service.reap_interval = rng.Chance(0.5) ? Seconds(rng, 1, 10) : Duration(0);
  // Reaping needs anti-entropy.
  if (cluster.service.anti_entropy_interval == Duration(0)) cluster.service.reap_interval = Duration(0);
  cluster.service.reap_age_min = std::chrono::milliseconds(rng.Between(0, 5000));
  cluster.service.reap_clock_entries_max = Draw(rng, 1, 20);
  return plan;
}

std::string Describe(const Plan& plan) {
  std::string faults;
  for (int kind = 0; kind < kFaultKinds; ++kind) {
    if (!plan.chaos.enabled[kind]) continue;
    faults += faults.empty() ? "" : ",";
    faults += Name(static_cast<FaultKind>(kind));
  }
  return fmt::format("{} nodes ({} spare) x {} shards, N{} R{} W{} {}, Q{}, {} clients on {} keys, {}{}{}",
                     plan.cluster.nodes, plan.cluster.spares, plan.cluster.shards, plan.cluster.n_val, plan.workload.r,
                     plan.workload.w, plan.workload.sloppy.value_or(true) ? "sloppy" : "strict",
                     plan.cluster.partitions, plan.workload.clients, plan.workload.keys, faults,
                     plan.cluster.service.anti_entropy_interval > Duration(0) ? ", with anti-entropy" : "",
                     plan.cluster.service.reap_interval > Duration(0) ? ", reaping" : "");
}

}  // namespace dynamo::sim
