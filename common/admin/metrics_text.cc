#include "common/admin/metrics_text.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <string>
#include <utility>
#include <vector>

namespace dynamo::admin {
namespace {

prometheus::ClientMetric ToPrometheus(const Metrics::Figure& figure) {
  prometheus::ClientMetric out;
  for (const auto& [name, value] : figure.labels) out.label.push_back({name, value});
  if (figure.counter != nullptr) out.counter.value = static_cast<double>(figure.counter->value());
  if (figure.gauge != nullptr) out.gauge.value = static_cast<double>(figure.gauge->value());
  if (figure.histogram == nullptr) return out;
  // Every other power of two is fine enough on a dashboard, and a fifth of the lines.
  uint64_t cumulative = 0;
  for (int i = 0; i < Histogram::kBuckets; ++i) {
    cumulative += figure.histogram->bucket(i);
    if (i % 8 == 7 || i == Histogram::kBuckets - 1) {
      const double edge_seconds = static_cast<double>(Histogram::UpperEdgeUs(i)) * 1e-6;
      out.histogram.bucket.push_back({cumulative, edge_seconds});
    }
  }
  out.histogram.sample_count = cumulative;
  out.histogram.sample_sum = static_cast<double>(figure.histogram->sum_us()) * 1e-6;
  return out;
}

prometheus::MetricType TypeOf(const Metrics::Figure& figure) {
  if (figure.counter != nullptr) return prometheus::MetricType::Counter;
  if (figure.gauge != nullptr) return prometheus::MetricType::Gauge;
  return prometheus::MetricType::Histogram;
}

}  // namespace

std::string MetricsText(const Metrics& metrics) {
  std::vector<prometheus::MetricFamily> families;
  for (const Metrics::Figure& figure : metrics.Collect()) {
    if (families.empty() || families.back().name != figure.name) {
      families.push_back({figure.name, figure.help, TypeOf(figure), {}});
    }
    families.back().metric.push_back(ToPrometheus(figure));
  }
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace dynamo::admin
