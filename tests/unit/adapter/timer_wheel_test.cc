#include "node/adapter/timer_wheel.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <memory>
#include <set>
#include <vector>

namespace dynamo {
namespace {

constexpr TimePoint kStart{Duration(1'000'000'123)};

TEST(TimerWheel, FiresNeverEarlyAndWithinOneTick) {
  for (const int64_t wait_us : {1, 1024, 5'000, 65'536, 70'000, 4'194'304, 5'000'000, 300'000'000}) {
    TimerWheel wheel(kStart);
    const TimePoint due = kStart + Duration(wait_us);
    bool fired = false;
    wheel.Add(due, [&fired] { fired = true; });
    wheel.Advance(due - Duration(1));
    EXPECT_FALSE(fired) << wait_us;
    wheel.Advance(due + TimerWheel::kTick);
    EXPECT_TRUE(fired) << wait_us;
    EXPECT_EQ(wheel.size(), 0u);
  }
}

TEST(TimerWheel, ATimerBeyondTheHorizonStillFiresInTime) {
  TimerWheel wheel(kStart);
  const TimePoint due = kStart + std::chrono::hours(30);
  bool fired = false;
  wheel.Add(due, [&fired] { fired = true; });
  int wakes = 0;
  while (wheel.Next() && *wheel.Next() < due) {
    wheel.Advance(*wheel.Next());
    ++wakes;
    ASSERT_FALSE(fired);
  }
  wheel.Advance(due + TimerWheel::kTick);
  EXPECT_TRUE(fired);
  EXPECT_LT(wakes, 20);
}

TEST(TimerWheel, ATimerInThePastFiresAtTheNextTickAndNotAtOnce) {
  TimerWheel wheel(kStart);
  bool fired = false;
  wheel.Add(kStart - std::chrono::seconds(5), [&fired] { fired = true; });
  EXPECT_FALSE(fired);
  wheel.Advance(kStart);
  EXPECT_FALSE(fired);
  wheel.Advance(kStart + TimerWheel::kTick);
  EXPECT_TRUE(fired);
}

TEST(TimerWheel, ACancelledTimerIsGoneAndFreesWhatItHeld) {
  TimerWheel wheel(kStart);
  auto held = std::make_shared<int>(7);
  const auto id = wheel.Add(kStart + std::chrono::seconds(1), [held] { ADD_FAILURE(); });
  EXPECT_EQ(held.use_count(), 2);
  wheel.Cancel(id);
  EXPECT_EQ(held.use_count(), 1);
  EXPECT_EQ(wheel.Next(), std::nullopt);
  wheel.Cancel(id);
  wheel.Advance(kStart + std::chrono::seconds(2));
}

TEST(TimerWheel, AnOldIdDoesNotCancelTheTimerThatTookItsPlace) {
  TimerWheel wheel(kStart);
  const auto old = wheel.Add(kStart + std::chrono::seconds(1), [] {});
  wheel.Cancel(old);
  bool fired = false;
  wheel.Add(kStart + std::chrono::seconds(1), [&fired] { fired = true; });
  wheel.Cancel(old);
  wheel.Cancel(0);
  wheel.Advance(kStart + std::chrono::seconds(2));
  EXPECT_TRUE(fired);
}

TEST(TimerWheel, ATimerMayCancelAnotherThatIsDueAtTheSameTick) {
  TimerWheel wheel(kStart);
  const TimePoint due = kStart + Duration(10'000);
  TimerWheel::Id first = 0, second = 0;
  int fired = 0;
  first = wheel.Add(due, [&] { ++fired, wheel.Cancel(second); });
  second = wheel.Add(due, [&] { ++fired, wheel.Cancel(first); });
  wheel.Advance(due + TimerWheel::kTick);
  EXPECT_EQ(fired, 1);
}

TEST(TimerWheel, ATimerThatRearmsItselfFiresOnceATick) {
  TimerWheel wheel(kStart);
  int fired = 0;
  std::function<void()> again = [&] {
    ++fired;
    wheel.Add(kStart, again);
  };
  again();
  wheel.Advance(kStart + 10 * TimerWheel::kTick);
  EXPECT_EQ(fired, 11);
}

RC_GTEST_PROP(TimerWheel, FiresExactlyWhatAModelFires, ()) {
  TimerWheel wheel(kStart);
  TimePoint now = kStart;
  std::map<int, std::pair<TimePoint, TimerWheel::Id>> waiting;
  std::set<int> fired;
  int next = 0;
  const auto steps = *rc::gen::inRange(1, 200);
  for (int step = 0; step < steps; ++step) {
    switch (*rc::gen::inRange(0, 4)) {
      case 0:
      case 1: {
        // Spread over all levels.
        const auto wait = Duration(*rc::gen::inRange<int64_t>(0, 1000) << *rc::gen::inRange(0, 26));
        const int name = next++;
        waiting[name] = {now + wait, wheel.Add(now + wait, [&fired, name] { fired.insert(name); })};
        break;
      }
      case 2: {
        if (waiting.empty()) break;
        const auto chosen = std::next(waiting.begin(), *rc::gen::inRange<int>(0, static_cast<int>(waiting.size())));
        wheel.Cancel(chosen->second.second);
        waiting.erase(chosen);
        break;
      }
      default: {
        now += Duration(*rc::gen::inRange<int64_t>(0, 1000) << *rc::gen::inRange(0, 24));
        wheel.Advance(now);
        for (const int name : fired) {
          RC_ASSERT(waiting.contains(name));
          RC_ASSERT(waiting.at(name).first <= now);
          waiting.erase(name);
        }
        fired.clear();
        for (const auto& [name, timer] : waiting) RC_ASSERT(timer.first + 2 * TimerWheel::kTick > now);
      }
    }
    RC_ASSERT(wheel.size() == waiting.size());
    for (const auto& [name, timer] : waiting) RC_ASSERT(*wheel.Next() <= timer.first + 2 * TimerWheel::kTick);
  }
}

}  // namespace
}  // namespace dynamo
