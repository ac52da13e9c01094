#include "node/api/admin_convert.h"

#include <string>
#include <utility>

#include "common/base/hash.h"
#include "node/api/admin_loss.h"

namespace dynamo {
namespace {

std::string NameOf(MemberState state) {
  switch (state) {
    case MemberState::kNormal: return "normal";
    case MemberState::kJoining: return "joining";
    case MemberState::kLeaving: return "leaving";
    case MemberState::kLeft: return "left";
    case MemberState::kReplaced: return "replaced";
    case MemberState::kLost: return "lost";
  }
  return "unknown";
}

std::string NameOf(Liveness liveness) {
  switch (liveness) {
    case Liveness::kAlive: return "alive";
    case Liveness::kSuspect: return "suspect";
    case Liveness::kDead: return "dead";
  }
  return "unknown";
}

std::string NameOf(BucketType::Durability durability) {
  switch (durability) {
    case BucketType::Durability::kSync: return "sync";
    case BucketType::Durability::kInterval: return "interval";
    case BucketType::Durability::kMemory: return "memory";
  }
  return "unknown";
}

std::string NameOf(WalkStep::Role role) {
  switch (role) {
    case WalkStep::Role::kOwner: return "owner";
    case WalkStep::Role::kFallback: return "fallback";
    case WalkStep::Role::kSkippedSameNode: return "skipped: same node";
    case WalkStep::Role::kSkippedSameZone: return "skipped: same zone";
  }
  return "unknown";
}

std::string NameOf(const Topology* topology, NodeId node) {
  const Member* member = topology != nullptr ? topology->Find(node) : nullptr;
  return member != nullptr ? member->name : "";
}

admin::Member ToAdmin(const Member& member, const Topology& topology) {
  admin::Member out;
  out.id = ToString(member.id);
  out.name = member.name;
  out.zone = member.zone;
  out.capacity = member.capacity;
  out.state = NameOf(member.state);
  out.liveness = "unknown";
  out.tokens = topology.current.TokensOf(member.id);
  return out;
}

}  // namespace

admin::Identity ToAdmin(const NodeIdentity& identity) {
  return {ToString(identity.node), identity.cluster ? ToString(identity.cluster) : "", identity.boot_number,
          identity.state, identity.empty_volume};
}

admin::Topology ToAdmin(const Topology& topology) {
  admin::Topology out;
  out.cluster_id = ToString(topology.cluster);
  out.generation = topology.version.generation;
  out.epoch = topology.version.epoch;
  out.partitions = topology.partitions;
  out.hash = ToHex(HashOf(topology));
  for (NodeId voter : topology.voters) out.voters.push_back(ToString(voter));
  for (const Member& member : topology.members) out.members.push_back(ToAdmin(member, topology));
  for (NodeId owner : topology.current.owners()) out.owners.push_back(ToString(owner));
  for (NodeId owner : topology.pending.owners()) out.pending_owners.push_back(ToString(owner));
  const ChangeProgress progress = ProgressOf(topology);
  out.change = NameOfChange(topology);
  out.moved = progress.moved;
  out.to_move = progress.to_move;
  for (const auto& [name, type] : topology.types) {
    out.types.push_back(
        {name, type.policy == ConflictPolicy::kSiblings ? "siblings" : "lww", NameOf(type.durability), type.n_val});
  }
  out.losses = LossesOf(topology);
  return out;
}

admin::Members ToAdmin(NodeId self, const std::vector<NodeInfo>& nodes, const Topology* topology) {
  std::map<NodeId, admin::Member> members;
  if (topology != nullptr) {
    for (const Member& member : topology->members) members[member.id] = ToAdmin(member, *topology);
  }
  for (const NodeInfo& node : nodes) {
    admin::Member& out = members[node.id];
    out.id = ToString(node.id);
    // Where the topology has a say in it, what it says stands.
    if (out.state.empty()) {
      out.name = node.name;
      out.zone = node.zone;
      out.capacity = node.capacity;
    }
    out.liveness = NameOf(node.liveness);
    out.peer_address = node.peer_address;
    out.http_address = node.http_address;
    out.pb_address = node.pb_address;
    out.admin_address = node.admin_address;
    out.version = node.software_version;
    out.incarnation = node.incarnation;
  }
  admin::Members out;
  out.node_id = ToString(self);
  for (auto& [id, member] : members) out.members.push_back(std::move(member));
  return out;
}

admin::Hints ToAdmin(const std::vector<HintCount>& hints) {
  admin::Hints out;
  for (const HintCount& count : hints) {
    out.total += count.hints;
    out.owners.push_back({ToString(count.owner), count.hints, count.bytes});
  }
  return out;
}

admin::Location ToAdmin(const KeyLocation& location, const Topology* topology) {
  admin::Location out;
  out.position = ToHex(location.position);
  out.partition = location.partition;
  out.n_val = location.n_val;
  for (const WalkStep& step : location.walk) {
    out.walk.push_back(
        {step.partition, ToString(step.node), NameOf(topology, step.node), step.zone, NameOf(step.role)});
  }
  for (const KeyLocation::Holder& holder : location.holders) {
    out.holders.push_back({ToString(holder.node), NameOf(topology, holder.node), holder.reachable, holder.has_object,
                           holder.hint, holder.has_object ? ToHex(holder.digest) : "", holder.siblings});
  }
  return out;
}

admin::Repair ToAdmin(const RepairProgress& progress) {
  admin::Repair out;
  out.id = progress.operation_id;
  out.type = "repair";
  out.state = progress.state == RepairProgress::State::kRunning ? "running" : "done";
  out.exchanges = progress.exchanges;
  out.exchanges_done = progress.exchanges_done;
  out.exchanges_failed = progress.exchanges_failed;
  out.leaves_differing = progress.leaves_differing;
  out.keys_repaired = progress.keys_repaired;
  out.keys_failed = progress.keys_failed;
  return out;
}

admin::Roots ToAdmin(NodeId self, PartitionId partition, const std::vector<TreeRoot>& roots) {
  admin::Roots out;
  out.node_id = ToString(self);
  out.partition = partition;
  for (const TreeRoot& root : roots) out.trees.push_back({root.n_val, ToHex(root.root), root.leaves_marked});
  return out;
}

Result<std::optional<PartitionId>> PartitionFromAdmin(const admin::RepairOperation& operation) {
  if (operation.partition == -1) return std::optional<PartitionId>{};
  if (operation.partition < 0 || operation.partition >= kPartitionsMax) {
    return Fail(Errc::kInvalidArgument, "'partition' must be the number of a partition, or -1 for all");
  }
  return std::optional<PartitionId>(static_cast<PartitionId>(operation.partition));
}

Result<CreateCluster> FromAdmin(const admin::CreateOperation& operation, const std::string& id) {
  CreateCluster out;
  out.operation_id = id;
  if (!operation.cluster_id.empty()) {
    const auto cluster = ParseClusterId(operation.cluster_id);
    if (!cluster) return Fail(cluster.error());
    out.cluster = *cluster;
  }
  out.partitions = operation.partitions;
  out.ring_seed = operation.ring_seed;
  out.n_val = operation.n_val;
  for (const auto& member : operation.members) {
    out.members.push_back({member.peer_address, member.zone, member.capacity});
  }
  return out;
}

Result<TopologyChange> FromAdmin(const admin::CreateTypeOperation& operation, const std::string& id) {
  CreateBucketType wanted;
  wanted.name = operation.name;
  wanted.type.n_val = operation.n_val;
  if (operation.policy == "lww") {
    wanted.type.policy = ConflictPolicy::kLastWriterWins;
  } else if (operation.policy != "siblings") {
    return Fail(Errc::kInvalidArgument, "policy '" + operation.policy + "': want siblings or lww");
  }
  bool known = false;
  for (const auto durability :
       {BucketType::Durability::kSync, BucketType::Durability::kInterval, BucketType::Durability::kMemory}) {
    if (NameOf(durability) != operation.durability) continue;
    wanted.type.durability = durability;
    known = true;
  }
  if (!known) {
    return Fail(Errc::kInvalidArgument, "durability '" + operation.durability + "': want sync, interval or memory");
  }
  TopologyChange change;
  change.operation_id = id;
  if (operation.epoch != 0) change.epoch = operation.epoch;
  change.what = std::move(wanted);
  return change;
}

}  // namespace dynamo
