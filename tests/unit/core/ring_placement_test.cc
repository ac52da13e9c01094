#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "node/core/ring/placement.h"
#include "tests/unit/core/ring_testing.h"

namespace dynamo {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(PlaceTokens, GivesEqualMembersEqualParts) {
  const Placement placement = PlaceTokens(MakeMembers(8, 4), 256, 3, TokenMap()).value();
  for (uint64_t id = 1; id <= 8; ++id) EXPECT_EQ(placement.map.TokensOf(NodeId{id}), 32u);
  EXPECT_THAT(placement.unsatisfied, IsEmpty());
}

TEST(PlaceTokens, FollowsCapacity) {
  const Placement placement = PlaceTokens(MakeMembers(8, 1, {1, 3}), 256, 3, TokenMap()).value();
  for (uint64_t id = 1; id <= 8; ++id) EXPECT_EQ(placement.map.TokensOf(NodeId{id}), id % 2 == 1 ? 16u : 48u);
}

TEST(PlaceTokens, AMemberThatJoinsTakesOnlyItsShare) {
  const TokenMap today = PlaceTokens(MakeMembers(15), 256, 3, TokenMap()).value().map;
  const Placement placement = PlaceTokens(MakeMembers(16), 256, 3, today).value();
  EXPECT_EQ(placement.moved, 16u);
  EXPECT_EQ(placement.map.TokensOf(NodeId{16}), 16u);
}

TEST(PlaceTokens, ChangesNothingWhenNothingChanged) {
  const TokenMap today = PlaceTokens(MakeMembers(7, 3), 256, 3, TokenMap()).value().map;
  const Placement placement = PlaceTokens(MakeMembers(7, 3), 256, 3, today).value();
  EXPECT_EQ(placement.moved, 0u);
  EXPECT_EQ(placement.map, today);
}

TEST(PlaceTokens, TheOrderOfTheMembersDoesNotMatter) {
  std::vector<Member> members = MakeMembers(11, 3, {1, 2, 3, 4});
  const TokenMap map = PlaceTokens(members, 128, 3, TokenMap()).value().map;
  std::reverse(members.begin(), members.end());
  EXPECT_EQ(PlaceTokens(members, 128, 3, TokenMap()).value().map, map);
}

TEST(PlaceTokens, SaysWhatCannotBeHad) {
  const Placement two = PlaceTokens(MakeMembers(2), 8, 3, TokenMap()).value();
  ASSERT_FALSE(two.unsatisfied.empty());
  EXPECT_THAT(two.unsatisfied[0], HasSubstr("under-replicated: 2 members"));
  const Placement zones = PlaceTokens(MakeMembers(4, 2), 8, 3, TokenMap()).value();
  ASSERT_FALSE(zones.unsatisfied.empty());
  EXPECT_THAT(zones.unsatisfied[0], HasSubstr("too few zones"));
  const Placement uneven = PlaceTokens(MakeMembers(3), 8, 3, TokenMap()).value();
  ASSERT_FALSE(uneven.unsatisfied.empty());
  EXPECT_THAT(uneven.unsatisfied.back(), HasSubstr("the walk skips"));
}

TEST(ComputeIdealShares, CapsANodeAtOneCopyOfEachKeyAndSaysSo) {
  const IdealShares ideal = ComputeIdealShares(MakeMembers(4, 1, {9, 1, 1, 1}), 12, 3);
  EXPECT_NEAR(ideal.tokens.at(NodeId{1}), 4, 1e-6);
  EXPECT_NEAR(ideal.tokens.at(NodeId{2}), 8.0 / 3, 1e-6);
  ASSERT_EQ(ideal.reductions.size(), 1u);
  EXPECT_THAT(ideal.reductions[0], HasSubstr("node-1 gets 33.3 %"));
}

TEST(PlaceTokens, RefusesWhatItCannotPlace) {
  EXPECT_EQ(PlaceTokens({}, 256, 3, TokenMap()).error().code, Errc::kInvalidArgument);
  EXPECT_EQ(PlaceTokens(MakeMembers(3), 100, 3, TokenMap()).error().code, Errc::kInvalidArgument);
  EXPECT_EQ(PlaceTokens(MakeMembers(3), 256, 0, TokenMap()).error().code, Errc::kInvalidArgument);
}

}  // namespace
}  // namespace dynamo
