// Who may do and reach what: the nodes' service account and its role, and the network.
#include <boost/json/array.hpp>

#include "operator/cluster/objects.h"

namespace dynamo::op {
namespace {

using kube::Object;
namespace json = kube::json;

Object AllowPorts(json::array from, std::initializer_list<int> ports) {
  json::array list;
  for (const int port : ports) list.push_back(Object{{"protocol", "TCP"}, {"port", port}});
  Object rule{{"ports", std::move(list)}};
  if (!from.empty()) rule["from"] = std::move(from);
  return rule;
}

}  // namespace

// Its token is mounted for one purpose: to find the other nodes.
Object RenderServiceAccount(const ClusterSpec& spec) {
  return {{"apiVersion", "v1"},
          {"kind", "ServiceAccount"},
          {"metadata", Metadata(spec, spec.HeadlessName())},
          {"automountServiceAccountToken", false}};
}

Object RenderRole(const ClusterSpec& spec) {
  return {{"apiVersion", "rbac.authorization.k8s.io/v1"},
          {"kind", "Role"},
          {"metadata", Metadata(spec, spec.HeadlessName())},
          {"rules", json::array{Object{{"apiGroups", json::array{"discovery.k8s.io"}},
                                       {"resources", json::array{"endpointslices"}},
                                       {"verbs", json::array{"get", "list"}}}}}};
}

Object RenderRoleBinding(const ClusterSpec& spec) {
  return {
      {"apiVersion", "rbac.authorization.k8s.io/v1"},
      {"kind", "RoleBinding"},
      {"metadata", Metadata(spec, spec.HeadlessName())},
      {"roleRef", {{"apiGroup", "rbac.authorization.k8s.io"}, {"kind", "Role"}, {"name", spec.HeadlessName()}}},
      {"subjects",
       json::array{Object{{"kind", "ServiceAccount"}, {"name", spec.HeadlessName()}, {"namespace", spec.namespace_}}}}};
}

// Clients reach the client ports; nodes reach each other; the admin port is for nodes,
// the operator, and whoever scrapes metrics from the operator's namespace.
Object RenderNetworkPolicy(const ClusterSpec& spec, const std::string& operator_namespace) {
  const Object own_nodes{{"podSelector", {{"matchLabels", SelectorLabels(spec)}}}};
  json::array admins{own_nodes};
  if (!operator_namespace.empty()) {
    admins.push_back(
        Object{{"namespaceSelector", {{"matchLabels", {{"kubernetes.io/metadata.name", operator_namespace}}}}}});
  } else {
    admins.push_back(Object{{"namespaceSelector", Object{}}});
  }
  return {{"apiVersion", "networking.k8s.io/v1"},
          {"kind", "NetworkPolicy"},
          {"metadata", Metadata(spec, spec.name)},
          {"spec",
           {{"podSelector", {{"matchLabels", SelectorLabels(spec)}}},
            {"policyTypes", json::array{"Ingress"}},
            {"ingress", json::array{AllowPorts({}, {kHttpPort, kPbPort}), AllowPorts({own_nodes}, {kPeerPort}),
                                    AllowPorts(std::move(admins), {kAdminPort})}}}}};
}

const kube::Resource& PodMonitors() {
  static const kube::Resource resource{"monitoring.coreos.com", "v1", "PodMonitor", "podmonitors"};
  return resource;
}

Object RenderPodMonitor(const ClusterSpec& spec) {
  Object metadata = Metadata(spec, spec.name);
  for (const auto& [name, value] : spec.monitor_labels) metadata["labels"].get_object()[name] = value;
  const Object cluster{{"sourceLabels", json::array{"__meta_kubernetes_pod_label_app_kubernetes_io_instance"}},
                       {"targetLabel", "cluster"}};
  const Object endpoint{
      {"port", "admin"}, {"path", "/metrics"}, {"interval", "30s"}, {"relabelings", json::array{cluster}}};
  return {{"apiVersion", PodMonitors().api_version()},
          {"kind", PodMonitors().kind},
          {"metadata", std::move(metadata)},
          {"spec",
           {{"selector", {{"matchLabels", SelectorLabels(spec)}}}, {"podMetricsEndpoints", json::array{endpoint}}}}};
}

}  // namespace dynamo::op
