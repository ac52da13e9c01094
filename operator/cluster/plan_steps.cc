#include "operator/cluster/plan_steps.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace dynamo::op {

Record To(Operation operation, Operation::Step step, std::string event, std::string message) {
  operation.step = step;
  return {std::move(operation), std::move(event), std::move(message)};
}

int64_t NewestEpoch(const ClusterStatus& status, const Observed& observed) {
  const admin::Topology* ring = observed.NewestRing();
  return ring == nullptr ? status.ring_epoch : static_cast<int64_t>(ring->epoch);
}

Operation Begun(Operation::Type type, const ClusterStatus& status, const Observed& observed) {
  Operation operation;
  operation.type = type;
  operation.ring_epoch = NewestEpoch(status, observed);
  return operation;
}

std::string Moved(const admin::Topology& ring) {
  return ring.to_move == 0 ? "" : fmt::format(": {} of {} partitions have moved", ring.moved, ring.to_move);
}

std::string Spoken(int64_t milliseconds) {
  const int64_t seconds = milliseconds / 1000;
  return seconds < 60 ? fmt::format("{}s", seconds) : fmt::format("{}m{}s", seconds / 60, seconds % 60);
}

int64_t MillisecondsSince(const std::string& time, WallMicros now) {
  const auto then = kube::ParseTime(time);
  return then && *then < now ? static_cast<int64_t>((now - *then) / 1000) : 0;
}

std::optional<Wait> WhyNotNow(const Observed& observed) {
  for (const NodeView& node : observed.nodes) {
    if (node.expected && (!node.identity || !node.pod_ready || node.pod_deleting)) {
      return Wait{"NodeDown", fmt::format("{} {}: the size changes when all nodes serve", node.name,
                                          node.trouble.empty() ? "does not serve" : node.trouble)};
    }
  }
  const admin::Topology* ring = observed.AgreedRing(/*everyone=*/true);
  if (ring == nullptr) return Wait{"RingNotConverged", "the nodes do not agree on one ring"};
  if (!AllNormal(*ring)) return Wait{"RingChanging", "a member is on its way in or out"};
  return std::nullopt;
}

bool WhoAnswersAgrees(const Observed& observed, const admin::Topology& ring) {
  return std::ranges::all_of(observed.nodes, [&ring](const NodeView& node) {
    return !node.topology || (node.topology->hash == ring.hash && node.topology->epoch == ring.epoch);
  });
}

}  // namespace dynamo::op
