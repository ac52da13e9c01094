#include "tests/sim/cluster/administrators.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/sim/cluster/plan.h"
#include "tests/sim/cluster/ring_watch.h"

namespace dynamo::sim {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

SimClusterConfig FiveAndASpare() {
  SimClusterConfig config;
  config.nodes = 6;
  config.spares = 1;
  return config;
}

class AdministratorsTest : public ::testing::Test {
 protected:
  AdministratorsTest()
      : cluster_(&world_, FiveAndASpare()),
        administrators_(&cluster_, nullptr, [this](oracle::Violation found) { told_wrong_.push_back(found.what); }) {}
  void SetUp() override { ASSERT_TRUE(cluster_.Create().has_value()); }

  bool AwaitRest() {
    return world_.RunUntil([this] { return administrators_.idle() && WhyRingMoves(cluster_).empty(); },
                           world_.now() + std::chrono::minutes(2));
  }
  uint64_t fired(FaultKind kind) { return cluster_.faults()[kind]; }
  size_t members() {
    size_t members = 0;
    for (size_t i = 0; i < cluster_.size(); ++i) members += cluster_.IsMember(i) ? 1 : 0;
    return members;
  }

  SimWorld world_{5};
  SimCluster cluster_;
  std::vector<std::string> told_wrong_;
  Administrators administrators_;
};

TEST_F(AdministratorsTest, ASpareJoinsAndAMemberLeaves) {
  administrators_.Join(Rng(1));
  ASSERT_TRUE(AwaitRest());
  EXPECT_EQ(fired(FaultKind::kJoin), 1u);
  EXPECT_EQ(members(), 6u);
  administrators_.Leave(Rng(2));
  ASSERT_TRUE(AwaitRest());
  EXPECT_EQ(fired(FaultKind::kLeave), 1u);
  EXPECT_EQ(members(), 5u);
  EXPECT_THAT(Strays(cluster_), IsEmpty());
}

TEST_F(AdministratorsTest, WhoFlapsIsBackAsAnotherNode) {
  std::set<NodeId> before, after;
  for (size_t i = 0; i < cluster_.size(); ++i) before.insert(cluster_.IdOf(i));
  administrators_.Flap(Rng(3));
  ASSERT_TRUE(AwaitRest());
  EXPECT_EQ(fired(FaultKind::kFlap), 1u);
  EXPECT_EQ(members(), 5u);
  for (size_t i = 0; i < cluster_.size(); ++i) after.insert(cluster_.IdOf(i));
  std::erase_if(after, [&](NodeId id) { return before.contains(id); });
  EXPECT_THAT(after, SizeIs(1));
}

TEST_F(AdministratorsTest, OfTwoRivalsNotBothWin) {
  administrators_.Rival(Rng(4));
  ASSERT_TRUE(AwaitRest());
  EXPECT_EQ(fired(FaultKind::kRivals), 1u);
  EXPECT_THAT(told_wrong_, IsEmpty());
}

TEST_F(AdministratorsTest, WhatIsLostIsReplacedInTheEnd) {
  const NodeId lost = cluster_.IdOf(2);
  cluster_.node(2).Crash();
  cluster_.node(2).disk().Wipe();
  cluster_.node(2).Start();
  world_.RunFor(std::chrono::seconds(2));
  EXPECT_THAT(cluster_.LostMembers(), ::testing::ElementsAre(lost));
  administrators_.Finish(Rng(5));
  ASSERT_TRUE(AwaitRest());
  EXPECT_THAT(cluster_.LostMembers(), IsEmpty());
  EXPECT_EQ(fired(FaultKind::kReplace), 1u);
  EXPECT_EQ(members(), 5u);
  EXPECT_EQ(cluster_.DisksHurt(), 1u);
}

TEST_F(AdministratorsTest, NoDiskMayBeLostWhileMembersChangeOrOneIsLost) {
  EXPECT_TRUE(administrators_.MayLoseADisk());
  administrators_.Join(Rng(6));
  world_.Settle();  // It asks as soon as it is its turn.
  EXPECT_FALSE(administrators_.MayLoseADisk());
  ASSERT_TRUE(AwaitRest());
  EXPECT_TRUE(administrators_.MayLoseADisk());
  cluster_.node(1).Crash();
  cluster_.node(1).disk().Wipe();
  EXPECT_FALSE(administrators_.MayLoseADisk());
}

TEST_F(AdministratorsTest, WhoeverAsksToLeaveAtOnceLeavesNoFewerThanThreeMembers) {
  for (uint64_t i = 0; i < 12; ++i) {
    if (i % 2 == 0) administrators_.Leave(Rng(10 + i));
    if (i % 2 == 1) administrators_.Flap(Rng(10 + i));
    world_.RunFor(std::chrono::milliseconds(i * 50));
  }
  ASSERT_TRUE(AwaitRest());
  EXPECT_GE(members(), 3u);
  EXPECT_GT(fired(FaultKind::kLeave) + fired(FaultKind::kFlap), 0u);
}

TEST_F(AdministratorsTest, NothingJoinsOrLeavesWhileAMemberIsLost) {
  cluster_.node(1).Crash();
  cluster_.node(1).disk().Wipe();
  administrators_.Join(Rng(7));
  administrators_.Leave(Rng(8));
  world_.Settle();
  EXPECT_TRUE(administrators_.idle());
}

TEST(RingPlan, ChangesTheRingInAboutHalfOfTheSeedsWithinNineNodes) {
  int changing = 0;
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    Plan plan = DrawPlan(SimWorld(seed).MakeRng("plan"));
    const size_t members = plan.cluster.nodes;
    plan.AddSpares();
    changing += plan.chaos.ChangesRing() ? 1 : 0;
    EXPECT_LE(plan.cluster.nodes, 9u);
    EXPECT_GE(plan.cluster.nodes - plan.cluster.spares, plan.cluster.n_val);
    if (!plan.chaos.ChangesRing()) EXPECT_EQ(plan.cluster.nodes, members);
  }
  EXPECT_GT(changing, 70);
  EXPECT_LT(changing, 130);
}

TEST(RingPlan, ChangesTheRingInEverySeedIfItShallAndLeavesThoseThatDoAnyway) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    const Plan drawn = DrawPlan(SimWorld(seed).MakeRng("plan"));
    const Plan always = DrawPlan(SimWorld(seed).MakeRng("plan"), /*ring_always=*/true);
    EXPECT_TRUE(always.chaos.ChangesRing());
    if (drawn.chaos.ChangesRing()) EXPECT_EQ(Describe(drawn), Describe(always));
  }
}

TEST(RingPlan, ListsOfAFreshTopologyAreAsTheyShouldBe) {
  ClusterSpec spec;
  spec.cluster = ClusterId{1, 2};
  spec.context_secret = Bytes(32, 's');
  spec.partitions = 32;
  spec.ring_seed = 7;
  for (uint64_t id = 1; id <= 7; ++id) {
    spec.members.push_back({.id = NodeId{id}, .name = "n" + std::to_string(id), .zone = "z" + std::to_string(id % 3)});
  }
  const auto topology = CreateTopology(spec);
  ASSERT_TRUE(topology.has_value()) << topology.error().message;
  EXPECT_EQ(WrongLists(*topology), "");
}

}  // namespace
}  // namespace dynamo::sim
