// Growing and shrinking, one node at a time. The StatefulSets follow the ring.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string_view>

#include "operator/cluster/lost_volume.h"
#include "operator/cluster/plan_steps.h"
#include "operator/cluster/planner.h"

namespace dynamo::op {
namespace {

using Step = Operation::Step;
using Type = Operation::Type;

Action BeginScaleUp(const ClusterSpec& spec, const Observed& observed, const admin::Topology& ring) {
  const auto emptiest =
      std::ranges::min_element(observed.racks, {}, [](const RackView& rack) { return *rack.replicas; });
  Operation operation;
  operation.type = Type::kScaleUp;
  operation.rack = emptiest->name;
  operation.node = fmt::format("{}-{}", spec.StatefulSetName(emptiest->name), *emptiest->replicas);
  operation.ring_epoch = static_cast<int64_t>(ring.epoch);
  return To(operation, Step::kAddPod, "NodeJoining", operation.node);
}

Action BeginScaleDown(const ClusterSpec& spec, const Observed& observed, const admin::Topology& ring) {
  // The last of the largest racks: the reverse of how they were filled.
  const RackView* largest = &observed.racks.front();
  for (const RackView& rack : observed.racks) {
    if (*rack.replicas >= *largest->replicas) largest = &rack;
  }
  const std::string name = fmt::format("{}-{}", spec.StatefulSetName(largest->name), *largest->replicas - 1);
  const NodeView* node = observed.FindNode(name);
  if (node == nullptr || !node->identity || node->pod_uid.empty() || node->volume_uid.empty()) {
    return Wait{"NodeUnknown", "cannot tell which node and volume stand at " + name};
  }
  if (FindMember(ring, node->identity->node_id) == nullptr) {
    return Wait{"NodeUnknown", fmt::format("{} (node {}) is no member of the ring", name, node->identity->node_id)};
  }
  Operation operation;
  operation.type = Type::kScaleDown;
  operation.rack = largest->name;
  operation.node = name;
  operation.node_id = node->identity->node_id;
  operation.pod_uid = node->pod_uid;
  operation.volume_uid = node->volume_uid;
  operation.ring_epoch = static_cast<int64_t>(ring.epoch);
  return To(operation, Step::kLeave, "Decommissioning", name);
}

// -1: the name that was written down is no pod's.
int OrdinalOf(const Operation& operation) {
  const std::string_view name = operation.node;
  const size_t dash = name.rfind('-');
  int ordinal = -1;
  if (dash != std::string_view::npos) std::from_chars(name.data() + dash + 1, name.data() + name.size(), ordinal);
  return ordinal;
}

// The pod is there, with nothing of the ring on it: written down, then asked to join.
Action AddPodStep(const ClusterSpec& spec, const Operation& operation, const Observed& observed) {
  const RackView* rack = observed.FindRack(operation.rack);
  if (rack == nullptr || !rack->replicas) return Wait{"StatefulSetMissing", "of rack " + operation.rack};
  const int ordinal = OrdinalOf(operation);
  if (ordinal < 0) return Wait{"OperationUnknown", "no pod is called " + operation.node, true};
  const int without_it = observed.Replicas() - (*rack->replicas > ordinal ? 1 : 0);
  if (spec.replicas <= without_it) return To(operation, Step::kRemovePod);  // Changed back.
  if (*rack->replicas <= ordinal) return ScaleRack{operation.rack, ordinal + 1};
  if (!rack->trouble.empty()) return Wait{"PodsBlocked", rack->trouble, true};

  const NodeView* node = observed.FindNode(operation.node);
  if (node == nullptr || !node->identity || node->pod_uid.empty() || node->volume_uid.empty()) {
    const std::string trouble = node == nullptr ? "" : node->trouble;
    return Wait{trouble.empty() ? "PodsStarting" : "PodsBlocked", operation.node + " " + trouble, !trouble.empty()};
  }
  const admin::Topology* ring = observed.AgreedRing(/*everyone=*/false);
  const admin::Member* member = ring == nullptr ? nullptr : FindMember(*ring, node->identity->node_id);
  if (member != nullptr && (member->state == "left" || member->state == "replaced")) {
    return Wait{
        "VolumeHasLeft",
        fmt::format("volume data-{} belongs to node {}, which has left the ring: delete the volume and the pod, and "
                    "it joins afresh",
                    node->name, node->identity->node_id),
        true};
  }
  Operation next = operation;
  next.node_id = node->identity->node_id;
  next.pod_uid = node->pod_uid;
  next.volume_uid = node->volume_uid;
  return To(next, Step::kJoin);
}

Action JoinStep(const Operation& operation, const Observed& observed) {
  const admin::Topology* ring = observed.AgreedRing(/*everyone=*/false);
  if (ring == nullptr) return Wait{"RingNotConverged", "the nodes do not agree on one ring"};
  const admin::Member* member = FindMember(*ring, operation.node_id);
  if (member == nullptr) {
    const NodeView* node = observed.FindNode(operation.node);
    if (node == nullptr || !node->identity) return Wait{"PodsStarting", "waiting for " + operation.node};
    if (node->identity->node_id != operation.node_id) return To(operation, Step::kAddPod);  // Another disk by now.
    return AskNode{AskNode::What::kJoin, operation.node, operation.node_id};
  }
  if (member->state != "normal") {
    return Wait{"NodeJoining", operation.node + " takes its share of the data" + Moved(*ring)};
  }
  if (!WhoAnswersAgrees(observed, *ring) || !AllNormal(*ring)) {
    return Wait{"RingNotConverged", operation.node + " has joined; the others are still to agree"};
  }
  return Finish{static_cast<int64_t>(ring->epoch), "NodeJoined", operation.node};
}

// Why a node may not begin to leave: without it some partition would have too few owners that
// serve, and what happens to one of them on the way would cost a quorum.
std::optional<Wait> WhyNotLeave(const ClusterSpec& spec, const Operation& operation, const Observed& observed,
                                const admin::Topology& ring) {
  const auto& safety = observed.safety_without;
  if (!safety || safety->epoch != ring.epoch) {
    return Wait{"SafetyUnknown", "no member says what is left without " + operation.node};
  }
  const auto quorum = static_cast<uint32_t>(std::max(spec.read_quorum, spec.write_quorum));
  for (const admin::Safety::Partition& partition : safety->partitions) {
    // With R or W of N itself there is no owner to spare: then all the others.
    const uint32_t needed = std::min(quorum, partition.owners - 1);
    if (partition.owners == 0 || partition.ready_without >= needed) continue;
    return Wait{"QuorumAtRisk", fmt::format("without {} partition {} has {} owners that serve, and needs {}",
                                            operation.node, partition.partition, partition.ready_without, needed)};
  }
  return std::nullopt;
}

Action LeaveStep(const ClusterSpec& spec, const ClusterStatus& status, const Observed& observed) {
  const Operation& operation = *status.operation;
  const admin::Topology* ring = observed.AgreedRing(/*everyone=*/false);
  if (ring == nullptr) return Wait{"RingNotConverged", "the nodes do not agree on one ring"};
  const admin::Member* member = FindMember(*ring, operation.node_id);
  const bool gone = member == nullptr || member->state == "left";
  const bool wanted_back = spec.replicas >= observed.Replicas();
  const NodeView* node = observed.FindNode(operation.node);
  if (gone) {
    // Absence alone could be a ring of before it joined: the epoch says which.
    if (static_cast<int64_t>(ring->epoch) <= operation.ring_epoch)
      return Wait{"RingNotConverged", "an old ring was seen"};
    if (!AllNormal(*ring)) return Wait{"RingChanging", "a member is on its way in or out"};
    // A node asks for its own removal after it has handed over what it kept for others. What
    // it may keep since is seen here, where it still answers.
    if (node != nullptr && node->hints.value_or(0) > 0) {
      return Wait{"HintsPending", operation.node + " still delivers writes that it keeps for others"};
    }
    return To(operation, Step::kRemovePod);
  }
  if (member->state == "normal") {
    if (wanted_back) return Finish{static_cast<int64_t>(ring->epoch), "DecommissionCancelled", operation.node};
    // Nothing was asked yet, and what is lost would keep the quorums from being safe for ever.
    if (!FindLostVolumes(status, observed).empty()) {
      return Finish{static_cast<int64_t>(ring->epoch), "DecommissionPostponed", operation.node};
    }
    if (node == nullptr || !node->identity) return Wait{"NodeDown", operation.node + " does not answer"};
    if (const auto wait = WhyNotLeave(spec, operation, observed, *ring)) return *wait;
    return AskNode{AskNode::What::kLeave, operation.node, operation.node_id};
  }
  if (wanted_back) return To(operation, Step::kCancelLeave);
  return Wait{"NodeLeaving", operation.node + " gives its share of the data away" + Moved(*ring)};
}

Action CancelLeaveStep(const Operation& operation, const Observed& observed) {
  const admin::Topology* ring = observed.AgreedRing(/*everyone=*/false);
  if (ring == nullptr) return Wait{"RingNotConverged", "the nodes do not agree on one ring"};
  const admin::Member* member = FindMember(*ring, operation.node_id);
  // Too late to stop: it is gone, and joins afresh if it is wanted.
  if (member == nullptr || member->state == "left") return To(operation, Step::kLeave);
  if (member->state == "leaving") return AskNode{AskNode::What::kCancelLeave, operation.node, operation.node_id};
  if (!AllNormal(*ring)) return Wait{"RingChanging", "a member is on its way in or out"};
  return Finish{static_cast<int64_t>(ring->epoch), "DecommissionCancelled", operation.node};
}

Action RemovePodStep(const Operation& operation, const Observed& observed) {
  const RackView* rack = observed.FindRack(operation.rack);
  if (rack == nullptr || !rack->replicas) return Wait{"StatefulSetMissing", "of rack " + operation.rack};
  const int ordinal = OrdinalOf(operation);
  if (ordinal < 0) return Wait{"OperationUnknown", "no pod is called " + operation.node, true};
  if (*rack->replicas > ordinal) return ScaleRack{operation.rack, ordinal};
  const NodeView* node = observed.FindNode(operation.node);
  if (node != nullptr && node->pod_exists) return Wait{"PodStopping", "waiting for " + operation.node + " to stop"};
  return To(operation, Step::kRemoveVolume);
}

Action RemoveVolumeStep(const ClusterSpec& spec, const Operation& operation, const Observed& observed) {
  const NodeView* node = observed.FindNode(operation.node);
  const std::string volume = node == nullptr ? "" : node->volume_uid;
  // An operation that was changed back before the pod came has recorded no volume.
  const bool ours = !volume.empty() && volume == operation.volume_uid;
  if (ours && spec.delete_volumes_when_scaled) return RemoveVolume{operation.node, operation.volume_uid};
  const admin::Topology* ring = observed.AgreedRing(/*everyone=*/false);
  if (ring == nullptr) return Wait{"RingNotConverged", "the nodes do not agree on one ring"};
  const bool down = operation.type == Type::kScaleDown;
  return Finish{static_cast<int64_t>(ring->epoch), down ? "Decommissioned" : "JoinCancelled", operation.node};
}

}  // namespace

Action BeginScaling(const ClusterSpec& spec, const ClusterStatus&, const Observed& observed) {
  for (const RackView& rack : observed.racks) {
    if (!rack.replicas) return Wait{"StatefulSetMissing", "of rack " + rack.name};
  }
  const int now = observed.Replicas();
  if (now == spec.replicas) return Settled{};
  if (const auto wait = WhyNotNow(observed)) return *wait;
  const admin::Topology& ring = *observed.AgreedRing(/*everyone=*/true);
  return spec.replicas > now ? BeginScaleUp(spec, observed, ring) : BeginScaleDown(spec, observed, ring);
}

Action ContinueScaleUp(const ClusterSpec& spec, const ClusterStatus& status, const Observed& observed) {
  const Operation& operation = *status.operation;
  switch (operation.step) {
    case Step::kAddPod: return AddPodStep(spec, operation, observed);
    case Step::kRemovePod: return RemovePodStep(operation, observed);
    case Step::kRemoveVolume: return RemoveVolumeStep(spec, operation, observed);
    default: return JoinStep(operation, observed);
  }
}

Action ContinueScaleDown(const ClusterSpec& spec, const ClusterStatus& status, const Observed& observed) {
  const Operation& operation = *status.operation;
  switch (operation.step) {
    case Step::kCancelLeave: return CancelLeaveStep(operation, observed);
    case Step::kRemovePod: return RemovePodStep(operation, observed);
    case Step::kRemoveVolume: return RemoveVolumeStep(spec, operation, observed);
    default: return LeaveStep(spec, status, observed);
  }
}

}  // namespace dynamo::op
