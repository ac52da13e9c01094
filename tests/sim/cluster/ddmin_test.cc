#include "tests/sim/cluster/ddmin.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

namespace dynamo::sim {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<int> FirstNumbers(int count) {
  std::vector<int> numbers(static_cast<size_t>(count));
  std::iota(numbers.begin(), numbers.end(), 0);
  return numbers;
}

bool HasAll(const std::vector<int>& part, const std::vector<int>& wanted) {
  return std::ranges::all_of(wanted, [&](int item) { return std::ranges::find(part, item) != part.end(); });
}

TEST(Ddmin, FindsTheOneItemThatFailsInFewTries) {
  int tries = 0;
  const auto smallest = Minimize<int>(FirstNumbers(1000), [&](const std::vector<int>& part) {
    ++tries;
    return HasAll(part, {700});
  });
  EXPECT_THAT(smallest, ElementsAre(700));
  EXPECT_LT(tries, 40);  // About twice log2 of 1,000.
}

TEST(Ddmin, KeepsItemsThatFailOnlyTogetherInTheirOrder) {
  const auto smallest =
      Minimize<int>(FirstNumbers(100), [](const std::vector<int>& part) { return HasAll(part, {3, 50, 51, 99}); });
  EXPECT_THAT(smallest, ElementsAre(3, 50, 51, 99));
}

TEST(Ddmin, LeavesNothingWhereNothingIsNeeded) {
  EXPECT_THAT(Minimize<int>(FirstNumbers(10), [](const std::vector<int>&) { return true; }), IsEmpty());
  EXPECT_THAT(Minimize<int>({}, [](const std::vector<int>&) { return true; }), IsEmpty());
}

TEST(Ddmin, KeepsTheRestWhenNoMoreMayBeTried) {
  int left = 3;
  const auto smallest =
      Minimize<int>(FirstNumbers(64), [&](const std::vector<int>& part) { return left-- > 0 && HasAll(part, {0}); });
  EXPECT_FALSE(smallest.empty());
  EXPECT_EQ(smallest.front(), 0);
}

TEST(Ddmin, NeverAsksAboutMoreThanItKeeps) {
  size_t kept = 50;
  Minimize<int>(FirstNumbers(50), [&](const std::vector<int>& part) {
    EXPECT_LT(part.size(), kept);
    const bool fails = HasAll(part, {7, 41});
    if (fails) kept = part.size();
    return fails;
  });
  EXPECT_EQ(kept, 2u);
}

}  // namespace
}  // namespace dynamo::sim
