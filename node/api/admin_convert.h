// The node's own values as the admin API's.
#ifndef DYNAMO_NODE_API_ADMIN_CONVERT_H_
#define DYNAMO_NODE_API_ADMIN_CONVERT_H_

#include <optional>
#include <vector>

#include "common/admin/types.h"
#include "common/base/result.h"
#include "node/env/admin_handler.h"

namespace dynamo {

admin::Identity ToAdmin(const NodeIdentity& identity);
admin::Topology ToAdmin(const Topology& topology);
// `topology` may be nullptr.
admin::Members ToAdmin(NodeId self, const std::vector<NodeInfo>& nodes, const Topology* topology);
admin::Hints ToAdmin(const std::vector<HintCount>& hints);
admin::Location ToAdmin(const KeyLocation& location, const Topology* topology);
admin::Repair ToAdmin(const RepairProgress& progress);
admin::Roots ToAdmin(NodeId self, PartitionId partition, const std::vector<TreeRoot>& roots);
// kInvalidArgument: no number of a partition.
Result<std::optional<PartitionId>> PartitionFromAdmin(const admin::RepairOperation& operation);
// kInvalidArgument: a malformed cluster id.
Result<CreateCluster> FromAdmin(const admin::CreateOperation& operation, const std::string& id);
// kInvalidArgument: an unknown policy or durability.
Result<TopologyChange> FromAdmin(const admin::CreateTypeOperation& operation, const std::string& id);

}  // namespace dynamo

#endif  // DYNAMO_NODE_API_ADMIN_CONVERT_H_
