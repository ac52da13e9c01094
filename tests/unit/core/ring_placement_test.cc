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

TEST(PlaceTokens, RefusesWhatItCannotPlace) {
  EXPECT_EQ(PlaceTokens({}, 256, 3, TokenMap()).error().code, Errc::kInvalidArgument);
  EXPECT_EQ(PlaceTokens(MakeMembers(3), 100, 3, TokenMap()).error().code, Errc::kInvalidArgument);
  EXPECT_EQ(PlaceTokens(MakeMembers(3), 256, 0, TokenMap()).error().code, Errc::kInvalidArgument);
}

}  // namespace
}  // namespace dynamo
