#include "tests/sim/cluster/reduction.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace dynamo::sim {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Reduction ReadAll(const std::string& words) {
  Reduction reduction;
  std::istringstream stream(words);
  for (std::string word; stream >> word;) EXPECT_TRUE(reduction.Read(word).has_value()) << word;
  return reduction;
}

TEST(Reduction, ReadsWhatItWrites) {
  Reduction reduction;
  reduction.nodes = 3;
  reduction.shards = 1;
  reduction.chaos_ms = 4000;
  reduction.ring_always = true;
  reduction.off = {"crash", "drop"};
  reduction.faults = {2, 7};
  reduction.operations = {1000003};
  EXPECT_EQ(reduction.ToString(),
            "nodes=3 shards=1 chaos_ms=4000 ring=always off=crash,drop faults=2,7 operations=1000003");
  EXPECT_EQ(ReadAll(reduction.ToString()), reduction);
}

TEST(Reduction, NoFaultAtAllIsNotTheSameAsAllFaults) {
  EXPECT_EQ(Reduction().ToString(), "");
  const Reduction none = ReadAll("faults=");
  ASSERT_TRUE(none.faults.has_value());
  EXPECT_TRUE(none.faults->empty());
  EXPECT_EQ(ReadAll(none.ToString()), none);
}

TEST(Reduction, RefusesWordsThatAreNoPartOfOne) {
  for (const char* word :
       {"", "nodes", "nodes=", "nodes=x", "nodes=3x", "faults=1,b", "speed=3", "=3", "ring=", "ring=never"}) {
    Reduction reduction;
    const Status read = reduction.Read(word);
    ASSERT_FALSE(read.has_value()) << word;
    EXPECT_EQ(read.error().code, Errc::kInvalidArgument);
    EXPECT_THAT(read.error().message, HasSubstr(word));
  }
}

TEST(Reduction, FewerNodesBoundTheQuorumsToo) {
  Plan plan;
  plan.cluster.nodes = 7;
  plan.cluster.n_val = 5;
  plan.workload.r = plan.workload.w = 4;
  plan.workload.pw = 5;
  ReadAll("nodes=3").ApplyTo(&plan);
  EXPECT_EQ(plan.cluster.nodes, 3u);
  EXPECT_EQ(plan.cluster.n_val, 3u);
  EXPECT_EQ(plan.workload.r, 3u);
  EXPECT_EQ(plan.workload.w, 3u);
  EXPECT_EQ(plan.workload.pw, 3u);
  EXPECT_EQ(plan.workload.pr, std::nullopt);
}

TEST(Reduction, SwitchesOffTheNamedKindsOnly) {
  Plan plan;
  plan.chaos.enabled[static_cast<int>(FaultKind::kCrash)] = true;
  plan.chaos.enabled[static_cast<int>(FaultKind::kPause)] = true;
  ReadAll("off=crash").ApplyTo(&plan);
  EXPECT_FALSE(plan.chaos.Has(FaultKind::kCrash));
  EXPECT_TRUE(plan.chaos.Has(FaultKind::kPause));
}

TEST(Reduction, AShorterOrSmallerRunNeedNotReachTheLeastOperations) {
  Plan plan;
  plan.workload.operations_min = 200;
  ReadAll("operations=5,6").ApplyTo(&plan);
  EXPECT_THAT(*plan.workload.only_operations, ElementsAre(5u, 6u));
  EXPECT_EQ(plan.workload.operations_min, 0u);
  Plan shorter;
  ReadAll("chaos_ms=1500").ApplyTo(&shorter);
  EXPECT_EQ(shorter.chaos.duration, Duration{1'500'000});
  EXPECT_EQ(shorter.workload.operations_min, 0u);
}

TEST(Reduction, WithoutWordsChangesNothing) {
  Plan plan;
  plan.cluster.nodes = 9;
  const std::string before = Describe(plan);
  Reduction().ApplyTo(&plan);
  EXPECT_EQ(Describe(plan), before);
}

}  // namespace
}  // namespace dynamo::sim
