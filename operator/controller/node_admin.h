// What the operator asks of nodes.
#ifndef DYNAMO_OPERATOR_CONTROLLER_NODE_ADMIN_H_
#define DYNAMO_OPERATOR_CONTROLLER_NODE_ADMIN_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "common/admin/client.h"
#include "common/base/time.h"
#include "operator/cluster/objects.h"
#include "operator/cluster/observed.h"

namespace dynamo::op {

struct NodeAdminOptions {
  // A silent node must not hold up the pass over a whole cluster.
  std::chrono::milliseconds timeout = std::chrono::seconds(3);
  std::chrono::milliseconds operation_timeout = std::chrono::seconds(20);
  // Where a node's admin API listens: by its pod's address and the port of that name.
  std::function<std::string(const NodeView&)> endpoint = [](const NodeView& node) {
    return node.pod_address.find(':') == std::string::npos ? node.pod_address + ":" + std::to_string(kAdminPort)
                                                           : "[" + node.pod_address + "]:" + std::to_string(kAdminPort);
  };
};

// Fills in what the node itself says; what it does not say stays unknown.
void AskNodeAbout(const NodeAdminOptions& options, NodeView* node);

// How many owners of each partition serve, without the node of that id (empty: as it is).
std::optional<admin::Safety> AskForSafety(const NodeAdminOptions& options, const NodeView& node,
                                          const std::string& without);

Result<admin::Operation> AskToForm(const NodeAdminOptions& options, const NodeView& node,
                                   const std::string& operation_id, const admin::CreateOperation& create);
// All nodes that `node` has heard of.
std::optional<admin::Members> AskForMembers(const NodeAdminOptions& options, const NodeView& node);
// How far the node's repair of that id is; of no state: it knows of none.
std::optional<admin::Repair> AskForRepair(const NodeAdminOptions& options, const NodeView& node,
                                          const std::string& repair_id);
// The node compares all that it owns with the other owners.
Result<admin::Repair> AskToRepair(const NodeAdminOptions& options, const NodeView& node, const std::string& repair_id);
// `node_id` takes the place of `lost_id`.
Result<admin::Operation> AskToReplace(const NodeAdminOptions& options, const NodeView& node,
                                      const std::string& operation_id, const std::string& lost_id,
                                      const std::string& node_id);
// `type`: "join", "leave", "cancel-leave", "forget"; `about`: the id of the node that comes or goes,
// which is another than the one that is asked.
Result<admin::Operation> AskToChange(const NodeAdminOptions& options, const NodeView& node,
                                     const std::string& operation_id, const std::string& type,
                                     const std::string& about);

}  // namespace dynamo::op

#endif  // DYNAMO_OPERATOR_CONTROLLER_NODE_ADMIN_H_
