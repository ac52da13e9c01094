// Brings this node what it is to own: while a change of the topology is under way,
// copies each partition of which it becomes an owner from those who are, and has the
// partition taken over once every receiver holds all it must. Dynamo section 6.2.
//
// What was copied and compared is known in memory only: after a start all is to be
// shown again, whatever became of the disk. Equal leaves of the Merkle trees make
// that cheap. See docs/transfer.md.
#ifndef DYNAMO_NODE_SERVICE_TRANSFER_H_
#define DYNAMO_NODE_SERVICE_TRANSFER_H_

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "node/core/transfer/copy_progress.h"
#include "node/core/transfer/coverage.h"
#include "node/protocol/transfer_messages.h"
#include "node/service/background_pace.h"
#include "node/service/data_path.h"
#include "node/service/merkle_trees.h"

namespace dynamo {

// One for each shard.
class Transfer {
 public:
  // All outlive it.
  Transfer(DataPath parts, MerkleTrees* trees);

  // Ends with the shard's scope. Needs a topology, as the rest.
  Async<> Run();
  void OnTopology();

  // Called with partitions whose receivers all hold what they must, again and again
  // until the topology has them moved: a TakeOver for the register.
  void OnCovered(std::function<void(uint64_t since, std::vector<PartitionId>)> listener) {
    covered_ = std::move(listener);
  }

  // What this process has copied of what it is to own by the change under way.
  CopyShares Copies();
  uint64_t copied_per_second() const { return rate_.PerSecond(parts_.shard->Now()); }

  // A TransferGet, TransferConfirm or TransferStatus of a peer.
  void Serve(NodeId from, peer::Request request, Responder respond);

 private:
  // What this process knows of a partition on the move; of all of its shard, as any
  // member of the target may have to ask for the takeover.
  struct Receiving {
    bool running = false;
    TimePoint retry_at{};
    std::set<uint32_t> copied;                      // Of these N.
    std::map<uint32_t, std::set<NodeId>> compared;  // By N: with these owners, since they heard of the change.
    std::set<NodeId> ready_peers;                   // Other receivers that said so.
  };
  // Topology::change_since. A change that was turned round and made again is another
  // one: nothing that was shown before counts, as nobody sent writes here in between.
  using Round = uint64_t;

  bool IsMoving(PartitionId partition) const;
  OwnersChange ChangeOf(TreeName tree);
  bool IsReceiver(TreeName tree);
  // Whether all that this node must hold to own it is here.
  bool IsReady(PartitionId partition);
  bool Covers(TreeName tree);
  std::set<NodeId> OtherReceiversOf(PartitionId partition);
  bool Leads(PartitionId partition);
  void StartSome();
  void ProposeReady();
  void AskWhetherReady(PartitionId partition, NodeId receiver);

  static Async<> ReceivePartition(Transfer* self, PartitionId partition, Round round);
  // False: not now.
  Async<bool> ReceiveTree(TreeName tree, Round round);
  Async<Status> Copy(TreeName tree, NodeId donor);
  Async<Status> CopyLeaves(TreeName tree, NodeId donor, LeafIndex first, LeafIndex last);
  Async<Result<uint64_t>> MergeChunk(TreeName tree, std::vector<ChunkObject> objects, ReapGeneration stamp);
  // After it everything that the owner has held since it heard of the change is here,
  // on stable storage.
  Async<Status> Compare(TreeName tree, NodeId owner);
  Async<> LoadTrusted();
  Async<> StoreTrusted(TreeName tree, NodeId owner);

  Status MayAskOwner(NodeId from, const peer::TreeId& tree);
  static Async<> AnswerGet(Transfer* self, peer::TransferGet get, KeyRange range, Responder respond);

  DataPath parts_;
  MerkleTrees* trees_;
  BackgroundPace pace_;
  Event wake_;
  std::map<PartitionId, Receiving> receiving_;
  uint32_t running_ = 0;
  Round round_ = 0;
  std::map<TreeName, CopyShare> copies_;  // Begun in this round, also of what has moved.
  RateMeter rate_;
  std::optional<PreferenceLists> target_;  // Owners after the change under way.
  std::function<void(uint64_t since, std::vector<PartitionId>)> covered_;
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_SERVICE_TRANSFER_H_
