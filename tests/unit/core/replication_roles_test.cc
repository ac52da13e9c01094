#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "node/core/replication/roles.h"

namespace dynamo {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr NodeId kA{1}, kB{2}, kC{3}, kD{4};

// Owners A, B and C; D and nobody else may stand in.
ReplicaPlan PlanWithout(const std::vector<NodeId>& away) {
  const PreferenceList list{{kA, kB, kC}, {kD}};
  return PlanReplicas(list, true, [&](NodeId node) { return std::ranges::count(away, node) == 0; });
}

TEST(Roles, AnOwnerWritesItsReplica) {
  const Roles roles = RolesOf(PlanWithout({}), kB);
  EXPECT_TRUE(roles.self);
  const LocalWrite local = LocalWriteOf(roles);
  EXPECT_TRUE(local.replica);
  EXPECT_THAT(local.hints_for, IsEmpty());
}

TEST(Roles, AStandInKeepsAHintAndNoReplica) {
  const Roles roles = RolesOf(PlanWithout({kA}), kD);
  EXPECT_TRUE(roles.self);
  const LocalWrite local = LocalWriteOf(roles);
  EXPECT_FALSE(local.replica);
  EXPECT_THAT(local.hints_for, ElementsAre(kA));
}

TEST(Roles, TheCoordinatorKeepsTheHintsThatNobodyElseIsLeftFor) {
  const LocalWrite owner = LocalWriteOf(RolesOf(PlanWithout({kA, kB}), kC));
  EXPECT_TRUE(owner.replica);
  EXPECT_THAT(owner.hints_for, ElementsAre(kB));
  const LocalWrite stand_in = LocalWriteOf(RolesOf(PlanWithout({kA, kB}), kD));
  EXPECT_FALSE(stand_in.replica);
  EXPECT_THAT(stand_in.hints_for, ElementsAre(kB, kA));
}

TEST(Roles, ANodeThatIsNotAmongTheTargetsHasNoPart) { EXPECT_FALSE(RolesOf(PlanWithout({}), kD).self); }

TEST(CoverFailed, TakesTheNextNodeOfTheWalkOnce) {
  std::vector<NodeId> spare{kC, kD};
  EXPECT_EQ(CoverFailed(kB, kB, kA, true, &spare).next, (ReplicaTarget{kC, kB}));
  EXPECT_EQ(CoverFailed(kB, kC, kA, true, &spare).next, (ReplicaTarget{kD, kB}));
  const Cover last = CoverFailed(kB, kD, kA, true, &spare);
  EXPECT_FALSE(last.next);
  EXPECT_TRUE(last.keep_here);
}

TEST(CoverFailed, AsksNobodyElseWhenTimeIsUp) {
  std::vector<NodeId> spare{kC};
  const Cover cover = CoverFailed(kB, kB, kA, false, &spare);
  EXPECT_FALSE(cover.next);
  EXPECT_TRUE(cover.keep_here);
  EXPECT_THAT(spare, ElementsAre(kC));
}

TEST(CoverFailed, ACoordinatorThatCouldNotWriteKeepsNoHintEither) {
  std::vector<NodeId> spare;
  EXPECT_FALSE(CoverFailed(kA, kA, kA, true, &spare).keep_here);
}

}  // namespace
}  // namespace dynamo
