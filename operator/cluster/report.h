// The status that people and tools read: never truer than what was seen.
#ifndef DYNAMO_OPERATOR_CLUSTER_REPORT_H_
#define DYNAMO_OPERATOR_CLUSTER_REPORT_H_

#include <string>

#include "operator/cluster/observed.h"
#include "operator/cluster/planner.h"
#include "operator/cluster/spec.h"
#include "operator/cluster/status.h"

namespace dynamo::op {

// The whole status of a pass that ends with `action` (Wait or Settled). `now`: RFC 3339.
kube::Object Report(const ClusterSpec& spec, const ClusterStatus& status, const Observed& observed,
                    const Action& action, const std::string& now);

// The first status of a pass over a new generation: it says Progressing, and nothing of
// the generation before stands as if it were of this one.
kube::Object ReportNewGeneration(const ClusterStatus& status, int64_t generation, const std::string& now);

// What kept the operator from acting or looking; `reason` is one word.
kube::Object ReportTrouble(const ClusterStatus& status, int64_t generation, const std::string& reason,
                           const std::string& message, const std::string& now);

}  // namespace dynamo::op

#endif  // DYNAMO_OPERATOR_CLUSTER_REPORT_H_
