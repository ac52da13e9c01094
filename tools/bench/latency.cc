#include "tools/bench/latency.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace dynamo::bench {

int LatencyHistogram::BucketOf(uint64_t us) {
  if (us < 128) return static_cast<int>(us);
  const int exponent = std::bit_width(us) - 1;  // At least 7.
  const int step = static_cast<int>(us >> (exponent - 6)) & 63;
  return std::min(128 + 64 * (exponent - 7) + step, kBuckets - 1);
}

uint64_t LatencyHistogram::UpperEdge(int bucket) {
  if (bucket < 128) return static_cast<uint64_t>(bucket);
  const int exponent = (bucket - 128) / 64 + 7;
  const auto step = static_cast<uint64_t>((bucket - 128) % 64);
  return ((64 + step + 1) << (exponent - 6)) - 1;
}

void LatencyHistogram::Record(uint64_t us) {
  ++buckets_[static_cast<size_t>(BucketOf(us))];
  ++count_;
  sum_ += us;
  max_ = std::max(max_, us);
}

uint64_t LatencyHistogram::QuantileUs(double quantile) const {
  const auto rank = std::max<uint64_t>(1, static_cast<uint64_t>(std::ceil(quantile * static_cast<double>(count_))));
  uint64_t seen = 0;
  for (int i = 0; i < kBuckets; ++i) {
    seen += buckets_[static_cast<size_t>(i)];
    if (seen >= rank) return std::min(UpperEdge(i), max_);
  }
  return 0;
}

}  // namespace dynamo::bench
