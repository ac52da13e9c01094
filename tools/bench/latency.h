// Latencies to within 1.6 %, in constant memory.
#ifndef DYNAMO_TOOLS_BENCH_LATENCY_H_
#define DYNAMO_TOOLS_BENCH_LATENCY_H_

#include <array>
#include <cstdint>

namespace dynamo::bench {

// Log-linear buckets as HdrHistogram has them: exact below 128 us, then 64 to each
// power of two, up to 2^40 us.
class LatencyHistogram {
 public:
  void Record(uint64_t us);
  uint64_t count() const { return count_; }
  // `quantile` in [0, 1]: the upper edge of its bucket, in microseconds; 0 when empty.
  uint64_t QuantileUs(double quantile) const;
  uint64_t max_us() const { return max_; }
  double MeanUs() const { return count_ == 0 ? 0 : static_cast<double>(sum_) / static_cast<double>(count_); }

 private:
  static constexpr int kBuckets = 128 + 64 * 33;
  static int BucketOf(uint64_t us);
  static uint64_t UpperEdge(int bucket);

  std::array<uint64_t, kBuckets> buckets_{};
  uint64_t count_ = 0, sum_ = 0, max_ = 0;
};

}  // namespace dynamo::bench

#endif  // DYNAMO_TOOLS_BENCH_LATENCY_H_
