// Every node compares all that it owns with the other owners, one after the other: because
// somebody asks for it, or because it is time.
#include <fmt/format.h>

#include <algorithm>

#include "operator/cluster/lost_volume.h"
#include "operator/cluster/plan_steps.h"

namespace dynamo::op {
namespace {

using Step = Operation::Step;

constexpr int kAttemptsMax = 3;  // At each node.

bool IsAskedFor(const ClusterSpec& spec, const ClusterStatus& status) {
  return spec.repair_token != status.anti_entropy_token;
}

bool IsTime(const ClusterSpec& spec, const ClusterStatus& status, const Observed& observed) {
  if (spec.repair_every_ms == 0) return false;
  if (status.anti_entropy_completed.empty()) return true;
  return MillisecondsSince(status.anti_entropy_completed, observed.now) >= spec.repair_every_ms;
}

Operation At(Operation operation, const NodeView& node) {
  operation.rack = node.rack;
  operation.node = node.name;
  operation.node_id = node.identity->node_id;
  operation.attempts = 1;
  return operation;
}

// Null: that was the last one.
const NodeView* After(const Observed& observed, const std::string& name) {
  const auto nodes = observed.ExpectedNodes();
  auto found = std::ranges::find(nodes, name, &NodeView::name);
  if (found != nodes.end()) ++found;
  return found == nodes.end() ? nullptr : *found;
}

// It is begun anew when all nodes serve, so that it keeps nothing else from being done.
Finish Interrupted(const Observed& observed, const Operation& operation) {
  const admin::Topology* ring = observed.NewestRing();
  return {ring == nullptr ? operation.ring_epoch : static_cast<int64_t>(ring->epoch), "AntiEntropyInterrupted",
          operation.node + " is away, or something else goes first"};
}

}  // namespace

std::optional<Action> BeginAntiEntropy(const ClusterSpec& spec, const ClusterStatus& status, const Observed& observed) {
  const bool asked = IsAskedFor(spec, status);
  if (!asked && !IsTime(spec, status, observed)) return std::nullopt;
  if (auto wait = WhyNotNow(observed)) return asked ? std::optional<Action>(*wait) : std::nullopt;
  const auto nodes = observed.ExpectedNodes();
  if (nodes.empty()) return std::nullopt;
  Operation operation;
  operation.type = Operation::Type::kAntiEntropy;
  operation.token = spec.repair_token;
  operation.ring_epoch = static_cast<int64_t>(observed.AgreedRing(/*everyone=*/true)->epoch);
  return To(At(operation, *nodes.front()), Step::kRepair, "AntiEntropyStarted",
            asked ? "every node compares what it owns: asked for" : "every node compares what it owns: it is time");
}

Action ContinueAntiEntropy(const ClusterSpec& spec, const ClusterStatus& status, const Observed& observed) {
  const Operation& operation = *status.operation;
  const NodeView* node = observed.FindNode(operation.node);
  const bool there = node != nullptr && node->identity && node->identity->node_id == operation.node_id;
  if (!there || spec.hibernated || !FindLostVolumes(status, observed).empty()) return Interrupted(observed, operation);
  const auto& repair = observed.repair;
  if (!repair) return Wait{"NodeDown", operation.node + " does not say how far it is"};
  if (repair->state.empty()) return AskNode{AskNode::What::kRepair, operation.node, operation.node_id};
  if (repair->state != "done") {
    return Wait{"NodeRepairing", fmt::format("{}: {} of {} comparisons are done, {} keys repaired", operation.node,
                                             repair->exchanges_done, repair->exchanges, repair->keys_repaired)};
  }
  Operation next = operation;
  next.keys_repaired += static_cast<int64_t>(repair->keys_repaired);
  if (repair->exchanges_failed + repair->keys_failed > 0 && operation.attempts < kAttemptsMax) {
    ++next.attempts;
    return To(next, Step::kRepair);
  }
  if (const NodeView* following = After(observed, operation.node)) {
    if (!following->identity) return Interrupted(observed, operation);
    return To(At(next, *following), Step::kRepair);
  }
  const admin::Topology* ring = observed.AgreedRing(/*everyone=*/false);
  if (ring == nullptr) return Wait{"RingNotConverged", "the nodes do not agree on one ring"};
  Finish finish{static_cast<int64_t>(ring->epoch), "AntiEntropyCompleted",
                fmt::format("every node has compared what it owns: {} keys repaired", next.keys_repaired)};
  finish.keys_repaired = next.keys_repaired;
  return finish;
}

}  // namespace dynamo::op
