#include "operator/cluster/status.h"

#include <algorithm>
#include <array>
#include <utility>

#include "common/base/result.h"

namespace dynamo::op {
namespace {

using kube::StringAt;
using Step = Operation::Step;
using Type = Operation::Type;

constexpr std::array<std::pair<Type, const char*>, 9> kTypes = {{{Type::kCreate, "Create"},
                                                                 {Type::kScaleUp, "ScaleUp"},
                                                                 {Type::kScaleDown, "ScaleDown"},
                                                                 {Type::kReplace, "Replace"},
                                                                 {Type::kRollout, "Rollout"},
                                                                 {Type::kAntiEntropy, "AntiEntropy"},
                                                                 {Type::kHibernate, "Hibernate"},
                                                                 {Type::kWake, "Wake"},
                                                                 {Type::kGrowVolumes, "GrowVolumes"}}};
constexpr std::array<std::pair<Step, const char*>, 20> kSteps = {
    {{Step::kObjects, "Objects"},       {Step::kForm, "Form"},
     {Step::kAddPod, "AddPod"},         {Step::kJoin, "Join"},
     {Step::kLeave, "Leave"},           {Step::kCancelLeave, "CancelLeave"},
     {Step::kRemovePod, "RemovePod"},   {Step::kRemoveVolume, "RemoveVolume"},
     {Step::kDropVolume, "DropVolume"}, {Step::kAwaitPod, "AwaitPod"},
     {Step::kReplace, "Replace"},       {Step::kRebuild, "Rebuild"},
     {Step::kRepair, "Repair"},         {Step::kForget, "Forget"},
     {Step::kRestart, "Restart"},       {Step::kAwaitReady, "AwaitReady"},
     {Step::kStopPods, "StopPods"},     {Step::kStartPods, "StartPods"},
     {Step::kResize, "Resize"},         {Step::kRecreate, "Recreate"}}};

template <class T, size_t N>
bool Named(const std::array<std::pair<T, const char*>, N>& table, const std::string& name, T* out) {
  for (const auto& [value, known] : table) {
    if (name != known) continue;
    *out = value;
    return true;
  }
  return false;
}

template <class T, size_t N>
std::string NameIn(const std::array<std::pair<T, const char*>, N>& table, T wanted) {
  for (const auto& [value, name] : table) {
    if (value == wanted) return name;
  }
  return "Unknown";
}

void ReadNodes(const kube::Object& object, ClusterStatus* status) {
  const kube::json::value* nodes = kube::Find(object, "status.nodes");
  if (nodes == nullptr || !nodes->is_array()) return;
  for (const kube::json::value& item : nodes->get_array()) {
    if (!item.is_object()) continue;
    const kube::Object& in = item.get_object();
    status->nodes.push_back({StringAt(in, "name"), StringAt(in, "nodeID"), StringAt(in, "volumeUID")});
  }
}

void ReadTemplates(const kube::Object& object, ClusterStatus* status) {
  const kube::json::value* racks = kube::Find(object, "status.racks");
  if (racks == nullptr || !racks->is_array()) return;
  for (const kube::json::value& item : racks->get_array()) {
    if (!item.is_object()) continue;
    const std::string hash = StringAt(item.get_object(), "template");
    if (!hash.empty()) status->templates[StringAt(item.get_object(), "name")] = hash;
  }
}

void ReadSuspicion(const kube::Object& object, ClusterStatus* status) {
  const kube::json::value* found = kube::Find(object, "status.suspicion");
  if (found == nullptr || !found->is_object() || found->get_object().empty()) return;
  const kube::Object& in = found->get_object();
  status->suspicion = Suspicion{StringAt(in, "node"),      StringAt(in, "nodeID"),       StringAt(in, "volumeUID"),
                                StringAt(in, "newNodeID"), StringAt(in, "newVolumeUID"), StringAt(in, "machine"),
                                StringAt(in, "since")};
}

void ReadHibernation(const kube::Object& object, ClusterStatus* status) {
  const kube::json::value* found = kube::Find(object, "status.hibernation");
  if (found == nullptr || !found->is_object() || found->get_object().empty()) return;
  Hibernation& hibernation = status->hibernation.emplace();
  hibernation.since = StringAt(found->get_object(), "since");
  for (const kube::json::value& item : kube::ArrayAt(found->get_object(), "racks")) {
    if (!item.is_object()) continue;
    const int64_t replicas = kube::IntAt(item.get_object(), "replicas");
    hibernation.replicas[StringAt(item.get_object(), "name")] = static_cast<int>(replicas);
  }
}

}  // namespace

std::string RepairIdOf(const Operation& operation) {
  return operation.id + "-repair-" + std::to_string(operation.attempts);
}

const KnownNode* ClusterStatus::FindNode(const std::string& name) const {
  const auto found = std::ranges::find(nodes, name, &KnownNode::name);
  return found == nodes.end() ? nullptr : &*found;
}

std::string NameOf(Type type) { return NameIn(kTypes, type); }
std::string NameOf(Step step) { return NameIn(kSteps, step); }

Result<ClusterStatus> ParseStatus(const kube::Object& object) {
  ClusterStatus status;
  status.observed_generation = kube::IntAt(object, "status.observedGeneration");
  status.cluster_id = StringAt(object, "status.clusterID");
  status.ring_epoch = kube::IntAt(object, "status.ring.epoch");
  status.conditions = kube::Conditions::FromStatus(object);
  ReadNodes(object, &status);
  ReadTemplates(object, &status);
  status.anti_entropy_completed = StringAt(object, "status.antiEntropy.lastCompleted");
  status.anti_entropy_token = StringAt(object, "status.antiEntropy.token");
  ReadSuspicion(object, &status);
  ReadHibernation(object, &status);
  if (const std::string mode = StringAt(object, "status.tls.peers"); !mode.empty()) status.tls_peer_mode = mode;
  const kube::json::value* recorded = kube::Find(object, "status.operation");
  if (recorded == nullptr || !recorded->is_object() || recorded->get_object().empty()) return status;

  const kube::Object& in = recorded->get_object();
  Operation operation;
  if (!Named(kTypes, StringAt(in, "type"), &operation.type) || !Named(kSteps, StringAt(in, "step"), &operation.step) ||
      StringAt(in, "id").empty()) {
    return Fail(Errc::kCorrupt,
                "status.operation is of no type and step that this operator knows: " + StringAt(in, "type") + "/" +
                    StringAt(in, "step") + "; run the version that began it");
  }
  operation.id = StringAt(in, "id");
  operation.rack = StringAt(in, "rack");
  operation.node = StringAt(in, "node");
  operation.node_id = StringAt(in, "nodeID");
  operation.pod_uid = StringAt(in, "podUID");
  operation.volume_uid = StringAt(in, "volumeUID");
  operation.ring_epoch = kube::IntAt(in, "ringEpoch");
  operation.started_at = StringAt(in, "startedAt");
  operation.message = StringAt(in, "message");
  operation.lost = {StringAt(in, "lostNodeID"), StringAt(in, "lostVolumeUID"), StringAt(in, "machine")};
  operation.attempts = static_cast<int>(kube::IntAt(in, "attempts"));
  operation.token = StringAt(in, "token");
  operation.keys_repaired = kube::IntAt(in, "keysRepaired");
  operation.replicas = static_cast<int>(kube::IntAt(in, "replicas"));
  status.operation = std::move(operation);
  return status;
}

kube::Object ToJson(const Operation& operation) {
  const bool cancellable = operation.step == Step::kAddPod || operation.step == Step::kLeave;
  return {{"id", operation.id},
          {"type", NameOf(operation.type)},
          {"step", NameOf(operation.step)},
          {"rack", operation.rack},
          {"node", operation.node},
          {"nodeID", operation.node_id},
          {"podUID", operation.pod_uid},
          {"volumeUID", operation.volume_uid},
          {"ringEpoch", operation.ring_epoch},
          {"startedAt", operation.started_at},
          {"message", operation.message},
          {"lostNodeID", operation.lost.node_id},
          {"lostVolumeUID", operation.lost.volume_uid},
          {"machine", operation.lost.machine},
          {"attempts", operation.attempts},
          {"token", operation.token},
          {"keysRepaired", operation.keys_repaired},
          {"replicas", operation.replicas},
          {"cancellable", cancellable}};
}

kube::Object ToJson(const Suspicion& suspicion) {
  return {{"node", suspicion.node},
          {"nodeID", suspicion.node_id},
          {"volumeUID", suspicion.volume_uid},
          {"newNodeID", suspicion.new_node_id},
          {"newVolumeUID", suspicion.new_volume_uid},
          {"machine", suspicion.machine},
          {"since", suspicion.since}};
}

kube::Object ToJson(const Hibernation& hibernation) {
  kube::json::array racks;
  for (const auto& [name, replicas] : hibernation.replicas) {
    racks.push_back(kube::Object{{"name", name}, {"replicas", replicas}});
  }
  return {{"since", hibernation.since}, {"racks", std::move(racks)}};
}

}  // namespace dynamo::op
