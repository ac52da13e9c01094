#include "operator/cluster/status.h"

#include <array>
#include <utility>

#include "common/base/result.h"

namespace dynamo::op {
namespace {

using kube::StringAt;
using Step = Operation::Step;
using Type = Operation::Type;

constexpr std::array<std::pair<Type, const char*>, 3> kTypes = {
    {{Type::kCreate, "Create"}, {Type::kScaleUp, "ScaleUp"}, {Type::kScaleDown, "ScaleDown"}}};
constexpr std::array<std::pair<Step, const char*>, 8> kSteps = {{{Step::kObjects, "Objects"},
                                                                 {Step::kForm, "Form"},
                                                                 {Step::kAddPod, "AddPod"},
                                                                 {Step::kJoin, "Join"},
                                                                 {Step::kLeave, "Leave"},
                                                                 {Step::kCancelLeave, "CancelLeave"},
                                                                 {Step::kRemovePod, "RemovePod"},
                                                                 {Step::kRemoveVolume, "RemoveVolume"}}};

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

}  // namespace

std::string NameOf(Type type) { return NameIn(kTypes, type); }
std::string NameOf(Step step) { return NameIn(kSteps, step); }

Result<ClusterStatus> ParseStatus(const kube::Object& object) {
  ClusterStatus status;
  status.observed_generation = kube::IntAt(object, "status.observedGeneration");
  status.cluster_id = StringAt(object, "status.clusterID");
  status.ring_epoch = kube::IntAt(object, "status.ring.epoch");
  status.conditions = kube::Conditions::FromStatus(object);
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
          {"cancellable", cancellable}};
}

}  // namespace dynamo::op
