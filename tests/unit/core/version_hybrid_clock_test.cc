#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "node/core/version/hybrid_clock.h"
#include "tests/unit/core/version_generators.h"

namespace dynamo {
namespace {

using testing::Pick;

// A node that writes its mark in the batch of each stamp, and may crash.
RC_GTEST_PROP(HybridClock, NeverGoesBackOverJumpsOfTheWallClockAndRestarts, ()) {
  uint64_t on_disk = 0;
  uint64_t highest = 0;
  WallMicros wall = 50'000'000;
  HybridClock clock(on_disk);
  for (uint64_t steps = Pick(1, 60); steps > 0; --steps) {
    wall = Pick(0, 100'000'000);
    switch (Pick(0, 5)) {
      case 0: clock = HybridClock(on_disk); break;
      case 1: clock.Observe(Pick(0, 100'000'000)); break;
      default: {
        const uint64_t seen = Pick(0, 100'000'000);
        const uint64_t stamp = clock.Next(wall, seen);
        RC_ASSERT(stamp > highest);
        RC_ASSERT(stamp > seen);
        RC_ASSERT(stamp >= wall);
        const auto mark = clock.MarkToWrite();
        const bool batch_fails = Pick(0, 3) == 0;
        if (batch_fails) break;  // The stamp went nowhere.
        highest = stamp;
        if (mark) on_disk = *mark;
        if (mark) clock.OnMarkWritten(*mark);
        RC_ASSERT(on_disk >= highest);
      }
    }
  }
}

TEST(HybridClock, FollowsTheWallClockWhereItCan) {
  HybridClock clock(0);
  EXPECT_EQ(clock.Next(1000, 0), 1000u);
  EXPECT_EQ(clock.Next(1000, 0), 1001u);
  EXPECT_EQ(clock.Next(900, 0), 1002u);
  EXPECT_EQ(clock.Next(5000, 0), 5000u);
  EXPECT_EQ(clock.Next(5000, 7000), 7001u);
  clock.Observe(9000);
  EXPECT_EQ(clock.Next(5000, 0), 9001u);
  clock.Observe(3);
  EXPECT_EQ(clock.last(), 9001u);
}

TEST(HybridClock, WritesItsMarkSeldom) {
  HybridClock clock(0);
  int marks = 0;
  for (WallMicros now = 1; now <= 10'000'000; now += 1000) {
    clock.Next(now, 0);
    const auto mark = clock.MarkToWrite();
    if (!mark) continue;
    ++marks;
    clock.OnMarkWritten(*mark);
  }
  EXPECT_EQ(marks, 10);
}

TEST(HybridClock, AsksForItsMarkUntilOneIsWritten) {
  HybridClock clock(0);
  EXPECT_EQ(clock.MarkToWrite(), std::nullopt);
  clock.Next(1000, 0);
  const auto first = clock.MarkToWrite();
  ASSERT_TRUE(first);
  clock.Next(1001, 0);
  ASSERT_TRUE(clock.MarkToWrite());
  clock.OnMarkWritten(*first);
  EXPECT_EQ(clock.MarkToWrite(), std::nullopt);
}

TEST(HybridClock, AMarkThatIsReportedLateDoesNotUndoAHigherOne) {
  HybridClock clock(0);
  clock.Next(1000, 0);
  const uint64_t low = *clock.MarkToWrite();
  clock.Next(2000, 0);
  const uint64_t high = *clock.MarkToWrite();
  clock.OnMarkWritten(high);
  clock.OnMarkWritten(low);
  clock.Next(low + 1, 0);
  EXPECT_EQ(clock.MarkToWrite(), std::nullopt);
}

}  // namespace
}  // namespace dynamo
