// The Merkle tree over one partition's objects of one N. Dynamo section 4.7.
//
// Two owners that hold equal objects have equal trees, whatever the order in which
// these were written. Only the leaves are kept; what is above them is hashed when
// asked for, which costs microseconds.
#ifndef DYNAMO_NODE_CORE_ANTIENTROPY_HASH_TREE_H_
#define DYNAMO_NODE_CORE_ANTIENTROPY_HASH_TREE_H_

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/hash.h"
#include "node/core/antientropy/leaf_range.h"

namespace dynamo {

// Folds the objects under one leaf, in any order. Nothing folded: zero.
class LeafHash {
 public:
  // Each key once.
  void Add(std::string_view storage_key, const Hash128& digest);
  const Hash128& value() const { return value_; }

 private:
  Hash128 value_;
};

// What a leaf that cannot be read stands for: equal to no leaf of a peer's that can.
inline constexpr Hash128 kUnreadableLeaf{~uint64_t{0}, ~uint64_t{0}};

// Writes mark leaves; a scan of the store hashes marked leaves again. A new tree
// knows nothing: all its leaves are marked.
class HashTree {
 public:
  // Counts marks of the tree.
  using MarkCount = uint64_t;

  HashTree();

  // Something under the leaf is, or may be, other than when it was hashed. Called
  // after the write has become visible to scans.
  void Mark(LeafIndex leaf) { marks_[leaf] = ++mark_count_; }
  void MarkAll();
  bool IsMarked(LeafIndex leaf) const { return marks_[leaf] != 0; }
  uint32_t marked() const;

  // The first run of marked leaves from `from` on: first and last, both included.
  std::optional<std::pair<LeafIndex, LeafIndex>> NextMarked(LeafIndex from) const;

  // A scan calls Now before it reads and SetLeaf after. The mark goes only if it is
  // not younger than the scan's beginning: of a write after it the scan may have
  // seen nothing. At most one scan of a leaf at a time.
  MarkCount Now() const { return mark_count_; }
  void SetLeaf(LeafIndex leaf, const Hash128& hash, MarkCount scan_began);

  // Level 0: the root. Zero: nothing is stored there.
  Hash128 NodeAt(uint32_t level, uint32_t index) const;
  Hash128 root() const { return NodeAt(0, 0); }
  std::vector<Hash128> NodesAt(uint32_t level, const std::vector<uint32_t>& indices) const;

 private:
  std::vector<Hash128> leaves_;
  std::vector<MarkCount> marks_;  // Zero: the leaf is as it was hashed.
  MarkCount mark_count_ = 0;
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_CORE_ANTIENTROPY_HASH_TREE_H_
