// Each kind of fault alone, over and over, under the clients of the simulator.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/oracle/check.h"
#include "tests/sim/cluster/chaos.h"
#include "tests/sim/cluster/workload.h"

namespace dynamo::sim {
namespace {

class EveryKind : public ::testing::TestWithParam<int> {
 protected:
  static SimClusterConfig Config(FaultKind kind) {
    SimClusterConfig config;
    config.nodes = 5;
    if (static_cast<int>(kind) >= kFirstRingChange) config.nodes += config.spares = 1;
    config.disk.memory_misses = 0.5;
    config.disk.sync_max = std::chrono::milliseconds(20);
    config.service.siblings_max = 5;
    config.service.object_bytes_max = 24'000;
    return config;
  }
  static WorkloadPlan Clients(FaultKind kind) {
    WorkloadPlan plan;
    const auto rate = [kind](FaultKind wanted) { return kind == wanted ? 200 : 0; };
    plan.retry_storms = rate(FaultKind::kRetryStorm);
    plan.forged_contexts = rate(FaultKind::kForgedContext);
    plan.huge_contexts = rate(FaultKind::kHugeContext);
    plan.oversized_values = rate(FaultKind::kOversizedValue);
    plan.sibling_floods = rate(FaultKind::kSiblingFlood);
    return plan;
  }
  static ChaosPlan Faults(FaultKind kind) {
    ChaosPlan plan;
    plan.enabled[static_cast<int>(kind)] = true;
    // What is lost is lost in a crash.
    const bool in_crashes = kind == FaultKind::kUnsyncedLoss || kind == FaultKind::kTornWrite;
    plan.enabled[static_cast<int>(FaultKind::kCrash)] |= in_crashes;
    // What is turned round has begun.
    plan.enabled[static_cast<int>(FaultKind::kCapacity)] |= kind == FaultKind::kCancel;
    plan.noise.drop = plan.noise.slow = plan.noise.reorder = plan.noise.duplicate = 0.05;
    plan.noise.corrupt = plan.noise.reset = 0.05;
    plan.between_max = std::chrono::seconds(2);
    plan.disks_hurt_max = 1;
    return plan;
  }

  SimWorld world_{static_cast<uint64_t>(GetParam()) + 1};
};

TEST_P(EveryKind, FiresAndBreaksNoPromise) {
  const auto kind = static_cast<FaultKind>(GetParam());
  SimCluster cluster(&world_, Config(kind));
  ASSERT_TRUE(cluster.Create().has_value());
  Workload workload(&cluster, Clients(kind), nullptr);
  Chaos chaos(&cluster, Faults(kind), nullptr);
  workload.Start();
  chaos.Start();
  world_.RunFor(std::chrono::seconds(60));
  chaos.Heal();
  workload.Stop();
  const auto at_rest = [&] {
    return workload.idle() && chaos.changes_ended() && cluster.IsWhole() && cluster.HintsAtRest() == 0;
  };
  EXPECT_TRUE(world_.RunUntil(at_rest, world_.now() + std::chrono::minutes(5)));
  EXPECT_GT(chaos.counts()[kind], 0u);
  for (const std::string& failure : world_.Await(cluster.clients(), workload.ReadAll())) ADD_FAILURE() << failure;
  for (const oracle::Violation& found : oracle::Check(workload.history())) {
    ADD_FAILURE() << found.property << " " << found.key << ": " << found.what;
  }
  for (const std::string& answer : workload.wrong_answers()) ADD_FAILURE() << answer;
  EXPECT_GT(workload.counts().writes_ok, 50u);
}

std::string KindName(const ::testing::TestParamInfo<int>& info) {
  std::string name(Name(static_cast<FaultKind>(info.param)));
  std::erase(name, '-');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Alone, EveryKind, ::testing::Range(0, kFaultKinds), KindName);

}  // namespace
}  // namespace dynamo::sim
