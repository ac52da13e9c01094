// What the flows of the planner share.
#ifndef DYNAMO_OPERATOR_CLUSTER_PLAN_STEPS_H_
#define DYNAMO_OPERATOR_CLUSTER_PLAN_STEPS_H_

#include <optional>
#include <string>

#include "operator/cluster/planner.h"

namespace dynamo::op {

// Writes down that the operation is at `step` now.
Record To(Operation operation, Operation::Step step, std::string event = "", std::string message = "");

// How far the change of the ring is, for people.
std::string Moved(const admin::Topology& ring);

// "3m20s".
std::string Spoken(int64_t milliseconds);
// Since that time, RFC 3339; 0 if it cannot be read or is yet to come.
int64_t MillisecondsSince(const std::string& time, WallMicros now);

// Why nothing that takes all nodes may begin now.
std::optional<Wait> WhyNotNow(const Observed& observed);
// Nobody reports another ring. Who is silent, and may be for good, is not waited for.
bool WhoAnswersAgrees(const Observed& observed, const admin::Topology& ring);

// Why the member may not be replaced now: it lives, others are on their way, or so many
// owners are away that what is left may lack something (degraded, with what to do).
std::optional<Wait> WhyNotReplace(const ClusterSpec& spec, const Observed& observed, const admin::Topology& ring,
                                  const std::string& lost_node_id, const std::string& new_node_id);

}  // namespace dynamo::op

#endif  // DYNAMO_OPERATOR_CLUSTER_PLAN_STEPS_H_
