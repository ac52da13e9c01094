// Another image, other settings: one pod after the other is deleted and made anew. The pods
// themselves are the state: whatever is of an older template is still to be done.
#include <fmt/format.h>

#include <algorithm>

#include "operator/cluster/lost_volume.h"
#include "operator/cluster/plan_steps.h"
#include "operator/cluster/template_hash.h"

namespace dynamo::op {
namespace {

using Step = Operation::Step;

bool Serves(const NodeView& node) { return node.identity && node.pod_ready && !node.pod_deleting; }

// Over all racks: each one's first node, then each one's second, and so on.
int NumberOf(const ClusterSpec& spec, const NodeView& node) {
  const auto rack = std::ranges::find(spec.racks, node.rack, &RackSpec::name);
  return node.ordinal * static_cast<int>(spec.racks.size()) + static_cast<int>(rack - spec.racks.begin());
}

// The next pod to restart: the last one, so that the first ones are those that `partition`
// keeps. Null: there is none.
const NodeView* NextOutdated(const ClusterSpec& spec, const ClusterStatus& status, const Observed& observed,
                             bool broken) {
  const NodeView* next = nullptr;
  for (const NodeView* node : observed.ExpectedNodes()) {
    if (!IsOutdated(spec, status, *node) || (broken && Serves(*node))) continue;
    if (NumberOf(spec, *node) < spec.update_partition) continue;
    if (next == nullptr || NumberOf(spec, *node) > NumberOf(spec, *next)) next = node;
  }
  return next;
}

// How many owners of a partition have to serve, all the time: counted as its own N asks.
uint32_t OwnersNeeded(const ClusterSpec& spec, uint32_t owners) {
  const bool usual = owners == static_cast<uint32_t>(spec.factor);
  const uint32_t quorum = usual ? static_cast<uint32_t>(std::max(spec.read_quorum, spec.write_quorum)) : owners / 2 + 1;
  return std::min(owners - 1, spec.gate_spares_one ? quorum + 1 : quorum);
}

}  // namespace

std::optional<Wait> WhyNotRestart(const ClusterSpec& spec, const NodeView& node, const Observed& observed) {
  // A node that serves nobody takes nothing away.
  if (!node.identity && !node.pod_ready) return std::nullopt;
  const admin::Topology* ring = observed.AgreedRing(/*everyone=*/false);
  if (ring == nullptr) return Wait{"RingNotConverged", "the nodes do not agree on one ring"};
  if (!AllNormal(*ring)) return Wait{"RingChanging", "a member is on its way in or out" + Moved(*ring)};
  // Of one alone nobody else could say anything, or take anything over.
  if (std::ranges::count_if(ring->members, HoldsPlace) == 1) return std::nullopt;
  const auto& safety = observed.safety_without;
  if (!safety || safety->epoch != ring->epoch) {
    return Wait{"SafetyUnknown", "no member says what is left without " + node.name};
  }
  for (const admin::Safety::Partition& partition : safety->partitions) {
    if (partition.owners == 0 || partition.ready_without >= partition.ready) continue;
    const uint32_t needed = OwnersNeeded(spec, partition.owners);
    if (partition.ready_without >= needed) continue;
    return Wait{"QuorumAtRisk", fmt::format("without {} partition {} has {} owners that serve, and needs {}", node.name,
                                            partition.partition, partition.ready_without, needed)};
  }
  return std::nullopt;
}

Wait Late(const ClusterSpec& spec, const Operation& operation, const Observed& observed, Wait wait,
          const char* reason) {
  const int64_t waited = MillisecondsSince(operation.started_at, observed.now);
  if (wait.degraded || waited < spec.progress_deadline_ms) return wait;
  return {reason,
          fmt::format("{} for {} now, nothing is forced: {}: {}", operation.node, Spoken(waited), wait.reason,
                      wait.message),
          true};
}

namespace {

// The rollout begins anew when a volume that is lost has been looked after. A cluster that is
// to sleep wakes on the newest template.
std::optional<Action> GivenWay(const ClusterSpec& spec, const ClusterStatus& status, const Observed& observed) {
  const admin::Topology* ring = observed.AgreedRing(/*everyone=*/false);
  if (ring == nullptr) return std::nullopt;
  const bool lost = !FindLostVolumes(status, observed).empty();
  if (!lost && !spec.hibernated) return std::nullopt;
  return Finish{static_cast<int64_t>(ring->epoch), "RolloutInterrupted",
                (lost ? "a volume seems to be lost: " : "the cluster is to sleep: ") + status.operation->node};
}

Action EndOf(const Observed& observed, const Operation& operation, const char* event, const std::string& message) {
  const admin::Topology* ring = observed.AgreedRing(/*everyone=*/false);
  if (ring == nullptr) return Wait{"RingNotConverged", "the nodes do not agree on one ring"};
  return Finish{static_cast<int64_t>(ring->epoch), event, operation.node + message};
}

Action RestartStep(const ClusterSpec& spec, const ClusterStatus& status, const Observed& observed) {
  const Operation& operation = *status.operation;
  const NodeView* node = observed.FindNode(operation.node);
  if (node == nullptr || !node->expected)
    return EndOf(observed, operation, "RestartCancelled", " is no place any more");
  if (!node->pod_exists || node->pod_deleting || node->pod_uid != operation.pod_uid) {
    return To(operation, Step::kAwaitReady);
  }
  if (!IsOutdated(spec, status, *node)) return EndOf(observed, operation, "RestartCancelled", " is as it shall be");
  // What was asked about the other one says nothing about this one.
  if (node->identity && node->identity->node_id != operation.node_id)
    return EndOf(observed, operation, "RestartCancelled", " is another node by now");
  const RackView* rack = observed.FindRack(operation.rack);
  if (rack == nullptr || !rack->template_current) {
    return Wait{"StatefulSetBehind", "the StatefulSet of rack " + operation.rack + " has not seen the new template"};
  }
  if (const auto wait = WhyNotRestart(spec, *node, observed)) return Late(spec, operation, observed, *wait);
  return RestartPod{operation.node, operation.pod_uid};
}

}  // namespace

std::optional<Wait> WhyNotBack(const ClusterSpec& spec, const Operation& operation, const NodeView& node,
                               const Observed& observed) {
  if (!node.trouble.empty()) return Wait{"PodsBlocked", "pod " + node.name + ": " + node.trouble, true};
  if (!node.identity || !node.pod_ready) return Wait{"NodeRestarting", "waiting for " + node.name + " to serve"};
  if (!operation.node_id.empty() && node.identity->node_id != operation.node_id) {
    return Wait{
        "NodeUnknown",
        fmt::format("node {} stands at {}, where {} stood", node.identity->node_id, node.name, operation.node_id),
        true};
  }
  const auto since = static_cast<int64_t>(observed.now - std::min(observed.now, node.pod_ready_since));
  if (node.pod_ready_since == 0 || since < spec.min_ready_seconds * 1'000'000) {
    return Wait{"NodeRestarting", fmt::format("{} serves, but not for {} s yet", node.name, spec.min_ready_seconds)};
  }
  uint64_t hints = 0;
  for (const NodeView& other : observed.nodes) {
    const auto kept = other.hints_for.find(node.identity->node_id);
    if (kept != other.hints_for.end()) hints += kept->second;
  }
  if (hints > 0)
    return Wait{"HintsPending", fmt::format("{} writes are still to be delivered to {}", hints, node.name)};
  const admin::Topology* ring = observed.AgreedRing(/*everyone=*/false);
  if (ring == nullptr || !node.topology || node.topology->hash != ring->hash) {
    return Wait{"RingNotConverged", node.name + " does not report the ring of the others"};
  }
  return std::nullopt;
}

namespace {

Action AwaitReadyStep(const ClusterSpec& spec, const ClusterStatus& status, const Observed& observed) {
  const Operation& operation = *status.operation;
  const NodeView* node = observed.FindNode(operation.node);
  if (node == nullptr || !node->expected)
    return EndOf(observed, operation, "RestartCancelled", " is no place any more");
  if (!node->pod_exists || node->pod_uid == operation.pod_uid || node->pod_deleting) {
    return Late(spec, operation, observed, {"PodStopping", "waiting for " + operation.node + " to be made anew"});
  }
  if (IsOutdated(spec, status, *node)) {  // Another wish meanwhile: once more.
    Operation again = operation;
    again.pod_uid = node->pod_uid;
    again.started_at.clear();
    return To(again, Step::kRestart);
  }
  if (auto wait = WhyNotBack(spec, operation, *node, observed)) return Late(spec, operation, observed, *wait);
  return EndOf(observed, operation, "NodeRestarted", " serves again");
}

}  // namespace

Action ContinueRollout(const ClusterSpec& spec, const ClusterStatus& status, const Observed& observed) {
  if (auto way = GivenWay(spec, status, observed)) return *way;
  if (status.operation->step == Step::kRestart) return RestartStep(spec, status, observed);
  return AwaitReadyStep(spec, status, observed);
}

std::optional<Action> BeginRollout(const ClusterSpec& spec, const ClusterStatus& status, const Observed& observed,
                                   bool broken) {
  const NodeView* next = NextOutdated(spec, status, observed, broken);
  if (next == nullptr) return std::nullopt;
  if (!broken) {
    // A pod of the new template that does not serve stops all others.
    for (const NodeView* node : observed.ExpectedNodes()) {
      if (Serves(*node)) continue;
      return Wait{"NodeDown",
                  fmt::format("{} {}: pods are restarted while all nodes serve", node->name,
                              node->trouble.empty() ? "does not serve" : node->trouble),
                  !node->trouble.empty()};
    }
  }
  const KnownNode* known = status.FindNode(next->name);
  const admin::Topology* ring = observed.NewestRing();
  Operation operation;
  operation.type = Operation::Type::kRollout;
  operation.rack = next->rack;
  operation.node = next->name;
  operation.node_id = next->identity ? next->identity->node_id : known != nullptr ? known->node_id : "";
  operation.pod_uid = next->pod_uid;
  operation.volume_uid = next->volume_uid;
  operation.ring_epoch = ring == nullptr ? 0 : static_cast<int64_t>(ring->epoch);
  return To(operation, Step::kRestart, "NodeRestarting", operation.node + " is of an older template");
}

std::optional<Action> RestartBroken(const ClusterSpec& spec, const ClusterStatus& status, const Observed& observed) {
  for (const NodeView* node : observed.ExpectedNodes()) {
    if (node->trouble.empty() || node->identity || node->pod_ready || node->pod_deleting) continue;
    if (!IsOutdated(spec, status, *node)) continue;
    const RackView* rack = observed.FindRack(node->rack);
    if (rack != nullptr && rack->template_current) return RestartPod{node->name, node->pod_uid};
  }
  return std::nullopt;
}

}  // namespace dynamo::op
