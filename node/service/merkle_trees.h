// The Merkle trees of one shard's partitions, kept up to date lazily: writes mark
// leaves, and a scan of the store hashes marked leaves when somebody asks.
// Dynamo section 4.7.
//
// In memory only: after a start all leaves are marked.
#ifndef DYNAMO_NODE_SERVICE_MERKLE_TREES_H_
#define DYNAMO_NODE_SERVICE_MERKLE_TREES_H_

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "node/core/antientropy/hash_tree.h"
#include "node/protocol/tree_messages.h"
#include "node/service/background_pace.h"
#include "node/service/key_locks.h"
#include "node/service/shard_context.h"
#include "node/service/tree_name.h"

namespace dynamo {

class MerkleTrees {
 public:
  // All outlive it.
  MerkleTrees(ShardContext* shard, BackgroundPace* pace);

  // The trees of this shard's partitions that this node owns, in ring order. Needs
  // a topology, as the rest.
  std::vector<TreeName> Owned() const;
  bool Owns(TreeName tree) const;
  // Or is about to.
  bool MayHold(TreeName tree) const { return dynamo::MayHold(*shard_, shard_->self, tree); }

  // After the write has become visible, or may have.
  void OnObjectWritten(const PlacedKey& key);
  // What rots marks nothing: all has to be read again.
  void MarkAll(TreeName tree);
  // The topology is another one now: drops the trees of what this node holds no
  // longer; all, if types have another N.
  void OnTopology();

  // Hashes what is marked. kStorage: nothing can be said; kOverloaded: too many
  // wait for the same. What cannot be read for its checksum is an unreadable leaf,
  // not an error.
  Async<Status> Refresh(TreeName tree);
  // As they were hashed last; the root is brought up to date first.
  Async<Result<std::vector<Hash128>>> Nodes(TreeName tree, uint32_t level, std::vector<uint32_t> nodes);
  bool HasUnreadable(TreeName tree);
  uint32_t Marked(TreeName tree) { return Find(tree)->marked(); }

  // The objects of the tree's N in the range, within one leaf: at most
  // kLeafKeysMax. kCorrupt: the store cannot list them.
  Async<Result<LeafPage>> List(TreeName tree, KeyRange range);

  // Called for each stored object that a scan finds to fail its checksum.
  void OnCorrupt(std::function<void(Bytes storage_key)> listener) { corrupt_ = std::move(listener); }

 private:
  struct Progress;
  using TreePtr = std::shared_ptr<HashTree>;  // A scan outlives OnTopology.

  TreePtr Find(TreeName tree);
  Async<Status> ScanRun(TreeName name, TreePtr tree, LeafIndex first, LeafIndex last);
  Async<Status> ScanOneByOne(TreeName name, TreePtr tree, LeafIndex first, LeafIndex last);
  // Nothing if the entry is of another tree.
  std::optional<LeafEntry> EntryOf(TreeName tree, const KeyValue& stored) const;

  ShardContext* shard_;
  BackgroundPace* pace_;
  KeyLocks refreshing_;
  std::map<TreeName, TreePtr> trees_;
  std::map<std::string, BucketType> types_;
  std::function<void(Bytes)> corrupt_;
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_SERVICE_MERKLE_TREES_H_
