// Administrators who change the members of a cluster, each until the voters have
// decided for it or it is told no. A request whose answer was lost is asked again
// under its id, at whatever node.
#ifndef DYNAMO_TESTS_SIM_CLUSTER_ADMINISTRATORS_H_
#define DYNAMO_TESTS_SIM_CLUSTER_ADMINISTRATORS_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/oracle/check.h"
#include "tests/sim/cluster/cluster.h"

namespace dynamo::sim {

class Administrators {
 public:
  // The cluster outlives this; `report` gets what administrators were told wrong.
  Administrators(SimCluster* cluster, std::function<void(const std::string&)> say,
                 std::function<void(oracle::Violation)> report);

  // ---- One begins, now; nothing happens where nothing fits. From an event of
  // kNobody, as they may start nodes anew.

  void Join(Rng rng);
  void Leave(Rng rng);
  // Of a lost member, by a new node on its host or a spare. Waits for its turn.
  void Replace(Rng rng);
  void SetCapacity(Rng rng);
  void Cancel(Rng rng);
  void Flap(Rng rng);
  void Rival(Rng rng);

  // No disk is needed by a change that is under way or asked for, and none is lost:
  // one more may be.
  bool MayLoseADisk();
  // Faults are over: replaces what is lost until nothing is. Then idle() comes true.
  void Finish(Rng rng);
  bool idle() const { return busy_ == 0 && !finishing_; }

 private:
  using What = decltype(TopologyChange::what);

  // While it lives somebody has something to do.
  class Busy {
   public:
    explicit Busy(Administrators* self) : self_(self) { ++self_->busy_; }
    ~Busy() { --self_->busy_; }
    Busy(const Busy&) = delete;
    Busy& operator=(const Busy&) = delete;

   private:
    Administrators* self_;
  };

  // nullptr: whoever runs is behind.
  std::shared_ptr<const Topology> Newest();
  // No change begins while a member is lost: it might need that disk.
  bool MayBegin();
  // Members that may leave, none if too few would be left; nodes that may join.
  std::vector<size_t> Leavers();
  std::vector<size_t> Spares();
  // On an empty disk, if it is not on one yet.
  bool WasRefused(size_t index);
  void MakeNew(size_t index);
  Member MemberAt(size_t index);
  ChangeMembers DrawCapacity(Rng& rng);
  std::vector<size_t> Members();

  static Async<> Run(Administrators* self, TopologyChange change, FaultKind kind, Rng rng);
  static Async<> RunJoin(Administrators* self, size_t index, FaultKind kind, Rng rng);
  static Async<> RunReplace(Administrators* self, NodeId lost, size_t with, Rng rng);
  static Async<> RunFlap(Administrators* self, size_t index, Rng rng);
  static Async<> RunRivals(Administrators* self, What one, What other, uint64_t epoch, Rng rng);
  static Async<> RunFinish(Administrators* self, Rng rng);
  static Async<> AskAs(Administrators* self, TopologyChange change, Rng rng, std::optional<Result<uint64_t>>* outcome);

  // Until there is a verdict; a change in the way is one, unless it `waits`.
  Async<Result<uint64_t>> Ask(TopologyChange change, Rng rng, bool waits);
  // Until the node runs under an id that is on its disk.
  Async<> AwaitNew(size_t index);
  Async<> Sleep(Duration duration);
  TopologyChange Make(What what, std::string_view name, std::optional<uint64_t> epoch = {});
  // Of the newest epoch only: after another change too few might be left.
  TopologyChange MakeLeave(NodeId leaver, FaultKind kind);
  // What was refused for certain must not come about (P14).
  void CheckRefused(const std::string& operation_id);

  SimCluster* cluster_;
  std::function<void(const std::string&)> say_;
  std::function<void(oracle::Violation)> report_;
  uint64_t operations_ = 0;
  std::set<size_t> taken_;  // Nodes that somebody makes new or has join.
  uint64_t seen_ = 0;       // The newest epoch.
  int busy_ = 0;
  bool finishing_ = false;
};

}  // namespace dynamo::sim

#endif  // DYNAMO_TESTS_SIM_CLUSTER_ADMINISTRATORS_H_
