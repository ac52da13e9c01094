#include "operator/cluster/objects.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/serialize.hpp>

#include "common/base/hash.h"

namespace dynamo::op {
namespace {

using kube::Object;
namespace json = kube::json;

Object Service(const ClusterSpec& spec, const std::string& name, Object body) {
  return {{"apiVersion", "v1"}, {"kind", "Service"}, {"metadata", Metadata(spec, name)}, {"spec", std::move(body)}};
}

Object Port(const char* name, int port) {
  return {{"name", name}, {"port", port}, {"targetPort", name}, {"protocol", "TCP"}};
}

bool WantsDisruptionBudget(const ClusterSpec& spec) { return spec.disruption_budget && spec.replicas > 1; }

}  // namespace

Object SelectorLabels(const ClusterSpec& spec) {
  return {{"app.kubernetes.io/name", "dynamo"},
          {"app.kubernetes.io/instance", spec.name},
          {"app.kubernetes.io/component", "node"}};
}

Object Metadata(const ClusterSpec& spec, const std::string& name) {
  Object labels = SelectorLabels(spec);
  labels["app.kubernetes.io/managed-by"] = "dynamo-operator";
  return {{"name", name},
          {"namespace", spec.namespace_},
          {"labels", std::move(labels)},
          {"ownerReferences", json::array{Object{{"apiVersion", DynamoClusters().api_version()},
                                                 {"kind", DynamoClusters().kind},
                                                 {"name", spec.name},
                                                 {"uid", spec.uid},
                                                 {"controller", true},
                                                 {"blockOwnerDeletion", true}}}}};
}

Object RenderClientService(const ClusterSpec& spec) {
  return Service(spec, spec.name,
                 {{"type", spec.service_type},
                  {"selector", SelectorLabels(spec)},
                  {"ports", json::array{Port("http", kHttpPort), Port("pb", kPbPort)}}});
}

// Publishes nodes that do not serve yet: they have to find each other first.
Object RenderHeadlessService(const ClusterSpec& spec) {
  return Service(spec, spec.HeadlessName(),
                 {{"type", "ClusterIP"},
                  {"clusterIP", "None"},
                  {"publishNotReadyAddresses", true},
                  {"selector", SelectorLabels(spec)},
                  {"ports", json::array{Port("peer", kPeerPort), Port("admin", kAdminPort)}}});
}

Object RenderDisruptionBudget(const ClusterSpec& spec, bool operation_running) {
  const int spare = spec.factor - std::max(spec.read_quorum, spec.write_quorum);
  return {{"apiVersion", "policy/v1"},
          {"kind", "PodDisruptionBudget"},
          {"metadata", Metadata(spec, spec.name)},
          {"spec",
           {{"maxUnavailable", operation_running ? 0 : std::max(1, spare)},
            {"selector", {{"matchLabels", SelectorLabels(spec)}}}}}};
}

Object RenderConfigMap(const ClusterSpec& spec) {
  Object data;
  for (const auto& [name, value] : spec.config) data[name] = value;
  return {{"apiVersion", "v1"},
          {"kind", "ConfigMap"},
          {"metadata", Metadata(spec, spec.HeadlessName())},
          {"data", std::move(data)}};
}

Object RenderBinding(const ClusterSpec& spec) {
  const bool encrypted = spec.tls_clients == ClusterSpec::ClientTls::kRequired;
  const Object data{{"type", "dynamo"},
                    {"host", spec.Endpoint()},
                    {"port", std::to_string(kHttpPort)},
                    {"pbPort", std::to_string(kPbPort)},
                    {"uri", fmt::format("{}://{}:{}", encrypted ? "https" : "http", spec.Endpoint(), kHttpPort)}};
  return {{"apiVersion", "v1"},
          {"kind", "Secret"},
          {"metadata", Metadata(spec, spec.BindingName())},
          {"type", "servicebinding.io/dynamo"},
          {"stringData", data}};
}

std::string HashOfWish(const Object& object) {
  Object copy = object;
  if (json::value* spec = copy.if_contains("spec"); spec != nullptr && spec->is_object())
    spec->get_object().erase("replicas");
  return ToHex(HashOf(json::serialize(copy)));
}

std::vector<ObjectName> NotAskedFor(const ClusterSpec& spec, bool pod_monitors, bool cert_manager) {
  std::vector<ObjectName> all;
  if (!spec.network_policy) all.push_back({kube::NetworkPolicies(), spec.name});
  if (!WantsDisruptionBudget(spec)) all.push_back({kube::PodDisruptionBudgets(), spec.name});
  if (!spec.pod_monitor && pod_monitors) all.push_back({PodMonitors(), spec.name});
  if (!cert_manager) return all;
  // On the way back to plaintext nodes still use it, and its Secret may go with it.
  const bool still_used = spec.tls_peers == ClusterSpec::PeerTls::kDisabled && spec.tls_peer_mode != "off";
  if (!spec.AsksForPeerCertificate() && !still_used) all.push_back({Certificates(), spec.PeerCertificateName()});
  if (!spec.AsksForClientCertificate()) all.push_back({Certificates(), spec.ClientCertificateName()});
  return all;
}

std::vector<RenderedObject> RenderAll(const RenderInput& input) {
  const ClusterSpec& spec = *input.spec;
  std::vector<RenderedObject> all = {
      {kube::ServiceAccounts(), RenderServiceAccount(spec)}, {kube::Roles(), RenderRole(spec)},
      {kube::RoleBindings(), RenderRoleBinding(spec)},       {kube::ConfigMaps(), RenderConfigMap(spec)},
      {kube::Services(), RenderHeadlessService(spec)},       {kube::Services(), RenderClientService(spec)}};
  if (spec.network_policy)
    all.push_back({kube::NetworkPolicies(), RenderNetworkPolicy(spec, input.operator_namespace)});
  if (WantsDisruptionBudget(spec)) {
    all.push_back({kube::PodDisruptionBudgets(), RenderDisruptionBudget(spec, input.operation_running)});
  }
  if (spec.AsksForPeerCertificate() && input.cert_manager)
    all.push_back({Certificates(), RenderPeerCertificate(spec, input.cluster_id)});
  if (spec.AsksForClientCertificate() && input.cert_manager)
    all.push_back({Certificates(), RenderClientCertificate(spec)});
  for (size_t rack = 0; rack < spec.racks.size(); ++rack) {
    all.push_back({kube::StatefulSets(), RenderStatefulSet(input, rack)});
  }
  if (spec.pod_monitor && input.pod_monitors) all.push_back({PodMonitors(), RenderPodMonitor(spec)});
  if (input.ring_formed) all.push_back({kube::Secrets(), RenderBinding(spec)});
  for (RenderedObject& rendered : all) {
    const std::string hash = HashOfWish(rendered.object);
    rendered.object["metadata"].get_object()["annotations"] = Object{{kAppliedAnnotation, hash}};
  }
  return all;
}

}  // namespace dynamo::op
