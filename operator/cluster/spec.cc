#include "operator/cluster/spec.h"

#include <fmt/format.h>

#include <set>
#include <utility>

#include "operator/cluster/offered.h"
#include "operator/cluster/quantity.h"

namespace dynamo::op {
namespace {

using kube::ArrayAt;
using kube::BoolAt;
using kube::Find;
using kube::IntAt;
using kube::Object;
using kube::StringAt;
namespace json = kube::json;

// Kubernetes gives out no guarantee without requests; these are the CRD's defaults.
Object DefaultResources() {
  return {{"requests", {{"cpu", "500m"}, {"memory", "1Gi"}}}, {"limits", {{"memory", "1Gi"}}}};
}

// -1, which no rule takes, for what is no sensible number.
int SmallAt(const Object& object, std::string_view path, int otherwise) {
  const int64_t number = IntAt(object, path, otherwise);
  return number >= 0 && number <= 1'000'000 ? static_cast<int>(number) : -1;
}

Object ObjectAt(const Object& object, std::string_view path) {
  const json::value* value = Find(object, path);
  return value != nullptr && value->is_object() ? value->get_object() : Object{};
}

// A quantity may come as a number.
std::string QuantityAt(const Object& object, std::string_view path) {
  const json::value* value = Find(object, path);
  if (value == nullptr) return "";
  return value->is_string() ? std::string(value->get_string()) : std::to_string(IntAt(object, path));
}

std::vector<RackSpec> ReadRacks(const Object& object, int64_t capacity) {
  std::vector<RackSpec> racks;
  for (const json::value& item : ArrayAt(object, "spec.racks")) {
    if (!item.is_object()) continue;
    const Object& rack = item.get_object();
    racks.push_back({StringAt(rack, "name"), StringAt(rack, "zone"), IntAt(rack, "capacity", capacity)});
  }
  if (racks.empty()) racks.push_back({"default", "", capacity});
  return racks;
}

Status Check(const ClusterSpec& spec) {
  const auto wrong = [](std::string message) { return Fail(Errc::kInvalidArgument, std::move(message)); };
  if (spec.factor < 1) return wrong("spec.replication.factor must be at least 1");
  if (ParseBytes(spec.storage_size).value_or(0) == 0)
    return wrong("spec.storage.size is no size: " + spec.storage_size);
  if (spec.replicas < spec.factor) {
    return wrong(fmt::format("spec.replicas {} is below spec.replication.factor {}", spec.replicas, spec.factor));
  }
  if (spec.read_quorum < 1 || spec.read_quorum > spec.factor)
    return wrong("spec.replication.readQuorum must be in [1, factor]");
  if (spec.write_quorum < 1 || spec.write_quorum > spec.factor)
    return wrong("spec.replication.writeQuorum must be in [1, factor]");
  if (spec.partitions < spec.replicas) return wrong("spec.ring.partitions must be at least spec.replicas");
  if (spec.partitions < 8 || spec.partitions > 4096 || (spec.partitions & (spec.partitions - 1)) != 0) {
    return wrong("spec.ring.partitions must be a power of two from 8 to 4096");
  }
  if (spec.racks.size() > static_cast<size_t>(spec.replicas))
    return wrong("there are more spec.racks than spec.replicas");
  std::set<std::string> names;
  for (const RackSpec& rack : spec.racks) {
    if (rack.name.empty() || !names.insert(rack.name).second) return wrong("every rack needs a name of its own");
    if (rack.capacity < 1) return wrong("the capacity of rack " + rack.name + " must be at least 1");
  }
  return {};
}

Status ReadBackground(const Object& object, ClusterSpec* spec) {
  const auto wrong = [](const char* field, const std::string& value) {
    return Fail(Errc::kInvalidArgument, fmt::format("spec.{}: \"{}\" cannot be read", field, value));
  };
  spec->transfer_max_concurrent = IntAt(object, "spec.transfer.maxConcurrent", spec->transfer_max_concurrent);
  if (spec->transfer_max_concurrent < 1 || spec->transfer_max_concurrent > 64) {
    return wrong("transfer.maxConcurrent", std::to_string(spec->transfer_max_concurrent));
  }
  if (const std::string bandwidth = QuantityAt(object, "spec.transfer.bandwidth"); !bandwidth.empty()) {
    const auto bytes = ParseBytes(bandwidth);
    // 0 would be no limit at all to the node.
    if (!bytes || *bytes == 0) return wrong("transfer.bandwidth", bandwidth);
    spec->transfer_bytes_per_second = *bytes;
  }
  if (const std::string interval = StringAt(object, "spec.antiEntropy.interval"); !interval.empty()) {
    const auto milliseconds = ParseMilliseconds(interval);
    if (!milliseconds || *milliseconds == 0) return wrong("antiEntropy.interval", interval);
    spec->anti_entropy_interval_ms = *milliseconds;
  }
  const std::string mode = StringAt(object, "spec.antiEntropy.mode");
  if (mode == "Scheduled") spec->repair_every_ms = spec->anti_entropy_interval_ms;
  if (mode == "Off" || mode == "Scheduled") spec->anti_entropy_interval_ms = 0;
  if (!mode.empty() && mode != "Off" && mode != "Continuous" && mode != "Scheduled") {
    return wrong("antiEntropy.mode", mode);
  }
  spec->repair_token = StringAt(object, "spec.antiEntropy.requestToken");
  return {};
}

Status ReadReplacement(const Object& object, ClusterSpec* spec) {
  const std::string policy = StringAt(object, "spec.replacement.policy");
  if (!policy.empty() && policy != "Automatic" && policy != "Manual") {
    return Fail(Errc::kInvalidArgument, fmt::format("spec.replacement.policy: \"{}\" cannot be read", policy));
  }
  spec->replace_lost_volumes = policy != "Manual";
  if (const std::string delay = StringAt(object, "spec.replacement.failureDetectionDelay"); !delay.empty()) {
    const auto milliseconds = ParseMilliseconds(delay);
    if (!milliseconds) {
      return Fail(Errc::kInvalidArgument,
                  fmt::format("spec.replacement.failureDetectionDelay: \"{}\" cannot be read", delay));
    }
    spec->failure_detection_delay_ms = *milliseconds;
  }
  spec->repair_after_replacement = BoolAt(object, "spec.antiEntropy.afterReplacement", true);
  return {};
}

Status ReadIssuer(const Object& object, IssuerRef* issuer) {
  const auto wrong = [](const char* field, const std::string& why) {
    return Fail(Errc::kInvalidArgument, fmt::format("spec.tls.issuerRef{}: {}", field, why));
  };
  const IssuerRef otherwise;
  issuer->name = StringAt(object, "spec.tls.issuerRef.name");
  if (issuer->name.empty()) return wrong("", "peers: CertManager needs the name of an Issuer or ClusterIssuer");
  if (const std::string group = StringAt(object, "spec.tls.issuerRef.group"); !group.empty()) issuer->group = group;
  if (const std::string kind = StringAt(object, "spec.tls.issuerRef.kind"); !kind.empty()) issuer->kind = kind;
  // Issuers of other groups have kinds of their own.
  const bool known = issuer->kind == "Issuer" || issuer->kind == "ClusterIssuer";
  if (issuer->group == otherwise.group && !known) return wrong(".kind", "it is Issuer or ClusterIssuer");
  return {};
}

Status ReadTls(const Object& object, ClusterSpec* spec) {
  const auto wrong = [](const char* field, const std::string& why) {
    return Fail(Errc::kInvalidArgument, fmt::format("spec.tls.{}: {}", field, why));
  };
  spec->tls_rotate_token = StringAt(object, "spec.tls.rotateToken");
  spec->tls_clients_secret = StringAt(object, "spec.tls.clientsSecret");
  const std::string peers = StringAt(object, "spec.tls.peers"), clients = StringAt(object, "spec.tls.clients");
  if (peers == "OperatorManaged") spec->tls_peers = ClusterSpec::PeerTls::kOperatorManaged;
  if (peers == "CertManager") spec->tls_peers = ClusterSpec::PeerTls::kCertManager;
  const bool named_here = peers == "OperatorManaged" || peers == "CertManager";
  // On the way back to plaintext it is still used.
  if (!named_here) spec->tls_peers_secret = StringAt(object, "spec.tls.peersSecret");
  if (peers == "SecretRef") {
    spec->tls_peers = ClusterSpec::PeerTls::kSecretRef;
    if (spec->tls_peers_secret.empty()) return wrong("peersSecret", "peers: SecretRef needs the Secret's name");
  } else if (!peers.empty() && !named_here && peers != "Disabled") {
    return wrong("peers", "the operator offers OperatorManaged, SecretRef, CertManager and Disabled");
  }
  if (clients == "Optional") spec->tls_clients = ClusterSpec::ClientTls::kOptional;
  if (clients == "Required") spec->tls_clients = ClusterSpec::ClientTls::kRequired;
  if (!clients.empty() && clients != "Optional" && clients != "Required" && clients != "Disabled") {
    return wrong("clients", "\"" + clients + "\" cannot be read");
  }
  return spec->AsksForPeerCertificate() ? ReadIssuer(object, &spec->tls_issuer) : Status{};
}

// After ReadTls.
Status ReadAuth(const Object& object, ClusterSpec* spec) {
  if (!BoolAt(object, "spec.auth.enabled", false)) return {};
  spec->auth_users_secret = StringAt(object, "spec.auth.usersSecret");
  if (spec->auth_users_secret.empty()) {
    return Fail(Errc::kInvalidArgument,
                "spec.auth.usersSecret: enabled: true needs the name of the Secret of users.yaml");
  }
  if (spec->tls_clients != ClusterSpec::ClientTls::kDisabled) return {};
  return Fail(Errc::kInvalidArgument,
              "spec.auth.enabled: passwords would pass in plaintext; needs spec.tls.clients: Optional or Required");
}

Status ReadUpdate(const Object& object, ClusterSpec* spec) {
  const auto wrong = [](const char* field) {
    return Fail(Errc::kInvalidArgument, fmt::format("spec.update.{} cannot be read", field));
  };
  spec->restart_token = StringAt(object, "spec.restartToken");
  spec->update_partition = SmallAt(object, "spec.update.partition", 0);
  if (spec->update_partition < 0) return wrong("partition");
  // One at a time is never more than is allowed.
  if (SmallAt(object, "spec.update.maxUnavailable", 1) < 1) return wrong("maxUnavailable");
  spec->min_ready_seconds = SmallAt(object, "spec.update.minReadySeconds", 10);
  if (spec->min_ready_seconds < 0) return wrong("minReadySeconds");
  if (const std::string deadline = StringAt(object, "spec.update.progressDeadline"); !deadline.empty()) {
    const auto milliseconds = ParseMilliseconds(deadline);
    if (!milliseconds || *milliseconds == 0) return wrong("progressDeadline");
    spec->progress_deadline_ms = *milliseconds;
  }
  const std::string gate = StringAt(object, "spec.update.gate");
  if (!gate.empty() && gate != "Quorum" && gate != "QuorumPlusOne") return wrong("gate");
  spec->gate_spares_one = gate != "Quorum";
  return {};
}

// Logs are all that a node writes beside its volume: bounded, or one pod could fill its machine's disk.
void BoundLogs(Object* resources) {
  for (const auto& [part, size] : {std::pair("requests", "64Mi"), {"limits", "1Gi"}}) {
    json::value& amounts = (*resources)[part];
    if (amounts.is_null()) amounts = Object{};
    if (amounts.is_object()) amounts.get_object().emplace("ephemeral-storage", size);
  }
}

void ReadPod(const Object& object, ClusterSpec* spec) {
  spec->resources = ObjectAt(object, "spec.pod.resources");
  if (spec->resources.empty()) spec->resources = DefaultResources();
  BoundLogs(&spec->resources);
  spec->affinity = ObjectAt(object, "spec.pod.affinity");
  spec->tolerations = ArrayAt(object, "spec.pod.tolerations");
  spec->topology_spread = ArrayAt(object, "spec.pod.topologySpreadConstraints");
  spec->anti_affinity_required = StringAt(object, "spec.pod.antiAffinity") == "Required";
  spec->termination_grace_seconds = IntAt(object, "spec.pod.terminationGracePeriodSeconds", 120);
}

void ReadStorage(const Object& object, ClusterSpec* spec) {
  if (const std::string size = QuantityAt(object, "spec.storage.size"); !size.empty()) spec->storage_size = size;
  spec->has_storage_class = Find(object, "spec.storage.storageClassName") != nullptr;
  spec->storage_class = StringAt(object, "spec.storage.storageClassName");
  spec->delete_volumes_with_cluster = StringAt(object, "spec.storage.retention.whenDeleted") == "Delete";
  spec->delete_volumes_when_scaled = StringAt(object, "spec.storage.retention.whenScaled") != "Retain";
}

}  // namespace

const kube::Resource& DynamoClusters() {
  static const kube::Resource resource{"dynamo.internal", "v1alpha1", "DynamoCluster", "dynamoclusters"};
  return resource;
}

Result<ClusterSpec> ParseSpec(const Object& object) {
  ClusterSpec spec;
  spec.namespace_ = kube::NamespaceOf(object);
  spec.name = kube::NameOf(object);
  spec.uid = kube::UidOf(object);
  spec.generation = IntAt(object, "metadata.generation");
  if (const json::value* annotations = Find(object, "metadata.annotations"); annotations && annotations->is_object()) {
    const json::value* adopt = annotations->get_object().if_contains(kAdoptAnnotation);
    if (adopt != nullptr && adopt->is_string()) spec.adopt_cluster_id = std::string(adopt->get_string());
  }
  spec.replicas = SmallAt(object, "spec.replicas", 3);
  spec.version = StringAt(object, "spec.version");
  spec.image = StringAt(object, "spec.image");
  spec.paused = BoolAt(object, "spec.paused");
  spec.hibernated = BoolAt(object, "spec.hibernated");
  spec.partitions = IntAt(object, "spec.ring.partitions", 256);
  spec.factor = SmallAt(object, "spec.replication.factor", 3);
  spec.read_quorum = SmallAt(object, "spec.replication.readQuorum", spec.factor / 2 + 1);
  spec.write_quorum = SmallAt(object, "spec.replication.writeQuorum", spec.factor / 2 + 1);
  spec.racks = ReadRacks(object, IntAt(object, "spec.capacity", 1));
  ReadStorage(object, &spec);
  spec.disruption_budget = BoolAt(object, "spec.disruptionBudget.enabled", true);
  spec.network_policy = BoolAt(object, "spec.networkPolicy.enabled", true);
  if (const std::string type = StringAt(object, "spec.service.type"); !type.empty()) spec.service_type = type;
  for (const auto& [name, value] : ObjectAt(object, "spec.config")) {
    if (!value.is_string()) return Fail(Errc::kInvalidArgument, "spec.config: every value is a string");
    spec.config[std::string(name)] = std::string(value.get_string());
  }
  ReadPod(object, &spec);
  spec.pod_monitor = BoolAt(object, "spec.monitoring.podMonitor");
  for (const auto& [name, value] : ObjectAt(object, "spec.monitoring.labels")) {
    if (!value.is_string()) return Fail(Errc::kInvalidArgument, "spec.monitoring.labels: every value is a string");
    spec.monitor_labels[std::string(name)] = std::string(value.get_string());
  }
  if (auto offered = CheckOffered(object); !offered) return Fail(offered.error());
  if (auto read = ReadBackground(object, &spec); !read) return Fail(read.error());
  if (auto read = ReadReplacement(object, &spec); !read) return Fail(read.error());
  if (auto read = ReadUpdate(object, &spec); !read) return Fail(read.error());
  if (auto read = ReadTls(object, &spec); !read) return Fail(read.error());
  if (auto read = ReadAuth(object, &spec); !read) return Fail(read.error());
  if (auto checked = Check(spec); !checked) return Fail(checked.error());
  if (auto checked = CheckQuorums(spec); !checked) return Fail(checked.error());
  return spec;
}

std::vector<int> Spread(int replicas, size_t racks) {
  std::vector<int> out(racks, replicas / static_cast<int>(racks));
  for (int i = 0; i < replicas % static_cast<int>(racks); ++i) ++out[static_cast<size_t>(i)];
  return out;
}

}  // namespace dynamo::op
