// A lost volume: another node takes the place of the one that was on it. The old id is
// forgotten last, when all that it had is elsewhere.
#include <fmt/format.h>

#include <algorithm>

#include "operator/cluster/plan_steps.h"

namespace dynamo::op {
namespace {

using Step = Operation::Step;

constexpr int kRepairsMax = 3;  // Then it is left to those that run in the background.

// The node that was lost is there after all, and nothing was asked of the ring yet.
bool IsBack(const Operation& operation, const Observed& observed) {
  return std::ranges::any_of(observed.nodes, [&](const NodeView& node) {
    return node.identity && node.identity->node_id == operation.lost.node_id;
  });
}

Action FinishAs(const Observed& observed, std::string event, std::string message) {
  const admin::Topology* ring = observed.AgreedRing(/*everyone=*/false);
  if (ring == nullptr) return Wait{"RingNotConverged", "the nodes do not agree on one ring"};
  return Finish{static_cast<int64_t>(ring->epoch), std::move(event), std::move(message)};
}

Action Cancelled(const Operation& operation, const Observed& observed) {
  return FinishAs(observed, "ReplacementCancelled",
                  fmt::format("node {} of {} is back", operation.lost.node_id, operation.node));
}

// The machine went, and its volume's claim would wait for it for ever.
Action DropVolumeStep(const Operation& operation, const Observed& observed) {
  if (IsBack(operation, observed)) return Cancelled(operation, observed);
  const NodeView* node = observed.FindNode(operation.node);
  if (node == nullptr) return To(operation, Step::kAwaitPod);
  const bool old_claim = node->volume_uid == operation.lost.volume_uid;
  const bool pod_waits_for_it = node->pod_exists && !node->pod_deleting && (old_claim || node->volume_uid.empty());
  if (!old_claim && !pod_waits_for_it) return To(operation, Step::kAwaitPod);
  if (old_claim && !node->volume_deleting) {
    switch (node->machine.state) {
      case MachineView::State::kUnknown:
        return Wait{"MachineUnknown", "whether machine " + operation.lost.machine + " is gone"};
      case MachineView::State::kThere:
      case MachineView::State::kAway:
        return FinishAs(observed, "ReplacementCancelled", "machine " + operation.lost.machine + " is back");
      case MachineView::State::kGone: break;
    }
  }
  if (old_claim && node->volume_deleting && !pod_waits_for_it) {
    return Wait{"PodStopping", "volume data-" + operation.node + " goes when its pod has gone"};
  }
  return DropVolume{operation.node, operation.lost.volume_uid, operation.lost.machine};
}

Action AwaitPodStep(const Operation& operation, const Observed& observed) {
  if (IsBack(operation, observed)) return Cancelled(operation, observed);
  const NodeView* node = observed.FindNode(operation.node);
  if (node == nullptr || !node->identity || !node->volume_bound || node->pod_uid.empty()) {
    const std::string trouble = node == nullptr ? "" : node->trouble;
    return Wait{trouble.empty() ? "PodsStarting" : "PodsBlocked",
                fmt::format("waiting for {} {}", operation.node, trouble), !trouble.empty()};
  }
  if (!node->identity->empty_volume || node->volume_uid == operation.lost.volume_uid) {
    return Wait{"VolumeNotEmpty",
                fmt::format("volume data-{} shall take the place of a lost one, and is not a new and empty one",
                            operation.node),
                true};
  }
  Operation next = operation;
  next.node_id = node->identity->node_id;
  next.pod_uid = node->pod_uid;
  next.volume_uid = node->volume_uid;
  return To(next, Step::kReplace, "ReplacementStarted",
            fmt::format("node {} takes the place of {} at {}", next.node_id, next.lost.node_id, next.node));
}

// Once it was asked, what the ring says counts, and nothing else.
Action ReplaceStep(const ClusterSpec& spec, const Operation& operation, const Observed& observed) {
  const admin::Topology* ring = observed.AgreedRing(/*everyone=*/false);
  if (ring == nullptr) return Wait{"RingNotConverged", "the nodes do not agree on one ring"};
  const admin::Member* lost = FindMember(*ring, operation.lost.node_id);
  if (lost == nullptr || !HoldsPlace(*lost)) {
    if (FindMember(*ring, operation.node_id) != nullptr) return To(operation, Step::kRebuild);
    if (static_cast<int64_t>(ring->epoch) <= operation.ring_epoch)
      return Wait{"RingNotConverged", "an old ring was seen"};
    return FinishAs(observed, "ReplacementCancelled",
                    fmt::format("node {} is no member any more", operation.lost.node_id));
  }
  if (IsBack(operation, observed)) return Cancelled(operation, observed);
  const NodeView* node = observed.FindNode(operation.node);
  if (node == nullptr || !node->identity) return Wait{"PodsStarting", "waiting for " + operation.node};
  if (node->identity->node_id != operation.node_id) return To(operation, Step::kAwaitPod);  // Another volume by now.
  if (auto wait = WhyNotReplace(spec, observed, *ring, operation.lost.node_id, operation.node_id)) return *wait;
  const auto& heard = observed.members->members;
  if (std::ranges::find(heard, operation.node_id, &admin::Member::id) == heard.end()) {
    return Wait{"NodeUnheard", fmt::format("no member has heard of the new node at {} yet", operation.node)};
  }
  return AskNode{AskNode::What::kReplace, operation.node, operation.node_id};
}

Action RebuildStep(const ClusterSpec& spec, const Operation& operation, const Observed& observed) {
  const admin::Topology* ring = observed.AgreedRing(/*everyone=*/false);
  if (ring == nullptr) return Wait{"RingNotConverged", "the nodes do not agree on one ring"};
  const admin::Member* member = FindMember(*ring, operation.node_id);
  if (member == nullptr) return Wait{"RingNotConverged", "an old ring was seen"};
  const NodeView* node = observed.FindNode(operation.node);
  if (node != nullptr && node->identity && node->identity->node_id != operation.node_id) {
    return Wait{"DataAtRisk",
                fmt::format("the volume of node {} at {} was lost while it was rebuilt: dynamoctl cluster progress "
                            "says what waits for it; see docs/recovery.md",
                            operation.node_id, operation.node),
                true};
  }
  if (member->state != "normal" || !AllNormal(*ring)) {
    return Wait{"NodeRebuilding", operation.node + " gets what the other owners have" + Moved(*ring)};
  }
  if (observed.AgreedRing(/*everyone=*/true) == nullptr) {
    return Wait{"RingNotConverged", operation.node + " is rebuilt; the others are still to agree"};
  }
  if (!spec.repair_after_replacement) return To(operation, Step::kForget);
  Operation next = operation;
  next.attempts = 1;
  return To(next, Step::kRepair, "AntiEntropyStarted",
            fmt::format("{} compares what it has with the other owners", operation.node));
}

Action RepairStep(const Operation& operation, const Observed& observed) {
  const auto& repair = observed.repair;
  if (!repair) return Wait{"NodeDown", operation.node + " does not say how far its repair is"};
  if (repair->state.empty()) return AskNode{AskNode::What::kRepair, operation.node, operation.node_id};
  if (repair->state != "done") {
    return Wait{"NodeRepairing", fmt::format("{}: {} of {} comparisons are done, {} keys repaired", operation.node,
                                             repair->exchanges_done, repair->exchanges, repair->keys_repaired)};
  }
  const uint64_t failed = repair->exchanges_failed + repair->keys_failed;
  if (failed > 0 && operation.attempts < kRepairsMax) {
    if (observed.AgreedRing(/*everyone=*/true) == nullptr) {
      return Wait{"NodeDown", "the repair is begun again when all members answer"};
    }
    Operation again = operation;
    ++again.attempts;
    return To(again, Step::kRepair);
  }
  Operation next = operation;
  next.message = fmt::format("{} keys repaired", repair->keys_repaired);
  if (failed > 0) next.message += fmt::format(", {} comparisons failed and are left to later ones", failed);
  Record record = To(next, Step::kForget, "AntiEntropyCompleted", fmt::format("{}: {}", operation.node, next.message));
  record.rebuild_repair = {static_cast<int64_t>(repair->keys_repaired), static_cast<int64_t>(failed)};
  return record;
}

Action ForgetStep(const Operation& operation, const Observed& observed) {
  const admin::Topology* ring = observed.AgreedRing(/*everyone=*/false);
  if (ring == nullptr) return Wait{"RingNotConverged", "the nodes do not agree on one ring"};
  const admin::Member* lost = FindMember(*ring, operation.lost.node_id);
  if (lost != nullptr) {
    if (std::ranges::find(ring->voters, operation.lost.node_id) != ring->voters.end()) {
      return Wait{"RingChanging", fmt::format("node {} still has a vote", operation.lost.node_id)};
    }
    return AskNode{AskNode::What::kForget, operation.node, operation.lost.node_id};
  }
  if (FindMember(*ring, operation.node_id) == nullptr) return Wait{"RingNotConverged", "an old ring was seen"};
  const int64_t took = MillisecondsSince(operation.started_at, observed.now);
  return FinishAs(
      observed, "ReplacementCompleted",
      fmt::format("{} is node {} now, in place of {}, after {}{}", operation.node, operation.node_id,
                  operation.lost.node_id, Spoken(took), operation.message.empty() ? "" : "; " + operation.message));
}

}  // namespace

Action ContinueReplace(const ClusterSpec& spec, const ClusterStatus& status, const Observed& observed) {
  const Operation& operation = *status.operation;
  switch (operation.step) {
    case Step::kDropVolume: return DropVolumeStep(operation, observed);
    case Step::kAwaitPod: return AwaitPodStep(operation, observed);
    case Step::kReplace: return ReplaceStep(spec, operation, observed);
    case Step::kRebuild: return RebuildStep(spec, operation, observed);
    case Step::kRepair: return RepairStep(operation, observed);
    default: return ForgetStep(operation, observed);
  }
}

}  // namespace dynamo::op
