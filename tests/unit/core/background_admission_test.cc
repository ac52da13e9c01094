#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <random>
#include <vector>

#include "node/core/background/admission.h"

namespace dynamo {
namespace {

constexpr Duration kQuiet{1'000};

// A machine on which clients wait the longer the more of its disk background work
// takes: nothing up to `free`, then more and more.
struct Machine {
  double free = 20e6, full = 100e6;
  std::function<Duration(uint64_t used)> latency = [this](uint64_t used) {
    const double share = std::clamp((static_cast<double>(used) - free) / (full - free), 0.0, 1.0);
    return Duration(static_cast<int64_t>(static_cast<double>(kQuiet.count()) * (1 + 20 * share)));
  };
};

// Windows with and without clients; what background work got of each.
class AdmissionTest : public ::testing::Test {
 protected:
  // Returns the rate of the next window.
  uint64_t Window(int requests, Duration latency, bool wanted, uint64_t used) {
    for (int i = 0; i < requests; ++i) admission_.OnForeground(latency);
    return admission_.OnWindow(wanted, used);
  }
  // Work that takes all it is given, beside so many requests a window.
  std::vector<uint64_t> Work(const Machine& machine, int windows, int requests) {
    std::vector<uint64_t> rates;
    for (int i = 0; i < windows; ++i) {
      const uint64_t used = std::min(rate_, static_cast<uint64_t>(machine.full));
      rate_ = Window(requests, machine.latency(used), true, used);
      rates.push_back(rate_);
    }
    return rates;
  }
  static double Mean(const std::vector<uint64_t>& rates, size_t from) {
    double sum = 0;
    for (size_t i = from; i < rates.size(); ++i) sum += static_cast<double>(rates[i]);
    return sum / static_cast<double>(rates.size() - from);
  }

  AdmissionConfig config_;
  Admission admission_{config_};
  uint64_t rate_ = config_.rate_start;
};

TEST_F(AdmissionTest, GivesAllThereIsWhileNoClientAsks) {
  Machine machine;
  machine.full = 400e6;
  const auto rates = Work(machine, 60, 0);
  EXPECT_GE(rates.back(), 400'000'000u);
  EXPECT_EQ(std::ranges::count(rates, 0u), 0);  // Nobody to pause for.
}

TEST_F(AdmissionTest, SettlesWhereClientsHardlyNotice) {
  const Machine machine;
  const auto rates = Work(machine, 400, 200);
  for (size_t i = 100; i < rates.size(); ++i) {
    EXPECT_LT(machine.latency(rates[i]).count(), kQuiet.count() * 3 / 2) << "window " << i;
  }
  EXPECT_GT(Mean(rates, 100), 0.5 * machine.free);  // And uses most of what is free.
}

TEST_F(AdmissionTest, GivesWayInFourWindowsWhenClientsCome) {
  Machine idle;
  Work(idle, 60, 0);
  const auto rates = Work(Machine(), 12, 200);
  EXPECT_EQ(rates[0], 0u);  // First it learns what they have without it.
  EXPECT_LT(rates[6], 30'000'000u);
}

TEST_F(AdmissionTest, SlownessThatIsNotItsDoingDoesNotStopIt) {
  Machine machine;
  Work(machine, 100, 200);
  Machine slower;
  slower.latency = [](uint64_t) { return kQuiet * 30; };
  const auto rates = Work(slower, 300, 200);
  EXPECT_GT(Mean(rates, 200), 20e6);
}

TEST_F(AdmissionTest, NeverStopsForGood) {
  Machine hopeless;
  hopeless.latency = [](uint64_t used) { return used > 0 ? kQuiet * 100 : kQuiet; };
  const auto rates = Work(hopeless, 200, 200);
  EXPECT_EQ(admission_.rate(), config_.rate_min);
  // One pause of sixteen windows, the rest at the least rate.
  const auto pauses = std::count(rates.begin() + 100, rates.end(), 0u);
  EXPECT_GE(pauses, 5);
  EXPECT_LE(pauses, 8);
}

TEST_F(AdmissionTest, FewRequestsAreJudgedTogether) {
  Window(3, kQuiet, false, 0);  // Known before there is work.
  for (int i = 0; i < 7; ++i) rate_ = Window(3, kQuiet * 10, true, rate_);
  EXPECT_EQ(rate_, config_.rate_start);
  rate_ = Window(3, kQuiet * 10, true, rate_);
  EXPECT_EQ(rate_, config_.rate_start / 2);
}

TEST_F(AdmissionTest, WhatIsNotUsedIsNotRaised) {
  for (int i = 0; i < 100; ++i) Window(0, {}, true, 1'000'000);
  EXPECT_EQ(admission_.rate(), config_.rate_start);
}

TEST_F(AdmissionTest, LearnsFromWindowsWithoutWork) {
  EXPECT_EQ(admission_.quiet_p99(), std::nullopt);
  Window(100, kQuiet, false, 0);
  ASSERT_TRUE(admission_.quiet_p99());
  EXPECT_NEAR(static_cast<double>(admission_.quiet_p99()->count()), 1'000, 100);
  EXPECT_NE(Window(100, kQuiet, true, 0), 0u);  // So it need not pause at once.
}

TEST(LatencyTail, TellsTheP99WithinATenth) {
  std::mt19937_64 random(7);
  for (const double scale : {5.0, 300.0, 20'000.0, 3e6}) {
    std::exponential_distribution<double> draw(1 / scale);
    LatencyTail tail;
    std::vector<int64_t> all;
    for (int i = 0; i < 5'000; ++i) {
      all.push_back(static_cast<int64_t>(draw(random)));
      tail.Add(Duration(all.back()));
    }
    std::ranges::sort(all);
    const auto exact = static_cast<double>(all[all.size() - 1 - all.size() / 100]);
    const auto told = static_cast<double>(tail.P99()->count());
    EXPECT_GE(told, exact);
    EXPECT_LE(told, exact * 1.13 + 1);
  }
}

TEST(LatencyTail, OfNothingThereIsNone) {
  LatencyTail tail;
  EXPECT_EQ(tail.P99(), std::nullopt);
  tail.Add(Duration(7));
  EXPECT_EQ(tail.P99(), Duration(7));
  tail.Clear();
  EXPECT_EQ(tail.count(), 0u);
  EXPECT_EQ(tail.P99(), std::nullopt);
}

TEST(LatencyTail, TakesWhatIsTooLongForAnyClock) {
  LatencyTail tail;
  tail.Add(Duration::max());
  tail.Add(Duration(-5));
  EXPECT_EQ(tail.count(), 2u);
  EXPECT_GT(*tail.P99(), Duration(1'000'000'000));
}

}  // namespace
}  // namespace dynamo
