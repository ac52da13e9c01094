// Does to a cluster what the plan says, and undoes it.
#ifndef DYNAMO_TESTS_CHAOS_INJECTOR_H_
#define DYNAMO_TESTS_CHAOS_INJECTOR_H_

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "common/base/random.h"
#include "common/base/result.h"
#include "tests/chaos/byte_flip.h"
#include "tests/chaos/clocks.h"
#include "tests/chaos/disk.h"
#include "tests/chaos/network.h"
#include "tests/chaos/plan.h"
#include "tests/chaos/ring_changes.h"
#include "tests/cluster/real_cluster.h"

namespace dynamo::chaos {

// What there is beside the nodes; all outlive the injector.
struct Setting {
  Network* network;
  std::vector<Disk>* disks;  // One a node, or none.
  Clocks* clocks;
};

class Injector {
 public:
  // `repair` reads every key with R = N, so that the other replicas give back what a
  // disk has lost; how many of these reads failed.
  Injector(uint64_t seed, cluster::RealCluster* cluster, Setting setting, std::function<uint64_t()> repair);

  // May take long: a power loss until all nodes are started again, a damaged log
  // until the disk is whole again. An error is the machine's, not the store's.
  Status Begin(const Fault& fault);
  Status End(const Fault& fault);
  // Looks for nodes that have ended by themselves: a finding, unless their disk is bad.
  // They are left as they are, unless they ask to be started again. A change of the members goes on.
  void Watch();
  // Waits until the last change of the members is over; a finding if it takes too long.
  void FinishRingChange();

  // What the store did that it must not.
  const std::vector<std::string>& findings() const { return findings_; }
  // How many faults were done, by kind.
  const std::map<std::string, uint64_t>& faults() const { return faults_; }
  // How often which bad disk was met how, as "sst-flip: served", and what came of changes
  // of the members.
  std::map<std::string, uint64_t> outcomes() const;

 private:
  Status Undo(const Fault& fault);
  Status LosePower();
  Status FlipInTable(size_t node);
  Status RestoreTable(size_t node);
  Status FlipInLog(size_t node);
  Status RepairLog(size_t node);
  void BeginRingChange(const Fault& fault);
  void EndRingChange(const Fault& fault);
  void Signal(size_t node, int signal);
  bool AwaitReady(size_t node);
  void Find(std::string what);
  void Note(std::string what) { ++outcomes_[std::move(what)]; }

  Rng rng_;
  cluster::RealCluster* cluster_;
  Setting setting_;
  std::function<uint64_t()> repair_;

  std::set<size_t> afflicted_;  // Nodes that something is being done to.
  RingChanges ring_;
  std::set<Kind> ring_changes_;       // Begun, of the kinds that are to be ended.
  std::map<size_t, Kind> bad_disks_;  // Nodes that may end by themselves.
  std::map<size_t, ByteFlip> flips_;  // In tables.
  std::set<size_t> refused_log_;      // Nodes that did not serve with a damaged log.
  std::vector<std::string> findings_;
  std::map<std::string, uint64_t> faults_;
  std::map<std::string, uint64_t> outcomes_;
};

}  // namespace dynamo::chaos

#endif  // DYNAMO_TESTS_CHAOS_INJECTOR_H_
