#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "node/core/transfer/copy_progress.h"

namespace dynamo {
namespace {

constexpr Duration kSecond{1'000'000};
constexpr TimePoint kStart{Duration(5'000'000)};

TEST(CopyEstimate, TakesTheRestToBeAsLargeAsWhatWasCopied) {
  // A quarter of eight partitions is here, in 2000 bytes.
  const CopyEstimate estimate = EstimateOf({{3, {8, 2, 2000}}}, 100);
  EXPECT_EQ(estimate.bytes, 2000u);
  EXPECT_EQ(estimate.bytes_in_all, 8000u);
  EXPECT_EQ(estimate.time_left, 60 * kSecond);
}

TEST(CopyEstimate, SaysNothingOfWhatIsToComeBeforeAnythingIsHere) {
  const CopyEstimate estimate = EstimateOf({{3, {8, 0, 0}}}, 100);
  EXPECT_EQ(estimate.bytes, 0u);
  EXPECT_FALSE(estimate.bytes_in_all);
  EXPECT_FALSE(estimate.time_left);
}

TEST(CopyEstimate, JudgesEachNByItsOwnPartitions) {
  EXPECT_EQ(EstimateOf({{1, {2, 1, 10}}, {3, {4, 1, 1000}}}, 0).bytes_in_all, 20u + 4000u);
  EXPECT_FALSE(EstimateOf({{1, {2, 0, 0}}, {3, {4, 1, 1000}}}, 5).bytes_in_all) << "one N is not known yet";
}

TEST(CopyEstimate, WithoutARateNobodyCanTellHowLongItTakes) {
  EXPECT_FALSE(EstimateOf({{3, {8, 2, 2000}}}, 0).time_left);
}

TEST(CopyEstimate, NothingToCopyIsDone) {
  EXPECT_EQ(EstimateOf({}, 0).bytes_in_all, 0u);
  EXPECT_EQ(EstimateOf({}, 0).time_left, Duration(0));
  const CopyEstimate done = EstimateOf({{3, {8, 8, 7777}}}, 0);
  EXPECT_EQ(done.bytes_in_all, 7777u);
  EXPECT_EQ(done.time_left, Duration(0));
}

RC_GTEST_PROP(CopyEstimate, SumsOfNodesNeverPromiseLessThanIsHere, ()) {
  CopyShares sum;
  for (int node = *rc::gen::inRange(1, 5); node > 0; --node) {
    const double to_copy = *rc::gen::inRange(0, 100);
    const double copied = to_copy * *rc::gen::inRange(0, 101) / 100;
    sum[*rc::gen::inRange<uint32_t>(1, 4)] += {to_copy, copied, *rc::gen::inRange<uint64_t>(0, 1'000'000)};
  }
  const CopyEstimate estimate = EstimateOf(sum, 1000);
  if (estimate.bytes_in_all) {
    RC_ASSERT(*estimate.bytes_in_all >= estimate.bytes);
  } else {
    RC_ASSERT(!estimate.time_left);
  }
}

TEST(RateMeter, IsZeroUntilSomethingCame) { EXPECT_EQ(RateMeter().PerSecond(kStart), 0u); }

TEST(RateMeter, IsTheMeanSinceTheBeginning) {
  RateMeter meter;
  meter.Add(kStart, 100);
  EXPECT_EQ(meter.PerSecond(kStart), 100u);
  meter.Add(kStart + kSecond, 300);
  EXPECT_EQ(meter.PerSecond(kStart + kSecond), 200u);
}

TEST(RateMeter, ForgetsWhatIsOlderThanTenSeconds) {
  RateMeter meter;
  for (int second = 0; second < 100; ++second) {
    meter.Add(kStart + second * kSecond, second < 50 ? 1000 : 10);
    meter.Add(kStart + second * kSecond, second < 50 ? 1000 : 10);
  }
  EXPECT_EQ(meter.PerSecond(kStart + 99 * kSecond), 20u);
  EXPECT_EQ(meter.PerSecond(kStart + 104 * kSecond), 10u);
  EXPECT_EQ(meter.PerSecond(kStart + 200 * kSecond), 0u);
}

}  // namespace
}  // namespace dynamo
