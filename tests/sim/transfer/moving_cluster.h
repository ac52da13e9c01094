// A simulated cluster whose members come and go under load, and what must hold
// meanwhile: no partition changes hands before its new owners have what was written
// before (P9), nothing is deleted that an owner lacks (P10), nothing acknowledged is
// lost (P1); at the end every object lies just where it belongs, with equal bytes.
#ifndef DYNAMO_TESTS_SIM_TRANSFER_MOVING_CLUSTER_H_
#define DYNAMO_TESTS_SIM_TRANSFER_MOVING_CLUSTER_H_

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "tests/sim/cluster/cluster.h"

namespace dynamo::sim {

class MovingCluster {
 public:
  // The last `spares` of the nodes run, and are of no cluster yet.
  MovingCluster(uint64_t seed, SimClusterConfig config, size_t spares);
  ~MovingCluster();

  SimWorld& world() { return world_; }
  SimCluster& cluster() { return cluster_; }
  SimNode& node(size_t index) { return cluster_.node(index); }
  // The newest that any node that runs holds.
  std::shared_ptr<const Topology> topology();
  // Of the present run, or of the last.
  NodeId IdOf(size_t index);
  Member MemberOf(size_t index);

  // Asks a node that runs and is a member, again and again until it is decided.
  void Change(const std::string& operation_id, decltype(TopologyChange::what) what);
  void Join(const std::vector<size_t>& nodes);
  void Leave(const std::vector<size_t>& nodes);

  // Writes `count` keys once each. They are looked for whenever a partition changes
  // hands.
  void WriteBase(int count);
  // Clients that write keys of their own, and read back what they were told is
  // written, until they are stopped.
  // Those who read see what was acknowledged, unless `reads_may_lag`: while nodes fail
  // as owners change, a quorum of those that missed it may answer.
  void StartLoad(int clients, bool reads_may_lag = false);
  void StopLoad();

  // How far the change has come: partitions that have moved, all if it is over.
  size_t Moved();
  // Runs until `done`, looking at every partition that changes hands meanwhile.
  bool RunUntil(const std::function<bool()>& done, Duration limit);
  void RunFor(Duration duration);
  // All who are members run, hold one topology, nothing is on the move, no hint is
  // left, and every object lies where it belongs.
  // Empty: so it is.
  std::string WhyNotSettled();
  bool AwaitSettled(Duration limit = std::chrono::minutes(10));

  // Stops the node and takes what it has stored, but not who it is: as a broken disk
  // of which its identity was saved.
  void LoseObjects(size_t index);

  // Of what must hold, and of what lies where; empty: all is well.
  const std::vector<std::string>& violations() const { return violations_; }
  std::vector<std::string> Misplaced();
  // Keys of clients that have an acknowledged write.
  size_t acknowledged() const;
  // Acknowledged and on no disk of its owners.
  std::vector<std::string> Lost();

 private:
  struct Written {
    uint64_t acknowledged = 0;  // The number that its value begins with.
    uint64_t tried = 0;
  };

  static Async<> RunClient(MovingCluster* self, int client);
  void Report(std::string what);
  void LookAtTakeovers();
  void OnVisible(size_t index, const WriteOps& ops);
  const Bytes* StoredAt(NodeId node, const Bytes& storage_key, bool durable);
  // The nodes of the present members.
  std::map<NodeId, size_t> Nodes();
  std::vector<NodeId> OwnersOf(const Topology& topology, const Bytes& storage_key);
  // The highest that one of its siblings is; 0: nothing. One client writes a key, each
  // time over what it has seen: later numbers cover earlier ones.
  static uint64_t NumberIn(const Bytes* object);

  SimWorld world_;
  SimCluster cluster_;
  Rng rng_;
  std::vector<NodeId> ids_;
  std::map<Bytes, uint64_t> base_;    // By storage key, as all below.
  std::map<Bytes, Written> written_;  // By clients.
  std::map<PartitionId, std::vector<NodeId>> owners_seen_;
  std::vector<std::string> violations_;
  bool loading_ = false, reads_may_lag_ = false;
  int running_ = 0;
};

}  // namespace dynamo::sim

#endif  // DYNAMO_TESTS_SIM_TRANSFER_MOVING_CLUSTER_H_
