#include "common/base/metrics.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <tuple>

namespace dynamo {
namespace {

// Values below 4 have a bucket each; above, the two bits after the leading one
// choose among the 4 buckets of their power of two.
int BucketOf(uint64_t us) {
  if (us < 4) return static_cast<int>(us);
  const int exponent = std::bit_width(us) - 1;
  const int quarter = static_cast<int>(us >> (exponent - 2)) & 3;
  return std::min(4 * (exponent - 1) + quarter, Histogram::kBuckets - 1);
}

}  // namespace

uint64_t Histogram::UpperEdgeUs(int index) {
  if (index < 4) return static_cast<uint64_t>(index);
  const int exponent = index / 4 + 1;
  const uint64_t quarter = static_cast<uint64_t>(index % 4);
  return ((4 + quarter + 1) << (exponent - 2)) - 1;
}

void Histogram::Record(Duration latency) {
  const auto us = static_cast<uint64_t>(std::max<Duration::rep>(latency.count(), 0));
  buckets_[BucketOf(us)].fetch_add(1, std::memory_order_relaxed);
  sum_us_.fetch_add(us, std::memory_order_relaxed);
}

uint64_t Histogram::count() const {
  uint64_t total = 0;
  for (const auto& bucket : buckets_) total += bucket.load(std::memory_order_relaxed);
  return total;
}

Duration Histogram::Quantile(double quantile) const {
  const uint64_t total = count();
  if (total == 0) return Duration::zero();
  const auto rank = static_cast<uint64_t>(std::ceil(quantile * static_cast<double>(total)));
  uint64_t seen = 0;
  for (int i = 0; i < kBuckets; ++i) {
    seen += bucket(i);
    if (seen >= std::max<uint64_t>(rank, 1)) return Duration(UpperEdgeUs(i));
  }
  return Duration(UpperEdgeUs(kBuckets - 1));
}

template <class T>
T& Metrics::Find(Table<T>& table, const std::string& name, const std::string& help, const Labels& labels) {
  std::lock_guard lock(mutex_);
  auto& entry = table[{name, labels}];
  if (!entry) {
    entry = std::make_unique<Entry<T>>();
    entry->help = help;
  }
  return entry->figure;
}

Counter& Metrics::counter(const std::string& name, const std::string& help, const Labels& labels) {
  return Find(counters_, name, help, labels);
}

Gauge& Metrics::gauge(const std::string& name, const std::string& help, const Labels& labels) {
  return Find(gauges_, name, help, labels);
}

Histogram& Metrics::histogram(const std::string& name, const std::string& help, const Labels& labels) {
  return Find(histograms_, name, help, labels);
}

std::vector<Metrics::Figure> Metrics::Collect() const {
  std::vector<Figure> out;
  std::lock_guard lock(mutex_);
  for (const auto& [key, entry] : counters_) {
    out.push_back({key.first, entry->help, key.second, &entry->figure, nullptr, nullptr});
  }
  for (const auto& [key, entry] : gauges_) {
    out.push_back({key.first, entry->help, key.second, nullptr, &entry->figure, nullptr});
  }
  for (const auto& [key, entry] : histograms_) {
    out.push_back({key.first, entry->help, key.second, nullptr, nullptr, &entry->figure});
  }
  std::sort(out.begin(), out.end(),
            [](const Figure& a, const Figure& b) { return std::tie(a.name, a.labels) < std::tie(b.name, b.labels); });
  return out;
}

}  // namespace dynamo
