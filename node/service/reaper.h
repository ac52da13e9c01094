// Removes tombstones and cuts long version vectors for good, where that is safe: the
// first owner of a partition leads rounds (core/reap/round.h) with all members.
//
// Whenever a member is away or members change it waits, and nothing else does. See
// docs/reaping.md.
#ifndef DYNAMO_NODE_SERVICE_REAPER_H_
#define DYNAMO_NODE_SERVICE_REAPER_H_

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "node/core/antientropy/tree_diff.h"
#include "node/core/reap/round.h"
#include "node/service/background_pace.h"
#include "node/service/data_path.h"
#include "node/service/tree_name.h"

namespace dynamo {

// One for each shard: one round at a time.
class Reaper {
 public:
  explicit Reaper(DataPath parts);

  // Before this shard serves: a volume that is new asks where its partitions stand.
  Async<Status> LearnGenerations();
  // Ends with the shard's scope. Needs a topology, as the rest.
  Async<> Run();
  void OnObjectWritten(PartitionId partition) { quiet_.erase(partition); }

  // A ReapCheck, ReapRaise or ReapRemove of a peer.
  void Serve(NodeId from, peer::Request request, Responder respond);

 private:
  // What one phase asks of a node, the same for a peer and for this one.
  struct Ask {
    ReapRound::Phase phase = ReapRound::Phase::kCheck;
    TreeName tree;
    ReapGeneration generation = 0;
    std::vector<LeafEntry> entries;
    uint64_t clock = 0;  // No lower than the stamp of any object of the round.
  };
  struct Phase;  // Of a round: answers to come.

  bool MayBegin() const;
  std::vector<NodeId> Members() const;
  Async<> ReapAll();
  // Reaps all of it that is worth it.
  Async<> ReapTree(TreeName tree);
  struct Found {
    std::vector<LeafEntry> entries;
    std::optional<Bytes> next;  // Where to go on.
    bool young = false;         // Some are to be left for later.
  };
  Async<Result<Found>> Find(TreeName tree, Bytes begin);
  Async<bool> RunRound(TreeName tree, std::vector<LeafEntry> entries);
  void AskNode(std::shared_ptr<Phase> phase, ReapRound* round, NodeId node, Ask ask);
  static Async<> AskSelf(Reaper* self, std::shared_ptr<Phase> phase, ReapRound* round, Ask ask);
  SharedBytes Encode(const Ask& ask) const;
  Async<Result<ReapGeneration>> AskGeneration(PartitionId partition);

  Result<Ask> Decode(NodeId from, const peer::Request& request);
  static Async<> AnswerPeer(Reaper* self, Ask ask, Responder respond);
  Async<Result<ReapAnswer>> Answer(Ask ask);
  Async<Result<std::vector<uint32_t>>> Differing(const std::vector<LeafEntry>& entries);
  Async<Result<std::vector<uint32_t>>> Remove(const std::vector<LeafEntry>& entries);

  DataPath parts_;
  BackgroundPace pace_;
  // Looked through, nothing to reap, and not written since.
  std::set<PartitionId> quiet_;
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_SERVICE_REAPER_H_
