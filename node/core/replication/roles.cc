#include "node/core/replication/roles.h"

#include <utility>

namespace dynamo {

Roles RolesOf(ReplicaPlan plan, NodeId self) {
  Roles roles{std::move(plan), false, {}};
  for (const ReplicaTarget& target : roles.plan.targets) {
    if (target.node != self) continue;
    roles.self = true;
    roles.self_for = target.stands_in_for;
  }
  return roles;
}

LocalWrite LocalWriteOf(const Roles& roles) {
  LocalWrite local{!roles.self_for, roles.plan.uncovered};
  if (roles.self_for) local.hints_for.push_back(roles.self_for);
  return local;
}

Cover CoverFailed(NodeId owner, NodeId failed, NodeId self, bool in_time, std::vector<NodeId>* spare) {
  if (spare->empty() || !in_time) return {.next = {}, .keep_here = failed != self};
  const ReplicaTarget next{spare->front(), owner};
  spare->erase(spare->begin());
  return {.next = next, .keep_here = false};
}

}  // namespace dynamo
