#include "node/core/ring/preference_list.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include "common/base/check.h"

namespace dynamo {
namespace {

// A map of a topology made ready for walking: nodes and zones are small numbers.
class RingWalker {
 public:
  RingWalker(const Topology& topology, const TokenMap& map);

  // Calls visit(partition, member index, role) for each step.
  template <class Visit>
  void Walk(PartitionId first, uint32_t n_val, Visit&& visit) const;

 private:
  std::vector<size_t> owner_of_;   // Partition -> index in topology.members.
  std::vector<size_t> zone_of_;    // Member index -> zone number.
  std::vector<bool> joining_;      // Member index -> it joins.
  std::vector<size_t> tokenless_;  // Members that may stand in and hold no token.
  size_t holders_ = 0;             // Members that hold tokens,
  size_t zones_ = 0;               // and their zones.
};

RingWalker::RingWalker(const Topology& topology, const TokenMap& map) {
  const std::vector<Member>& members = topology.members;
  std::map<std::string_view, size_t> zone_numbers;
  for (const Member& member : members) {
    zone_of_.push_back(zone_numbers.try_emplace(member.zone, zone_numbers.size()).first->second);
    joining_.push_back(member.state == MemberState::kJoining);
  }

  std::vector<bool> holds(members.size());
  std::set<size_t> holder_zones;
  for (NodeId owner : map.owners()) {
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
    if (!holds[index] && members[index].state == MemberState::kNormal) tokenless_.push_back(index);
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
    if (taken++ < owners_wanted) {
      visit(partition, node, Role::kOwner);
    } else if (!joining_[node]) {
      visit(partition, node, Role::kFallback);
    }
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

std::vector<NodeId> Without(const PreferenceList& later, const PreferenceList& now) {
  std::vector<NodeId> coming;
  for (NodeId owner : later.owners) {
    if (!now.Owns(owner)) coming.push_back(owner);
  }
  return coming;
}

}  // namespace

bool PreferenceList::Owns(NodeId node) const { return std::find(owners.begin(), owners.end(), node) != owners.end(); }

PreferenceList WalkRing(const Topology& topology, PartitionId partition, uint32_t n_val) {
  return ListOf(RingWalker(topology, topology.MapOf(partition)), topology, partition, n_val);
}

PreferenceList WalkTarget(const Topology& topology, PartitionId partition, uint32_t n_val) {
  const TokenMap& map = topology.pending.empty() ? topology.current : topology.pending;
  return ListOf(RingWalker(topology, map), topology, partition, n_val);
}

std::vector<NodeId> PendingOwners(const Topology& topology, PartitionId partition, uint32_t n_val) {
  return Without(WalkTarget(topology, partition, n_val), WalkRing(topology, partition, n_val));
}

std::vector<WalkStep> ExplainWalk(const Topology& topology, PartitionId partition, uint32_t n_val) {
  std::vector<WalkStep> steps;
  const RingWalker walker(topology, topology.MapOf(partition));
  walker.Walk(partition, n_val, [&](PartitionId at, size_t node, WalkStep::Role role) {
    const Member& member = topology.members[node];
    steps.push_back({at, member.id, member.zone, role});
  });
  return steps;
}

PreferenceLists::PreferenceLists(std::shared_ptr<const Topology> topology) : topology_(std::move(topology)) {}

const PreferenceLists::Lists& PreferenceLists::ListsFor(uint32_t n_val) {
  Lists& lists = by_n_[n_val];
  if (!lists.now.empty()) return lists;
  const RingWalker current(*topology_, topology_->current);
  for (PartitionId each = 0; each < topology_->partitions; ++each) {
    lists.now.push_back(ListOf(current, *topology_, each, n_val));
  }
  if (topology_->pending.empty()) return lists;
  const RingWalker target(*topology_, topology_->pending);
  lists.pending.resize(topology_->partitions);
  for (PartitionId each = 0; each < topology_->partitions; ++each) {
    PreferenceList list = ListOf(target, *topology_, each, n_val);
    if (topology_->moved[each]) {
      lists.now[each] = std::move(list);
    } else {
      lists.pending[each] = Without(list, lists.now[each]);
    }
  }
  return lists;
}

const PreferenceList& PreferenceLists::For(PartitionId partition, uint32_t n_val) {
  const Lists& lists = ListsFor(n_val);
  DYNAMO_CHECK(partition < lists.now.size());
  return lists.now[partition];
}

const std::vector<NodeId>& PreferenceLists::PendingFor(PartitionId partition, uint32_t n_val) {
  const Lists& lists = ListsFor(n_val);
  if (lists.pending.empty()) return none_;
  DYNAMO_CHECK(partition < lists.pending.size());
  return lists.pending[partition];
}

}  // namespace dynamo
