// Keeps what the owners of a partition hold equal, in the end: compares Merkle
// trees by schedule and on demand, and writes objects again that fail their
// checksum. Dynamo section 4.7.
#ifndef DYNAMO_NODE_SERVICE_ANTI_ENTROPY_H_
#define DYNAMO_NODE_SERVICE_ANTI_ENTROPY_H_

#include <deque>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "node/env/admin_handler.h"
#include "node/service/background_pace.h"
#include "node/service/data_path.h"
#include "node/service/merkle_trees.h"
#include "node/service/tree_exchange.h"

namespace dynamo {

// An order of an administrator, for one shard.
struct RepairOrder {
  std::string operation_id;
  std::optional<PartitionId> partition;  // None: all of this node's.
};

// One loop a shard: one exchange at a time. Between two owners the one that
// InitiatesExchange does so by schedule, and what it finds is repaired both ways.
class AntiEntropy {
 public:
  explicit AntiEntropy(DataPath parts);

  // Ends with the shard's scope. Needs a topology, as the rest.
  Async<> Run();
  void OnObjectWritten(const PlacedKey& key) { trees_.OnObjectWritten(key); }
  // What is stored there fails its checksum: it is got from the other owners soon.
  void OnCorrupt(const Bytes& storage_key);
  void OnTopology() { trees_.OnTopology(); }
  MerkleTrees& trees() { return trees_; }

  // Reads all of it again and compares it with every other owner that is up.
  void Order(RepairOrder order);
  // Called on every step of an order.
  void OnProgress(std::function<void(const RepairProgress&)> listener) { progress_ = std::move(listener); }

  // A TreeGet or LeafGet of a peer.
  void Serve(NodeId from, peer::Request request, Responder respond);
  // Of the trees that this node owns of the partition, up to date.
  Async<Result<std::vector<TreeRoot>>> Roots(PartitionId partition);

 private:
  struct Step {
    TreeName tree;
    NodeId peer;
  };
  enum class Whom { kMine, kAll };

  TimePoint DrawNext(TimePoint now);
  std::vector<Step> StepsOf(TreeName tree, Whom whom);
  // False: it could not be compared to the end.
  Async<bool> Exchange(Step step, RepairProgress* progress);
  Async<> RunSchedule();
  Async<> RunOrder(RepairOrder order);
  Async<> RepairCorrupt();
  // False: not now.
  Async<bool> RepairCorruptKey(KeyPtr key);
  Async<std::optional<Bytes>> JoinOfOthers(KeyPtr key, ReapGeneration* stamp);

  Status MayAsk(NodeId from, const peer::TreeId& tree) const;
  static Async<> AnswerNodes(AntiEntropy* self, TreeName tree, uint32_t level, std::vector<uint32_t> nodes,
                             Responder respond);
  static Async<> AnswerLeaf(AntiEntropy* self, TreeName tree, KeyRange range, Responder respond);

  DataPath parts_;
  BackgroundPace pace_;
  MerkleTrees trees_;
  Event wake_;
  std::deque<RepairOrder> orders_;
  std::set<Bytes> corrupt_;  // Storage keys.
  TimePoint rescan_{};
  std::function<void(const RepairProgress&)> progress_;
};

// Whether `self` or `peer` begins: half of the partitions each.
bool InitiatesExchange(NodeId self, NodeId peer, PartitionId partition);

}  // namespace dynamo

#endif  // DYNAMO_NODE_SERVICE_ANTI_ENTROPY_H_
