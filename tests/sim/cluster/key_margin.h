// The durability margin of one key (P13): which disks hold each acknowledged write.
#ifndef DYNAMO_TESTS_SIM_CLUSTER_KEY_MARGIN_H_
#define DYNAMO_TESTS_SIM_CLUSTER_KEY_MARGIN_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/oracle/check.h"
#include "tests/oracle/history.h"
#include "tests/sim/cluster/copies.h"

namespace dynamo::sim {

class KeyMargin {
 public:
  KeyMargin(size_t disks, oracle::Policy policy) : disks_(disks), policy_(policy) {}

  Copies& copies(size_t disk) { return disks_[disk]; }
  const Copies& copies(size_t disk) const { return disks_[disk]; }

  // A write that may come after others begins: what it has seen may be superseded,
  // with an effect or without.
  void OnBegin(const oracle::WriteRecord& write);
  // Its client knows its fate; `last`: the last write that has begun by now.
  void OnEnd(const oracle::WriteRecord& write, oracle::WriteId last);
  // The first dot that a write is seen under.
  void OnDot(oracle::WriteId id, const Dot& dot) { dots_.try_emplace(id, dot); }
  std::optional<Dot> DotOf(oracle::WriteId id) const;

  // It is acknowledged: from now on `required` disks at least hold it, until a
  // later acknowledged write has superseded it. Returns what is wrong, if anything
  // (without the key).
  std::optional<oracle::Violation> OnAcknowledged(const oracle::WriteRecord& write, int required);
  // The copies on a disk have changed; `destroyed`: through the fault of the disk, so
  // that fewer are required from now on.
  std::optional<oracle::Violation> OnChanged(size_t disk, bool destroyed);
  // A replica gave way to less (nullptr: to nothing): what was superseded in it is shown
  // no more, by intent. What was alive is not excused.
  void OnReaped(const Summary& before, const Summary* after);
  // Disks hold something else; what is gone for good is no longer required.
  void OnReplaced();
  // How many of `disks` hold the acknowledged write as a replica, not as a hint.
  std::optional<int> ReplicasOf(oracle::WriteId id, const std::vector<size_t>& disks) const;
  // Acknowledged writes that each of `disks` holds as a replica.
  std::vector<oracle::WriteId> HeldByAll(const std::vector<size_t>& disks) const;

  // Whether all of `copy` is in `others`, or was superseded.
  bool Covers(const std::vector<const Summary*>& others, const Summary& copy) const;

 private:
  struct Tracked {
    oracle::WriteId id = 0;
    ConflictPolicy policy = ConflictPolicy::kSiblings;
    // A put: its own. A delete: what it has removed.
    std::vector<std::pair<oracle::WriteId, Dot>> dots;
    bool is_delete = false;
    int required = 0;
    std::vector<bool> held;  // By disk.
  };
  bool Holds(const Copies& copies, const Tracked& write, bool replicas_only) const;
  bool HoldsSibling(const Summary& summary, const Tracked& write) const;
  bool MayBeSuperseded(oracle::WriteId id) const {
    return blind_deletes_ > 0 || id <= blind_until_ || superseded_.contains(id);
  }
  void Drop(const oracle::WriteRecord& later);
  bool IsReaped(const Tracked& write) const;
  bool HasSeen(const ObjectHeader& other, const ObjectHeader& copy) const;
  std::optional<std::string> Check(const Tracked& write) const;

  std::vector<Copies> disks_;
  oracle::Policy policy_;
  std::map<oracle::WriteId, Dot> dots_;
  std::map<oracle::WriteId, std::vector<oracle::WriteId>> contexts_;  // Of all that began.
  std::set<oracle::WriteId> superseded_;                              // In some context: may be gone by now.
  int blind_deletes_ = 0;                                             // May run now, and remove whatever they find.
  oracle::WriteId blind_until_ = 0;  // Up to this one writes may have met one that has ended.
  std::vector<Tracked> tracked_;     // Bounded: the newest.
  VersionVector reaped_;             // Of siblings: superseded, and in no vector any more.
  Dot reaped_order_;                 // The same where the latest wins.
};

}  // namespace dynamo::sim

#endif  // DYNAMO_TESTS_SIM_CLUSTER_KEY_MARGIN_H_
