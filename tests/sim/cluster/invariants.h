// What must hold at every instant, judged from the disks and not from what nodes
// say: P8 (dots), P11 (hints), P13 (durability margin), P14 (no ack below W).
//
// A disk changes in few places only, so that every step is checked at the price of
// the changed key:
//  - when a batch becomes visible: P8, each client write is minted once, and what
//    failed for certain is nowhere
//  - when a batch becomes durable: P13 of the keys in it; where it deletes hints,
//    P11: an owner's disk has what was in them, or every owner's, where the one they
//    were for owned the key no longer
//  - when a disk is replaced or a part of it spoiled: the margin of what it held
//    shrinks by one
//  - when it deletes objects: P10, their owners cover them (see RingWatch)
//  - when a partition changes hands: P10, its new owners have what all owners had when
//    the change began
//  - when a client is told that its write succeeded: W disks have it, and PW owners
#ifndef DYNAMO_TESTS_SIM_CLUSTER_INVARIANTS_H_
#define DYNAMO_TESTS_SIM_CLUSTER_INVARIANTS_H_

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/sim/cluster/cluster.h"
#include "tests/sim/cluster/key_margin.h"
#include "tests/sim/cluster/ring_watch.h"
#include "tests/sim/cluster/workload.h"

namespace dynamo::sim {

class Invariants {
 public:
  // The cluster is created and whole; both outlive this. `report` gets violations.
  Invariants(SimCluster* cluster, Workload* workload, const WorkloadPlan& plan,
             std::function<void(oracle::Violation)> report);
  ~Invariants();

  // What members hold the ring to be. To be called often, where it changes.
  void LookAtRing();
  // All is healed and delivered: no disk has a hint left (P11), and nothing lies where
  // nobody owns it (P10).
  void CheckRest();
  // How many times a disk was replaced, or a part of it spoiled.
  uint64_t disks_destroyed() const { return destroyed_.size(); }

 private:
  struct Key {
    std::string name;
    std::vector<NodeId> owners_now, pending;
    std::set<NodeId> owners;  // At any time.
    KeyMargin margin;
    std::map<Dot, oracle::WriteId> dots;
    // Until when a node neither owned the key nor was about to; and since when a hint is
    // on the disk of a node, whatever machine that is in.
    std::map<NodeId, TimePoint> outside_until;
    std::map<std::pair<NodeId, Bytes>, TimePoint> hints_since;
    // Acknowledged writes that all owners had when this change began: who comes to own
    // the key by it has them from its first moment.
    uint64_t change_since = 0;
    std::vector<oracle::WriteId> settled = {};
    bool IsOwnerOrPending(NodeId node) const;
  };
  struct Entry {
    Key* key = nullptr;
    NodeId hint_for;
  };
  void OnVisible(size_t disk, const WriteOps& ops);
  void OnDurable(size_t disk, const WriteOps& ops);
  void OnReplaced(size_t disk);
  void Rebuild(size_t disk);
  void OnSpoiled(size_t disk, ColumnFamily family, const Bytes& key);
  void OnEnd(const oracle::WriteRecord& write);

  // Which node's disk is where.
  void FindNodes();
  // Nobody owns what its walk did not lead to once.
  void FindOwners(const Topology& topology);
  void CheckTakeover(Key& key, const std::vector<NodeId>& before);
  // A change of the owners has begun, or has ended.
  void Settle(const Topology& topology, Key* key);
  // Writes that began since the last time.
  void CatchUp();
  Entry Find(ColumnFamily family, const Bytes& key);
  void CheckDot(Key& key, const Dot& dot, oracle::WriteId id);
  void CheckRemoved(size_t disk, Key& key, const Copy& hint, TimePoint since);
  bool Has(size_t disk, const Key& key, const Copy& hint, NodeId heir) const;
  bool IsExcused(Key& key, NodeId heir) const;
  bool IsLeaving(size_t disk) const;
  void Store(size_t disk, ColumnFamily family, const Bytes& key, const Bytes& object);
  void Changed(size_t disk, Key& key, bool destroyed);
  int DestroyedSince(oracle::WriteId id) const;
  void Report(const Key& key, const char* property, const std::string& what);

  bool Reaps(size_t disk, const Key& key) const;

  SimCluster* cluster_;
  Workload* workload_;
  RingWatch ring_;
  std::shared_ptr<const Topology> owners_of_;  // What `owners` follow.
  int w_ = 1, pw_ = 0;
  std::function<void(oracle::Violation)> report_;
  Summaries summaries_;
  std::map<Bytes, Key> keys_;  // By storage key.
  std::map<std::string, Key*> by_name_;
  std::map<NodeId, size_t> nodes_;
  oracle::WriteId begun_ = 0;
  std::set<std::pair<NodeId, Key*>>
      spoiled_;                // Disks that cannot read what they have of a key; by node, since they change machines.
  std::set<size_t> replaced_;  // Disks that were wiped or set back.
  std::vector<oracle::WriteId> destroyed_;  // For each time: the last write that had begun.
};

}  // namespace dynamo::sim

#endif  // DYNAMO_TESTS_SIM_CLUSTER_INVARIANTS_H_
