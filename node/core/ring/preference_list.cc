#include "node/core/ring/preference_list.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include "common/base/check.h"

namespace dynamo {
namespace {

bool MayStandIn(MemberState state) {
  return state == MemberState::kNormal || state == MemberState::kJoining || state == MemberState::kLeaving;
}

// A topology made ready for walking: nodes and zones are small numbers.
class RingWalker {
 public:
  explicit RingWalker(const Topology& topology);

  // Calls visit(partition, member index, role) for each step.
  template <class Visit>
  void Walk(PartitionId first, uint32_t n_val, Visit&& visit) const;

 private:
  std::vector<size_t> owner_of_;   // Partition -> index in topology.members.
  std::vector<size_t> zone_of_;    // Member index -> zone number.
  std::vector<size_t> tokenless_;  // Members that may stand in and hold no token.
  size_t holders_ = 0;             // Members that hold tokens,
  size_t zones_ = 0;               // and their zones.
};

RingWalker::RingWalker(const Topology& topology) {
  const std::vector<Member>& members = topology.members;
  std::map<std::string_view, size_t> zone_numbers;
  for (const Member& member : members)
    zone_of_.push_back(zone_numbers.try_emplace(member.zone, zone_numbers.size()).first->second);

  std::vector<bool> holds(members.size());
  std::set<size_t> holder_zones;
  for (NodeId owner : topology.current.owners()) {
    const Member* member = topology.Find(owner);
    DYNAMO_CHECK(member != nullptr);
    const size_t index = static_cast<size_t>(member - members.data());
    owner_of_.push_back(index);
    if (holds[index]) continue;
    holds[index] = true;
    ++holders_;
    holder_zones.insert(zone_of_[index]);
  }
  zones_ = holder_zones.size();
  for (size_t index = 0; index < members.size(); ++index) {
    if (!holds[index] && MayStandIn(members[index].state)) tokenless_.push_back(index);
  }
}

template <class Visit>
void RingWalker::Walk(PartitionId first, uint32_t n_val, Visit&& visit) const {
  using Role = WalkStep::Role;
  const PartitionId partitions = static_cast<PartitionId>(owner_of_.size());
  DYNAMO_CHECK(first < partitions);
  const size_t owners_wanted = std::min<size_t>(n_val, holders_);
  const size_t zones_wanted = std::min(owners_wanted, zones_);
  std::vector<bool> node_seen(zone_of_.size());
  std::vector<bool> zone_seen(zone_of_.size());
  std::vector<std::pair<PartitionId, size_t>> passed_over;
  size_t nodes_met = 0;
  size_t zones_met = 0;
  size_t taken = 0;
  const auto take = [&](PartitionId partition, size_t node) {
    visit(partition, node, taken++ < owners_wanted ? Role::kOwner : Role::kFallback);
  };
  for (PartitionId partition = first; nodes_met < holders_; partition = (partition + 1) % partitions) {
    const size_t node = owner_of_[partition];
    if (node_seen[node]) {
      visit(partition, node, Role::kSkippedSameNode);
      continue;
    }
    node_seen[node] = true;
    ++nodes_met;
    if (zones_met < zones_wanted) {
      if (zone_seen[zone_of_[node]]) {
        visit(partition, node, Role::kSkippedSameZone);
        passed_over.emplace_back(partition, node);
        continue;
      }
      zone_seen[zone_of_[node]] = true;
      ++zones_met;
    }
    take(partition, node);
    if (zones_met < zones_wanted) continue;
    for (const auto& [met_at, waiting] : passed_over) take(met_at, waiting);
    passed_over.clear();
  }
  for (size_t node : tokenless_) take(partitions, node);
}

PreferenceList ListOf(const RingWalker& walker, const Topology& topology, PartitionId partition, uint32_t n_val) {
  PreferenceList list;
  walker.Walk(partition, n_val, [&](PartitionId, size_t node, WalkStep::Role role) {
    if (role == WalkStep::Role::kOwner) list.owners.push_back(topology.members[node].id);
    if (role == WalkStep::Role::kFallback) list.fallbacks.push_back(topology.members[node].id);
  });
  return list;
}

}  // namespace

bool PreferenceList::Owns(NodeId node) const { return std::find(owners.begin(), owners.end(), node) != owners.end(); }

PreferenceList WalkRing(const Topology& topology, PartitionId partition, uint32_t n_val) {
  return ListOf(RingWalker(topology), topology, partition, n_val);
}

std::vector<WalkStep> ExplainWalk(const Topology& topology, PartitionId partition, uint32_t n_val) {
  std::vector<WalkStep> steps;
  RingWalker(topology).Walk(partition, n_val, [&](PartitionId at, size_t node, WalkStep::Role role) {
    const Member& member = topology.members[node];
    steps.push_back({at, member.id, member.zone, role});
  });
  return steps;
}

PreferenceLists::PreferenceLists(std::shared_ptr<const Topology> topology) : topology_(std::move(topology)) {}

const PreferenceList& PreferenceLists::For(PartitionId partition, uint32_t n_val) {
  std::vector<PreferenceList>& lists = by_n_[n_val];
  if (lists.empty()) {
    const RingWalker walker(*topology_);
    for (PartitionId each = 0; each < topology_->current.partitions(); ++each) {
      lists.push_back(ListOf(walker, *topology_, each, n_val));
    }
  }
  DYNAMO_CHECK(partition < lists.size());
  return lists[partition];
}

}  // namespace dynamo
