// Hints: objects kept for owners that were away. Dynamo section 4.6.
//
// Stored as storage key (position first, so that they lie in ring order) | owner |
// digest of the object: content-addressed, so that an acknowledged delivery
// deletes exactly what was sent and never what came since. A hint never expires:
// at the bound new ones are refused.
#ifndef DYNAMO_NODE_SERVICE_HINT_STORE_H_
#define DYNAMO_NODE_SERVICE_HINT_STORE_H_

#include <cstdint>
#include <map>
#include <unordered_map>
#include <vector>

#include "node/core/replication/hint.h"
#include "node/env/admin_handler.h"
#include "node/env/storage.h"
#include "node/service/shard_context.h"

namespace dynamo {

// Between preparing a change and Applied the caller holds the key's lock and has
// the operations written.
struct HintChange {
  WriteOps ops;
  struct Delta {
    NodeId owner;
    int64_t hints = 0;
    int64_t bytes = 0;
  };
  std::vector<Delta> deltas;
};

// The hints of one shard's partitions. Counts and which keys have any are kept in
// memory, so that asking costs no read.
class HintStore {
 public:
  explicit HintStore(ShardContext* shard) : shard_(shard) {}

  // Counts what is on disk; again after a failure. Needs a topology.
  Async<Status> Load();

  bool Has(const Hash128& position) const { return keys_.contains(position); }
  // All hints of a key, whoever for.
  Async<Result<std::vector<Hint>>> ReadAll(Bytes storage_key);
  // In ring order from `after` (exclusive; empty: from the start of the partition):
  // at most max_items, max_bytes. `last`: where to go on; empty at the end.
  struct Page {
    std::vector<Hint> hints;
    Bytes last;
  };
  Async<Result<Page>> ReadPage(PartitionId partition, Bytes after, size_t max_items, size_t max_bytes);

  // `existing`: what ReadAll gives. Older hints for the same owner that the new
  // one covers go in the same batch; a hint that an existing one covers changes
  // nothing. kOverloaded: at the bound.
  Result<HintChange> Add(const PlacedKey& key, NodeId owner, const Bytes& object, const std::vector<Hint>& existing);
  // Nothing if it is not among `existing` any more.
  HintChange Remove(NodeId owner, const Hash128& digest, const std::vector<Hint>& existing);
  void Applied(const PlacedKey& key, const HintChange& change);
  // Whether one that was added is for a node that neither owns the key nor is about to.
  bool AnyAstray(const PlacedKey& key, const HintChange& change) const;

  std::vector<HintCount> Counts() const;
  std::vector<NodeId> OwnersWithHints() const;
  std::vector<PartitionId> PartitionsWithHints() const;
  bool HasIn(PartitionId partition) const { return partitions_.contains(partition); }
  bool empty() const { return keys_.empty(); }

 private:
  void Uncount();
  void Count(const Hash128& position, const HintChange::Delta& delta);
  Async<Status> LoadPartition(PartitionId partition);

  ShardContext* shard_;
  uint64_t bytes_ = 0;
  std::map<NodeId, HintCount> owners_;
  std::map<PartitionId, uint64_t> partitions_;
  std::unordered_map<Hash128, uint64_t> keys_;  // tidy: lookup only
};

// The family's key of a hint, and back. kCorrupt if malformed.
Bytes HintEntryKey(std::string_view storage_key, NodeId owner, const Hash128& digest);
Result<Hint> ParseHintEntry(KeyValue entry);

}  // namespace dynamo

#endif  // DYNAMO_NODE_SERVICE_HINT_STORE_H_
