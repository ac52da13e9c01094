#include "node/core/ring/disaster.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "common/base/hash.h"
#include "node/core/ring/member_change.h"
#include "node/core/ring/ns_in_use.h"
#include "node/core/ring/preference_list.h"
#include "node/core/transfer/coverage.h"

namespace dynamo {
namespace {

std::set<NodeId> NodesOf(const DeclaredLoss& loss) { return {loss.nodes.begin(), loss.nodes.end()}; }

Status CheckLoss(const Topology& topology, const DeclaredLoss& loss) {
  const auto invalid = [](std::string why) -> Status { return Fail(Errc::kInvalidArgument, std::move(why)); };
  if (loss.cluster != topology.cluster) {
    return invalid(fmt::format("this is cluster {}: name the cluster that is meant", ToString(topology.cluster)));
  }
  if (loss.nodes.empty()) return invalid("name the members whose disks are lost");
  if (loss.by.size() > LossRecord::kByBytesMax) {
    return invalid(fmt::format("who asks has a name of at most {} bytes", LossRecord::kByBytesMax));
  }
  for (const NodeId node : loss.nodes) {
    if (topology.Find(node) == nullptr) return invalid("node " + ToString(node) + " is no member");
  }
  return {};
}

void Record(Topology& next, LossRecord::Kind kind, const DeclaredLoss& loss, std::vector<PartitionId> partitions) {
  const std::set<NodeId> nodes = NodesOf(loss);
  LossRecord record;
  record.kind = kind;
  record.since = kind == LossRecord::Kind::kAcceptedLoss ? next.change_since : 0;
  record.by = loss.by;
  record.at_ms = loss.at_ms;
  record.nodes.assign(nodes.begin(), nodes.end());
  record.partitions = std::move(partitions);
  if (next.losses.size() >= LossRecord::kRemembered) next.losses.erase(next.losses.begin());
  next.losses.push_back(std::move(record));
}

// Topology as it is once the change under way is over, for its owners.
std::shared_ptr<const Topology> AfterChange(const Topology& topology) {
  auto after = std::make_shared<Topology>(topology);
  after->current = std::exchange(after->pending, TokenMap());
  after->moved.clear();
  return after;
}

bool TakesPart(const Topology& topology, NodeId node) { return topology.StandingOf(node) == MemberStanding::kMember; }

Status CheckMajorityIsLost(const Topology& topology, const std::set<NodeId>& lost) {
  const auto left = static_cast<size_t>(std::ranges::count_if(
      topology.voters, [&](NodeId voter) { return !lost.contains(voter) && TakesPart(topology, voter); }));
  const size_t majority = topology.voters.size() / 2 + 1;
  if (left < majority) return {};
  return Fail(Errc::kConflict, fmt::format("{} of {} voters are not among the lost, and {} can decide: replace who is "
                                           "lost instead",
                                           left, topology.voters.size(), majority));
}

// Of the members that are whole, else of any that take part.
void ChooseSurvivingVoters(Topology& next) {
  next.voters = ChooseVoters(next.members);
  if (!next.voters.empty()) return;
  std::vector<Member> left;
  std::ranges::copy_if(next.members, std::back_inserter(left),
                       [&](const Member& member) { return TakesPart(next, member.id); });
  for (Member& member : left) member.state = MemberState::kNormal;
  next.voters = ChooseVoters(left);
}

uint64_t Fingerprint(std::string_view kind, const DeclaredLoss& loss, const std::vector<PartitionId>& partitions) {
  Bytes words;
  ByteWriter out(&words);
  out.String(kind);
  out.Hash(loss.cluster.value);
  for (const NodeId node : NodesOf(loss)) out.U64(node.value);
  for (const PartitionId partition : std::set(partitions.begin(), partitions.end())) out.Varint(partition);
  return Checksum64(words);
}

}  // namespace

std::vector<PartitionId> PartitionsLostWith(const Topology& topology, const std::set<NodeId>& nodes) {
  const std::set<uint32_t> ns = NsInUse(topology);
  PreferenceLists lists(std::make_shared<const Topology>(topology));
  std::vector<PartitionId> lost;
  for (PartitionId partition = 0; partition < topology.partitions; ++partition) {
    const bool whole = std::ranges::all_of(ns, [&](uint32_t n_val) {
      return std::ranges::any_of(lists.For(partition, n_val).owners,
                                 [&](NodeId owner) { return !nodes.contains(owner) && TakesPart(topology, owner); });
    });
    if (!whole) lost.push_back(partition);
  }
  return lost;
}

Result<bool> Apply(Topology& next, const ForceTopology& change) {
  if (Status sound = CheckLoss(next, change.loss); !sound) return Fail(std::move(sound.error()));
  const std::set<NodeId> lost = NodesOf(change.loss);
  for (const NodeId node : lost) {
    if (!TakesPart(next, node)) {
      return Fail(Errc::kConflict, "node " + ToString(node) + " has left, was replaced, or is declared lost already");
    }
  }
  if (Status needed = CheckMajorityIsLost(next, lost); !needed) return Fail(std::move(needed.error()));
  std::vector<PartitionId> partitions = PartitionsLostWith(next, lost);
  for (Member& member : next.members) {
    if (lost.contains(member.id)) member.state = MemberState::kLost;
  }
  ChooseSurvivingVoters(next);
  if (next.voters.empty()) return Fail(Errc::kConflict, "nobody would be left");
  EndChangeIfDone(next);
  ++next.version.generation;
  Record(next, LossRecord::Kind::kForcedTopology, change.loss, std::move(partitions));
  return true;
}

Result<bool> Apply(Topology& next, const AcceptLoss& change) {
  if (Status sound = CheckLoss(next, change.loss); !sound) return Fail(std::move(sound.error()));
  const std::set<PartitionId> named(change.partitions.begin(), change.partitions.end());
  if (named.empty()) return Fail(Errc::kInvalidArgument, "no partition is named");
  if (*named.rbegin() >= next.partitions) return Fail(Errc::kInvalidArgument, "there is no such partition");
  if (next.pending.empty()) {
    return Fail(Errc::kConflict, "no partition waits: replace who is lost first, and see what waits then");
  }
  std::vector<PartitionId> waiting;
  for (const PartitionId partition : named) {
    const std::set<NodeId> given_up = GivenUp(next, partition);
    const bool known = std::ranges::all_of(change.loss.nodes, [&](NodeId node) { return given_up.contains(node); });
    if (!next.HasMoved(partition) && !known) waiting.push_back(partition);
  }
  if (waiting.empty()) return false;
  Record(next, LossRecord::Kind::kAcceptedLoss, change.loss, std::move(waiting));
  return true;
}

uint64_t FingerprintOf(const ForceTopology& change) { return Fingerprint("force-topology", change.loss, {}); }

uint64_t FingerprintOf(const AcceptLoss& change) { return Fingerprint("accept-loss", change.loss, change.partitions); }

std::set<NodeId> GivenUp(const Topology& topology, PartitionId partition) {
  std::set<NodeId> nodes;
  if (topology.change_since == 0) return nodes;
  for (const LossRecord& loss : topology.losses) {
    const bool now = loss.kind == LossRecord::Kind::kAcceptedLoss && loss.since == topology.change_since;
    if (now && std::ranges::binary_search(loss.partitions, partition)) {
      nodes.insert(loss.nodes.begin(), loss.nodes.end());
    }
  }
  return nodes;
}

std::set<NodeId> NotWaitedFor(const Topology& topology, PartitionId partition) {
  std::set<NodeId> nodes = GivenUp(topology, partition);
  for (const Member& member : topology.members) {
    if (member.state == MemberState::kReplaced) nodes.insert(member.id);
  }
  return nodes;
}

std::vector<PartitionWait> WaitsOf(const Topology& topology, const std::function<bool(NodeId)>& is_up) {
  std::vector<PartitionWait> waits;
  if (topology.pending.empty()) return waits;
  PreferenceLists now(std::make_shared<const Topology>(topology)), target(AfterChange(topology));
  for (PartitionId partition = 0; partition < topology.partitions; ++partition) {
    if (topology.HasMoved(partition)) continue;
    PartitionWait wait{partition, {}, {}};
    for (const uint32_t n_val : NsInUse(topology)) {
      const OwnersChange change{now.For(partition, n_val).owners, target.For(partition, n_val).owners};
      for (const NodeId receiver : ReceiversOf(change)) {
        if (!TakesPart(topology, receiver)) continue;
        if (!is_up(receiver)) wait.receivers.insert(receiver);
        const std::vector<NodeId> owners = WaitsFor(change, receiver, is_up, NotWaitedFor(topology, partition));
        wait.owners.insert(owners.begin(), owners.end());
      }
    }
    if (!wait.owners.empty() || !wait.receivers.empty()) waits.push_back(std::move(wait));
  }
  return waits;
}

}  // namespace dynamo
