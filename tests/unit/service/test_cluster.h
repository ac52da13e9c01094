// Nodes of the data path alone, over the simulator's ports: the tests say who is
// up, and membership has no part in it.
#ifndef DYNAMO_TESTS_UNIT_SERVICE_TEST_CLUSTER_H_
#define DYNAMO_TESTS_UNIT_SERVICE_TEST_CLUSTER_H_

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "node/service/client_door.h"
#include "node/service/shard.h"
#include "tests/sim/clock.h"
#include "tests/sim/network.h"
#include "tests/sim/random.h"
#include "tests/sim/shard_link.h"
#include "tests/sim/storage.h"
#include "tests/sim/transport.h"
#include "tests/sim/world.h"

namespace dynamo {

struct TestClusterConfig {
  int nodes = 3;
  int members = 0;  // The first so many; 0: all nodes.
  uint32_t shards = 1;
  uint32_t partitions = 8;
  uint32_t n_val = 3;
  std::map<std::string, BucketType> types;  // Besides default, siblings, lww.
  ServiceConfig service;
  sim::NetworkConfig network;
  sim::SimDiskConfig disk;
  uint64_t seed = 1;
};

inline TestClusterConfig Nodes(int nodes, uint32_t shards = 1) {
  TestClusterConfig config;
  config.nodes = nodes;
  config.shards = shards;
  return config;
}
inline ReadOptions WithR(QuorumValue r) {
  ReadOptions options;
  options.r = r;
  return options;
}
inline WriteOptions WithW(QuorumValue w) {
  WriteOptions options;
  options.w = w;
  return options;
}

class TestCluster;

// One run of a node, from start to crash.
class TestNode {
 public:
  TestNode(TestCluster* cluster, int index);
  ~TestNode();

  void Adopt(const ClusterViewPtr& view);
  Shard& shard(ShardIndex index) { return *shards_[index]; }
  RequestHandler& door(ShardIndex index = 0) { return *doors_[index]; }
  Scope& scope(ShardIndex index = 0) { return *ports_[index].scope; }
  Metrics& metrics() { return metrics_; }
  uint64_t hints() const;
  sim::ProcessId process() const { return process_; }
  const std::vector<std::pair<NodeId, bool>>& signs() const { return signs_; }

 private:
  struct Ports {
    std::unique_ptr<Scope> scope;
    std::unique_ptr<sim::SimTransport> transport;
    std::unique_ptr<sim::SimStorage> storage;
    std::unique_ptr<sim::SimShardLink> link;
  };

  TestCluster* cluster_;
  sim::ProcessId process_;
  sim::SimClock clock_;
  sim::SimRandom random_;
  Metrics metrics_;
  ServiceConfig config_;
  ServiceMetrics service_metrics_;
  std::vector<Ports> ports_;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::vector<std::unique_ptr<ClientDoor>> doors_;
  std::vector<std::pair<NodeId, bool>> signs_;
};

class TestCluster {
 public:
  explicit TestCluster(TestClusterConfig config = {});
  ~TestCluster();

  sim::SimWorld& world() { return world_; }
  sim::SimNetwork& network() { return network_; }
  sim::SimDisk& disk(int node) { return *disks_[static_cast<size_t>(node)]; }
  TestNode& node(int index) { return *nodes_[static_cast<size_t>(index)]; }
  const Topology& topology() const { return *topology_; }  // The newest.
  // From now on, at these nodes; empty: at all.
  void SetTopology(const Topology& topology, std::set<int> at = {});
  // Whether a node that is seen to hold an older topology is given the newer one.
  void SetGossip(bool on) { gossip_ = on; }
  const TestClusterConfig& config() const { return config_; }
  static NodeId IdOf(int index) { return NodeId{static_cast<uint64_t>(index) + 1}; }
  static int IndexOf(NodeId id) { return static_cast<int>(id.value) - 1; }
  static std::string AddressOf(int index) { return "node" + std::to_string(index) + ":8099"; }

  // Who everybody holds for up from now on.
  void SetUp(std::set<int> up);
  // kill -9, unsynced writes lost; everybody else hears of it unless `unnoticed`.
  void Crash(int node, bool unnoticed = false);
  void Start(int node);
  void RunFor(Duration duration) { world_.RunFor(duration); }

  // Makes the next epoch and tells all but the deaf. A pending map that is new begins
  // a change.
  void Change(const std::function<void(Topology*)>& change);
  // Whether takeovers that nodes ask for are decided, as the register would.
  void DecideTakeovers(bool decide) { decides_takeovers_ = decide; }
  // A deaf node hears of no topology.
  void SetDeaf(int node, bool deaf);

  // Indices of the nodes in the key's preference list, owners first.
  std::vector<int> WalkOf(const ObjectKey& key) const;

  // ---- What a client does, through one node, to the end.
  Result<GetReply> Get(int node, const ObjectKey& key, ReadOptions options = {}, ShardIndex shard = 0);
  Result<PutReply> Put(int node, const ObjectKey& key, const std::string& value, const Bytes& context = {},
                       WriteOptions options = {}, ShardIndex shard = 0);
  Result<PutReply> Put(int node, PutRequest request);
  Status Delete(int node, const ObjectKey& key, const Bytes& context = {}, WriteOptions options = {});

  // Values of the siblings, sorted; a tombstone is "<deleted>".
  static std::vector<std::string> ValuesOf(const Object& object);
  // What the node's own replica holds, hints apart.
  Object Stored(int node, const ObjectKey& key);
  uint64_t Hints(int node) { return this->node(node).hints(); }

 private:
  friend class TestNode;
  void Publish();
  void OnOtherEpoch(int one, NodeId other);
  void SetTopologyHeard(const Topology& topology);
  void OnCovered(uint64_t since, std::vector<PartitionId> partitions);

  TestClusterConfig config_;
  sim::SimWorld world_;
  sim::SimNetwork network_;
  std::shared_ptr<const Topology> topology_;
  std::vector<std::shared_ptr<const Topology>> topology_at_;
  bool gossip_ = true;
  std::set<int> up_, deaf_;
  bool decides_takeovers_ = false;
  std::vector<std::unique_ptr<sim::SimDisk>> disks_;
  std::vector<std::unique_ptr<TestNode>> nodes_;
  uint64_t starts_ = 0;
};

}  // namespace dynamo

#endif  // DYNAMO_TESTS_UNIT_SERVICE_TEST_CLUSTER_H_
