#include "operator/controller/observer.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <set>
#include <utility>

#include "operator/cluster/quantity.h"
#include "operator/cluster/template_hash.h"
#include "operator/controller/certificate_secrets.h"
#include "operator/controller/leftovers.h"
#include "operator/controller/machines.h"
#include "operator/controller/volumes.h"

namespace dynamo::op {
namespace {

using kube::Answer;
using kube::ArrayAt;
using kube::Object;
using kube::StringAt;
namespace json = kube::json;

std::string SelectorOf(const ClusterSpec& spec) {
  return "app.kubernetes.io/name=dynamo,app.kubernetes.io/instance=" + spec.name + ",app.kubernetes.io/component=node";
}

// Why a pod does not run, in Kubernetes' own words; empty: nothing is said.
std::string TroubleOf(const Object& pod) {
  for (const json::value& item : ArrayAt(pod, "status.conditions")) {
    const Object& condition = item.get_object();
    if (StringAt(condition, "type") == "PodScheduled" && StringAt(condition, "status") == "False") {
      return StringAt(condition, "reason") + ": " + StringAt(condition, "message");
    }
  }
  static const std::set<std::string> harmless = {"", "ContainerCreating", "PodInitializing"};
  for (const json::value& item : ArrayAt(pod, "status.containerStatuses")) {
    const Object& container = item.get_object();
    const std::string reason = StringAt(container, "state.waiting.reason");
    if (harmless.contains(reason)) continue;
    // The last words of a program that ended say more than that it is started again later.
    const std::string last_words = StringAt(container, "lastState.terminated.message");
    return reason + ": " + (last_words.empty() ? StringAt(container, "state.waiting.message") : last_words);
  }
  return "";
}

bool ConditionIsTrue(const Object& object, const char* type) {
  for (const json::value& item : ArrayAt(object, "status.conditions")) {
    if (StringAt(item.get_object(), "type") == type) return StringAt(item.get_object(), "status") == "True";
  }
  return false;
}

// 0: nobody says since when.
WallMicros TrueSince(const Object& object, const char* type) {
  for (const json::value& item : ArrayAt(object, "status.conditions")) {
    if (StringAt(item.get_object(), "type") != type) continue;
    return kube::ParseTime(StringAt(item.get_object(), "lastTransitionTime")).value_or(0);
  }
  return 0;
}

// The places of all racks by their names.
class Places {
 public:
  explicit Places(const ClusterSpec& spec) : spec_(spec) {}

  // Null: no place of ours is called so.
  NodeView* At(const std::string& name) {
    const size_t dash = name.rfind('-');
    if (dash == std::string::npos) return nullptr;
    int ordinal = -1;
    const auto [end, error] = std::from_chars(name.data() + dash + 1, name.data() + name.size(), ordinal);
    if (error != std::errc() || end != name.data() + name.size() || ordinal < 0) return nullptr;
    for (const RackSpec& rack : spec_.racks) {
      if (spec_.StatefulSetName(rack.name) != std::string_view(name).substr(0, dash)) continue;
      NodeView& node = nodes_[{rack.name, ordinal}];
      node.name = name;
      node.rack = rack.name;
      node.ordinal = ordinal;
      return &node;
    }
    return nullptr;
  }
  void Expect(const RackView& rack) {
    for (int i = 0; i < rack.replicas.value_or(0); ++i) {
      At(fmt::format("{}-{}", spec_.StatefulSetName(rack.name), i))->expected = true;
    }
  }
  std::vector<NodeView> Take() {
    std::vector<NodeView> out;
    out.reserve(nodes_.size());
    for (auto& [key, node] : nodes_) out.push_back(std::move(node));
    return out;
  }

 private:
  const ClusterSpec& spec_;
  std::map<std::pair<std::string, int>, NodeView> nodes_;
};

void ReadPod(const Object& pod, NodeView* node) {
  node->pod_exists = true;
  node->pod_uid = kube::UidOf(pod);
  node->pod_deleting = kube::IsBeingDeleted(pod);
  node->pod_ready = ConditionIsTrue(pod, "Ready");
  node->pod_ready_since = node->pod_ready ? TrueSince(pod, "Ready") : 0;
  const json::value* annotations = kube::Find(pod, "metadata.annotations");
  if (annotations != nullptr && annotations->is_object()) {
    // Its name has dots in it.
    const json::value* hash = annotations->get_object().if_contains(kTemplateAnnotation);
    if (hash != nullptr && hash->is_string()) node->pod_template = std::string(hash->get_string());
  }
  node->trouble = TroubleOf(pod);
  if (StringAt(pod, "status.phase") == "Running") node->pod_address = StringAt(pod, "status.podIP");
}

RackView ReadRack(const std::string& name, const Object& set) {
  RackView rack;
  rack.name = name;
  rack.replicas = static_cast<int>(kube::IntAt(set, "spec.replicas", 1));
  rack.uid = kube::UidOf(set);
  rack.ready = static_cast<int>(kube::IntAt(set, "status.readyReplicas"));
  rack.updated = static_cast<int>(kube::IntAt(set, "status.updatedReplicas"));
  rack.deleting = kube::IsBeingDeleted(set);
  const json::array& claims = ArrayAt(set, "spec.volumeClaimTemplates");
  if (!claims.empty()) rack.volume_size = StringAt(claims[0].get_object(), "spec.resources.requests.storage");
  rack.template_current = kube::IntAt(set, "status.observedGeneration") >= kube::IntAt(set, "metadata.generation");
  return rack;
}

Answer<std::vector<RackView>> ReadRacks(const kube::LiveReader& reader, const ClusterSpec& spec) {
  std::vector<RackView> racks;
  for (const RackSpec& rack : spec.racks) {
    const auto set = reader.Get(kube::StatefulSets(), spec.namespace_, spec.StatefulSetName(rack.name));
    if (!set) return tl::unexpected(set.error());
    // One of that name but of another owner is none of ours: applying over it says so.
    RackView missing;
    missing.name = rack.name;
    racks.push_back(*set ? ReadRack(rack.name, **set) : missing);
  }
  return racks;
}

// Kinds that not every API server knows.
Answer<void> LookForKinds(const kube::LiveReader& reader, Observed* observed) {
  const auto monitors = reader.Serves(PodMonitors());
  if (!monitors) return tl::unexpected(monitors.error());
  const auto certificates = reader.Serves(Certificates());
  if (!certificates) return tl::unexpected(certificates.error());
  observed->pod_monitors = *monitors;
  observed->cert_manager = *certificates;
  return {};
}

// The ring's own words about its members and partitions, of one member for all.
void AskForSafetyOf(const NodeAdminOptions& options, const ClusterStatus& status, Observed* observed) {
  using Step = Operation::Step;
  const bool leaving = status.operation && status.operation->type == Operation::Type::kScaleDown;
  const bool restarting =
      status.operation && status.operation->step == Step::kRestart && !status.operation->node_id.empty();
  const std::string about = leaving || restarting ? status.operation->node_id : "";
  const NodeView* asked = observed->WhomToAsk(about);
  if (asked == nullptr) return;
  observed->safety = AskForSafety(options, *asked, "");
  observed->members = AskForMembers(options, *asked);
  if (restarting || (leaving && status.operation->step == Step::kLeave)) {
    observed->safety_without = AskForSafety(options, *asked, about);
  }
}

// How far the node is with the repair that the operation waits for.
void AskForRepairOf(const NodeAdminOptions& options, const ClusterStatus& status, Observed* observed) {
  if (!status.operation || status.operation->step != Operation::Step::kRepair) return;
  const NodeView* node = observed->FindNode(status.operation->node);
  if (node == nullptr || !node->identity || node->identity->node_id != status.operation->node_id) return;
  observed->repair = AskForRepair(options, *node, RepairIdOf(*status.operation));
}

}  // namespace

RenderInput InputOf(const ClusterSpec& spec, const ClusterStatus& status, const OperatorOptions& options,
                    const Observed& observed, std::vector<int> replicas) {
  RenderInput input;
  input.spec = &spec;
  input.cluster_id = status.cluster_id;
  input.default_image = options.default_image;
  input.operator_namespace = options.operator_namespace;
  input.operation_running = status.operation.has_value();
  input.ring_formed = status.ring_epoch > 0;
  input.replicas = std::move(replicas);
  input.pod_monitors = observed.pod_monitors;
  input.cert_manager = observed.cert_manager;
  for (const RackView& rack : observed.racks) {
    // The same size in other words is no other size.
    const bool same = ParseBytes(rack.volume_size) == ParseBytes(spec.storage_size);
    input.volume_sizes.push_back(same ? spec.storage_size : rack.volume_size);
  }
  input.keep_volumes = status.operation && status.operation->type == Operation::Type::kGrowVolumes;
  return input;
}

Answer<bool> IsCurrent(const kube::LiveReader& reader, const RenderedObject& rendered) {
  const auto there = reader.Get(rendered.resource, kube::NamespaceOf(rendered.object), kube::NameOf(rendered.object));
  if (!there) return tl::unexpected(there.error());
  if (!*there) return false;
  const json::value* annotations = kube::Find(**there, "metadata.annotations");
  if (annotations == nullptr || !annotations->is_object()) return false;
  const json::value* applied = annotations->get_object().if_contains(kAppliedAnnotation);
  return applied != nullptr && *applied == rendered.object.at("metadata").at("annotations").at(kAppliedAnnotation);
}

Answer<Observed> Observe(const kube::LiveReader& reader, const ClusterSpec& spec, const ClusterStatus& status,
                         const OperatorOptions& options) {
  Observed observed;
  auto racks = ReadRacks(reader, spec);
  if (!racks) return tl::unexpected(racks.error());
  observed.racks = std::move(*racks);
  if (const auto looked = LookForKinds(reader, &observed); !looked) return tl::unexpected(looked.error());

  const auto pods = reader.List(kube::Pods(), spec.namespace_, SelectorOf(spec));
  if (!pods) return tl::unexpected(pods.error());
  const auto volumes = reader.List(kube::PersistentVolumeClaims(), spec.namespace_, SelectorOf(spec));
  if (!volumes) return tl::unexpected(volumes.error());

  Places places(spec);
  for (const RackView& rack : observed.racks) places.Expect(rack);
  // Of one that sleeps: a place is known even where its volume is gone, too.
  for (const KnownNode& known : status.hibernation ? status.nodes : std::vector<KnownNode>()) places.At(known.name);
  for (const Object& pod : pods->items) {
    if (NodeView* node = places.At(kube::NameOf(pod))) ReadPod(pod, node);
  }
  for (const Object& volume : volumes->items) {
    const std::string name = kube::NameOf(volume);
    NodeView* node = name.starts_with("data-") ? places.At(name.substr(5)) : nullptr;
    if (node == nullptr) continue;
    ReadVolume(volume, node);
  }
  observed.nodes = places.Take();
  if (const auto looked = LookForClasses(reader, spec, &observed); !looked) return tl::unexpected(looked.error());
  for (NodeView& node : observed.nodes) AskNodeAbout(options.nodes, &node);
  auto certificates = LookForCertificates(reader, spec, status.cluster_id, options.nodes, observed);
  if (!certificates) return tl::unexpected(certificates.error());
  observed.certificates = std::move(*certificates);
  AskForSafetyOf(options.nodes, status, &observed);
  AskForRepairOf(options.nodes, status, &observed);
  if (status.ring_epoch > 0) {
    if (const auto looked = LookForMachines(reader, &observed); !looked) return tl::unexpected(looked.error());
  }

  const auto leftovers = FindLeftovers(reader, spec, observed.pod_monitors, observed.cert_manager);
  if (!leftovers) return tl::unexpected(leftovers.error());
  observed.objects_current = leftovers->empty();
  const std::vector<int> replicas(spec.racks.size(), 0);  // No part of the comparison.
  for (const RenderedObject& rendered : RenderAll(InputOf(spec, status, options, observed, replicas))) {
    const auto current = IsCurrent(reader, rendered);
    if (!current) return tl::unexpected(current.error());
    observed.objects_current = observed.objects_current && *current;
  }
  return observed;
}

}  // namespace dynamo::op
