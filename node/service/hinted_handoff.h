// Hands hints to their owners when these are back. Dynamo section 4.6.
#ifndef DYNAMO_NODE_SERVICE_HINTED_HANDOFF_H_
#define DYNAMO_NODE_SERVICE_HINTED_HANDOFF_H_

#include <memory>
#include <vector>

#include "node/service/data_path.h"

namespace dynamo {

// One loop a shard, in ring order, a batch at a time. A hint is deleted only once
// every node it goes to has it on stable storage: a crash in between sends it
// twice, and merging is idempotent.
class HintedHandoff {
 public:
  explicit HintedHandoff(DataPath parts) : parts_(parts), wake_(*parts.shard->env.scope) {}

  // Ends with the shard's scope.
  Async<> Run();
  // Somebody came up, or there is a new hint.
  void Wake(bool at_once);

 private:
  struct Batch;
  // Whom a hint goes to: its owner, or, if that owns the key no longer, everybody
  // who does or is about to. Empty: not now.
  std::vector<NodeId> TargetsOf(const PlacedKey& key, NodeId owner) const;
  bool MayDeliver(NodeId owner) const;
  bool AnyDeliverable() const;
  // False if something could not be delivered.
  Async<bool> DeliverAll();
  Async<bool> DeliverPartition(PartitionId partition);
  Async<bool> DeliverBatch(std::vector<Hint> hints);
  static void Send(std::shared_ptr<Batch> batch, size_t index, NodeId to, const PlacedKey& key, const Bytes& object);
  static Async<> MergeHere(std::shared_ptr<Batch> batch, size_t index, KeyPtr key, Bytes object);

  DataPath parts_;
  Event wake_;
  bool idle_ = false;  // Waits, with nothing to deliver.
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_SERVICE_HINTED_HANDOFF_H_
