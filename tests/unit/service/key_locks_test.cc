#include "node/service/key_locks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace dynamo {
namespace {

using ::testing::ElementsAre;

struct Bench {
  asio::io_context io{1};
  Scope scope{io.get_executor()};
  KeyLocks locks{&scope, 2};
  std::vector<KeyLocks::Guard> held;
  std::vector<int> order;
  std::vector<Errc> refusals;

  void Run() {
    io.restart();
    io.poll();
  }
  static Async<> Acquire(Bench* bench, Hash128 position, int name) {
    auto guard = co_await bench->locks.Acquire(position);
    if (!guard) {
      bench->refusals.push_back(guard.error().code);
      co_return;
    }
    bench->order.push_back(name);
    bench->held.push_back(std::move(*guard));
  }
  void Ask(uint64_t position, int name) {
    scope.Spawn(Acquire(this, Hash128{position, 0}, name));
    Run();
  }
  void ReleaseOldest() {
    held.erase(held.begin());
    Run();
  }
};

TEST(KeyLocks, WritersOfOneKeyGoInTheOrderTheyCame) {
  Bench bench;
  for (int name = 1; name <= 3; ++name) bench.Ask(7, name);
  EXPECT_THAT(bench.order, ElementsAre(1));
  bench.ReleaseOldest();
  EXPECT_THAT(bench.order, ElementsAre(1, 2));
  bench.ReleaseOldest();
  EXPECT_THAT(bench.order, ElementsAre(1, 2, 3));
  EXPECT_TRUE(bench.locks.IsHeld({7, 0}));
  bench.ReleaseOldest();
  EXPECT_FALSE(bench.locks.IsHeld({7, 0}));
}

TEST(KeyLocks, WritersOfDifferentKeysDoNotWait) {
  Bench bench;
  bench.Ask(7, 1);
  bench.Ask(8, 2);
  EXPECT_THAT(bench.order, ElementsAre(1, 2));
}

TEST(KeyLocks, TheLockIsNeverFreeWhileSomebodyWaits) {
  Bench bench;
  bench.Ask(7, 1);
  bench.Ask(7, 2);
  bench.held.clear();  // Handed over, not yet resumed.
  EXPECT_TRUE(bench.locks.IsHeld({7, 0}));
  bench.Ask(7, 3);
  EXPECT_THAT(bench.order, ElementsAre(1, 2));
}

TEST(KeyLocks, TooManyWaitersAreRefusedAtOnce) {
  Bench bench;
  for (int name = 1; name <= 5; ++name) bench.Ask(7, name);
  EXPECT_THAT(bench.refusals, ElementsAre(Errc::kOverloaded, Errc::kOverloaded));
}

TEST(KeyLocks, AGuardReleasesOnceHoweverItIsMoved) {
  Bench bench;
  bench.Ask(7, 1);
  bench.Ask(8, 2);
  KeyLocks::Guard moved = std::move(bench.held[0]);
  bench.held[0].Release();
  EXPECT_TRUE(bench.locks.IsHeld({7, 0}));
  moved = std::move(bench.held[1]);
  EXPECT_FALSE(bench.locks.IsHeld({7, 0}));
  moved.Release();
  EXPECT_FALSE(bench.locks.IsHeld({8, 0}));
}

}  // namespace
}  // namespace dynamo
