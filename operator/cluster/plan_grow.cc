// Larger volumes: first the claims, one after the other, then the StatefulSets, for claims to
// come. What is still to be done is told by the sizes alone.
#include <fmt/format.h>

#include <algorithm>

#include "operator/cluster/lost_volume.h"
#include "operator/cluster/plan_steps.h"
#include "operator/cluster/quantity.h"

namespace dynamo::op {
namespace {

using Step = Operation::Step;

// A kubelet grows a file system under a running pod, where it can, within a minute or two.
constexpr int64_t kFileSystemPatienceMs = 120'000;

// 0: nobody says.
int64_t BytesOf(const std::string& size) { return ParseBytes(size).value_or(0); }
int64_t Wanted(const ClusterSpec& spec) { return BytesOf(spec.storage_size); }

bool AsksForLess(const NodeView& node, int64_t wanted) {
  return BytesOf(node.volume_requested) != 0 && BytesOf(node.volume_requested) < wanted;
}
// A class may give more than it is asked for.
bool HasGrown(const NodeView& node, int64_t wanted) {
  return !AsksForLess(node, wanted) && BytesOf(node.volume_size) >= wanted;
}

// Null: all claims ask for enough, and have it.
const NodeView* NextToGrow(const Observed& observed, int64_t wanted) {
  for (const NodeView* node : observed.ExpectedNodes()) {
    if (!node->volume_requested.empty() && !HasGrown(*node, wanted)) return node;
  }
  return nullptr;
}

// Null: new claims of every rack ask for enough.
const RackView* NextToRecreate(const Observed& observed, int64_t wanted) {
  for (const RackView& rack : observed.racks) {
    if (rack.replicas && BytesOf(rack.volume_size) != 0 && BytesOf(rack.volume_size) < wanted) return &rack;
  }
  return nullptr;
}

// Why no volume grows, though that is asked for.
std::optional<Wait> WhyNotGrow(const ClusterSpec& spec, const Observed& observed) {
  const int64_t wanted = Wanted(spec);
  for (const RackView& rack : observed.racks) {
    if (BytesOf(rack.volume_size) <= wanted) continue;
    return Wait{"ResizeRejected",
                fmt::format("spec.storage.size is {}, and the volumes of rack {} have {}: no volume can shrink",
                            spec.storage_size, rack.name, rack.volume_size),
                true};
  }
  if (!observed.classes_forbidden.empty()) return Wait{"PermissionMissing", observed.classes_forbidden, true};
  for (const NodeView* node : observed.ExpectedNodes()) {
    if (!AsksForLess(*node, wanted) || node->volume_can_grow.value_or(true)) continue;
    const std::string of = node->volume_class.empty()
                               ? "is of no storage class, and"
                               : fmt::format("is of storage class {}, which", node->volume_class);
    return Wait{"ResizeRejected",
                fmt::format("volume data-{} {} lets no volume grow (allowVolumeExpansion): it stays at {}", node->name,
                            of, node->volume_requested),
                true};
  }
  return std::nullopt;
}

Operation GrowingAt(Operation operation, const NodeView& node) {
  operation.rack = node.rack;
  operation.node = node.name;
  operation.node_id = node.identity ? node.identity->node_id : "";
  operation.pod_uid = node.pod_uid;
  operation.volume_uid = node.volume_uid;
  operation.started_at.clear();
  return operation;
}

// What is to be done next, by the sizes; nullopt: nothing.
std::optional<Record> NextGrowth(const ClusterSpec& spec, Operation operation, const Observed& observed) {
  const int64_t wanted = Wanted(spec);
  if (const NodeView* node = NextToGrow(observed, wanted)) {
    return To(GrowingAt(std::move(operation), *node), Step::kResize, "VolumeResizing",
              fmt::format("data-{} grows to {}", node->name, spec.storage_size));
  }
  const RackView* rack = NextToRecreate(observed, wanted);
  if (rack == nullptr) return std::nullopt;
  operation.rack = rack->name;
  operation.node = spec.StatefulSetName(rack->name);
  operation.replicas = *rack->replicas;
  operation.started_at.clear();
  std::string message = operation.node + " is made anew around its pods, for volumes to come";
  return To(std::move(operation), Step::kRecreate, "StatefulSetRecreating", std::move(message));
}

Finish GrowthEnds(const ClusterStatus& status, const Observed& observed, const char* event, std::string message) {
  return {NewestEpoch(status, observed), event, std::move(message)};
}

Action GoOn(const ClusterSpec& spec, const ClusterStatus& status, const Observed& observed) {
  if (auto next = NextGrowth(spec, *status.operation, observed)) return *next;
  return GrowthEnds(status, observed, "VolumesResized", "every volume has " + spec.storage_size);
}

Action ResizeStep(const ClusterSpec& spec, const ClusterStatus& status, const NodeView& node,
                  const Observed& observed) {
  const Operation& operation = *status.operation;
  const int64_t wanted = Wanted(spec);
  if (HasGrown(node, wanted)) return GoOn(spec, status, observed);
  if (AsksForLess(node, wanted)) {
    if (auto wait = WhyNotGrow(spec, observed))
      return GrowthEnds(status, observed, "VolumeResizeInterrupted", wait->message);
    if (!node.volume_can_grow) return Wait{"VolumeResizing", "nobody says whether data-" + node.name + " can grow"};
    return GrowVolume{node.name, node.volume_uid, spec.storage_size};
  }
  const auto pending = static_cast<int64_t>(observed.now - std::min(observed.now, node.volume_pending_since)) / 1000;
  if (node.volume_pending_since != 0 && pending >= kFileSystemPatienceMs && node.pod_exists) {
    return To(GrowingAt(operation, node), Step::kRestart, "NodeRestarting",
              fmt::format("the file system of data-{} grows when its pod starts", node.name));
  }
  const std::string why = node.volume_trouble.empty() ? "" : ": " + node.volume_trouble;
  return Late(spec, operation, observed,
              {"VolumeResizing",
               fmt::format("data-{} has {} of {}{}", node.name, node.volume_size, node.volume_requested, why)},
              "ResizeBlocked");
}

Action RestartToGrow(const ClusterSpec& spec, const ClusterStatus& status, const NodeView& node,
                     const Observed& observed) {
  const Operation& operation = *status.operation;
  if (!node.pod_exists || node.pod_deleting || node.pod_uid != operation.pod_uid) {
    return To(operation, Step::kAwaitReady);
  }
  if (HasGrown(node, Wanted(spec))) return To(operation, Step::kResize);
  if (auto wait = WhyNotRestart(spec, node, observed)) return Late(spec, operation, observed, *wait, "ResizeBlocked");
  return RestartPod{operation.node, operation.pod_uid};
}

Action AwaitGrownNode(const ClusterSpec& spec, const ClusterStatus& status, const NodeView& node,
                      const Observed& observed) {
  const Operation& operation = *status.operation;
  if (!node.pod_exists || node.pod_uid == operation.pod_uid || node.pod_deleting) {
    return Late(spec, operation, observed, {"PodStopping", "waiting for " + operation.node + " to be made anew"},
                "ResizeBlocked");
  }
  if (auto wait = WhyNotBack(spec, operation, node, observed))
    return Late(spec, operation, observed, *wait, "ResizeBlocked");
  return To(operation, Step::kResize);
}

// The claims' owner could be the StatefulSet: then they would go with it.
Action RecreateStep(const ClusterSpec& spec, const ClusterStatus& status, const Observed& observed) {
  const Operation& operation = *status.operation;
  const RackView* rack = observed.FindRack(operation.rack);
  if (rack == nullptr || !rack->replicas) return Wait{"StatefulSetMissing", "of rack " + operation.rack};
  if (BytesOf(rack->volume_size) >= Wanted(spec)) return GoOn(spec, status, observed);
  if (*rack->replicas != operation.replicas) return GoOn(spec, status, observed);  // Of another size by now.
  for (const NodeView& node : observed.nodes) {
    if (node.rack != operation.rack || !node.volume_owned) continue;
    return Wait{"VolumeResizing", fmt::format("data-{} would still go with its StatefulSet", node.name)};
  }
  return OrphanPods{rack->name, rack->uid};
}

}  // namespace

Action ContinueGrowing(const ClusterSpec& spec, const ClusterStatus& status, const Observed& observed) {
  const Operation& operation = *status.operation;
  if (operation.step == Step::kRecreate) return RecreateStep(spec, status, observed);
  const NodeView* node = observed.FindNode(operation.node);
  const bool lost = !FindLostVolumes(status, observed).empty();
  const bool same = node != nullptr && node->expected && node->volume_uid == operation.volume_uid;
  if (lost || spec.hibernated || !same) {
    return GrowthEnds(status, observed, "VolumeResizeInterrupted",
                      lost              ? "a volume seems to be lost"
                      : spec.hibernated ? "the cluster is to sleep"
                                        : "data-" + operation.node + " is another volume by now");
  }
  switch (operation.step) {
    case Step::kRestart: return RestartToGrow(spec, status, *node, observed);
    case Step::kAwaitReady: return AwaitGrownNode(spec, status, *node, observed);
    default: return ResizeStep(spec, status, *node, observed);
  }
}

std::optional<Action> BeginGrowing(const ClusterSpec& spec, const ClusterStatus& status, const Observed& observed) {
  if (auto wait = WhyNotGrow(spec, observed)) return *wait;
  auto next = NextGrowth(spec, Begun(Operation::Type::kGrowVolumes, status, observed), observed);
  if (!next) return std::nullopt;
  return *next;
}

}  // namespace dynamo::op
