#include "operator/cluster/spec.h"

#include <fmt/format.h>

#include <set>

namespace dynamo::op {
namespace {

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

json::array ArrayAt(const Object& object, std::string_view path) {
  const json::value* value = Find(object, path);
  return value != nullptr && value->is_array() ? value->get_array() : json::array{};
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

// What a field asks for and this version does not do. Said, never passed over.
Status CheckOffered(const Object& object) {
  const auto refuse = [](const char* field) {
    return Fail(Errc::kUnsupported, fmt::format("spec.{}: this version of the operator does not offer it", field));
  };
  for (const char* field :
       {"hibernated", "auth.enabled", "monitoring.podMonitor", "monitoring.rules", "monitoring.dashboard"}) {
    if (BoolAt(object, fmt::format("spec.{}", field))) return refuse(field);
  }
  for (const char* field : {"replication.sloppyQuorum", "replication.hintedHandoff"}) {
    if (!BoolAt(object, fmt::format("spec.{}", field), true)) return refuse(field);
  }
  for (const char* field : {"tls.peers", "tls.clients"}) {
    const std::string mode = StringAt(object, fmt::format("spec.{}", field));
    if (!mode.empty() && mode != "Disabled") return refuse(field);
  }
  if (!StringAt(object, "spec.restartToken").empty()) return refuse("restartToken");
  return {};
}

// A quantity may come as a number.
std::string QuantityAt(const Object& object, std::string_view path) {
  const json::value* value = Find(object, path);
  if (value == nullptr) return "";
  return value->is_string() ? std::string(value->get_string()) : std::to_string(IntAt(object, path));
}

void ReadPod(const Object& object, ClusterSpec* spec) {
  spec->resources = ObjectAt(object, "spec.pod.resources");
  if (spec->resources.empty()) spec->resources = DefaultResources();
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
  if (auto offered = CheckOffered(object); !offered) return Fail(offered.error());
  if (auto checked = Check(spec); !checked) return Fail(checked.error());
  return spec;
}

std::vector<int> Spread(int replicas, size_t racks) {
  std::vector<int> out(racks, replicas / static_cast<int>(racks));
  for (int i = 0; i < replicas % static_cast<int>(racks); ++i) ++out[static_cast<size_t>(i)];
  return out;
}

}  // namespace dynamo::op
