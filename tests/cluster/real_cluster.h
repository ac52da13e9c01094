// Nodes as processes, on loopback addresses of their own or wherever they were put.
#ifndef DYNAMO_TESTS_CLUSTER_REAL_CLUSTER_H_
#define DYNAMO_TESTS_CLUSTER_REAL_CLUSTER_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "tests/cluster/node_process.h"

namespace dynamo::cluster {

// Asks until `done`, or `limit` has passed; whether it was done.
bool Eventually(std::chrono::milliseconds limit, const std::function<bool()>& done);

class RealCluster {
 public:
  // Nodes at 127.0.<subnet>.1 and up, data in a new temporary folder.
  RealCluster(int subnet, size_t nodes, std::vector<std::string> arguments = {});
  // Nodes that were set up elsewhere; their folders are the caller's.
  explicit RealCluster(std::vector<std::unique_ptr<NodeProcess>> nodes);
  // Ends all; a folder of its own is kept, and named, if the test has failed.
  ~RealCluster();

  NodeProcess& node(size_t index) { return *nodes_[index]; }
  size_t size() const { return nodes_.size(); }
  // Where each serves clients, as host:port.
  std::vector<std::string> http() const;
  const std::string& folder() const { return folder_; }

  void StartAll();
  // Creates the cluster from node 0 and waits until every node is ready and sees
  // all others alive.
  Status Create(uint32_t partitions = 64);
  bool IsWhole();
  // All nodes have the same topology, in which no partition is about to move.
  bool AgreesOnOwners();
  // Hints at rest on all nodes together; kUnavailable if one cannot be asked.
  Result<uint64_t> HintsAtRest();

 private:
  std::string folder_;
  std::vector<std::unique_ptr<NodeProcess>> nodes_;
};

}  // namespace dynamo::cluster

#endif  // DYNAMO_TESTS_CLUSTER_REAL_CLUSTER_H_
