// Faults, drawn from the seed, while the clients work; and the end of all faults.
#ifndef DYNAMO_TESTS_SIM_CLUSTER_CHAOS_H_
#define DYNAMO_TESTS_SIM_CLUSTER_CHAOS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/sim/cluster/administrators.h"
#include "tests/sim/cluster/cluster.h"
#include "tests/sim/cluster/plan.h"

namespace dynamo::sim {

class Chaos {
 public:
  // `report` gets what administrators were told wrong.
  Chaos(SimCluster* cluster, ChaosPlan plan, std::function<void(const std::string&)> say,
        std::function<void(oracle::Violation)> report = nullptr);

  // Faults come and go as events of the world from now on. A node that stops by
  // itself, or fails to start, is started again soon, as by a kubelet.
  void Start();
  // Strikes once, now.
  void Strike(FaultKind kind);
  // Ends all faults: everybody runs, the network is whole and quiet, disks work,
  // clocks are right again. Flipped bits are turned back, as if the sector could be
  // read again: nothing in the store rebuilds a replica that cannot be read yet, and
  // a merge must not overwrite what it cannot read. What a lost disk held stays lost.
  void Heal();
  // After Heal: all changes of the members have their verdict, and no member is lost.
  bool changes_ended() const { return administrators_.idle(); }

  // All that fired, those of disks, messages and clients too.
  const FaultCounts& counts();
  // Of the faults that were not left out, in the order of their ordinals.
  const std::vector<uint64_t>& struck() const { return struck_; }

 private:
  void Next();
  void Supervise();
  // The drawn node if that runs, else nobody.
  std::optional<size_t> DrawRunning();
  // A disk that may be hurt: one that is already, or a fresh one within the budget; none
  // while members change, or one is lost that could be replaced.
  std::optional<size_t> DrawDiskToHurt();
  bool MayHurt(size_t index);
  void StartAfter(Duration down, size_t index);
  // Runs `end` after `length`, unless a newer fault of that kind struck the node (or
  // the network) meanwhile.
  void EndAfter(FaultKind kind, size_t index, Duration length, std::function<void()> end);

  // ---- chaos_process.cc
  void Crash();
  void RestartLoop();
  void RestartAgain(size_t index, std::vector<Duration> ups);
  void Pause();
  void SlowNode();
  void StepClock(FaultKind kind);
  void DriftClock();

  // ---- chaos_network.cc
  void Cut(FaultKind kind);
  void CutSides(bool one_way, size_t bridge);
  void CutPairs();
  void HalfOpen();
  void Clog();
  void Noise();

  // ---- chaos_disk.cc
  void ReadErrors();
  void SyncError();
  void FillDisk();
  void SlowDisk();
  void FlipBit();
  void Wipe();
  void RollBack();
  void WipeNow(size_t index);
  void SwapDisks();

  // ---- chaos_members.cc
  void ChangeRing(FaultKind kind);
  void ReplaceMember();

  void After(Duration delay, std::function<void()> work);
  Duration Length(Duration max);
  void Say(const std::string& line);

  SimCluster* cluster_;
  ChaosPlan plan_;
  std::function<void(const std::string&)> say_;
  Rng rng_;               // Of the fault that strikes: each has its own, so that none disturbs the next.
  Rng rngs_;              // Makes them.
  uint64_t ordinal_ = 0;  // Of the last fault.
  std::vector<uint64_t> struck_;
  std::vector<FaultKind> kinds_;  // That strike one by one.
  NetworkConfig calm_;
  Administrators administrators_;
  std::map<std::pair<FaultKind, size_t>, uint64_t> newest_;  // Kind and node to the fault that lasts.
  bool over_ = false;
};

}  // namespace dynamo::sim

#endif  // DYNAMO_TESTS_SIM_CLUSTER_CHAOS_H_
