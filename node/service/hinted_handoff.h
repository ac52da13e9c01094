// Hands hints to their owners when these are back. Dynamo section 4.6.
#ifndef DYNAMO_NODE_SERVICE_HINTED_HANDOFF_H_
#define DYNAMO_NODE_SERVICE_HINTED_HANDOFF_H_

#include <memory>
#include <vector>

#include "common/base/failure_log.h"
#include "node/service/data_path.h"

namespace dynamo {

// One loop a shard, in ring order, a batch at a time. A hint is deleted only once
// every node it goes to has it on stable storage, or another hint keeps it for that
// node: a crash in between sends it twice, and merging is idempotent.
//
// Hints follow the topology: one for a node that owns the key no longer goes to all
// who do and all who are about to. A member that leaves gives away what it holds for
// others that are away, as a sloppy write of all N copies would.
class HintedHandoff {
 public:
  explicit HintedHandoff(DataPath parts) : parts_(parts), wake_(*parts.shard->env.scope) {}

  // Ends with the shard's scope.
  Async<> Run();
  // Somebody came up, or there is a new hint.
  void Wake(bool at_once);
  // Owners may be others than those whom hints are for: all are looked at again.
  void LookAtAll();

 private:
  struct Batch;
  // What becomes of one hint.
  struct Route {
    std::vector<ReplicaTarget> to;  // `stands_in_for`: as a hint for that one.
    // For these another hint is kept: they are away. Of `to` as well, once they fail.
    std::vector<NodeId> keep_for;
    bool deliverable() const { return !to.empty() || !keep_for.empty(); }
  };
  Route RouteOf(const PlacedKey& key, NodeId owner) const;
  Route RouteWithoutSelf(const PlacedKey& key) const;
  bool MayDeliver(NodeId owner) const;
  bool AnyDeliverable() const;
  // False if something could not be delivered.
  Async<bool> DeliverAll();
  Async<bool> DeliverPartition(PartitionId partition);
  Async<bool> DeliverBatch(std::vector<Hint> hints, ReapGeneration stamp);
  Async<bool> Conclude(std::shared_ptr<Batch> batch, size_t index, const Hint* hint);
  static void Send(std::shared_ptr<Batch> batch, size_t index, ReplicaTarget to, const Bytes& object);
  static Async<> MergeHere(std::shared_ptr<Batch> batch, size_t index, NodeId self, Bytes object);

  DataPath parts_;
  Event wake_;
  bool idle_ = false;       // Waits, with nothing to deliver.
  bool look_again_ = true;  // At all hints: their owners may own no longer.
  FailureLog failures_{LogLevel::kError, "hints_not_read"};
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_SERVICE_HINTED_HANDOFF_H_
