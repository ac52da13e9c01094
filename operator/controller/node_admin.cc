#include "operator/controller/node_admin.h"

#include <utility>

namespace dynamo::op {

void AskNodeAbout(const NodeAdminOptions& options, NodeView* node) {
  if (node->pod_address.empty()) return;
  admin::Client client(options.endpoint(*node), options.timeout);
  auto identity = client.GetIdentity();
  if (!identity || identity->node_id.empty()) return;
  node->identity = std::move(*identity);
  if (node->identity->cluster_id.empty()) return;
  auto topology = client.GetTopology();
  if (topology && topology->cluster_id == node->identity->cluster_id) node->topology = std::move(*topology);
  if (const auto hints = client.GetHints()) {
    node->hints = hints->total;
    for (const admin::Hints::Owner& owner : hints->owners) node->hints_for[owner.node_id] = owner.hints;
  }
}

std::optional<admin::Safety> AskForSafety(const NodeAdminOptions& options, const NodeView& node,
                                          const std::string& without) {
  auto safety = admin::Client(options.endpoint(node), options.timeout).GetSafety(without);
  if (!safety) return std::nullopt;
  return std::move(*safety);
}

Result<admin::Operation> AskToForm(const NodeAdminOptions& options, const NodeView& node,
                                   const std::string& operation_id, const admin::CreateOperation& create) {
  return admin::Client(options.endpoint(node), options.operation_timeout).Create(operation_id, create);
}

Result<admin::Operation> AskToChange(const NodeAdminOptions& options, const NodeView& node,
                                     const std::string& operation_id, const std::string& type,
                                     const std::string& about) {
  return admin::Client(options.endpoint(node), options.operation_timeout)
      .Start(operation_id, {{"type", type}, {"nodeID", about}});
}

std::optional<admin::Members> AskForMembers(const NodeAdminOptions& options, const NodeView& node) {
  auto members = admin::Client(options.endpoint(node), options.timeout).GetMembers();
  if (!members) return std::nullopt;
  return std::move(*members);
}

std::optional<admin::Repair> AskForRepair(const NodeAdminOptions& options, const NodeView& node,
                                          const std::string& repair_id) {
  auto repair = admin::Client(options.endpoint(node), options.timeout).GetRepair(repair_id);
  if (repair) return std::move(*repair);
  if (repair.error().code == Errc::kNotFound) return admin::Repair{};
  return std::nullopt;
}

Result<admin::Repair> AskToRepair(const NodeAdminOptions& options, const NodeView& node, const std::string& repair_id) {
  return admin::Client(options.endpoint(node), options.operation_timeout).StartRepair(repair_id, {});
}

Result<admin::Operation> AskToReplace(const NodeAdminOptions& options, const NodeView& node,
                                      const std::string& operation_id, const std::string& lost_id,
                                      const std::string& node_id) {
  return admin::Client(options.endpoint(node), options.operation_timeout)
      .Start(operation_id, {{"type", "replace"}, {"oldID", lost_id}, {"nodeID", node_id}});
}

}  // namespace dynamo::op
