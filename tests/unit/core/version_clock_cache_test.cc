#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>

#include "node/core/version/clock_cache.h"
#include "tests/unit/core/version_generators.h"

namespace dynamo {
namespace {

using testing::AnyObject;
using testing::Pick;

CachedState StateOf(const Object& object) { return {HeaderOf(object), DigestOf(EncodeObject(object))}; }

ObjectHeader ClockOf(std::initializer_list<Dot> dots) {
  ObjectHeader header;
  for (const Dot& dot : dots) header.clock.Add(dot);
  return header;
}

// Positions that crowd into few sets, some equal in one half.
Hash128 AnyPosition() { return {Pick(0, 2), Pick(0, 5)}; }

RC_GTEST_PROP(ClockCache, AHitIsAlwaysWhatWasStoredLast, ()) {
  ClockCache cache(Pick(0, 16));
  std::map<Hash128, CachedState> truth;
  for (uint64_t steps = Pick(1, 60); steps > 0; --steps) {
    const Hash128 position = AnyPosition();
    switch (Pick(0, 9)) {
      case 0: cache.Forget(position), truth.erase(position); break;
      case 1: cache.ForgetAll(), truth.clear(); break;
      default: truth[position] = StateOf(*AnyObject()), cache.Store(position, truth[position]);
    }
    for (uint64_t high = 0; high <= 2; ++high) {
      for (uint64_t low = 0; low <= 5; ++low) {
        const auto hit = cache.Lookup({high, low});
        const auto expected = truth.find({high, low});
        if (hit) RC_ASSERT(expected != truth.end() && *hit == expected->second);
      }
    }
  }
}

RC_GTEST_PROP(ClockCache, KeepsTheLastTwoKeysOfASet, ()) {
  ClockCache cache(16);
  const Hash128 first{1, 3}, second{2, 3};
  const CachedState a = StateOf(*AnyObject()), b = StateOf(*AnyObject()), c = StateOf(*AnyObject());
  cache.Store({9, 3}, a);
  cache.Store(first, a);
  cache.Store(second, b);
  cache.Store(second, c);
  RC_ASSERT(cache.Lookup(first) == a);
  RC_ASSERT(cache.Lookup(second) == c);
  RC_ASSERT(!cache.Lookup({9, 3}));
}

TEST(ClockCache, ForgetsAnOlderEntryOfTheSameKeyWhenTheNewOneDoesNotFit) {
  ClockCache cache(8);
  const Hash128 position{1, 1};
  const CachedState small{ClockOf({{{1}, 1}, {{2}, 2}, {{3}, 3}, {{4}, 4294967295u}}), {5, 5}};
  const CachedState wide{ClockOf({{{1}, 1}, {{2}, 1}, {{3}, 1}, {{4}, 1}, {{5}, 1}}), {6, 6}};
  const CachedState high{ClockOf({{{1}, 4294967296u}}), {7, 7}};
  for (const CachedState& unfit : {wide, high}) {
    cache.Store(position, small);
    EXPECT_EQ(cache.Lookup(position), small);
    cache.Store(position, unfit);
    EXPECT_EQ(cache.Lookup(position), std::nullopt);
  }
}

TEST(ClockCache, NeverKeepsAStaleCopyInTheOtherPlaceOfASet) {
  ClockCache cache(2);
  const CachedState state{ClockOf({{{1}, 1}}), {5, 5}};
  const CachedState newer{ClockOf({{{1}, 2}}), {6, 6}};
  cache.Store({1, 0}, state);
  cache.Store({2, 0}, state);
  cache.Store({1, 0}, newer);  // It sits in the older place: no stale copy may stay there.
  EXPECT_EQ(cache.Lookup({1, 0}), newer);
  cache.Forget({1, 0});
  EXPECT_EQ(cache.Lookup({1, 0}), std::nullopt);
  EXPECT_EQ(cache.Lookup({2, 0}), state);
  cache.Store({2, 0}, newer);
  cache.Forget({2, 0});
  EXPECT_EQ(cache.Lookup({2, 0}), std::nullopt);
}

TEST(ClockCache, FillsAFreedPlaceBeforeItPushesAnotherKeyOut) {
  ClockCache cache(2);
  const CachedState state{ClockOf({{{1}, 1}}), {5, 5}};
  cache.Store({1, 0}, state);
  cache.Store({2, 0}, state);
  cache.Forget({2, 0});
  cache.Store({3, 0}, state);
  EXPECT_EQ(cache.Lookup({1, 0}), state);
  EXPECT_EQ(cache.Lookup({3, 0}), state);
}

TEST(ClockCache, RemembersThatAKeyIsAbsent) {
  ClockCache cache(8);
  cache.Store({1, 2}, {});
  EXPECT_EQ(cache.Lookup({1, 2}), CachedState());
  EXPECT_EQ(cache.Lookup({1, 3}), std::nullopt);
}

TEST(ClockCache, WithoutRoomKeepsNothing) {
  ClockCache cache(1);
  cache.Store({1, 2}, {});
  EXPECT_EQ(cache.Lookup({1, 2}), std::nullopt);
  cache.Forget({1, 2});
  cache.ForgetAll();
}

}  // namespace
}  // namespace dynamo
