// What the flows of the planner share.
#ifndef DYNAMO_OPERATOR_CLUSTER_PLAN_STEPS_H_
#define DYNAMO_OPERATOR_CLUSTER_PLAN_STEPS_H_

#include <optional>
#include <string>

#include "operator/cluster/planner.h"

namespace dynamo::op {

// Writes down that the operation is at `step` now.
Record To(Operation operation, Operation::Step step, std::string event = "", std::string message = "");

// The newest epoch that any node knows; where none answers, that of the status.
int64_t NewestEpoch(const ClusterStatus& status, const Observed& observed);
// Of that type and epoch, and of no node yet.
Operation Begun(Operation::Type type, const ClusterStatus& status, const Observed& observed);

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

// Why the node's pod cannot be spared now. Only the harm that its own restart adds counts.
std::optional<Wait> WhyNotRestart(const ClusterSpec& spec, const NodeView& node, const Observed& observed);
// What is missing until the node whose pod was restarted counts as back.
std::optional<Wait> WhyNotBack(const ClusterSpec& spec, const Operation& operation, const NodeView& node,
                               const Observed& observed);
// What lasts longer than `progressDeadline` needs a human, and is not pushed on.
Wait Late(const ClusterSpec& spec, const Operation& operation, const Observed& observed, Wait wait,
          const char* reason = "RolloutBlocked");

}  // namespace dynamo::op

#endif  // DYNAMO_OPERATOR_CLUSTER_PLAN_STEPS_H_
