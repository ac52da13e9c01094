#include "node/core/ring/topology_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "common/base/hash.h"
#include "node/core/ring/member_change.h"
#include "node/core/ring/placement.h"
#include "node/core/ring/preference_list.h"

namespace dynamo {
namespace {

Status CheckNames(const Topology& topology, const StagedChanges& staged) {
  std::set<std::string> named;
  const auto once = [&named](const std::string& name) -> Status {
    if (name.empty()) return Fail(Errc::kInvalidArgument, "plan: a member without a name");
    if (!named.insert(name).second) return Fail(Errc::kInvalidArgument, fmt::format("plan: {} is named twice", name));
    return {};
  };
  const auto takes_part = [&topology](const std::string& name) {
    const Member* member = topology.FindByName(name);
    return member != nullptr && TakesTokens(*member);
  };
  for (const Member& joining : staged.join) {
    if (Status fit = once(joining.name); !fit) return fit;
    if (takes_part(joining.name)) {
      return Fail(Errc::kInvalidArgument, fmt::format("plan: {} is a member already", joining.name));
    }
    if (joining.capacity == 0) {
      return Fail(Errc::kInvalidArgument, fmt::format("plan: {} joins with capacity 0", joining.name));
    }
  }
  std::vector<std::string> present = staged.leave;
  for (const auto& [name, capacity] : staged.capacity) {
    if (capacity == 0) return Fail(Errc::kInvalidArgument, fmt::format("plan: capacity 0 for {}", name));
    present.push_back(name);
  }
  for (const std::string& name : present) {
    if (Status fit = once(name); !fit) return fit;
    if (!takes_part(name)) return Fail(Errc::kInvalidArgument, fmt::format("plan: there is no member {}", name));
  }
  return {};
}

NodeId MadeUpId(const Topology& topology, const std::string& name) {
  uint64_t id = HashOf(name).low | 1;
  while (topology.Find(NodeId{id}) != nullptr) id += 2;
  return NodeId{id};
}

std::vector<Member> MembersAfter(const Topology& topology, const StagedChanges& staged) {
  std::vector<Member> members = topology.members;
  for (Member& member : members) {
    if (!TakesTokens(member)) continue;
    if (std::ranges::find(staged.leave, member.name) != staged.leave.end()) member.state = MemberState::kLeft;
    const auto capacity = staged.capacity.find(member.name);
    if (capacity != staged.capacity.end()) member.capacity = capacity->second;
  }
  for (Member joining : staged.join) {
    joining.state = MemberState::kNormal;
    if (!joining.id) joining.id = MadeUpId(topology, joining.name);
    members.push_back(std::move(joining));
  }
  std::ranges::sort(members, {}, &Member::id);
  return members;
}

uint32_t ReplicasToCopy(const Topology& before, const Topology& after, uint32_t n_val) {
  uint32_t copies = 0;
  for (PartitionId partition = 0; partition < before.partitions; ++partition) {
    const PreferenceList old = WalkRing(before, partition, n_val);
    for (NodeId owner : WalkRing(after, partition, n_val).owners) copies += old.Owns(owner) ? 0 : 1;
  }
  return copies;
}

PlannedMember Describe(const Member& member, const Topology& before, const Topology& after, const IdealShares& ideal) {
  PlannedMember planned;
  planned.id = member.id;
  planned.name = member.name;
  planned.zone = member.zone;
  planned.capacity = member.capacity;
  planned.tokens_before = before.current.TokensOf(member.id);
  planned.tokens_after = after.current.TokensOf(member.id);
  const auto share = ideal.tokens.find(member.id);
  planned.ideal_after = share == ideal.tokens.end() ? 0 : share->second;
  const Member* was = before.Find(member.id);
  if (was == nullptr) {
    planned.change = PlannedMember::Change::kJoins;
  } else if (!TakesTokens(member)) {
    planned.change = PlannedMember::Change::kLeaves;
  } else if (was->capacity != member.capacity) {
    planned.change = PlannedMember::Change::kCapacity;
  }
  return planned;
}

void AddMembers(const Topology& before, const Topology& after, TopologyPlan* plan) {
  std::vector<Member> taking;
  std::ranges::copy_if(after.members, std::back_inserter(taking), TakesTokens);
  const IdealShares ideal = ComputeIdealShares(taking, after.partitions, plan->n_val);
  for (const Member& member : after.members) {
    const Member* was = before.Find(member.id);
    const bool gone_before = was != nullptr && !TakesTokens(*was);
    if (gone_before) continue;
    plan->members.push_back(Describe(member, before, after, ideal));
    const PlannedMember& planned = plan->members.back();
    plan->zones[member.zone].before += planned.tokens_before;
    plan->zones[member.zone].after += planned.tokens_after;
  }
  std::ranges::sort(plan->members, {}, &PlannedMember::name);
}

}  // namespace

Result<TopologyPlan> PlanChange(const Topology& topology, const StagedChanges& staged) {
  if (staged.empty()) return Fail(Errc::kInvalidArgument, "plan: name who joins, leaves or changes its capacity");
  if (topology.change_since != 0) {
    return Fail(Errc::kConflict, "plan: " + NameOfChange(topology) + " is under way: wait for it, or cancel it");
  }
  if (Status named = CheckNames(topology, staged); !named) return Fail(std::move(named.error()));
  Topology after = topology;
  after.members = MembersAfter(topology, staged);
  if (std::ranges::none_of(after.members, TakesTokens)) {
    return Fail(Errc::kInvalidArgument, "plan: nobody would be left");
  }
  TopologyPlan plan;
  plan.before = topology.version;
  plan.after = {topology.version.generation, topology.version.epoch + 1};
  plan.partitions = topology.partitions;
  plan.n_val = topology.LargestN();
  auto placement = PlaceTokens(after.members, topology.partitions, plan.n_val, topology.current);
  if (!placement) return Fail(std::move(placement.error()));
  after.current = std::move(placement->map);
  plan.unsatisfied = std::move(placement->unsatisfied);
  for (PartitionId partition = 0; partition < topology.partitions; ++partition) {
    const NodeId from = topology.current.owner(partition), to = after.current.owner(partition);
    if (from != to) plan.moves.push_back({partition, from, to});
  }
  plan.replicas_to_copy = ReplicasToCopy(topology, after, plan.n_val);
  AddMembers(topology, after, &plan);
  return plan;
}

}  // namespace dynamo
