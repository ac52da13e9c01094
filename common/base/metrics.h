// Figures that operators ask for: counters, gauges and latency histograms.
//
// A Metrics belongs to one node; its shards share it, so the figures are relaxed
// atomics. Look a figure up once and keep the reference: it lives as long as the
// Metrics does.
#ifndef DYNAMO_COMMON_BASE_METRICS_H_
#define DYNAMO_COMMON_BASE_METRICS_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "common/base/time.h"

namespace dynamo {

class Counter {
 public:
  void Add(uint64_t amount = 1) { value_.fetch_add(amount, std::memory_order_relaxed); }
  uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

class Gauge {
 public:
  void Set(int64_t value) { value_.store(value, std::memory_order_relaxed); }
  void Add(int64_t amount) { value_.fetch_add(amount, std::memory_order_relaxed); }
  int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> value_{0};
};

// Log-linear buckets: 4 to each power of two of microseconds, so a quantile is
// within 19 % of the truth. Covers 1 us to about 70 minutes.
class Histogram {
 public:
  static constexpr int kBuckets = 128;

  void Record(Duration latency);
  uint64_t count() const;
  // Sum of all recorded, in microseconds.
  uint64_t sum_us() const { return sum_us_.load(std::memory_order_relaxed); }
  // `quantile` in [0, 1]; the upper edge of the bucket it falls in; zero when empty.
  Duration Quantile(double quantile) const;
  uint64_t bucket(int index) const { return buckets_[index].load(std::memory_order_relaxed); }
  // Upper edge of a bucket, in microseconds.
  static uint64_t UpperEdgeUs(int index);

 private:
  std::array<std::atomic<uint64_t>, kBuckets> buckets_{};
  std::atomic<uint64_t> sum_us_{0};
};

using Labels = std::vector<std::pair<std::string, std::string>>;

class Metrics {
 public:
  enum class Kind { kCounter, kGauge, kHistogram };
  // One figure as a collector sees it; exactly one pointer is set.
  struct Figure {
    std::string name;  // Prometheus style, with the unit: dynamo_hints_stored_bytes.
    std::string help;
    Labels labels;
    const Counter* counter = nullptr;
    const Gauge* gauge = nullptr;
    const Histogram* histogram = nullptr;
  };

  // The same name and labels give the same figure.
  Counter& counter(const std::string& name, const std::string& help, const Labels& labels = {});
  Gauge& gauge(const std::string& name, const std::string& help, const Labels& labels = {});
  Histogram& histogram(const std::string& name, const std::string& help, const Labels& labels = {});

  // Sorted by name, then labels.
  std::vector<Figure> Collect() const;

 private:
  template <class T>
  struct Entry {
    std::string help;
    T figure;
  };
  template <class T>
  using Table = std::map<std::pair<std::string, Labels>, std::unique_ptr<Entry<T>>>;

  template <class T>
  T& Find(Table<T>& table, const std::string& name, const std::string& help, const Labels& labels);

  mutable std::mutex mutex_;  // Guards the tables, not the figures.
  Table<Counter> counters_;
  Table<Gauge> gauges_;
  Table<Histogram> histograms_;
};

}  // namespace dynamo

#endif  // DYNAMO_COMMON_BASE_METRICS_H_
