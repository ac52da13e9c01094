#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>

#include "node/core/ring/preference_list.h"
#include "node/core/ring/topology_plan.h"
#include "tests/unit/core/ring_testing.h"

namespace dynamo {
namespace {

using Change = PlannedMember::Change;

Topology Of(size_t members, size_t zones, uint32_t partitions = 64) {
  ClusterSpec spec;
  spec.cluster = ClusterId{{1, 2}};
  spec.context_secret = "secret";
  spec.members = MakeMembers(members, zones);
  spec.partitions = partitions;
  spec.ring_seed = 1;
  return *CreateTopology(spec);
}

StagedChanges Joining(const std::string& name, const std::string& zone = "zone-0") {
  StagedChanges staged;
  staged.join.push_back({.id = {}, .name = name, .zone = zone, .capacity = 1});
  return staged;
}

const PlannedMember& Named(const TopologyPlan& plan, const std::string& name) {
  return *std::ranges::find(plan.members, name, &PlannedMember::name);
}

TEST(TopologyPlan, ShowsWhatAJoinTakesFromWhom) {
  const Topology topology = Of(3, 1);
  const auto plan = PlanChange(topology, Joining("node-9"));
  ASSERT_TRUE(plan.has_value()) << plan.error().message;
  EXPECT_EQ(plan->before, (TopologyVersion{1, 1}));
  EXPECT_EQ(plan->after, (TopologyVersion{1, 2}));
  const PlannedMember& joins = Named(*plan, "node-9");
  EXPECT_EQ(joins.change, Change::kJoins);
  EXPECT_EQ(joins.tokens_before, 0u);
  EXPECT_EQ(joins.tokens_after, 16u);
  EXPECT_DOUBLE_EQ(joins.ideal_after, 16.0);
  const auto taken = std::ranges::count(plan->moves, joins.id, &PlannedMove::to);
  EXPECT_EQ(taken, 16);
  EXPECT_EQ(Named(*plan, "node-1").change, Change::kStays);
  // One zone cannot keep three copies apart; nothing else is in the way.
  ASSERT_EQ(plan->unsatisfied.size(), 1u);
  EXPECT_NE(plan->unsatisfied[0].find("too few zones"), std::string::npos) << plan->unsatisfied[0];
}

TEST(TopologyPlan, LeavesNothingWithWhoLeaves) {
  StagedChanges staged;
  staged.leave = {"node-2"};
  const auto plan = PlanChange(Of(5, 1), staged);
  ASSERT_TRUE(plan.has_value());
  const PlannedMember& leaves = Named(*plan, "node-2");
  EXPECT_EQ(leaves.change, Change::kLeaves);
  EXPECT_GT(leaves.tokens_before, 0u);
  EXPECT_EQ(leaves.tokens_after, 0u);
  EXPECT_TRUE(std::ranges::none_of(plan->moves, [&](const PlannedMove& move) { return move.to == leaves.id; }));
}

TEST(TopologyPlan, FollowsACapacityThatIsRaised) {
  StagedChanges staged;
  staged.capacity["node-1"] = 2;
  const auto plan = PlanChange(Of(7, 1), staged);
  ASSERT_TRUE(plan.has_value());
  const PlannedMember& raised = Named(*plan, "node-1");
  EXPECT_EQ(raised.change, Change::kCapacity);
  EXPECT_EQ(raised.capacity, 2u);
  EXPECT_NEAR(raised.tokens_after, 16, 1);
}

TEST(TopologyPlan, SumsZonesBeforeAndAfter) {
  const auto plan = PlanChange(Of(3, 3), Joining("node-9", "zone-new"));
  ASSERT_TRUE(plan.has_value());
  ASSERT_EQ(plan->zones.size(), 4u);
  EXPECT_EQ(plan->zones.at("zone-new").before, 0u);
  EXPECT_EQ(plan->zones.at("zone-new").after, 16u);
}

TEST(TopologyPlan, SaysWhatCannotBeHad) {
  StagedChanges staged;
  staged.leave = {"node-1", "node-2"};
  const auto plan = PlanChange(Of(4, 1), staged);
  ASSERT_TRUE(plan.has_value());
  ASSERT_FALSE(plan->unsatisfied.empty());
  EXPECT_NE(plan->unsatisfied[0].find("under-replicated"), std::string::npos);
}

TEST(TopologyPlan, RefusesWhatIsNoChange) {
  const Topology topology = Of(3, 1);
  const auto refused = [&topology](const StagedChanges& staged) {
    const auto plan = PlanChange(topology, staged);
    return !plan && plan.error().code == Errc::kInvalidArgument;
  };
  EXPECT_TRUE(refused({}));
  EXPECT_TRUE(refused(Joining("node-1")));
  EXPECT_TRUE(refused(Joining("")));
  StagedChanges staged;
  staged.leave = {"nobody"};
  EXPECT_TRUE(refused(staged));
  staged.leave = {"node-1", "node-1"};
  EXPECT_TRUE(refused(staged));
  staged.leave = {"node-1", "node-2", "node-3"};
  EXPECT_TRUE(refused(staged));
  staged.leave = {"node-1"};
  staged.capacity["node-1"] = 2;
  EXPECT_TRUE(refused(staged));
  staged = {};
  staged.capacity["node-1"] = 0;
  EXPECT_TRUE(refused(staged));
  staged = Joining("node-9");
  staged.join[0].capacity = 0;
  EXPECT_TRUE(refused(staged));
}

TEST(TopologyPlan, WaitsForTheChangeThatIsUnderWay) {
  Topology topology = Of(3, 1);
  topology.change_since = topology.version.epoch;
  const auto plan = PlanChange(topology, Joining("node-9"));
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, Errc::kConflict);
}

RC_GTEST_PROP(TopologyPlan, AccountsForEveryTokenAndStaysNearTheIdeal, (uint64_t seed)) {
  Rng rng(seed);
  const Topology topology = Of(3 + rng.Below(5), 1 + rng.Below(3));
  StagedChanges staged;
  for (uint64_t i = rng.Below(3); i > 0; --i) {
    staged.join.push_back({.id = {}, .name = "new-" + std::to_string(i), .zone = "zone-0", .capacity = 1});
  }
  if (rng.Chance(0.5) || staged.empty()) staged.leave.push_back("node-1");
  if (rng.Chance(0.5)) staged.capacity["node-2"] = 2;
  const auto plan = PlanChange(topology, staged);
  RC_ASSERT(plan.has_value());
  uint32_t before = 0, after = 0;
  for (const PlannedMember& member : plan->members) {
    before += member.tokens_before;
    after += member.tokens_after;
    RC_ASSERT(std::abs(member.tokens_after - member.ideal_after) < 1 + 1e-6);
    const auto won = std::ranges::count(plan->moves, member.id, &PlannedMove::to);
    const auto lost = std::ranges::count(plan->moves, member.id, &PlannedMove::from);
    RC_ASSERT(static_cast<int64_t>(member.tokens_before) + won - lost == static_cast<int64_t>(member.tokens_after));
  }
  RC_ASSERT(before == topology.partitions);
  RC_ASSERT(after == topology.partitions);
  RC_ASSERT(plan->replicas_to_copy >= plan->moves.size() || topology.members.size() <= plan->n_val);
}

}  // namespace
}  // namespace dynamo
