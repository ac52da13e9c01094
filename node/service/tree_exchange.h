// One comparison of a Merkle tree with another owner's: roots, then levels, then
// the keys under the leaves that differ, then objects both ways. Dynamo section 4.7.
#ifndef DYNAMO_NODE_SERVICE_TREE_EXCHANGE_H_
#define DYNAMO_NODE_SERVICE_TREE_EXCHANGE_H_

#include <cstdint>
#include <vector>

#include "node/service/background_pace.h"
#include "node/service/data_path.h"
#include "node/service/merkle_trees.h"

namespace dynamo {

struct ExchangeResult {
  uint64_t leaves_differing = 0;
  uint64_t keys_repaired = 0;
  uint64_t keys_failed = 0;  // A side could not read or write them.
  bool more = false;         // The bytes of one exchange were used up.
};

// Objects only ever join what is there, through the same path as any replica put,
// so that an exchange does no harm whatever has changed since the trees were hashed.
class TreeExchange {
 public:
  // All outlive it, and it outlives Run.
  TreeExchange(DataPath parts, MerkleTrees* trees, BackgroundPace* pace, TreeName tree, NodeId peer)
      : parts_(parts), trees_(trees), pace_(pace), tree_(tree), peer_(peer) {}

  // Errors: what the peer answered, or the transport's; kCorrupt: it talks nonsense.
  Async<Result<ExchangeResult>> Run();
  // Only this much of it; ascending.
  Async<Result<std::vector<LeafIndex>>> DifferingLeaves();

 private:
  TimePoint TreeDeadline() const;
  void Name(peer::TreeId* out) const;
  Async<Result<std::vector<Hash128>>> AskNodes(uint32_t level, std::vector<uint32_t> nodes);
  Async<Status> RepairLeaf(LeafIndex leaf);
  Async<Result<std::vector<LeafEntry>>> AskLeaf(LeafIndex leaf);
  // The same of this node; where the store cannot list, of the keys that the peer has.
  Async<Result<std::vector<LeafEntry>>> OwnLeaf(LeafIndex leaf, std::vector<LeafEntry> theirs);
  // False: a side could not. `fetch`: the peer has something of it.
  Async<bool> RepairKey(Bytes storage_key, bool fetch);
  bool BelongsHere(const PlacedKey& key) const;
  // What the peer has, merged here.
  Async<Result<Bytes>> FetchAndMerge(KeyPtr key);

  DataPath parts_;
  MerkleTrees* trees_;
  BackgroundPace* pace_;
  TreeName tree_;
  NodeId peer_;
  uint64_t bytes_ = 0;
  ExchangeResult result_;
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_SERVICE_TREE_EXCHANGE_H_
