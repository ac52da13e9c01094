// The page /metrics.
#ifndef DYNAMO_COMMON_ADMIN_METRICS_TEXT_H_
#define DYNAMO_COMMON_ADMIN_METRICS_TEXT_H_

#include <string>

#include "common/base/metrics.h"

namespace dynamo::admin {

// In the text form that Prometheus scrapes.
std::string MetricsText(const Metrics& metrics);

}  // namespace dynamo::admin

#endif  // DYNAMO_COMMON_ADMIN_METRICS_TEXT_H_
