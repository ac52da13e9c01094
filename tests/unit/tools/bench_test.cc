#include <gtest/gtest.h>

#include <map>
#include <set>

#include "tools/bench/latency.h"
#include "tools/bench/workload.h"

namespace dynamo::bench {
namespace {

TEST(LatencyHistogram, QuantilesAreWithinTwoPercent) {
  LatencyHistogram histogram;
  for (uint64_t us = 1; us <= 100'000; ++us) histogram.Record(us);
  for (double quantile : {0.5, 0.9, 0.99, 0.999}) {
    EXPECT_NEAR(static_cast<double>(histogram.QuantileUs(quantile)), quantile * 100'000, quantile * 2000) << quantile;
  }
  EXPECT_EQ(histogram.QuantileUs(1), 100'000u);
  EXPECT_EQ(histogram.max_us(), 100'000u);
  EXPECT_NEAR(histogram.MeanUs(), 50'000, 1);
}

TEST(LatencyHistogram, TakesAnythingAndIsZeroWhenEmpty) {
  LatencyHistogram histogram;
  EXPECT_EQ(histogram.QuantileUs(0.5), 0u);
  histogram.Record(0);
  histogram.Record(UINT64_MAX);
  EXPECT_EQ(histogram.QuantileUs(0.25), 0u);
  EXPECT_EQ(histogram.count(), 2u);
}

TEST(Workload, MixesReadsAndWritesAsAsked) {
  WorkloadConfig config;
  config.keys = 100;
  config.read_fraction = 0.95;
  Workload workload(config);
  int reads = 0;
  std::set<uint64_t> keys;
  for (int i = 0; i < 10'000; ++i) {
    const auto next = workload.Next();
    reads += next.read ? 1 : 0;
    keys.insert(next.key);
  }
  EXPECT_NEAR(reads, 9500, 150);
  EXPECT_EQ(keys.size(), 100u);
  EXPECT_LT(*keys.rbegin(), 100u);
}

TEST(Workload, ZipfianHasAFewHotKeysAndALongTail) {
  WorkloadConfig config;
  config.keys = 1000;
  config.zipfian = true;
  Workload workload(config);
  std::map<uint64_t, int> counts;
  for (int i = 0; i < 100'000; ++i) ++counts[workload.Next().key];
  int hottest = 0;
  for (const auto& [key, count] : counts) hottest = std::max(hottest, count);
  // 1/zeta(1000, 0.99) of all draws fall on the first rank.
  EXPECT_NEAR(hottest, 13'000, 2000);
  EXPECT_GT(counts.size(), 500u);
}

TEST(Workload, FramesAreRiaks) {
  WorkloadConfig config;
  config.value_bytes = 3;
  Workload workload(config);
  const std::string get = workload.GetFrame(7);
  EXPECT_EQ(static_cast<size_t>(get[3]), get.size() - 4);
  EXPECT_EQ(get[4], 9);
  EXPECT_NE(get.find("user000000000007"), std::string::npos);
  EXPECT_NE(workload.PutFrame(7).find("\x22\x05\x0a\x03"), std::string::npos);
}

}  // namespace
}  // namespace dynamo::bench
