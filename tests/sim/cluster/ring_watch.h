// What must hold of the ring at every instant, and once all changes of the members
// are over; judged from the topologies that nodes hold and from the disks.
//
//  P9   one topology per epoch; preference lists of distinct nodes, over as many zones
//       as there are
//  P10  whatever a node drops, all owners cover
//  P12  in the end all members hold one topology and know the same members: who was
//       removed stays removed
#ifndef DYNAMO_TESTS_SIM_CLUSTER_RING_WATCH_H_
#define DYNAMO_TESTS_SIM_CLUSTER_RING_WATCH_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/base/hash.h"
#include "tests/oracle/check.h"
#include "tests/sim/cluster/cluster.h"

namespace dynamo::sim {

class RingWatch {
 public:
  // The cluster outlives this.
  RingWatch(SimCluster* cluster, std::function<void(oracle::Violation)> report)
      : cluster_(cluster), report_(std::move(report)) {}

  // At the topologies of all nodes that run (P9). Called often.
  void Look();
  // The newest that any node ever showed; nullptr: none yet.
  const std::shared_ptr<const Topology>& newest() const { return newest_; }

 private:
  void OnNews(const std::shared_ptr<const Topology>& topology, size_t index);

  SimCluster* cluster_;
  std::function<void(oracle::Violation)> report_;
  std::map<size_t, std::shared_ptr<const Topology>> seen_;  // By node.
  std::map<TopologyVersion, Hash128> versions_;
  std::shared_ptr<const Topology> newest_;
};

// What is wrong with the preference lists of a topology (P9); empty: nothing.
std::string WrongLists(const Topology& topology);

// Node `index` has made this batch visible: a line for each owner that lacks what it
// drops, on stable storage (P10). Disks that lost something are not asked.
std::vector<std::string> DroppedTooEarly(SimCluster& cluster, size_t index, const WriteOps& ops);

// Why the ring is not at rest: a change is under way, members do not run or do not
// agree, hints are left. Empty: it is.
std::string WhyRingMoves(SimCluster& cluster);

// What lies on members that do not own it.
std::vector<std::string> Strays(SimCluster& cluster);

}  // namespace dynamo::sim

#endif  // DYNAMO_TESTS_SIM_CLUSTER_RING_WATCH_H_
