// One rack's StatefulSet: its pods pass the restricted pod security standard.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "operator/cluster/objects.h"
#include "operator/cluster/template_hash.h"

namespace dynamo::op {
namespace {

using kube::Object;
namespace json = kube::json;

constexpr char kDataFolder[] = "/var/lib/dynamo";
// Where a pod looks for what it may say to the API server.
constexpr char kTokenFolder[] = "/var/run/secrets/kubernetes.io/serviceaccount";
constexpr int kTokenSeconds = 3607;  // The kubelet renews it long before.

Object Variable(const std::string& name, const std::string& value) { return {{"name", name}, {"value", value}}; }
Object FromField(const std::string& name, const char* path) {
  return {{"name", name}, {"valueFrom", {{"fieldRef", {{"fieldPath", path}}}}}};
}

// "hint-retry-ms" -> "DYNAMO_HINT_RETRY_MS", as the node reads its settings.
std::string VariableName(const std::string& setting) {
  std::string name = "DYNAMO_" + setting;
  std::ranges::transform(name, name.begin(), [](char c) {
    return c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  });
  return name;
}

// One Secret of certificates as the nodes see it; see docs/tls.md.
struct TlsFolder {
  const char *setting, *volume, *folder;
  std::string mode, secret;
};
std::vector<TlsFolder> TlsFolders(const ClusterSpec& spec) {
  std::vector<TlsFolder> out;
  if (spec.tls_peer_mode != "off") {
    out.push_back({"PEER", "peer-tls", "/etc/dynamo/tls/peer", spec.tls_peer_mode, spec.PeerSecretName()});
  }
  if (spec.tls_clients != ClusterSpec::ClientTls::kDisabled) {
    const bool required = spec.tls_clients == ClusterSpec::ClientTls::kRequired;
    out.push_back({"CLIENT", "client-tls", "/etc/dynamo/tls/client", required ? "required" : "optional",
                   spec.ClientSecretName()});
  }
  return out;
}

// Where the nodes see the Secret of users; see docs/users.md.
constexpr char kUsersFolder[] = "/etc/dynamo/users";

json::array Mounts(const ClusterSpec& spec) {
  json::array out{Object{{"name", "data"}, {"mountPath", kDataFolder}},
                  Object{{"name", "api-access"}, {"mountPath", kTokenFolder}, {"readOnly", true}}};
  for (const TlsFolder& tls : TlsFolders(spec)) {
    out.push_back(Object{{"name", tls.volume}, {"mountPath", tls.folder}, {"readOnly", true}});
  }
  if (!spec.auth_users_secret.empty()) {
    out.push_back(Object{{"name", "users"}, {"mountPath", kUsersFolder}, {"readOnly", true}});
  }
  return out;
}

// What the operator decides comes last: of two of a name, the last one counts.
json::array Environment(const ClusterSpec& spec, const RackSpec& rack) {
  json::array out;
  for (const auto& [name, value] : spec.config) out.push_back(Variable(VariableName(name), value));
  out.push_back(FromField("DYNAMO_NAME", "metadata.name"));
  out.push_back(FromField("DYNAMO_ADVERTISE_ADDRESS", "status.podIP"));
  out.push_back(Variable("DYNAMO_LISTEN_ADDRESS", "0.0.0.0"));
  out.push_back(Variable("DYNAMO_DATA_DIR", kDataFolder));
  out.push_back(Variable("DYNAMO_ZONE", rack.zone.empty() ? rack.name : rack.zone));
  out.push_back(Variable("DYNAMO_CAPACITY", std::to_string(rack.capacity)));
  out.push_back(Variable("DYNAMO_SEEDS_KUBERNETES", spec.HeadlessName()));
  out.push_back(Variable("DYNAMO_TRANSFER_MAX_CONCURRENT", std::to_string(spec.transfer_max_concurrent)));
  out.push_back(Variable("DYNAMO_TRANSFER_BYTES_PER_SECOND", std::to_string(spec.transfer_bytes_per_second)));
  out.push_back(Variable("DYNAMO_ANTI_ENTROPY_INTERVAL_MS", std::to_string(spec.anti_entropy_interval_ms)));
  for (const TlsFolder& tls : TlsFolders(spec)) {
    out.push_back(Variable(fmt::format("DYNAMO_TLS_{}", tls.setting), tls.mode));
    out.push_back(Variable(fmt::format("DYNAMO_TLS_{}_FOLDER", tls.setting), tls.folder));
  }
  if (!spec.auth_users_secret.empty()) {
    out.push_back(Variable("DYNAMO_AUTH_USERS_FILE", fmt::format("{}/users.yaml", kUsersFolder)));
  }
  return out;
}

Object Probe(const char* path, int period_seconds, int failures) {
  return {{"httpGet", {{"path", path}, {"port", "admin"}}},
          {"periodSeconds", period_seconds},
          {"timeoutSeconds", 3},
          {"failureThreshold", failures}};
}

Object Container(const RenderInput& input, const RackSpec& rack) {
  const ClusterSpec& spec = *input.spec;
  const std::string image = spec.image.empty() ? fmt::format("{}:{}", input.default_image, spec.version) : spec.image;
  const auto port = [](const char* name, int number) { return Object{{"name", name}, {"containerPort", number}}; };
  return {{"name", "node"},
          {"image", image},
          {"imagePullPolicy", "IfNotPresent"},
          // Why a node refuses to start is then in its pod's status, and in the resource's.
          {"terminationMessagePolicy", "FallbackToLogsOnError"},
          {"env", Environment(spec, rack)},
          {"ports", json::array{port("http", kHttpPort), port("pb", kPbPort), port("peer", kPeerPort),
                                port("admin", kAdminPort)}},
          {"resources", spec.resources},
          // Clients hear that the pod is going before it stops to accept them.
          {"lifecycle", {{"preStop", {{"sleep", {{"seconds", 3}}}}}}},
          // Recovery of a large log takes its time: ten minutes until the kubelet loses patience.
          {"startupProbe", Probe("/healthz", 1, 600)},
          {"livenessProbe", Probe("/healthz", 10, 6)},
          {"readinessProbe", Probe("/readyz", 1, 2)},
          {"securityContext",
           {{"allowPrivilegeEscalation", false},
            {"readOnlyRootFilesystem", true},
            {"capabilities", {{"drop", json::array{"ALL"}}}}}},
          {"volumeMounts", Mounts(spec)}};
}

// Away from each other where there is room: a machine that dies takes one node along.
Object Affinity(const ClusterSpec& spec, const RackSpec& rack) {
  if (!spec.affinity.empty()) return spec.affinity;
  const Object term{{"labelSelector", {{"matchLabels", SelectorLabels(spec)}}},
                    {"topologyKey", "kubernetes.io/hostname"}};
  Object out;
  if (spec.anti_affinity_required) {
    out["podAntiAffinity"] = Object{{"requiredDuringSchedulingIgnoredDuringExecution", json::array{term}}};
  } else {
    out["podAntiAffinity"] = Object{{"preferredDuringSchedulingIgnoredDuringExecution",
                                     json::array{Object{{"weight", 100}, {"podAffinityTerm", term}}}}};
  }
  if (rack.zone.empty()) return out;
  const Object in_zone{{"key", "topology.kubernetes.io/zone"}, {"operator", "In"}, {"values", json::array{rack.zone}}};
  out["nodeAffinity"] =
      Object{{"requiredDuringSchedulingIgnoredDuringExecution",
              {{"nodeSelectorTerms", json::array{Object{{"matchExpressions", json::array{in_zone}}}}}}}};
  return out;
}

json::array TopologySpread(const ClusterSpec& spec) {
  if (!spec.topology_spread.empty()) return spec.topology_spread;
  return {Object{{"maxSkew", 1},
                 {"topologyKey", "kubernetes.io/hostname"},
                 {"whenUnsatisfiable", "ScheduleAnyway"},
                 {"labelSelector", {{"matchLabels", SelectorLabels(spec)}}}}};
}

// The token by which a node finds the others, with what is needed to use it: asked for by
// name, so that nothing mounts it anywhere else.
Object ApiAccess() {
  const Object token{{"serviceAccountToken", {{"path", "token"}, {"expirationSeconds", kTokenSeconds}}}};
  const Object authority{
      {"configMap",
       {{"name", "kube-root-ca.crt"}, {"items", json::array{Object{{"key", "ca.crt"}, {"path", "ca.crt"}}}}}}};
  const Object name_space{
      {"downwardAPI",
       {{"items", json::array{Object{{"path", "namespace"}, {"fieldRef", {{"fieldPath", "metadata.namespace"}}}}}}}}};
  return {{"name", "api-access"}, {"projected", {{"sources", json::array{token, authority, name_space}}}}};
}

json::array Volumes(const ClusterSpec& spec) {
  json::array out{ApiAccess()};
  for (const TlsFolder& tls : TlsFolders(spec)) {
    out.push_back(Object{{"name", tls.volume}, {"secret", {{"secretName", tls.secret}, {"defaultMode", 0440}}}});
  }
  if (!spec.auth_users_secret.empty()) {
    out.push_back(
        Object{{"name", "users"}, {"secret", {{"secretName", spec.auth_users_secret}, {"defaultMode", 0440}}}});
  }
  return out;
}

Object PodSpec(const RenderInput& input, const RackSpec& rack) {
  const ClusterSpec& spec = *input.spec;
  return {{"serviceAccountName", spec.HeadlessName()},
          {"automountServiceAccountToken", false},
          // A service called "dynamo" would otherwise give the node settings of its own making.
          {"enableServiceLinks", false},
          {"terminationGracePeriodSeconds", spec.termination_grace_seconds},
          {"securityContext",
           {{"runAsNonRoot", true},
            {"runAsUser", 65532},
            {"runAsGroup", 65532},
            {"fsGroup", 65532},
            {"fsGroupChangePolicy", "OnRootMismatch"},
            {"seccompProfile", {{"type", "RuntimeDefault"}}}}},
          {"affinity", Affinity(spec, rack)},
          {"tolerations", spec.tolerations},
          {"topologySpreadConstraints", TopologySpread(spec)},
          {"containers", json::array{Container(input, rack)}},
          {"volumes", Volumes(spec)}};
}

// Carries the cluster's id, so that a volume says whose it is when all else is gone.
Object VolumeClaim(const RenderInput& input, size_t rack) {
  const ClusterSpec& spec = *input.spec;
  Object labels = SelectorLabels(spec);
  labels[kClusterIdLabel] = input.cluster_id;
  const bool stands = rack < input.volume_sizes.size() && !input.volume_sizes[rack].empty();
  Object body{{"accessModes", json::array{"ReadWriteOnce"}},
              {"resources", {{"requests", {{"storage", stands ? input.volume_sizes[rack] : spec.storage_size}}}}}};
  if (spec.has_storage_class) body["storageClassName"] = spec.storage_class;
  return {{"apiVersion", "v1"},
          {"kind", "PersistentVolumeClaim"},
          {"metadata", {{"name", "data"}, {"labels", std::move(labels)}}},
          {"spec", std::move(body)}};
}

}  // namespace

Object RenderStatefulSet(const RenderInput& input, size_t rack_index) {
  const ClusterSpec& spec = *input.spec;
  const RackSpec& rack = spec.racks[rack_index];
  Object selector = SelectorLabels(spec);
  selector[kRackLabel] = rack.name;
  Object metadata = Metadata(spec, spec.StatefulSetName(rack.name));
  metadata["labels"].get_object()[kRackLabel] = rack.name;
  return {
      {"apiVersion", "apps/v1"},
      {"kind", "StatefulSet"},
      {"metadata", std::move(metadata)},
      {"spec",
       {{"serviceName", spec.HeadlessName()},
        {"replicas", input.replicas.at(rack_index)},
        {"podManagementPolicy", "Parallel"},
        {"updateStrategy", {{"type", "OnDelete"}}},
        // The operator removes volumes of nodes that have left, after it has seen that they have.
        {"persistentVolumeClaimRetentionPolicy",
         {{"whenDeleted", spec.delete_volumes_with_cluster && !input.keep_volumes ? "Delete" : "Retain"},
          {"whenScaled", "Retain"}}},
        {"selector", {{"matchLabels", selector}}},
        {"template",
         {{"metadata", {{"labels", selector}, {"annotations", {{kTemplateAnnotation, TemplateHashOf(spec, rack)}}}}},
          {"spec", PodSpec(input, rack)}}},
        {"volumeClaimTemplates", json::array{VolumeClaim(input, rack_index)}}}}};
}

}  // namespace dynamo::op
