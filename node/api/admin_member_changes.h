// Changes of the members as the admin API says them: to the register's, and back.
#ifndef DYNAMO_NODE_API_ADMIN_MEMBER_CHANGES_H_
#define DYNAMO_NODE_API_ADMIN_MEMBER_CHANGES_H_

#include <string>
#include <vector>

#include "common/admin/types.h"
#include "common/base/result.h"
#include "node/core/ring/topology_plan.h"
#include "node/env/admin_handler.h"

namespace dynamo {

// "join", "leave", "cancel", "cancel-leave", "replace", "capacity", "rebalance",
// "forget", "change".
bool IsMemberOperation(std::string_view type);

// What the node that is asked knows, for names to be resolved by: the topology, and
// who has been heard of.
struct KnownNodes {
  const Topology* topology = nullptr;
  std::vector<NodeInfo> nodes;
};

// kInvalidArgument: a name or id that means nobody, or two. kConflict: a member that
// is to be replaced is alive, as this node sees it.
Result<TopologyChange> FromAdmin(const admin::MemberOperation& operation, const std::string& type,
                                 const std::string& id, const KnownNodes& known);
Result<StagedChanges> StagedFromAdmin(const admin::MemberOperation& operation, const KnownNodes& known);
admin::Plan ToAdmin(const TopologyPlan& plan);

// Members that are alive count as ready. Safe: every partition keeps a majority of its
// owners, and the member keeps no hint, which may be the only one of a write. Unknown: as
// long as any member has not said what it keeps. kInvalidArgument: no such member.
Result<admin::Safety> SafetyWithout(const std::string& without, const KnownNodes& known,
                                    const std::vector<MemberReport>& reports);

// A member, by id or by name. Who has left is found by id alone. kInvalidArgument: none.
Result<NodeId> FindMember(const std::string& text, const KnownNodes& known);

// What the topology remembers of an operation; false: nothing.
bool Describe(const KnownNodes& known, admin::Operation* operation);
// How far the copies are that the change under way makes.
void DescribeCopies(const Topology& topology, const std::vector<MemberReport>& reports, admin::Operation* operation);

}  // namespace dynamo

#endif  // DYNAMO_NODE_API_ADMIN_MEMBER_CHANGES_H_
