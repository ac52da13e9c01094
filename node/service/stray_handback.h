// Hands back what this node holds and no longer owns: every object goes to all who
// own it, and is deleted here once each of them has it on stable storage. Dynamo
// section 6.2; the design's rule [M]: the proof that every owner covers the data
// comes before the data is dropped.
//
// This node takes no writes for what it does not own, so that what it holds there
// only ever becomes less. See docs/transfer.md.
#ifndef DYNAMO_NODE_SERVICE_STRAY_HANDBACK_H_
#define DYNAMO_NODE_SERVICE_STRAY_HANDBACK_H_

#include <functional>
#include <set>
#include <vector>

#include "node/core/antientropy/tree_diff.h"
#include "node/service/background_pace.h"
#include "node/service/data_path.h"
#include "node/service/merkle_trees.h"

namespace dynamo {

// One for each shard.
class StrayHandback {
 public:
  explicit StrayHandback(DataPath parts);

  // Ends with the shard's scope. Needs a topology, as the rest.
  Async<> Run();
  // Owners are others now.
  void OnTopology();

  // A StrayProof of a peer.
  void Serve(NodeId from, peer::Request request, Responder respond);

  // Under the present topology everything was looked at, and nothing is left.
  bool clean() const { return clean_; }
  // Called whenever that is so.
  void OnClean(std::function<void()> listener) { on_clean_ = std::move(listener); }

 private:
  struct Stray {
    KeyPtr key;
    Bytes object;
    ReapGeneration stamp = 0;
  };

  // False: something is left.
  Async<bool> HandBackAll();
  Async<bool> HandBackPartition(PartitionId partition);
  Async<bool> HandBack(TreeName tree, std::vector<Stray> strays);
  // After it the owner has all of them on stable storage.
  Async<Status> Prove(TreeName tree, const std::vector<Stray>& strays, NodeId owner);
  Async<Result<std::vector<uint32_t>>> AskWhatLacks(TreeName tree, const std::vector<Stray>& strays, NodeId owner);
  Async<Status> Send(Stray stray, NodeId owner);
  bool IsStray(PartitionId partition, uint32_t n_val);

  Status MayAsk(NodeId from, const peer::TreeId& tree);
  static Async<> AnswerProof(StrayHandback* self, std::vector<LeafEntry> entries, Responder respond);

  DataPath parts_;
  BackgroundPace pace_;
  Event wake_;
  uint64_t changes_ = 0;  // Of the topology.
  bool clean_ = false;
  std::function<void()> on_clean_;
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_SERVICE_STRAY_HANDBACK_H_
