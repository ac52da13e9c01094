#include "node/service/merkle_trees.h"

#include <optional>
#include <utility>

#include "node/core/version/object.h"

namespace dynamo {
namespace {

constexpr uint32_t kRefreshersMax = 64;
constexpr size_t kScanItems = 4096;
constexpr size_t kScanBytes = 1u << 20;

uint64_t BytesOf(const std::vector<KeyValue>& items) {
  uint64_t bytes = 0;
  for (const KeyValue& item : items) bytes += item.key.size() + item.value.size();
  return bytes;
}

// A scan stops at either limit; short of both it has come to the end.
bool IsLastPage(const std::vector<KeyValue>& items, size_t max_items, size_t max_bytes) {
  return items.size() < max_items && BytesOf(items) < max_bytes;
}

}  // namespace

// A scan that goes from leaf to leaf. The mark of a leaf may go only if it is not
// younger than the first page that showed something of it.
struct MerkleTrees::Progress {
  HashTree* tree;
  LeafIndex leaf;
  LeafHash hash;
  HashTree::MarkCount began;

  void AdvanceTo(LeafIndex next, HashTree::MarkCount page_began, bool forget_writes) {
    for (; leaf < next; ++leaf) {
      tree->SetLeaf(leaf, hash.value(), forget_writes ? tree->Now() : began);
      hash = LeafHash();
      began = page_began;
    }
  }
};

MerkleTrees::MerkleTrees(ShardContext* shard, BackgroundPace* pace)
    : shard_(shard), pace_(pace), refreshing_(shard->env.scope, kRefreshersMax) {}

std::vector<TreeName> MerkleTrees::Owned() const {
  const std::set<uint32_t> n_vals = NsInUse(shard_->topology());
  std::vector<TreeName> owned;
  for (PartitionId partition = 0; partition < shard_->topology().partitions; ++partition) {
    if (shard_->ShardOf(partition) != shard_->env.link->self()) continue;
    for (const uint32_t n_val : n_vals) {
      if (Owns({partition, n_val})) owned.push_back({partition, n_val});
    }
  }
  return owned;
}

bool MerkleTrees::Owns(TreeName tree) const { return shard_->ListOf(tree.partition, tree.n_val).Owns(shard_->self); }

void MerkleTrees::OnTopology() {
  if (std::exchange(types_, shard_->topology().types) != shard_->topology().types) trees_.clear();
  std::erase_if(trees_, [this](const auto& entry) { return !MayHold(entry.first); });
}

void MerkleTrees::OnObjectWritten(const PlacedKey& key) {
  // A tree that is not there yet begins with all leaves marked.
  const auto found = trees_.find({key.partition, shard_->NOf(key.key)});
  if (found != trees_.end()) found->second->Mark(LeafOf(key.position, shard_->topology().partitions));
}

void MerkleTrees::MarkAll(TreeName tree) { Find(tree)->MarkAll(); }

MerkleTrees::TreePtr MerkleTrees::Find(TreeName tree) {
  TreePtr& found = trees_[tree];
  if (found == nullptr) found = std::make_shared<HashTree>();
  return found;
}

bool MerkleTrees::HasUnreadable(TreeName tree) {
  const TreePtr found = Find(tree);
  for (LeafIndex leaf = 0; leaf < kTreeLeaves; ++leaf) {
    if (found->NodeAt(kTreeLevels - 1, leaf) == kUnreadableLeaf) return true;
  }
  return false;
}

Async<Status> MerkleTrees::Refresh(TreeName name) {
  // Of two scans of a leaf the earlier could come in last.
  Result<KeyLocks::Guard> alone = co_await refreshing_.Acquire(Hash128{name.partition, name.n_val});
  if (!alone) co_return Fail(Errc::kOverloaded, "overload: too many wait for one Merkle tree");
  const TreePtr tree = Find(name);
  LeafIndex from = 0;
  while (const auto run = tree->NextMarked(from)) {
    Status scanned = co_await ScanRun(name, tree, run->first, run->second);
    if (!scanned && scanned.error().code == Errc::kCorrupt) {
      scanned = co_await ScanOneByOne(name, tree, run->first, run->second);
    }
    if (!scanned) co_return scanned;
    from = run->second + 1;
  }
  co_return Status{};
}

Async<Status> MerkleTrees::ScanRun(TreeName name, TreePtr tree, LeafIndex first, LeafIndex last) {
  const uint32_t partitions = shard_->topology().partitions;
  const bool forget_writes = shard_->config->planted.Has(PlantedBug::kMerkleMarkForgotten);
  KeyRange range = LeafKeyRange(name.partition, partitions, first, last);
  HashTree::MarkCount page_began = tree->Now();
  Progress progress{tree.get(), first, {}, page_began};
  std::vector<LeafIndex> to_read_again;
  for (bool more = true; more;) {
    page_began = tree->Now();
    auto page =
        co_await shard_->env.storage->Scan(ColumnFamily::kObjects, range.begin, range.end, kScanItems, kScanBytes);
    if (!page) co_return Fail(std::move(page.error()));
    for (const KeyValue& stored : *page) {
      const std::optional<LeafEntry> entry = EntryOf(name, stored);
      if (!entry) continue;
      const LeafIndex leaf = LeafOf(PositionOfStorageKey(stored.key), partitions);
      progress.AdvanceTo(leaf, page_began, forget_writes);
      if (entry->corrupt) to_read_again.push_back(leaf);
      // Bytes that fail their checksum have a digest too: one that no peer's have.
      progress.hash.Add(stored.key, entry->corrupt ? HashOf(stored.value) : entry->digest);
    }
    more = !IsLastPage(*page, kScanItems, kScanBytes);
    if (more) range.begin = page->back().key + '\0';
    co_await pace_->Spend(BytesOf(*page));
  }
  progress.AdvanceTo(last + 1, page_began, forget_writes);
  // A read may have failed for once only: no write would tell.
  for (const LeafIndex leaf : to_read_again) tree->Mark(leaf);
  co_return Status{};
}

// Somewhere in the run the store itself cannot read: finds out which leaf it is.
Async<Status> MerkleTrees::ScanOneByOne(TreeName name, TreePtr tree, LeafIndex first, LeafIndex last) {
  for (LeafIndex leaf = first; leaf <= last; ++leaf) {
    const HashTree::MarkCount began = tree->Now();
    const Status scanned = co_await ScanRun(name, tree, leaf, leaf);
    if (scanned) continue;
    if (scanned.error().code != Errc::kCorrupt) co_return scanned;
    if (tree->NodeAt(kTreeLevels - 1, leaf) != kUnreadableLeaf) {
      shard_->env.log.Error("leaf_not_readable partition={} leaf={} error={}", name.partition, leaf,
                            scanned.error().message);
    }
    tree->SetLeaf(leaf, kUnreadableLeaf, began);
    // Until it can be read it has to be tried again.
    tree->Mark(leaf);
  }
  co_return Status{};
}

std::optional<LeafEntry> MerkleTrees::EntryOf(TreeName tree, const KeyValue& stored) const {
  const Result<ObjectKey> key = ParseStorageKey(stored.key);
  if (!key || shard_->NOf(*key) != tree.n_val) return std::nullopt;
  if (!DecodeObjectHeader(stored.value)) {
    if (corrupt_) corrupt_(stored.key);
    return LeafEntry{stored.key, {}, /*corrupt=*/true};
  }
  return LeafEntry{stored.key, DigestOf(stored.value), false};
}

Async<Result<std::vector<Hash128>>> MerkleTrees::Nodes(TreeName tree, uint32_t level, std::vector<uint32_t> nodes) {
  if (level == 0) {
    const Status fresh = co_await Refresh(tree);
    if (!fresh) co_return Fail(fresh.error());
  }
  co_return Find(tree)->NodesAt(level, nodes);
}

Async<Result<LeafPage>> MerkleTrees::List(TreeName tree, KeyRange range) {
  LeafPage page;
  // A page may hold nothing but objects of another N.
  do {
    auto stored =
        co_await shard_->env.storage->Scan(ColumnFamily::kObjects, range.begin, range.end, kLeafKeysMax, kScanBytes);
    if (!stored) co_return Fail(std::move(stored.error()));
    for (const KeyValue& item : *stored) {
      if (std::optional<LeafEntry> entry = EntryOf(tree, item)) page.entries.push_back(std::move(*entry));
    }
    page.more = !IsLastPage(*stored, kLeafKeysMax, kScanBytes);
    if (page.more) range.begin = stored->back().key + '\0';
    co_await pace_->Spend(BytesOf(*stored));
  } while (page.more && page.entries.empty());
  co_return page;
}

}  // namespace dynamo
