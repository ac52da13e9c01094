#include "node/api/admin_member_changes.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "node/api/admin_loss.h"
#include "node/core/ring/safety.h"

namespace dynamo {
namespace {

using Staged = admin::MemberOperation::Staged;

constexpr std::array<std::string_view, 9> kMemberOperations{
    "join", "leave", "cancel", "cancel-leave", "replace", "capacity", "rebalance", "forget", "change"};

// A node that is no member and has been heard of.
Result<Member> FindNewcomer(const Staged& staged, const KnownNodes& known) {
  const auto id = ParseNodeId(staged.node_id);
  std::vector<const NodeInfo*> found;
  for (const NodeInfo& node : known.nodes) {
    const bool named = id ? node.id == *id : node.name == staged.node_id;
    if (named && (id || known.topology->Find(node.id) == nullptr)) found.push_back(&node);
  }
  if (found.size() > 1) {
    return Fail(Errc::kInvalidArgument,
                fmt::format("{} nodes are called '{}': say which by its id", found.size(), staged.node_id));
  }
  if (found.empty()) {
    return Fail(Errc::kInvalidArgument,
                fmt::format("no node '{}' has been heard of that could join: start it, empty, with seeds of this "
                            "cluster",
                            staged.node_id));
  }
  Member member;
  member.id = found[0]->id;
  member.name = found[0]->name;
  member.zone = staged.zone.empty() ? found[0]->zone : staged.zone;
  member.capacity = staged.capacity == 0 ? found[0]->capacity : staged.capacity;
  return member;
}

Result<ChangeMembers> Resolve(const std::vector<Staged>& join, const std::vector<std::string>& leave,
                              const std::vector<Staged>& capacities, const KnownNodes& known) {
  ChangeMembers change;
  for (const Staged& staged : join) {
    auto newcomer = FindNewcomer(staged, known);
    if (!newcomer) return Fail(std::move(newcomer.error()));
    change.join.push_back(std::move(*newcomer));
  }
  for (const std::string& text : leave) {
    const auto member = FindMember(text, known);
    if (!member) return Fail(member.error());
    change.leave.push_back(*member);
  }
  for (const Staged& staged : capacities) {
    const auto member = FindMember(staged.node_id, known);
    if (!member) return Fail(member.error());
    change.capacity[*member] = staged.capacity;
  }
  return change;
}

Result<ReplaceMember> ResolveReplacement(const admin::MemberOperation& operation, const KnownNodes& known) {
  const auto lost = FindMember(operation.old_id, known);
  if (!lost) return Fail(lost.error());
  const auto info = std::ranges::find(known.nodes, *lost, &NodeInfo::id);
  if (info != known.nodes.end() && info->liveness == Liveness::kAlive) {
    return Fail(Errc::kConflict,
                fmt::format("member '{}' is alive: its disk is not lost. Let it leave instead", operation.old_id));
  }
  auto with = FindNewcomer({operation.node_id, operation.zone, operation.capacity}, known);
  if (!with) return Fail(std::move(with.error()));
  // The place of the lost one, unless another is asked for.
  if (operation.zone.empty()) with->zone.clear();
  if (operation.capacity == 0) with->capacity = 0;
  return ReplaceMember{*lost, std::move(*with)};
}

template <class What>
Status Put(Result<What> what, TopologyChange* change) {
  if (!what) return Fail(std::move(what.error()));
  change->what = std::move(*what);
  return {};
}

Status ResolveInto(const admin::MemberOperation& operation, const std::string& type, const KnownNodes& known,
                   TopologyChange* change) {
  const Staged one{operation.node_id, operation.zone, operation.capacity};
  if (type == "join") return Put(Resolve({one}, {}, {}, known), change);
  if (type == "leave") return Put(Resolve({}, {operation.node_id}, {}, known), change);
  if (type == "capacity") return Put(Resolve({}, {}, {one}, known), change);
  if (type == "rebalance") return Put(Result<ChangeMembers>(ChangeMembers{}), change);
  if (type == "change") return Put(Resolve(operation.join, operation.leave, operation.capacities, known), change);
  if (type == "cancel" || type == "cancel-leave") return Put(Result<CancelChange>(CancelChange{}), change);
  if (type == "replace") return Put(ResolveReplacement(operation, known), change);
  const auto member = FindMember(operation.node_id, known);
  if (!member) return Fail(member.error());
  return Put(Result<ForgetMember>(ForgetMember{*member}), change);
}

std::string MemberName(const Topology& topology, NodeId id) {
  const Member* member = topology.Find(id);
  return member != nullptr ? member->name : ToString(id);
}

void CountKept(const Topology& topology, const std::vector<MemberReport>& reports, admin::Safety* out) {
  for (const Member& member : topology.members) {
    if (topology.StandingOf(member.id) != MemberStanding::kMember) continue;
    const auto report = std::ranges::find(reports, member.id, &MemberReport::node);
    // Also who has become one since the others were asked.
    if (report == reports.end() || !report->answered) {
      out->unanswered.push_back(member.name);
      continue;
    }
    admin::Safety::Keeper keeper{ToString(member.id), member.name};
    for (const HintCount& count : report->hints) {
      keeper.hints += count.hints;
      keeper.bytes += count.bytes;
    }
    out->hints += keeper.hints;
    if (keeper.hints > 0) out->keepers.push_back(std::move(keeper));
  }
}

// What is known to be unsafe is so whatever else is not known.
void Judge(NodeId without, admin::Safety* out) {
  out->verdict = "unsafe";
  for (const admin::Safety::Partition& partition : out->partitions) {
    const uint32_t majority = partition.owners / 2 + 1;
    if (partition.ready_without >= majority) continue;
    out->why = fmt::format("partition {} with N={} would have {} owners that serve, and a majority of {} is {}",
                           partition.partition, partition.n_val, partition.ready_without, partition.owners, majority);
    return;
  }
  const auto keeper = std::ranges::find(out->keepers, ToString(without), &admin::Safety::Keeper::node_id);
  if (keeper != out->keepers.end()) {
    out->why = fmt::format("{} keeps {} hints, which may be the only ones of their writes: they are delivered first",
                           keeper->name, keeper->hints);
    return;
  }
  out->verdict = out->unanswered.empty() ? "safe" : "unknown";
  if (out->unanswered.empty()) return;
  out->why = fmt::format("{} did not say what hints they keep", fmt::join(out->unanswered, ", "));
}

std::string NameOf(PlannedMember::Change change) {
  switch (change) {
    case PlannedMember::Change::kStays: return "stays";
    case PlannedMember::Change::kJoins: return "joins";
    case PlannedMember::Change::kLeaves: return "leaves";
    case PlannedMember::Change::kCapacity: return "capacity";
  }
  return "unknown";
}

}  // namespace

Result<NodeId> FindMember(const std::string& text, const KnownNodes& known) {
  if (text.empty()) return Fail(Errc::kInvalidArgument, "\"nodeID\" is missing: want a member's id or name");
  const auto id = ParseNodeId(text);
  if (id && known.topology->Find(*id) != nullptr) return *id;
  const Member* member = known.topology->FindByName(text);
  if (member != nullptr) return member->id;
  return Fail(Errc::kInvalidArgument, fmt::format("there is no member '{}'", text));
}

bool IsMemberOperation(std::string_view type) {
  return std::ranges::find(kMemberOperations, type) != kMemberOperations.end();
}

Result<TopologyChange> FromAdmin(const admin::MemberOperation& operation, const std::string& type,
                                 const std::string& id, const KnownNodes& known) {
  TopologyChange change;
  change.operation_id = id;
  if (operation.epoch != 0) change.epoch = operation.epoch;
  if (Status resolved = ResolveInto(operation, type, known, &change); !resolved) {
    return Fail(std::move(resolved.error()));
  }
  return change;
}

Result<StagedChanges> StagedFromAdmin(const admin::MemberOperation& operation, const KnownNodes& known) {
  auto change = Resolve(operation.join, operation.leave, operation.capacities, known);
  if (!change) return Fail(std::move(change.error()));
  StagedChanges staged;
  staged.join = std::move(change->join);
  for (NodeId id : change->leave) staged.leave.push_back(known.topology->Find(id)->name);
  for (const auto& [id, capacity] : change->capacity) staged.capacity[known.topology->Find(id)->name] = capacity;
  return staged;
}

admin::Plan ToAdmin(const TopologyPlan& plan) {
  admin::Plan out;
  out.epoch = plan.before.epoch;
  out.partitions = plan.partitions;
  out.n_val = plan.n_val;
  out.moves = static_cast<uint32_t>(plan.moves.size());
  out.replicas_to_copy = plan.replicas_to_copy;
  for (const PlannedMember& member : plan.members) {
    out.members.push_back({ToString(member.id), member.name, member.zone, NameOf(member.change), member.capacity,
                           member.tokens_before, member.tokens_after, member.ideal_after});
  }
  out.unsatisfied = plan.unsatisfied;
  return out;
}

Result<admin::Safety> SafetyWithout(const std::string& without, const KnownNodes& known,
                                    const std::vector<MemberReport>& reports) {
  NodeId node;
  if (!without.empty()) {
    const auto member = FindMember(without, known);
    if (!member) return Fail(member.error());
    node = *member;
  }
  std::set<NodeId> ready;
  for (const NodeInfo& info : known.nodes) {
    if (info.liveness == Liveness::kAlive) ready.insert(info.id);
  }
  admin::Safety out;
  out.epoch = known.topology->version.epoch;
  out.change = NameOfChange(*known.topology);
  for (const PartitionSafety& weak : SafetyOf(*known.topology, ready, node)) {
    out.partitions.push_back({weak.partition, weak.n_val, weak.owners, weak.ready, weak.ready_without});
  }
  CountKept(*known.topology, reports, &out);
  Judge(node, &out);
  return out;
}

bool Describe(const KnownNodes& known, admin::Operation* operation) {
  const Topology& topology = *known.topology;
  const auto made = std::ranges::find(topology.operations, operation->id, &TopologyOperation::id);
  if (made == topology.operations.end()) return false;
  operation->epoch = made->epoch;
  // What was told when it began is out of date.
  operation->moved = operation->to_move = 0;
  operation->cluster_id = ToString(topology.cluster);
  operation->state = made->cancelled ? "cancelled" : "done";
  operation->message = fmt::format("decided in epoch {}", made->epoch);
  if (made->cancelled || topology.change_since != made->epoch) return true;
  const ChangeProgress progress = ProgressOf(topology);
  operation->state = "running";
  operation->moved = progress.moved;
  operation->to_move = progress.to_move;
  operation->message = topology.pending.empty()
                           ? "all partitions have moved; who leaves hands over what it keeps for others"
                           : fmt::format("{} of {} partitions have moved", progress.moved, progress.to_move);
  operation->waits = WaitsIn(known);
  for (const auto& wait : operation->waits) operation->message += DescribeWait(wait, topology);
  return true;
}

void DescribeCopies(const Topology& topology, const std::vector<MemberReport>& reports, admin::Operation* operation) {
  CopyShares shares;
  uint64_t bytes_per_second = 0;
  for (const MemberReport& report : reports) {
    // Who has not heard of the change yet speaks of another one.
    if (!report.answered || report.change_since != topology.change_since) {
      operation->unanswered.push_back(MemberName(topology, report.node));
      continue;
    }
    for (const auto& [n_val, share] : report.copies) shares[n_val] += share;
    bytes_per_second += report.bytes_per_second;
  }
  const CopyEstimate estimate = EstimateOf(shares, bytes_per_second);
  operation->bytes_done = static_cast<int64_t>(estimate.bytes);
  operation->bytes_per_second = static_cast<int64_t>(bytes_per_second);
  if (estimate.bytes_in_all) operation->bytes_in_all = static_cast<int64_t>(*estimate.bytes_in_all);
  if (estimate.time_left) {
    operation->seconds_left = std::chrono::ceil<std::chrono::seconds>(*estimate.time_left).count();
  }
}

}  // namespace dynamo
