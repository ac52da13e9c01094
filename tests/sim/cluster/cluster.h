// A cluster of simulated nodes, and clients outside it.
#ifndef DYNAMO_TESTS_SIM_CLUSTER_CLUSTER_H_
#define DYNAMO_TESTS_SIM_CLUSTER_CLUSTER_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "node/env/request_handler.h"
#include "tests/sim/cluster/fault_kind.h"
#include "tests/sim/cluster/node.h"

namespace dynamo::sim {

struct SimClusterConfig {
  size_t nodes = 3;
  size_t spares = 0;  // Of the nodes: the last ones run, and are of no cluster until they join.
  ShardIndex shards = 1;
  uint32_t n_val = 3;
  uint32_t partitions = 16;
  size_t zones = 1;  // Nodes are dealt out to so many.
  ServiceConfig service;
  SimDiskConfig disk;
  NetworkConfig network;
  int64_t drift_ppm_max = 0;
  // Sees every log line of every node.
  std::function<void(size_t node, LogLevel level, std::string_view line)> log;
};

class SimCluster {
 public:
  // All nodes down, their disks empty.
  SimCluster(SimWorld* world, SimClusterConfig config);
  ~SimCluster();

  size_t size() const { return nodes_.size(); }
  SimNode& node(size_t index) { return *nodes_[index]; }
  SimNetwork& network() { return network_; }
  SimWorld& world() { return *world_; }
  const SimClusterConfig& config() const { return config_; }

  // Starts all nodes, creates the cluster from node 0 and waits until all nodes
  // serve and see each other up.
  Status Create(Duration limit = std::chrono::seconds(60));
  // All members run, serve, and see all others up. A node whose disk is lost is out:
  // it has nothing to serve until it replaces the member that it was.
  bool IsWhole();
  // The newest that a node holds which runs; nullptr: none has any.
  std::shared_ptr<const Topology> NewestTopology();
  // Nor has one that is no member.
  bool IsOut(size_t index) { return nodes_[index]->disk().lost() || IsSpare(index); }
  // Disks that have lost something since the beginning, or have it in a state that
  // cannot be read.
  uint32_t DisksHurt();

  // ---- Who is who, told by the disks: whether nodes run or not.

  // None: nothing is on its disk yet.
  NodeId IdOf(size_t index);
  // Whose disk bears that id.
  std::optional<size_t> FindNode(NodeId id);
  // By the newest topology.
  bool IsMember(size_t index);
  // Members whose disk is lost.
  std::vector<NodeId> LostMembers();
  // Starts the node on an empty disk: a new one. Whatever it held is gone.
  void Renew(size_t index);
  // Hints at rest on members that run, for members. Those for a member whose disk is
  // lost wait until it is replaced; its own are not to be trusted.
  uint64_t HintsAtRest();
  // What has fired so far; whoever makes a fault counts it here.
  FaultCounts& faults() { return faults_; }

  // ---- Client calls, to some shard of a node. kUnavailable: the node is down.
  // kTimeout: no answer within `limit` (the node may have died with the request).
  Async<Result<GetReply>> Get(size_t node, GetRequest request, Duration limit);
  Async<Result<PutReply>> Put(size_t node, PutRequest request, Duration limit);
  Async<Status> Delete(size_t node, DeleteRequest request, Duration limit);
  // As an administrator.
  Async<Result<uint64_t>> Change(size_t node, TopologyChange change, Duration limit);

  // Where clients live; killed with the cluster, after the nodes.
  Scope& clients() { return clients_; }
  Clock& client_clock() { return client_clock_; }

 private:
  // Of no cluster yet, or no longer. Nobody is before there is a cluster.
  bool IsSpare(size_t index);
  template <class Reply, class Handler, class Request>
  Async<Result<Reply>> Call(size_t node, Handler handler, Request request, Duration limit);

  SimWorld* world_;
  SimClusterConfig config_;
  SimNetwork network_;
  Rng rng_;
  SimClock client_clock_;
  Scope clients_;
  std::vector<std::unique_ptr<SimNode>> nodes_;
  FaultCounts faults_;
  uint32_t disks_renewed_ = 0;  // Of those that were hurt.
};

}  // namespace dynamo::sim

#endif  // DYNAMO_TESTS_SIM_CLUSTER_CLUSTER_H_
