// Last-writer-wins registers under clocks that are wrong.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <string>
#include <tuple>
#include <vector>

#include "common/base/random.h"
#include "node/core/version/hybrid_clock.h"
#include "node/core/version/object.h"
#include "tests/unit/core/version_generators.h"

namespace dynamo {
namespace {

using testing::AnyLwwObject;
using testing::Bottom;
using testing::Delete;
using testing::Put;

constexpr WallMicros kStart = 1'700'000'000'000'000;
constexpr WallMicros kHour = 3'600'000'000;

const Object kNeverWritten = Bottom(ConflictPolicy::kLastWriterWins);

RC_GTEST_PROP(LwwJoin, IsTheHighestStampThenTheHighestDot, ()) {
  const Object a = *AnyLwwObject(), b = *AnyLwwObject();
  const auto order = [](const Object& object) { return std::tuple(object.stamp, HeaderOf(object).lww_dot); };
  const Object joined = Join(a, b);
  RC_ASSERT(joined == a || joined == b);
  RC_ASSERT(order(joined) == std::max(order(a), order(b)));
  RC_ASSERT(Dominates(HeaderOf(joined), HeaderOf(a)));
  RC_ASSERT(joined.siblings.size() <= 1 && joined.clock.empty());
}

struct Node {
  HybridClock clock{0};
  WallMicros wall = kStart;
  ActorId actor;
  Object object = kNeverWritten;
};

struct Client {
  CausalContext context;
  uint64_t seen = 0;  // The newest write (by causality) that its context covers.
};

TEST(LwwHistories, ACausallyLaterWriteNeverLosesWhateverTheWallClocksSay) {
  for (uint64_t seed = 0; seed < 300; ++seed) {
    Rng random(seed);
    std::vector<Node> nodes(3);
    for (size_t i = 0; i < nodes.size(); ++i) {
      nodes[i].actor = {i + 1};
      nodes[i].wall = kStart + random.Below(2 * kHour) - kHour;
    }
    Client client;
    for (int step = 0; step < 60; ++step) {
      Node& node = nodes[random.Below(nodes.size())];
      Node& other = nodes[random.Below(nodes.size())];
      node.wall += static_cast<WallMicros>(random.Between(-2'000'000, 2'000'000));
      switch (random.Below(3)) {
        case 0: node.object = Join(node.object, other.object); break;
        case 1: client = {ContextOf(node.object), node.object.stamp}; break;
        default: {
          const Object before = node.object;
          const uint64_t stamp = node.clock.Next(node.wall, std::max(before.stamp, client.context.stamp));
          node.object = Mint(before, client.context, Put(node.actor, std::to_string(step), stamp));
          ASSERT_GT(node.object.stamp, client.seen);
          ASSERT_FALSE(Dominates(before, node.object));
          ASSERT_TRUE(Dominates(node.object, before));
          ASSERT_EQ(Join(before, node.object), node.object);
          client = {ContextOf(node.object), node.object.stamp};
        }
      }
    }
  }
}

TEST(Lww, ADeleteIsAWriteAmongOthers) {
  const Object value = Mint(kNeverWritten, {}, Put({1}, "v", 10));
  const Object gone = Mint(value, ContextOf(value), Delete({2}, 11));
  EXPECT_TRUE(gone.deleted());
  EXPECT_TRUE(gone.siblings[0].content.value.empty());
  EXPECT_EQ(Join(value, gone), gone);
  const Object later = Mint(value, {}, Put({3}, "w", 12));
  EXPECT_EQ(Join(gone, later), later);
  EXPECT_FALSE(later.deleted());
}

TEST(Lww, TheDotNamesTheWriteAcrossActorsAndTime) {
  Object object = kNeverWritten;
  std::vector<Dot> dots;
  for (uint64_t stamp = 1; stamp <= 6; ++stamp) {
    object = Mint(object, {}, Put({1 + stamp % 2}, "v", stamp));
    dots.push_back(object.siblings[0].dot);
  }
  std::ranges::sort(dots);
  EXPECT_EQ(std::ranges::adjacent_find(dots), dots.end());
}

TEST(LwwDeathTest, AStampThatDoesNotExceedWhatWasSeenStopsTheProcess) {
  const Object value = Mint(kNeverWritten, {}, Put({1}, "v", 10));
  CausalContext ahead;
  ahead.stamp = 20;
  EXPECT_DEATH(Mint(value, {}, Put({1}, "w", 10)), "stamp");
  EXPECT_DEATH(Mint(value, ahead, Put({1}, "w", 20)), "stamp");
}

}  // namespace
}  // namespace dynamo
