#include "node/core/ring/member_change.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <set>
#include <utility>

#include "common/base/hash.h"
#include "node/core/ring/placement.h"
#include "node/core/ring/preference_list.h"

namespace dynamo {
namespace {

Member* FindIn(Topology& topology, NodeId id) {
  const auto found = std::ranges::lower_bound(topology.members, id, {}, &Member::id);
  return found != topology.members.end() && found->id == id ? &*found : nullptr;
}

bool IsGone(const Topology& topology, const Member& member) {
  return topology.StandingOf(member.id) == MemberStanding::kRemoved;
}

Status CheckIdle(const Topology& topology) {
  if (topology.change_since == 0) return {};
  return Fail(Errc::kConflict, NameOfChange(topology) + " is under way: wait for it, or cancel it");
}

Status CheckNewcomer(const Topology& topology, const Member& joining) {
  const auto invalid = [](std::string why) -> Status { return Fail(Errc::kInvalidArgument, std::move(why)); };
  if (!joining.id || joining.name.empty()) return invalid("who joins needs a node id and a name");
  const std::string who = fmt::format("node {} ({})", ToString(joining.id), joining.name);
  if (joining.capacity == 0) return invalid(who + " has capacity 0: want at least 1");
  if (const Member* known = topology.Find(joining.id)) {
    if (!IsGone(topology, *known)) return Fail(Errc::kAlreadyExists, who + " is a member already");
    return invalid(who + " left for good or was replaced: empty its volume to start it as a new node");
  }
  const Member* namesake = topology.FindByName(joining.name);
  if (namesake != nullptr && !IsGone(topology, *namesake)) {
    return invalid(fmt::format("the name {} is node {}'s: replace that one, or let it leave", joining.name,
                               ToString(namesake->id)));
  }
  return {};
}

void AddMember(Topology& next, Member member) {
  member.state = MemberState::kJoining;
  const auto place = std::ranges::lower_bound(next.members, member.id, {}, &Member::id);
  next.members.insert(place, std::move(member));
}

// A normal member, or why there is none.
Result<Member*> FindNormal(Topology& next, NodeId id) {
  Member* member = FindIn(next, id);
  if (member == nullptr) return Fail(Errc::kInvalidArgument, "node " + ToString(id) + " is no member");
  if (member->state != MemberState::kNormal) {
    return Fail(Errc::kInvalidArgument, "node " + ToString(id) + " has left, or was replaced");
  }
  return member;
}

Status Stage(Topology& next, const ChangeMembers& change) {
  std::set<NodeId> named;
  const auto once = [&named](NodeId id) -> Status {
    if (named.insert(id).second) return {};
    return Fail(Errc::kInvalidArgument, "node " + ToString(id) + " is named twice");
  };
  for (const Member& joining : change.join) {
    if (Status fit = CheckNewcomer(next, joining); !fit) return fit;
    if (Status first = once(joining.id); !first) return first;
    AddMember(next, joining);
  }
  for (NodeId id : change.leave) {
    const auto member = FindNormal(next, id);
    if (!member) return Fail(member.error());
    if (Status first = once(id); !first) return first;
    (*member)->state = MemberState::kLeaving;
  }
  for (const auto& [id, capacity] : change.capacity) {
    const auto member = FindNormal(next, id);
    if (!member) return Fail(member.error());
    if (Status first = once(id); !first) return first;
    if (capacity == 0) return Fail(Errc::kInvalidArgument, "capacity 0 for node " + ToString(id));
    (*member)->capacity = capacity;
  }
  return {};
}

// Of those who stay; where all leave or join, of those who were.
void RechooseVoters(Topology& next) {
  std::vector<NodeId> voters = ChooseVoters(next.members);
  if (!voters.empty()) next.voters = std::move(voters);
}

// Per partition whether its owners are the same ones in both maps, for every N: then
// there is nothing to take over.
std::vector<bool> OwnersStay(const Topology& topology) {
  const auto over = [&topology](const TokenMap& map) {
    auto alone = std::make_shared<Topology>(topology);
    alone->current = map;
    alone->pending = TokenMap();
    alone->moved.clear();
    return PreferenceLists(std::move(alone));
  };
  PreferenceLists now = over(topology.current), target = over(topology.pending);
  std::vector<bool> stay(topology.partitions, true);
  for (const auto& [name, type] : topology.types) {
    for (PartitionId partition = 0; partition < topology.partitions; ++partition) {
      const std::vector<NodeId>& before = now.For(partition, type.n_val).owners;
      const PreferenceList& after = target.For(partition, type.n_val);
      const bool same = before.size() == after.owners.size() &&
                        std::ranges::all_of(before, [&](NodeId owner) { return after.Owns(owner); });
      if (!same) stay[partition] = false;
    }
  }
  return stay;
}

// `next` is not yet of its new epoch, and its maps are those of the change; `moved`:
// what has moved already.
void Begin(Topology& next, std::vector<bool> moved) {
  next.change_since = next.version.epoch + 1;
  next.moved = OwnersStay(next);
  for (PartitionId partition = 0; partition < next.partitions; ++partition) {
    if (moved[partition]) next.moved[partition] = true;
  }
  RechooseVoters(next);
  EndChangeIfDone(next);
}

void Begin(Topology& next, TokenMap target) {
  next.pending = std::move(target);
  Begin(next, std::vector<bool>(next.partitions, false));
}

TokenMap Substituted(const TokenMap& map, NodeId lost, NodeId with) {
  std::vector<NodeId> owners = map.owners();
  std::ranges::replace(owners, lost, with);
  return TokenMap(std::move(owners));
}

class Words {
 public:
  explicit Words(std::string_view kind) { out_.String(kind); }
  Words& Node(NodeId id) {
    out_.U64(id.value);
    return *this;
  }
  Words& Number(uint64_t number) {
    out_.Varint(number);
    return *this;
  }
  Words& Newcomer(const Member& member) {
    out_.U64(member.id.value);
    out_.String(member.name);
    out_.String(member.zone);
    out_.Varint(member.capacity);
    return *this;
  }
  uint64_t Fingerprint() const { return Checksum64(bytes_); }

 private:
  Bytes bytes_;
  ByteWriter out_{&bytes_};
};

}  // namespace

void EndChangeIfDone(Topology& next) {
  if (std::ranges::find(next.moved, false) == next.moved.end()) {
    if (!next.pending.empty()) next.current = std::exchange(next.pending, TokenMap());
    next.moved.clear();
    for (Member& member : next.members) {
      if (member.state == MemberState::kJoining) member.state = MemberState::kNormal;
      const bool taken_over = member.state == MemberState::kLost && next.current.TokensOf(member.id) == 0;
      if (taken_over) member.state = MemberState::kReplaced;
    }
    RechooseVoters(next);
  }
  const bool leaving = std::ranges::count(next.members, MemberState::kLeaving, &Member::state) > 0;
  if (!next.pending.empty() || leaving) return;
  next.change_since = 0;
  next.cancelling = false;
}

Result<bool> Apply(Topology& next, const ChangeMembers& change) {
  if (Status idle = CheckIdle(next); !idle) return Fail(std::move(idle.error()));
  if (Status staged = Stage(next, change); !staged) return Fail(std::move(staged.error()));
  const auto takers = static_cast<size_t>(std::ranges::count_if(next.members, TakesTokens));
  if (takers == 0) return Fail(Errc::kInvalidArgument, "nobody would be left");
  if (takers > next.partitions) {
    return Fail(Errc::kInvalidArgument,
                fmt::format("{} partitions are too few for {} members: each needs one", next.partitions, takers));
  }
  auto placement = PlaceTokens(next.members, next.partitions, next.LargestN(), next.current);
  if (!placement) return Fail(std::move(placement.error()));
  const bool rebalance = change.join.empty() && change.leave.empty() && change.capacity.empty();
  if (rebalance && placement->map == next.current) return false;
  Begin(next, std::move(placement->map));
  return true;
}

Result<bool> Apply(Topology& next, const ReplaceMember& change) {
  // Who leaves may wait with a hint for the very member whose disk is lost.
  if (!next.pending.empty()) return Fail(std::move(CheckIdle(next).error()));
  Member* declared = FindIn(next, change.lost);
  const bool is_declared = declared != nullptr && declared->state == MemberState::kLost;
  const auto lost = is_declared ? Result<Member*>(declared) : FindNormal(next, change.lost);
  if (!lost) return Fail(lost.error());
  Member with = change.with;
  if (with.capacity == 0) with.capacity = (*lost)->capacity;
  if (with.zone.empty()) with.zone = (*lost)->zone;
  // It may bear the lost one's name.
  (*lost)->state = MemberState::kReplaced;
  if (Status fit = CheckNewcomer(next, with); !fit) return Fail(std::move(fit.error()));
  const NodeId id = with.id;
  AddMember(next, std::move(with));
  Begin(next, Substituted(next.current, change.lost, id));
  return true;
}

Result<bool> Apply(Topology& next, const CancelChange&) {
  if (next.pending.empty()) return Fail(Errc::kConflict, "nothing moves: there is no change to cancel");
  if (next.cancelling) return Fail(Errc::kConflict, NameOfChange(next) + " goes back already");
  const bool lost = std::ranges::any_of(
      next.current.owners(), [&next](NodeId owner) { return next.Find(owner)->state == MemberState::kReplaced; });
  if (lost) {
    return Fail(Errc::kConflict,
                "a replacement cannot be cancelled: the disk that it replaces is lost. Once it is done, "
                "let the new member leave");
  }
  for (TopologyOperation& operation : next.operations) {
    if (operation.epoch == next.change_since) operation.cancelled = true;
  }
  // What has moved is owned by the pending map and will go back; what has not, is
  // where it shall be. So the maps change places, and so do the bits.
  std::swap(next.current, next.pending);
  next.moved.flip();
  next.cancelling = true;
  for (Member& member : next.members) {
    if (member.state == MemberState::kJoining) {
      member.state = MemberState::kLeaving;
    } else if (member.state == MemberState::kLeaving) {
      member.state = MemberState::kNormal;
    }
  }
  Begin(next, next.moved);
  return true;
}

Result<bool> Apply(Topology& next, const TakeOver& change) {
  if (change.partitions.empty()) return Fail(Errc::kInvalidArgument, "no partition is named");
  // Over, with these partitions moved, or turned round: who asks again after its own
  // last step was decided is told so, too.
  if (next.pending.empty() || change.since != next.change_since) return false;
  bool news = false;
  for (PartitionId partition : change.partitions) {
    if (partition >= next.partitions) return Fail(Errc::kInvalidArgument, "there is no such partition");
    news = news || !next.moved[partition];
    next.moved[partition] = true;
  }
  if (news) EndChangeIfDone(next);
  return news;
}

Result<bool> Apply(Topology& next, const Depart& change) {
  Member* member = FindIn(next, change.node);
  if (member == nullptr) return Fail(Errc::kInvalidArgument, "node " + ToString(change.node) + " is no member");
  if (IsGone(next, *member)) return false;
  if (member->state != MemberState::kLeaving || !next.pending.empty()) {
    return Fail(Errc::kConflict, "node " + ToString(change.node) + " does not leave, or owns something still");
  }
  member->state = MemberState::kLeft;
  EndChangeIfDone(next);
  return true;
}

Result<bool> Apply(Topology& next, const ForgetMember& change) {
  const Member* member = next.Find(change.node);
  if (member == nullptr) return false;
  const bool owns = next.current.TokensOf(change.node) > 0 || next.pending.TokensOf(change.node) > 0;
  if (owns && !next.pending.empty()) {
    return Fail(Errc::kConflict, "what node " + ToString(change.node) + " owned is still being moved");
  }
  if (owns && IsGone(next, *member)) {
    return Fail(Errc::kConflict, "node " + ToString(change.node) +
                                     " is lost and its tokens are its own still: replace it, or rebalance");
  }
  if (member->state == MemberState::kLeaving) return Apply(next, Depart{change.node});
  if (!IsGone(next, *member)) {
    return Fail(Errc::kInvalidArgument, "node " + ToString(change.node) + " takes part: let it leave, or replace it");
  }
  if (std::ranges::find(next.voters, change.node) != next.voters.end()) {
    return Fail(Errc::kConflict, "node " + ToString(change.node) + " still has to decide who follows it");
  }
  next.members.erase(next.members.begin() + (member - next.members.data()));
  return true;
}

uint64_t FingerprintOf(const ChangeMembers& change) {
  Words words("change-members");
  words.Number(change.join.size()).Number(change.leave.size()).Number(change.capacity.size());
  for (const Member& joining : change.join) words.Newcomer(joining);
  for (NodeId id : change.leave) words.Node(id);
  for (const auto& [id, capacity] : change.capacity) words.Node(id).Number(capacity);
  return words.Fingerprint();
}

uint64_t FingerprintOf(const ReplaceMember& change) {
  return Words("replace-member").Node(change.lost).Newcomer(change.with).Fingerprint();
}

uint64_t FingerprintOf(const CancelChange&) { return Words("cancel-change").Fingerprint(); }

uint64_t FingerprintOf(const ForgetMember& change) { return Words("forget-member").Node(change.node).Fingerprint(); }

ChangeProgress ProgressOf(const Topology& topology) {
  ChangeProgress progress;
  if (topology.pending.empty()) return progress;
  const std::vector<bool> stay = OwnersStay(topology);
  for (PartitionId partition = 0; partition < topology.partitions; ++partition) {
    progress.to_move += stay[partition] ? 0 : 1;
    progress.moved += !stay[partition] && topology.moved[partition] ? 1 : 0;
  }
  return progress;
}

std::string NameOfChange(const Topology& topology) {
  if (topology.change_since == 0) return "";
  const auto made = std::ranges::find(topology.operations, topology.change_since, &TopologyOperation::epoch);
  const std::string name = made == topology.operations.end() ? "" : fmt::format("'{}' ", made->id);
  return fmt::format("the change {}of epoch {}", name, topology.change_since);
}

}  // namespace dynamo
