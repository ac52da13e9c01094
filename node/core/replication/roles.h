// Who does what in one replicated operation: the coordinator's own part, and who
// takes the place of a replica that failed. Dynamo section 4.6.
#ifndef DYNAMO_NODE_CORE_REPLICATION_ROLES_H_
#define DYNAMO_NODE_CORE_REPLICATION_ROLES_H_

#include <optional>
#include <vector>

#include "node/core/ring/preference_list.h"

namespace dynamo {

// Who takes part: `targets` first, `spare` in the place of those who fail.
struct Roles {
  ReplicaPlan plan;
  bool self = false;  // This node is among the targets.
  NodeId self_for;    // The owner this node stands in for; none if it is an owner.
};
Roles RolesOf(ReplicaPlan plan, NodeId self);

// What the coordinator writes on its own disk.
struct LocalWrite {
  bool replica = false;           // As an owner.
  std::vector<NodeId> hints_for;  // As a stand-in for these, or because nobody else covers them.
};
LocalWrite LocalWriteOf(const Roles& roles);

// Somebody has to keep the write for an owner that did not take it.
struct Cover {
  std::optional<ReplicaTarget> next;  // The next node of the walk, taken off `spare`.
  bool keep_here = false;             // The coordinator, which then counts for nothing.
};
// `failed` was asked for `owner`'s sake, or is it; `in_time`: another may be asked.
Cover CoverFailed(NodeId owner, NodeId failed, NodeId self, bool in_time, std::vector<NodeId>* spare);

}  // namespace dynamo

#endif  // DYNAMO_NODE_CORE_REPLICATION_ROLES_H_
