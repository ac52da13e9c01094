#include "operator/cluster/lost_volume.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

namespace dynamo::op {
namespace {

using Kind = LostVolume::Kind;

// Of no ring at all nothing contradicts what was written down.
bool StillHoldsPlace(const admin::Topology* ring, const std::string& node_id) {
  if (ring == nullptr) return true;
  const admin::Member* member = FindMember(*ring, node_id);
  return member != nullptr && HoldsPlace(*member);
}

bool StandsSomewhere(const Observed& observed, const std::string& node_id) {
  return std::ranges::any_of(observed.nodes,
                             [&](const NodeView& node) { return node.identity && node.identity->node_id == node_id; });
}

bool IsEmptyNewcomer(const NodeView& node, const admin::Topology* ring) {
  if (!node.identity->empty_volume || !node.identity->cluster_id.empty()) return false;
  return ring == nullptr || FindMember(*ring, node.identity->node_id) == nullptr;
}

// The member of that name, for people: a name alone never decides.
const admin::Member* MemberNamed(const admin::Topology* ring, const std::string& name) {
  if (ring == nullptr) return nullptr;
  const auto found = std::ranges::find_if(
      ring->members, [&](const admin::Member& member) { return member.name == name && HoldsPlace(member); });
  return found == ring->members.end() ? nullptr : &*found;
}

std::optional<LostVolume> LookAtEmpty(const NodeView& node, const KnownNode* known, const admin::Topology* ring,
                                      const Observed& observed) {
  if (!IsEmptyNewcomer(node, ring) || node.volume_uid.empty() || !node.volume_bound) return std::nullopt;
  LostVolume lost;
  lost.seen.node = node.name;
  lost.seen.new_node_id = node.identity->node_id;
  lost.seen.new_volume_uid = node.volume_uid;
  const bool recorded = known != nullptr && !known->node_id.empty() && known->node_id != node.identity->node_id &&
                        StillHoldsPlace(ring, known->node_id);
  if (!recorded) {
    const admin::Member* member = MemberNamed(ring, node.name);
    if (member == nullptr || StandsSomewhere(observed, member->id)) return std::nullopt;
    lost.kind = Kind::kUnrecorded;
    lost.seen.node_id = member->id;
    return lost;
  }
  if (StandsSomewhere(observed, known->node_id)) return std::nullopt;
  lost.seen.node_id = known->node_id;
  lost.seen.volume_uid = known->volume_uid;
  lost.kind = known->volume_uid.empty()              ? Kind::kUnrecorded
              : known->volume_uid == node.volume_uid ? Kind::kSameVolume
                                                     : Kind::kEmptied;
  return lost;
}

std::optional<LostVolume> LookAtSilent(const NodeView& node, const KnownNode* known, const admin::Topology* ring,
                                       const Observed& observed) {
  const bool away = node.machine.state == MachineView::State::kAway || node.machine.state == MachineView::State::kGone;
  if (!away || known == nullptr || known->node_id.empty() || !StillHoldsPlace(ring, known->node_id)) {
    return std::nullopt;
  }
  if (known->volume_uid.empty() || known->volume_uid != node.volume_uid) return std::nullopt;
  if (StandsSomewhere(observed, known->node_id)) return std::nullopt;
  LostVolume lost;
  lost.kind = node.machine.state == MachineView::State::kGone ? Kind::kMachineGone : Kind::kMachineAway;
  lost.seen.node = node.name;
  lost.seen.node_id = known->node_id;
  lost.seen.volume_uid = known->volume_uid;
  lost.seen.machine = node.machine.name;
  if (node.machine.away_since != 0) lost.seen.since = kube::Time(node.machine.away_since);
  return lost;
}

}  // namespace

std::vector<LostVolume> FindLostVolumes(const ClusterStatus& status, const Observed& observed) {
  const admin::Topology* ring = observed.NewestRing();
  std::vector<LostVolume> out;
  for (const NodeView* node : observed.ExpectedNodes()) {
    const KnownNode* known = status.FindNode(node->name);
    auto lost = node->identity ? LookAtEmpty(*node, known, ring, observed) : LookAtSilent(*node, known, ring, observed);
    if (lost) out.push_back(std::move(*lost));
  }
  std::ranges::sort(out, {}, [](const LostVolume& lost) { return std::pair(lost.kind, lost.seen.node); });
  return out;
}

}  // namespace dynamo::op
