#include "common/base/failure_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace dynamo {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr TimePoint kStart{Duration(1'000'000)};
constexpr Duration kSecond{1'000'000};

class FailureLogTest : public testing::Test {
 protected:
  void Fail(const std::string& details) { failures.Failed(log, now, details); }
  void Work() { failures.Worked(log); }
  std::vector<std::string> Take() { return std::exchange(lines, {}); }

  TimePoint now = kStart;
  std::vector<std::string> lines;
  Logger log{LogLevel::kDebug, [this](LogLevel level, std::string_view line) {
               lines.push_back(std::string(level == LogLevel::kError  ? "E "
                                           : level == LogLevel::kWarn ? "W "
                                                                      : "I ") +
                               std::string(line));
             }};
  FailureLog failures{LogLevel::kError, "vote_not_stored"};
};

TEST_F(FailureLogTest, SaysTheFirstAtOnceAndOneAMinuteWithTheCountOfThoseLeftOut) {
  Fail("error=full");
  EXPECT_THAT(Take(), ElementsAre("E vote_not_stored error=full"));
  for (int second = 0; second < 59; ++second) {
    now += kSecond;
    Fail("error=full");
  }
  EXPECT_THAT(Take(), IsEmpty());
  now += kSecond;
  Fail("error=broken");
  EXPECT_THAT(Take(), ElementsAre("E vote_not_stored error=broken left_out=59"));
  now += 2 * FailureLog::kEvery;
  Fail("error=broken");
  EXPECT_THAT(Take(), ElementsAre("E vote_not_stored error=broken"));
}

TEST_F(FailureLogTest, SaysOnceThatItWorksAgainAndHowOftenItFailed) {
  for (int i = 0; i < 7; ++i) Fail("error=full");
  Take();
  Work();
  Work();
  EXPECT_THAT(Take(), ElementsAre("I vote_not_stored_over failures=7"));
}

TEST_F(FailureLogTest, SaysNothingOfWhatAlwaysWorks) {
  Work();
  EXPECT_THAT(Take(), IsEmpty());
}

TEST_F(FailureLogTest, WhatFailsAndWorksByTurnsGetsOneLineOfEachAMinute) {
  for (int second = 0; second < 120; ++second) {
    Fail("error=full");
    Work();
    now += kSecond;
  }
  EXPECT_THAT(Take(), ElementsAre("E vote_not_stored error=full", "I vote_not_stored_over failures=1",
                                  "E vote_not_stored error=full left_out=59", "I vote_not_stored_over failures=60"));
}

TEST_F(FailureLogTest, AWarningStaysOne) {
  FailureLog warnings{LogLevel::kWarn, "addresses_not_stored"};
  warnings.Failed(log, now, "error=full");
  EXPECT_THAT(Take(), ElementsAre("W addresses_not_stored error=full"));
}

}  // namespace
}  // namespace dynamo
