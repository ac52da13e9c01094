#include "tests/sim/cluster/ring_watch.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "node/core/ring/preference_list.h"
#include "node/core/version/object.h"

namespace dynamo::sim {
namespace {

uint32_t NOf(const Topology& topology, const Bytes& storage_key) {
  const Result<ObjectKey> key = ParseStorageKey(storage_key);
  const auto type = key ? topology.types.find(key->type) : topology.types.end();
  return type == topology.types.end() ? topology.LargestN() : type->second.n_val;
}

std::vector<NodeId> OwnersOf(const Topology& topology, const Bytes& storage_key) {
  const PartitionId partition = PartitionOf(PositionOfStorageKey(storage_key), topology.partitions);
  return WalkRing(topology, partition, NOf(topology, storage_key)).owners;
}

const Bytes* Find(const SimDisk::Family& objects, const Bytes& key) {
  const auto found = objects.find(key);
  return found == objects.end() ? nullptr : &found->second;
}

// Whether all of `dropped` is in what the disk has.
bool HasAllOf(const SimDisk& disk, const Bytes& key, const Bytes& dropped) {
  const Bytes* stored = Find(disk.durable(ColumnFamily::kObjects), key);
  const auto theirs = stored == nullptr ? Fail(Errc::kNotOwner, "nothing") : DecodeObjectHeader(*stored);
  const auto ours = DecodeObjectHeader(dropped);
  return !ours || (theirs && Dominates(*theirs, *ours));
}

bool MayBeReaped(const SimCluster& cluster, const Bytes& dropped) {
  const Result<Object> object = DecodeObject(dropped);
  return cluster.config().service.reap_interval > Duration(0) && object && object->deleted();
}

std::set<NodeId> TokenHolders(const TokenMap& map) { return {map.owners().begin(), map.owners().end()}; }

}  // namespace

std::string WrongLists(const Topology& topology) {
  const uint32_t n = topology.LargestN();
  for (PartitionId partition = 0; partition < topology.partitions; ++partition) {
    const std::set<NodeId> holders = TokenHolders(topology.MapOf(partition));
    std::set<std::string> zones, zones_owning;
    for (const NodeId node : holders) zones.insert(topology.Find(node)->zone);
    const std::vector<NodeId> owners = WalkRing(topology, partition, n).owners;
    for (const NodeId node : owners) zones_owning.insert(topology.Find(node)->zone);
    const size_t distinct = std::set<NodeId>(owners.begin(), owners.end()).size();
    if (distinct != owners.size() || distinct != std::min<size_t>(n, holders.size())) {
      return fmt::format("partition {} has {} distinct owners in {}", partition, distinct, owners.size());
    }
    if (zones_owning.size() != std::min<size_t>(n, zones.size())) {
      return fmt::format("partition {} is in {} zones of {}", partition, zones_owning.size(), zones.size());
    }
  }
  return "";
}

void RingWatch::Look() {
  for (size_t i = 0; i < cluster_->size(); ++i) {
    if (!cluster_->node(i).started()) continue;
    const auto topology = cluster_->node(i).admin().CurrentTopology();
    if (topology == nullptr || seen_[i] == topology) continue;
    seen_[i] = topology;
    OnNews(topology, i);
  }
}

void RingWatch::OnNews(const std::shared_ptr<const Topology>& topology, size_t index) {
  const Hash128 hash = HashOf(*topology);
  const auto [known, fresh] = versions_.try_emplace(topology->version, hash);
  if (known->second != hash) {
    report_({"P9", "", fmt::format("node {} has another topology of epoch {}", index, topology->version.epoch)});
  }
  if (!fresh) return;
  if (newest_ == nullptr || newest_->version < topology->version) newest_ = topology;
  if (std::string wrong = WrongLists(*topology); !wrong.empty()) {
    report_({"P9", "", fmt::format("epoch {}: {}", topology->version.epoch, wrong)});
  }
}

std::vector<std::string> DroppedTooEarly(SimCluster& cluster, size_t index, const WriteOps& ops) {
  std::vector<std::string> wrong;
  SimNode& node = cluster.node(index);
  const auto topology = node.running() && node.started() ? node.admin().CurrentTopology() : nullptr;
  if (topology == nullptr) return wrong;
  for (const WriteOp& op : ops) {
    if (op.kind != WriteOp::Kind::kDelete || op.family != ColumnFamily::kObjects) continue;
    // Memory has forgotten it already; the platter has not.
    const Bytes* dropped = Find(node.disk().durable(ColumnFamily::kObjects), op.key);
    if (dropped == nullptr) continue;
    const auto owners = OwnersOf(*topology, op.key);
    // Who owns it drops nothing but what is reaped: that must not come back (P5).
    if (std::ranges::find(owners, cluster.IdOf(index)) != owners.end() && MayBeReaped(cluster, *dropped)) continue;
    for (const NodeId owner : owners) {
      const auto at = cluster.FindNode(owner);
      if (!at || cluster.node(*at).disk().lost() || cluster.node(*at).disk().spoiled()) continue;
      if (HasAllOf(cluster.node(*at).disk(), op.key, *dropped)) continue;
      wrong.push_back(fmt::format("node {} drops what owner {} lacks", index, *at));
    }
  }
  return wrong;
}

std::string WhyRingMoves(SimCluster& cluster) {
  const auto newest = cluster.NewestTopology();
  if (newest == nullptr) return "nobody holds a topology";
  if (!newest->pending.empty()) {
    return fmt::format("{} of {} partitions have moved", std::ranges::count(newest->moved, true), newest->partitions);
  }
  if (newest->change_since != 0) return "a member leaves";
  std::set<NodeId> members;
  for (const Member& member : newest->members) {
    if (newest->StandingOf(member.id) == MemberStanding::kMember) members.insert(member.id);
  }
  for (const NodeId id : members) {
    const auto at = cluster.FindNode(id);
    if (!at || !cluster.node(*at).started()) return fmt::format("member {} does not run", ToString(id));
    AdminHandler& admin = cluster.node(*at).admin();
    if (!admin.Ready()) return fmt::format("node {} is not ready", *at);
    if (*admin.CurrentTopology() != *newest) return fmt::format("node {} has another topology", *at);
    size_t known = 0;
    for (const NodeInfo& info : admin.Members()) {
      // Strangers ask to be let in.
      known += members.contains(info.id) ? 1 : 0;
      const bool removed = newest->StandingOf(info.id) == MemberStanding::kRemoved;
      if (removed) return fmt::format("node {} knows node {}, which was removed", *at, ToString(info.id));
    }
    if (known != members.size()) return fmt::format("node {} knows {} members of {}", *at, known, members.size());
    for (const HintCount& count : admin.Hints()) {
      if (count.hints > 0) return fmt::format("node {} keeps {} hints", *at, count.hints);
    }
  }
  return "";
}

std::vector<std::string> Strays(SimCluster& cluster) {
  std::vector<std::string> strays;
  const auto newest = cluster.NewestTopology();
  for (size_t i = 0; i < cluster.size(); ++i) {
    const NodeId id = cluster.IdOf(i);
    const Member* member = newest->Find(id);
    // A disk that was given up for lost keeps what it has, and never takes part again.
    if (member == nullptr || member->state == MemberState::kReplaced || cluster.node(i).disk().lost()) continue;
    for (const auto& [key, object] : cluster.node(i).disk().applied(ColumnFamily::kObjects)) {
      const std::vector<NodeId> owners = OwnersOf(*newest, key);
      if (std::ranges::find(owners, id) != owners.end()) continue;
      strays.push_back(fmt::format("node {} holds a stray", i));
      break;
    }
  }
  return strays;
}

}  // namespace dynamo::sim
