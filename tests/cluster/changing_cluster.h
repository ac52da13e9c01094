// A cluster of processes whose members change, by its admin API, under a load.
#ifndef DYNAMO_TESTS_CLUSTER_CHANGING_CLUSTER_H_
#define DYNAMO_TESTS_CLUSTER_CHANGING_CLUSTER_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/admin/client.h"
#include "tests/cluster/load.h"
#include "tests/cluster/real_cluster.h"

namespace dynamo::cluster {

inline constexpr uint32_t kAllMoved = 1u << 20;

// What goes wrong fails the test that uses it.
class ChangingCluster {
 public:
  // `first` of `nodes` are members from the start, and are never taken out: clients ask
  // them only.
  ChangingCluster(int subnet, size_t nodes, size_t first, uint32_t partitions);

  NodeProcess& node(size_t index) { return cluster_.node(index); }
  RealCluster& all() { return cluster_; }
  RealCluster* asked() { return &asked_; }
  admin::Client Admin(size_t node) { return admin::Client(cluster_.node(node).admin(), std::chrono::seconds(20)); }
  // Waits until it has one.
  std::string IdOf(size_t node);
  // kill -9, no disk, and a start as another node; its id.
  std::string EmptyDisk(size_t node);

  // Asks again if nobody can tell what came of it, or if the node has not yet heard that
  // the change before is over: the id makes it one operation. False: refused.
  bool Change(const std::string& id, const std::string& type, const admin::MemberOperation& operation);
  // Until the operation is done, or has moved so many partitions.
  admin::Operation Follow(const std::string& id, uint32_t moved, std::chrono::seconds limit);
  // Stops the load; whether what was acknowledged is there.
  static void Judge(Load& load);

 private:
  static std::vector<std::unique_ptr<NodeProcess>> Asked(const std::string& folder, int subnet, size_t first);

  RealCluster cluster_, asked_;
};

}  // namespace dynamo::cluster

#endif  // DYNAMO_TESTS_CLUSTER_CHANGING_CLUSTER_H_
