// A simulated cluster that reaps every few seconds, and keys that were written and then
// deleted in it: what their disks hold, and what a client finds.
#ifndef DYNAMO_TESTS_SIM_REAPING_REAPING_CLUSTER_H_
#define DYNAMO_TESTS_SIM_REAPING_REAPING_CLUSTER_H_

#include <functional>
#include <string>
#include <vector>

#include "tests/sim/cluster/cluster.h"

namespace dynamo::sim {

class ReapingCluster {
 public:
  // Five nodes, N=3; or as `change` makes it.
  explicit ReapingCluster(
      PlantedBug planted = PlantedBug::kNone, uint64_t seed = 42,
      const std::function<void(SimClusterConfig&)>& change = [](SimClusterConfig&) {});

  SimWorld& world() { return world_; }
  SimCluster& cluster() { return cluster_; }
  SimNode& node(size_t index) { return cluster_.node(index); }
  void RunFor(Duration duration) { world_.RunFor(duration); }
  bool RunUntil(const std::function<bool()>& done, Duration limit = std::chrono::minutes(3)) {
    return world_.RunUntil(done, world_.now() + limit);
  }
  bool AwaitWhole() {
    return RunUntil([this] { return cluster_.IsWhole(); });
  }

  // Has a node join that runs and is of no cluster yet (one of `spares`), to the end.
  void Join(size_t index);

  // Half of them of the kind that lets the latest win.
  static std::vector<ObjectKey> Keys(int count);
  // Fails the test unless it was acknowledged.
  void Put(size_t at, const ObjectKey& key, const std::string& value, QuorumValue w = {});
  // Whatever becomes of it; how long it may take.
  void TryPut(size_t at, const ObjectKey& key, const std::string& value, Duration limit);
  // Of all that a read of all owners finds. Fails the test unless acknowledged.
  void Delete(size_t at, const ObjectKey& key);
  // "": not found.
  std::string Read(size_t at, const ObjectKey& key);
  // Those of the keys under which a client finds something, from any node that runs.
  std::vector<std::string> Found(const std::vector<ObjectKey>& keys);

  // Nodes, the first owner of the key first, then the other owners, then the rest.
  std::vector<size_t> WalkOf(const ObjectKey& key);
  Bytes StorageKey(const ObjectKey& key);
  // Disks that hold an object for the key.
  size_t Stored(const ObjectKey& key);
  // The highest of what disks hold for a key of the kind that lets the latest win; 0: nothing.
  uint64_t StampOf(const ObjectKey& key);
  // No disk holds an object or a hint for any of them.
  bool AllGone(const std::vector<ObjectKey>& keys);
  bool AwaitGone(const std::vector<ObjectKey>& keys) {
    return RunUntil([&] { return AllGone(keys); });
  }
  // As Found, and what disks hold alive: a value that was deleted.
  std::vector<std::string> CameBack(const std::vector<ObjectKey>& keys);

  uint64_t Figure(const std::string& name);
  // Calls back on each step of reaping that a disk sees: a generation stored, an object
  // removed.
  void OnStep(std::function<void(size_t node)> listener);

 private:
  SimWorld world_;
  SimCluster cluster_;
};

}  // namespace dynamo::sim

#endif  // DYNAMO_TESTS_SIM_REAPING_REAPING_CLUSTER_H_
