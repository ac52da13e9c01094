#include "node/adapter/asio_clock.h"

#include <gtest/gtest.h>

#include <vector>

namespace dynamo {
namespace {

using std::chrono::milliseconds;

TEST(AsioClock, FiresInTheOrderOfTimeHoweverTheyWereSet) {
  asio::io_context io{1};
  AsioClock clock(io.get_executor());
  const TimePoint start = clock.Now();
  std::vector<int> order;
  for (const int wait_ms : {30, 10, 20}) {
    clock.At(start + milliseconds(wait_ms), [&order, &clock, start, wait_ms] {
      EXPECT_GE(clock.Now() - start, milliseconds(wait_ms));
      order.push_back(wait_ms);
    });
  }
  EXPECT_TRUE(order.empty());
  io.run();
  EXPECT_EQ(order, (std::vector{10, 20, 30}));
}

TEST(AsioClock, ACancelledTimerDoesNotFire) {
  asio::io_context io{1};
  AsioClock clock(io.get_executor());
  const TimerId cancelled = clock.At(clock.Now() + milliseconds(2), [] { ADD_FAILURE(); });
  bool fired = false;
  clock.At(clock.Now() + milliseconds(10), [&fired] { fired = true; });
  clock.Cancel(cancelled);
  clock.Cancel(0);
  io.run();
  EXPECT_TRUE(fired);
}

TEST(AsioClock, ATimerMaySetTheNext) {
  asio::io_context io{1};
  AsioClock clock(io.get_executor());
  int rounds = 0;
  std::function<void()> again = [&] {
    if (++rounds < 5) clock.At(clock.Now() + milliseconds(1), again);
  };
  clock.At(clock.Now(), again);
  EXPECT_EQ(rounds, 0);
  io.run();
  EXPECT_EQ(rounds, 5);
}

TEST(AsioClock, NothingFiresAfterItsEnd) {
  asio::io_context io{1};
  auto held = std::make_shared<int>();
  {
    AsioClock clock(io.get_executor());
    clock.At(clock.Now(), [held] { ADD_FAILURE(); });
  }
  EXPECT_EQ(held.use_count(), 1);
  io.run();
}

TEST(AsioClock, TheWallClockIsOfThisCentury) {
  asio::io_context io{1};
  EXPECT_GT(AsioClock(io.get_executor()).WallNow(), WallMicros{1'600'000'000'000'000});
}

}  // namespace
}  // namespace dynamo
