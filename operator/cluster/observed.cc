#include "operator/cluster/observed.h"

#include <algorithm>

namespace dynamo::op {
namespace {

bool IsGone(const admin::Member& member) {
  return member.state == "left" || member.state == "replaced" || member.state == "lost";
}

}  // namespace

const NodeView* Observed::FindNode(const std::string& name) const {
  const auto found = std::ranges::find(nodes, name, &NodeView::name);
  return found == nodes.end() ? nullptr : &*found;
}

std::vector<const NodeView*> Observed::ExpectedNodes() const {
  std::vector<const NodeView*> out;
  for (const NodeView& node : nodes) {
    if (node.expected) out.push_back(&node);
  }
  return out;
}

const RackView* Observed::FindRack(const std::string& name) const {
  const auto found = std::ranges::find(racks, name, &RackView::name);
  return found == racks.end() ? nullptr : &*found;
}

int Observed::Replicas() const {
  int sum = 0;
  for (const RackView& rack : racks) sum += rack.replicas.value_or(0);
  return sum;
}

const admin::Topology* Observed::NewestRing() const {
  const admin::Topology* newest = nullptr;
  for (const NodeView& node : nodes) {
    if (!node.topology) continue;
    const auto version = [](const admin::Topology& topology) { return std::pair(topology.generation, topology.epoch); };
    if (newest == nullptr || version(*node.topology) > version(*newest)) newest = &*node.topology;
  }
  return newest;
}

const admin::Topology* Observed::AgreedRing(bool everyone) const {
  const admin::Topology* newest = NewestRing();
  if (newest == nullptr) return nullptr;
  size_t present = 0, agree = 0;
  for (const admin::Member& member : newest->members) {
    if (IsGone(member)) continue;
    ++present;
    agree += std::ranges::any_of(nodes, [&](const NodeView& node) {
      return node.identity && node.identity->node_id == member.id && node.topology &&
             node.topology->hash == newest->hash && node.topology->epoch == newest->epoch;
    });
  }
  const bool enough = everyone ? agree == present : agree * 2 > present;
  return enough && present > 0 ? newest : nullptr;
}

const NodeView* Observed::WhomToAsk(const std::string& about) const {
  for (const NodeView& node : nodes) {
    const admin::Member* member =
        node.topology && node.identity ? FindMember(*node.topology, node.identity->node_id) : nullptr;
    if (member != nullptr && member->state == "normal" && member->id != about && node.pod_ready) return &node;
  }
  return nullptr;
}

const admin::Member* FindMember(const admin::Topology& topology, const std::string& node_id) {
  const auto found = std::ranges::find(topology.members, node_id, &admin::Member::id);
  return found == topology.members.end() ? nullptr : &*found;
}

bool HoldsPlace(const admin::Member& member) { return member.state != "left" && member.state != "replaced"; }

bool AllNormal(const admin::Topology& topology) {
  if (!topology.change.empty() || !topology.pending_owners.empty()) return false;
  return std::ranges::all_of(topology.members,
                             [](const admin::Member& member) { return member.state == "normal" || IsGone(member); });
}

}  // namespace dynamo::op
