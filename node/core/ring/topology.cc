#include "node/core/ring/topology.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "node/core/ring/placement.h"

namespace dynamo {
namespace {

bool LeftForGood(MemberState state) {
  return state == MemberState::kLeft || state == MemberState::kReplaced || state == MemberState::kLost;
}

Status CheckMembers(const std::vector<Member>& members) {
  if (members.empty()) return Fail(Errc::kInvalidArgument, "a cluster needs at least one member");
  std::set<NodeId> ids;
  std::set<std::string_view> names;
  for (const Member& member : members) {
    if (member.name.empty())
      return Fail(Errc::kInvalidArgument, fmt::format("member {} has no name", ToString(member.id)));
    if (!member.id) return Fail(Errc::kInvalidArgument, fmt::format("member {} has no id", member.name));
    if (!ids.insert(member.id).second) {
      return Fail(Errc::kInvalidArgument, fmt::format("the id {} is given to two members", ToString(member.id)));
    }
    if (!names.insert(member.name).second) {
      return Fail(Errc::kInvalidArgument, fmt::format("the name {} is given to two members", member.name));
    }
    if (member.capacity == 0) {
      return Fail(Errc::kInvalidArgument, fmt::format("member {} has capacity 0: want at least 1", member.name));
    }
    if (member.state != MemberState::kNormal) {
      return Fail(Errc::kInvalidArgument,
                  fmt::format("member {} joins or leaves: a cluster is created whole", member.name));
    }
  }
  return {};
}

Status CheckSpec(const ClusterSpec& spec) {
  if (!spec.cluster) return Fail(Errc::kInvalidArgument, "a new cluster needs an id");
  if (spec.context_secret.empty())
    return Fail(Errc::kInvalidArgument, "a new cluster needs a secret to sign contexts with");
  if (spec.n_val == 0) return Fail(Errc::kInvalidArgument, "N must be at least 1");
  if (!IsValidPartitionCount(spec.partitions)) {
    return Fail(Errc::kInvalidArgument, fmt::format("{} partitions: want a power of two from {} to {}", spec.partitions,
                                                    kPartitionsMin, kPartitionsMax));
  }
  if (spec.partitions < spec.members.size()) {
    return Fail(Errc::kInvalidArgument, fmt::format("{} partitions are too few for {} members: each needs one",
                                                    spec.partitions, spec.members.size()));
  }
  return CheckMembers(spec.members);
}

std::map<std::string, BucketType> FirstTypes(uint32_t n_val) {
  const BucketType siblings{.policy = ConflictPolicy::kSiblings, .n_val = n_val};
  const BucketType lww{.policy = ConflictPolicy::kLastWriterWins, .n_val = n_val};
  return {{"default", lww}, {"siblings", siblings}, {"lww", lww}};
}

}  // namespace

const Member* Topology::Find(NodeId id) const {
  const auto found = std::lower_bound(members.begin(), members.end(), id,
                                      [](const Member& member, NodeId wanted) { return member.id < wanted; });
  return found != members.end() && found->id == id ? &*found : nullptr;
}

const Member* Topology::FindByName(std::string_view name) const {
  const Member* gone = nullptr;
  for (const Member& member : members) {
    if (member.name != name) continue;
    if (!LeftForGood(member.state)) return &member;
    gone = &member;
  }
  return gone;
}

MemberStanding Topology::StandingOf(NodeId id) const {
  const Member* member = Find(id);
  if (member == nullptr) return MemberStanding::kStranger;
  return LeftForGood(member->state) ? MemberStanding::kRemoved : MemberStanding::kMember;
}

uint32_t Topology::LargestN() const {
  uint32_t n_val = 1;
  for (const auto& [name, type] : types) n_val = std::max(n_val, type.n_val);
  return n_val;
}

std::vector<uint32_t> PartitionsWithOtherOwners(const Topology& before, const Topology& after) {
  // Which map gives the owners changes with each partition; the maps are few.
  const std::array<bool, 4> same = {before.current == after.current, before.current == after.pending,
                                    before.pending == after.current, before.pending == after.pending};
  std::vector<uint32_t> others;
  for (uint32_t partition = 0; partition < after.partitions; ++partition) {
    const size_t which = (before.HasMoved(partition) ? 2 : 0) + (after.HasMoved(partition) ? 1 : 0);
    if (!same[which]) others.push_back(partition);
  }
  return others;
}

Result<Topology> CreateTopology(const ClusterSpec& spec) {
  if (Status ok = CheckSpec(spec); !ok) return Fail(ok.error());
  Result<Placement> placement = PlaceTokens(spec.members, spec.partitions, spec.n_val, TokenMap());
  if (!placement) return Fail(placement.error());

  Topology topology;
  topology.cluster = spec.cluster;
  topology.version = {.generation = 1, .epoch = 1};
  topology.partitions = spec.partitions;
  topology.ring_seed = spec.ring_seed;
  topology.voters = ChooseVoters(spec.members);
  topology.members = spec.members;
  std::sort(topology.members.begin(), topology.members.end(),
            [](const Member& a, const Member& b) { return a.id < b.id; });
  topology.current = std::move(placement->map);
  topology.context_keys = {{.id = 1, .secret = spec.context_secret, .signs = true}};
  topology.types = FirstTypes(spec.n_val);
  return topology;
}

std::vector<NodeId> ChooseVoters(const std::vector<Member>& members) {
  // The k-th member of every zone comes before the k+1-th of any.
  std::map<std::string_view, std::set<NodeId>> zones;
  size_t eligible = 0;
  for (const Member& member : members) {
    if (member.state == MemberState::kNormal) eligible += zones[member.zone].insert(member.id).second ? 1 : 0;
  }
  if (eligible == 0) return {};
  const size_t wanted = std::min(kVotersMax, eligible - (eligible % 2 == 0 ? 1 : 0));
  std::vector<NodeId> voters;
  while (voters.size() < wanted) {
    for (auto& [zone, ids] : zones) {
      if (ids.empty() || voters.size() == wanted) continue;
      voters.push_back(*ids.begin());
      ids.erase(ids.begin());
    }
  }
  std::sort(voters.begin(), voters.end());
  return voters;
}

Hash128 HashOf(const Topology& topology) { return HashOf(EncodeTopology(topology)); }

}  // namespace dynamo
