// Whether a volume is lost: written down when it is first seen, believed when it is seen
// again later, and never acted upon where data may hang on what is away.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "operator/cluster/lost_volume.h"
#include "operator/cluster/plan_steps.h"

namespace dynamo::op {
namespace {

using Kind = LostVolume::Kind;

constexpr int64_t kSeenAgainAfterMs = 30'000;

constexpr char kPage[] = "see docs/recovery.md";

std::string ReplaceByHand(const Suspicion& seen) {
  const std::string newcomer = seen.new_node_id.empty() ? "NEW-NODE" : seen.new_node_id;
  return fmt::format("dynamoctl cluster replace {} {}, and when it is done dynamoctl cluster forget {}", seen.node_id,
                     newcomer, seen.node_id);
}

// Too few members are left to agree on anything: only a human may say who is lost.
Wait WaitWithoutMajority(const ClusterStatus& status, const Observed& observed, const std::vector<LostVolume>& lost) {
  const admin::Topology* newest = observed.NewestRing();
  const auto nodes = observed.ExpectedNodes();
  const auto silent = std::ranges::count_if(nodes, [](const NodeView* node) { return !node->identity; });
  const auto left = std::ranges::count_if(nodes, [](const NodeView* node) { return node->topology.has_value(); });
  const size_t members =
      newest == nullptr ? nodes.size() : static_cast<size_t>(std::ranges::count_if(newest->members, HoldsPlace));
  if (static_cast<size_t>(silent + left) * 2 > members && newest != nullptr) {
    return {"RingNotConverged", "the nodes do not agree on one ring"};
  }
  if (newest == nullptr && silent > 0) return {"RingNotConverged", "no node reports a ring"};
  std::vector<std::string> ids;
  ids.reserve(lost.size());
  for (const LostVolume& each : lost) ids.push_back(each.seen.node_id);
  return {"DataAtRisk",
          fmt::format("the volumes of {} nodes are lost ({}), and the members that are left are no majority: nothing "
                      "was changed. dynamoctl cluster force-topology --cluster {} --lost {} --by YOU, then replace "
                      "each of them; {}",
                      lost.size(), fmt::join(ids, ", "), status.cluster_id, fmt::join(ids, ","), kPage),
          true};
}

bool SameLoss(const Suspicion& a, Suspicion b) {
  b.since = a.since;
  return a == b;
}

// What was suspected is well, or is none of ours any more. Silence alone disproves nothing.
bool IsDisproved(const Suspicion& suspicion, const Observed& observed) {
  const NodeView* node = observed.FindNode(suspicion.node);
  if (node == nullptr || !node->expected || node->identity) return true;
  const admin::Topology* ring = observed.AgreedRing(/*everyone=*/false);
  const admin::Member* member = ring == nullptr ? nullptr : FindMember(*ring, suspicion.node_id);
  return ring != nullptr && (member == nullptr || !HoldsPlace(*member));
}

Wait WaitForHuman(const ClusterSpec& spec, const LostVolume& lost) {
  const Suspicion& seen = lost.seen;
  const std::string drop =
      fmt::format("kubectl delete pvc data-{} --wait=false --namespace {} and kubectl delete pod {}", seen.node,
                  spec.namespace_, seen.node);
  switch (lost.kind) {
    case Kind::kSameVolume:
      return {"VolumeEmpty",
              fmt::format("volume data-{} is the one that node {} had, but empty: not mounted, perhaps. If it is lost: "
                          "{}; the rest is done by itself",
                          seen.node, seen.node_id, drop),
              true};
    case Kind::kUnrecorded:
      return {"NodeUnrecorded",
              fmt::format("{} is empty, and nobody has written down which volume node {} had. If that is lost: {}",
                          seen.node, seen.node_id, ReplaceByHand(seen)),
              true};
    case Kind::kMachineAway:
      return {
          "MachineAway",
          fmt::format("machine {} with volume data-{} is not ready since {}. If it is gone for good: kubectl delete "
                      "node {}; the rest is done by itself",
                      seen.machine, seen.node, seen.since, seen.machine),
          true};
    case Kind::kMachineGone:
      return {"VolumeLost",
              fmt::format("machine {} is gone with volume data-{} of node {}. With spec.replacement.policy Manual: {}, "
                          "then {}",
                          seen.machine, seen.node, seen.node_id, drop, ReplaceByHand(seen)),
              true};
    case Kind::kEmptied: break;
  }
  return {"VolumeLost",
          fmt::format("the volume of node {} at {} is lost, and an empty one stands there. With "
                      "spec.replacement.policy Manual: {}",
                      seen.node_id, seen.node, ReplaceByHand(seen)),
          true};
}

// Until it was seen for long enough.
std::optional<Wait> WaitToSeeAgain(const ClusterSpec& spec, const LostVolume& lost, const Observed& observed) {
  const Suspicion& seen = lost.seen;
  const int64_t seen_for = MillisecondsSince(seen.since, observed.now);
  const int64_t delay =
      seen.machine.empty() ? kSeenAgainAfterMs : std::max(kSeenAgainAfterMs, spec.failure_detection_delay_ms);
  if (seen_for >= delay) return std::nullopt;
  const std::string what = seen.machine.empty()
                               ? fmt::format("{} stands on another volume, and is empty", seen.node)
                               : fmt::format("machine {} with volume data-{} is {}", seen.machine, seen.node,
                                             lost.kind == Kind::kMachineGone ? "gone" : "not ready");
  return Wait{seen.machine.empty() ? "VolumeSuspected" : "MachineAway",
              fmt::format("{}: for {} now, taken for lost after {}", what, Spoken(seen_for), Spoken(delay))};
}

Record BeginOf(const LostVolume& lost, const Observed& observed, const admin::Topology& ring) {
  const NodeView& node = *observed.FindNode(lost.seen.node);
  Operation operation;
  operation.type = Operation::Type::kReplace;
  operation.rack = node.rack;
  operation.node = node.name;
  operation.pod_uid = node.pod_uid;
  operation.lost = {lost.seen.node_id, lost.seen.volume_uid, lost.seen.machine};
  operation.ring_epoch = static_cast<int64_t>(ring.epoch);
  const bool with_machine = lost.kind == Kind::kMachineGone;
  Record record = To(operation, with_machine ? Operation::Step::kDropVolume : Operation::Step::kAwaitPod, "VolumeLost",
                     fmt::format("the volume of node {} at {} is lost{}", lost.seen.node_id, node.name,
                                 with_machine ? " with machine " + lost.seen.machine : ""));
  record.warning = true;
  return record;
}

// Seen twice: what is to be done about it.
Action Believe(const ClusterSpec& spec, const LostVolume& lost, const Observed& observed, const admin::Topology& ring) {
  if (auto wait = WaitToSeeAgain(spec, lost, observed)) return *wait;
  if (lost.kind == Kind::kMachineAway) return WaitForHuman(spec, lost);
  if (auto wait = WhyNotReplace(spec, observed, ring, lost.seen.node_id, lost.seen.new_node_id)) return *wait;
  if (!spec.replace_lost_volumes) return WaitForHuman(spec, lost);
  return BeginOf(lost, observed, ring);
}

}  // namespace

std::optional<Action> BeginReplacing(const ClusterSpec& spec, const ClusterStatus& status, const Observed& observed) {
  const std::vector<LostVolume> all = FindLostVolumes(status, observed);
  if (all.empty()) {
    if (status.suspicion && IsDisproved(*status.suspicion, observed)) return Suspect{std::nullopt};
    if (observed.machines_forbidden.empty()) return std::nullopt;
    return Wait{"PermissionMissing", observed.machines_forbidden, true};
  }
  const admin::Topology* ring = observed.AgreedRing(/*everyone=*/false);
  if (ring == nullptr) return WaitWithoutMajority(status, observed, all);
  LostVolume lost = all.front();
  if (lost.kind == Kind::kSameVolume || lost.kind == Kind::kUnrecorded) return WaitForHuman(spec, lost);
  if (!status.suspicion || !SameLoss(*status.suspicion, lost.seen)) {
    if (lost.seen.since.empty()) lost.seen.since = kube::Time(observed.now);
    return Suspect{lost.seen};
  }
  lost.seen.since = status.suspicion->since;
  return Believe(spec, lost, observed, *ring);
}

std::optional<Wait> WhyNotReplace(const ClusterSpec& spec, const Observed& observed, const admin::Topology& ring,
                                  const std::string& lost_node_id, const std::string& new_node_id) {
  // Who has yet to leave may be waiting with a hint for the very one that is lost.
  if (!ring.pending_owners.empty()) return Wait{"RingChanging", "a member is on its way in or out" + Moved(ring)};
  if (!observed.members || !observed.safety || observed.safety->epoch != ring.epoch) {
    return Wait{"SafetyUnknown", "no member says how many owners serve"};
  }
  const auto known = std::ranges::find(observed.members->members, lost_node_id, &admin::Member::id);
  if (known != observed.members->members.end() && known->liveness == "alive") {
    return Wait{"NodeAlive", fmt::format("node {} is seen alive by others: it is not lost yet", lost_node_id)};
  }
  const auto quorum = static_cast<uint32_t>(spec.read_quorum);
  for (const admin::Safety::Partition& partition : observed.safety->partitions) {
    // With R of N itself there is nobody to spare: then all the others.
    const uint32_t needed = std::max(1u, std::min(quorum, partition.owners - 1));
    if (partition.owners == 0 || partition.ready >= needed) continue;
    Suspicion by_hand;
    by_hand.node_id = lost_node_id;
    by_hand.new_node_id = new_node_id;
    return Wait{
        "DataAtRisk",
        fmt::format("partition {} has {} of {} owners that serve, and needs {}: more is away than can be "
                    "rebuilt without a human, and nothing was changed. Bring back who is away; what is lost "
                    "for good: {}; dynamoctl cluster progress prints what accept-loss would give up; {}",
                    partition.partition, partition.ready, partition.owners, needed, ReplaceByHand(by_hand), kPage),
        true};
  }
  return std::nullopt;
}

}  // namespace dynamo::op
