#include "tests/sim/cluster/invariants.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "node/core/ring/preference_list.h"
#include "node/service/hint_store.h"

namespace dynamo::sim {

Invariants::Invariants(SimCluster* cluster, Workload* workload, const WorkloadPlan& plan,
                       std::function<void(oracle::Violation)> report)
    : cluster_(cluster),
      workload_(workload),
      ring_(cluster, report),
      w_(static_cast<int>(std::max(plan.w, plan.dw.value_or(0)))),
      pw_(static_cast<int>(plan.pw.value_or(0))),
      report_(std::move(report)) {
  FindNodes();
  const auto topology = cluster_->node(0).admin().CurrentTopology();
  for (const ObjectKey& key : workload_->keys()) {
    const Bytes storage_key = StorageKeyOf(key, topology->ring_seed);
    Key& known =
        keys_
            .try_emplace(storage_key, Key{ToString(key),
                                          {},
                                          {},
                                          {},
                                          KeyMargin(cluster_->size(), workload_->history().policy(ToString(key))),
                                          {},
                                          {},
                                          {}})
            .first->second;
    by_name_[known.name] = &known;
  }
  LookAtRing();
  for (size_t i = 0; i < cluster_->size(); ++i) {
    DiskWatch watch;
    watch.visible = [this, i](const WriteOps& ops) { OnVisible(i, ops); };
    watch.durable = [this, i](const WriteOps& ops) { OnDurable(i, ops); };
    watch.replaced = [this, i] { OnReplaced(i); };
    watch.spoiled = [this, i](ColumnFamily family, const Bytes& key) { OnSpoiled(i, family, key); };
    cluster_->node(i).disk().Watch(std::move(watch));
  }
  workload_->OnEnd([this](const oracle::WriteRecord& write) { OnEnd(write); });
}

Invariants::~Invariants() {
  for (size_t i = 0; i < cluster_->size(); ++i) cluster_->node(i).disk().Watch({});
  workload_->OnEnd(nullptr);
}

void Invariants::Report(const Key& key, const char* property, const std::string& what) {
  report_({property, key.name, what});
}

bool Invariants::Key::IsOwnerOrPending(NodeId node) const {
  return std::ranges::find(owners_now, node) != owners_now.end() || std::ranges::find(pending, node) != pending.end();
}

void Invariants::FindNodes() {
  nodes_.clear();
  for (size_t i = 0; i < cluster_->size(); ++i) {
    if (const NodeId id = cluster_->IdOf(i)) nodes_[id] = i;
  }
}

void Invariants::FindOwners(const Topology& topology) {
  for (auto& [storage_key, key] : keys_) {
    for (const auto& [node, index] : nodes_) {
      if (!key.owners_now.empty() && !key.IsOwnerOrPending(node)) key.outside_until[node] = cluster_->world().now();
    }
    const PartitionId partition = PartitionOf(PositionOfStorageKey(storage_key), topology.partitions);
    const uint32_t n = topology.types.at(ParseStorageKey(storage_key)->type).n_val;
    const std::vector<NodeId> before = std::exchange(key.owners_now, WalkRing(topology, partition, n).owners);
    key.pending = PendingOwners(topology, partition, n);
    key.owners.insert(key.owners_now.begin(), key.owners_now.end());
    if (!before.empty()) CheckTakeover(key, before);
    Settle(topology, &key);
  }
}

void Invariants::CheckTakeover(Key& key, const std::vector<NodeId>& before) {
  for (const NodeId owner : key.owners_now) {
    if (std::ranges::find(before, owner) != before.end() || IsExcused(key, owner)) continue;
    for (const oracle::WriteId id : key.settled) {
      // Superseded or reaped meanwhile: nobody promises it any more.
      const auto held = key.margin.ReplicasOf(id, {nodes_.at(owner)});
      if (!held || *held > 0) continue;
      Report(key, "P10",
             fmt::format("node {} came to own it, and lacks write {}, which all owners had when the change began",
                         nodes_.at(owner), id));
    }
  }
}

void Invariants::Settle(const Topology& topology, Key* key) {
  if (topology.change_since == key->change_since) return;
  key->change_since = topology.change_since;
  key->settled.clear();
  // Where disks were given up for lost, owners come that have nothing to copy.
  if (topology.pending.empty() || !topology.losses.empty()) return;
  std::vector<size_t> disks;
  for (const NodeId owner : key->owners_now) {
    const auto node = nodes_.find(owner);
    if (node == nodes_.end()) return;
    disks.push_back(node->second);
  }
  key->settled = key->margin.HeldByAll(disks);
}

void Invariants::LookAtRing() {
  ring_.Look();
  if (ring_.newest() == owners_of_) return;
  owners_of_ = ring_.newest();
  FindOwners(*owners_of_);
}

void Invariants::CatchUp() {
  const auto& writes = workload_->history().writes();
  for (auto next = writes.upper_bound(begun_); next != writes.end(); ++next) {
    begun_ = next->first;
    by_name_.at(next->second.key)->margin.OnBegin(next->second);
  }
}

Invariants::Entry Invariants::Find(ColumnFamily family, const Bytes& key) {
  if (family == ColumnFamily::kMeta) return {};
  if (family == ColumnFamily::kObjects) {
    const auto found = keys_.find(key);
    return {found == keys_.end() ? nullptr : &found->second, {}};
  }
  const Result<Hint> hint = ParseHintEntry({key, {}});
  if (!hint) {
    report_({"P3", "", "a hint was stored under a malformed key"});
    return {};
  }
  const auto found = keys_.find(hint->storage_key);
  return {found == keys_.end() ? nullptr : &found->second, hint->owner};
}

// What is removed by who does not own it is a stray.
bool Invariants::Reaps(size_t disk, const Key& key) const {
  return cluster_->config().service.reap_interval > Duration(0) && key.IsOwnerOrPending(cluster_->IdOf(disk));
}

void Invariants::OnVisible(size_t disk, const WriteOps& ops) {
  CatchUp();
  LookAtRing();
  for (const std::string& wrong : DroppedTooEarly(*cluster_, disk, ops)) report_({"P10", "", wrong});
  for (const WriteOp& op : ops) {
    const Entry entry = Find(op.family, op.key);
    Key* const key = entry.key;
    if (key == nullptr) continue;
    if (op.kind == WriteOp::Kind::kDelete) {
      if (!entry.hint_for && Reaps(disk, *key)) workload_->OnReaped(key->name);
      continue;
    }
    if (entry.hint_for) key->hints_since[{cluster_->IdOf(disk), op.key}] = cluster_->world().now();
    const SummaryPtr summary = summaries_.Of(op.value);
    if (summary == nullptr) {
      Report(*key, "P3", "an object was stored that does not decode");
      continue;
    }
    for (const auto& [dot, id] : summary->siblings) CheckDot(*key, dot, id);
  }
}

void Invariants::CheckDot(Key& key, const Dot& dot, oracle::WriteId id) {
  const auto [known, fresh] = key.dots.try_emplace(dot, id);
  if (!fresh && known->second != id) {
    return Report(key, "P8", fmt::format("one dot names write {} and write {} (0: a delete)", known->second, id));
  }
  if (!fresh || id == 0) return;
  const auto& writes = workload_->history().writes();
  const auto write = writes.find(id);
  if (write == writes.end() || write->second.key != key.name) {
    return Report(key, "P3", fmt::format("write {} is stored here, which no put to this key wrote", id));
  }
  if (const auto other = key.margin.DotOf(id); other && *other != dot) {
    return Report(key, "P8", fmt::format("write {} was minted twice", id));
  }
  key.margin.OnDot(id, dot);
  if (write->second.outcome == oracle::Outcome::kFailed) {
    Report(key, "P14", fmt::format("write {} is stored although it had failed for certain", id));
  }
}

void Invariants::OnDurable(size_t disk, const WriteOps& ops) {
  CatchUp();
  std::set<Key*> changed;
  struct Removed {
    Key* key;
    Copy hint;
    TimePoint since;
  };
  std::vector<Removed> removed_hints;
  for (const WriteOp& op : ops) {
    // One that is new.
    if (op.family == ColumnFamily::kMeta && op.key == "identity") FindNodes();
    const Entry entry = Find(op.family, op.key);
    if (entry.key == nullptr) continue;
    changed.insert(entry.key);
    if (op.kind != WriteOp::Kind::kDelete) {
      // A merge's outcome is on the disk.
      const bool merged = op.kind == WriteOp::Kind::kMerge;
      Store(disk, op.family, op.key, merged ? cluster_->node(disk).disk().durable(op.family).at(op.key) : op.value);
      continue;
    }
    Copies& copies = entry.key->margin.copies(disk);
    const auto gone = copies.find({op.family, op.key});
    if (gone == copies.end()) continue;
    if (entry.hint_for) {
      const TimePoint since = entry.key->hints_since[{cluster_->IdOf(disk), op.key}];
      removed_hints.push_back({entry.key, gone->second, since});
    }
    if (!entry.hint_for && Reaps(disk, *entry.key)) entry.key->margin.OnReaped(*gone->second.summary, nullptr);
    copies.erase(gone);
  }
  for (const auto& [key, hint, since] : removed_hints) CheckRemoved(disk, *key, hint, since);
  // Where the replica was spoiled, a hint may have held the place until it was delivered.
  for (Key* key : changed) Changed(disk, *key, /*destroyed=*/spoiled_.contains({cluster_->IdOf(disk), key}));
}

void Invariants::Store(size_t disk, ColumnFamily family, const Bytes& key, const Bytes& object) {
  const Entry entry = Find(family, key);
  SummaryPtr summary = summaries_.Of(object);
  if (entry.key == nullptr || summary == nullptr) return;
  Copy& copy = entry.key->margin.copies(disk)[{family, key}];
  if (copy.summary && !entry.hint_for && Reaps(disk, *entry.key))
    entry.key->margin.OnReaped(*copy.summary, summary.get());
  copy = {std::move(summary), entry.hint_for};
}

// A hint may go once its owner has what was in it, or another hint here has: also where
// it is an owner no longer, since then it drops nothing that owners lack (P10). Else all
// who are owners must have it, if that one is none, or was none at any time since the
// hint came: what goes to all owners meanwhile, it gets from them as it comes back.
void Invariants::CheckRemoved(size_t disk, Key& key, const Copy& hint, TimePoint since) {
  LookAtRing();
  if (Has(disk, key, hint, hint.hint_for)) return;
  const auto gave_up = [&](NodeId heir, std::string_view which) {
    if (IsExcused(key, heir)) return;
    Report(key, "P11",
           fmt::format("node {} gave up a hint for node {}{}, whose disk lacks what was in it", disk, nodes_.at(heir),
                       which));
  };
  const auto outside = key.outside_until.find(hint.hint_for);
  const bool was_outside = outside != key.outside_until.end() && outside->second >= since;
  if (key.IsOwnerOrPending(hint.hint_for) && !was_outside) return gave_up(hint.hint_for, "");
  for (const NodeId owner : key.owners_now) {
    if (!Has(disk, key, hint, owner)) gave_up(owner, ", an owner after " + ToString(hint.hint_for));
  }
}

// It may have been delivered to what is no longer there; also one that reached this disk
// only afterwards, since memory comes first.
bool Invariants::IsExcused(Key& key, NodeId heir) const {
  const auto node = nodes_.find(heir);
  return node == nodes_.end() || replaced_.contains(node->second) || spoiled_.contains({heir, &key});
}

// On stable storage, or it is owed it.
bool Invariants::Has(size_t disk, const Key& key, const Copy& hint, NodeId heir) const {
  std::vector<const Summary*> others;
  for (const auto& [entry, copy] : key.margin.copies(disk)) {
    if (copy.hint_for == hint.hint_for || copy.hint_for == heir) others.push_back(copy.summary.get());
  }
  if (const auto owner = nodes_.find(heir); owner != nodes_.end()) {
    for (const auto& [entry, copy] : key.margin.copies(owner->second)) {
      if (!copy.hint_for) others.push_back(copy.summary.get());
    }
  }
  // Who leaves gives its hints to others.
  for (size_t other = 0; other < cluster_->size() && IsLeaving(disk); ++other) {
    for (const auto& [entry, copy] : key.margin.copies(other)) {
      if (other != disk && copy.hint_for == heir) others.push_back(copy.summary.get());
    }
  }
  return key.margin.Covers(others, *hint.summary);
}

bool Invariants::IsLeaving(size_t disk) const {
  const Member* member = owners_of_->Find(cluster_->IdOf(disk));
  return member != nullptr && (member->state == MemberState::kLeaving || member->state == MemberState::kLeft);
}

void Invariants::Changed(size_t disk, Key& key, bool destroyed) {
  if (const auto wrong = key.margin.OnChanged(disk, destroyed)) Report(key, wrong->property.c_str(), wrong->what);
}

void Invariants::OnReplaced(size_t disk) {
  CatchUp();
  // What was moved to another machine is not lost.
  if (cluster_->node(disk).disk().lost()) {
    destroyed_.push_back(begun_);
    replaced_.insert(disk);
  }
  FindNodes();
  for (size_t i = 0; i < cluster_->size(); ++i) Rebuild(i);
  for (auto& [storage_key, key] : keys_) key.margin.OnReplaced();
}

void Invariants::Rebuild(size_t disk) {
  for (auto& [storage_key, key] : keys_) key.margin.copies(disk).clear();
  for (const ColumnFamily family : {ColumnFamily::kObjects, ColumnFamily::kHints}) {
    for (const auto& [key, object] : cluster_->node(disk).disk().durable(family)) {
      Store(disk, family, key, object);
    }
  }
}

void Invariants::OnSpoiled(size_t disk, ColumnFamily family, const Bytes& key) {
  CatchUp();
  destroyed_.push_back(begun_);
  const Entry entry = Find(family, key);
  if (entry.key == nullptr) return;
  spoiled_.insert({cluster_->IdOf(disk), entry.key});
  entry.key->margin.copies(disk).erase({family, key});
  Changed(disk, *entry.key, /*destroyed=*/true);
}

// Copies of a write that is not yet acknowledged may be destroyed too.
int Invariants::DestroyedSince(oracle::WriteId id) const {
  return static_cast<int>(std::ranges::count_if(destroyed_, [id](oracle::WriteId begun) { return begun >= id; }));
}

void Invariants::OnEnd(const oracle::WriteRecord& write) {
  CatchUp();
  Key& key = *by_name_.at(write.key);
  key.margin.OnEnd(write, begun_);
  if (write.outcome == oracle::Outcome::kFailed && key.margin.DotOf(write.id)) {
    Report(key, "P14", fmt::format("write {} failed for certain, they say, but it is stored", write.id));
  }
  if (!write.acknowledged()) return;
  const int lost = DestroyedSince(write.id);
  if (const auto wrong = key.margin.OnAcknowledged(write, w_ - lost)) {
    return Report(key, wrong->property.c_str(), wrong->what);
  }
  LookAtRing();
  std::vector<size_t> owners;
  for (const NodeId owner : key.owners) {
    if (const auto node = nodes_.find(owner); node != nodes_.end()) owners.push_back(node->second);
  }
  const auto replicas = key.margin.ReplicasOf(write.id, owners);
  if (replicas && *replicas < pw_ - lost) {
    Report(key, "P14", fmt::format("write {} is acknowledged and on {} owners; PW is {}", write.id, *replicas, pw_));
  }
}

void Invariants::CheckRest() {
  for (const std::string& stray : Strays(*cluster_)) report_({"P10", "", stray});
  for (size_t i = 0; i < cluster_->size(); ++i) {
    for (const auto& [entry, object] : cluster_->node(i).disk().applied(ColumnFamily::kHints)) {
      const Result<Hint> hint = ParseHintEntry({entry, {}});
      // Hints for a member whose disk is lost wait for its replacement.
      if (cluster_->IsOut(i) || (hint && (!nodes_.contains(hint->owner) || cluster_->IsOut(nodes_.at(hint->owner)))))
        continue;
      report_({"P11", "", fmt::format("a hint is left on the disk of node {}", i)});
    }
  }
}

}  // namespace dynamo::sim
