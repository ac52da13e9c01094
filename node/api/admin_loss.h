// What an administrator declares lost, as the admin API says it; and which partitions
// of a change wait for somebody.
#ifndef DYNAMO_NODE_API_ADMIN_LOSS_H_
#define DYNAMO_NODE_API_ADMIN_LOSS_H_

#include <string>
#include <string_view>
#include <vector>

#include "common/admin/types.h"
#include "common/base/result.h"
#include "node/api/admin_member_changes.h"

namespace dynamo {

// "force-topology", "accept-loss".
bool IsLossOperation(std::string_view type);

// kInvalidArgument: a malformed cluster id, or a name or id that means no member.
Result<TopologyChange> FromAdmin(const admin::LossOperation& operation, const std::string& type, const std::string& id,
                                 const KnownNodes& known);

std::vector<admin::Loss> LossesOf(const Topology& topology);

// Those with the same cause together. A node counts as away unless it is alive, or
// merely suspected, as the asked node sees it.
std::vector<admin::Operation::Wait> WaitsIn(const KnownNodes& known);
// For people: who is waited for, and the command that gives up what they had.
std::string DescribeWait(const admin::Operation::Wait& wait, const Topology& topology);

}  // namespace dynamo

#endif  // DYNAMO_NODE_API_ADMIN_LOSS_H_
