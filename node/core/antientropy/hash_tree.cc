#include "node/core/antientropy/hash_tree.h"

#include <algorithm>

#include "common/base/bytes.h"

namespace dynamo {

void LeafHash::Add(std::string_view storage_key, const Hash128& digest) {
  Bytes entry;
  ByteWriter out(&entry);
  out.Hash(digest);
  out.Raw(storage_key);
  const Hash128 hash = HashOf(entry);
  // Exclusive or: the order of the keys does not matter.
  value_.high ^= hash.high;
  value_.low ^= hash.low;
}

HashTree::HashTree() : leaves_(kTreeLeaves), marks_(kTreeLeaves) { MarkAll(); }

void HashTree::MarkAll() {
  ++mark_count_;
  std::fill(marks_.begin(), marks_.end(), mark_count_);
}

uint32_t HashTree::marked() const {
  return static_cast<uint32_t>(std::count_if(marks_.begin(), marks_.end(), [](MarkCount mark) { return mark != 0; }));
}

std::optional<std::pair<LeafIndex, LeafIndex>> HashTree::NextMarked(LeafIndex from) const {
  LeafIndex first = from;
  while (first < kTreeLeaves && !IsMarked(first)) ++first;
  if (first >= kTreeLeaves) return std::nullopt;
  LeafIndex last = first;
  while (last + 1 < kTreeLeaves && IsMarked(last + 1)) ++last;
  return std::pair(first, last);
}

void HashTree::SetLeaf(LeafIndex leaf, const Hash128& hash, MarkCount scan_began) {
  leaves_[leaf] = hash;
  if (marks_[leaf] <= scan_began) marks_[leaf] = 0;
}

Hash128 HashTree::NodeAt(uint32_t level, uint32_t index) const {
  if (level + 1 == kTreeLevels) return leaves_[index];
  Bytes children;
  children.reserve(kTreeFanOut * sizeof(Hash128));
  ByteWriter out(&children);
  bool any = false;
  for (uint32_t child = index * kTreeFanOut; child < (index + 1) * kTreeFanOut; ++child) {
    const Hash128 hash = NodeAt(level + 1, child);
    any = any || hash != Hash128{};
    out.Hash(hash);
  }
  return any ? HashOf(children) : Hash128{};
}

std::vector<Hash128> HashTree::NodesAt(uint32_t level, const std::vector<uint32_t>& indices) const {
  std::vector<Hash128> hashes;
  hashes.reserve(indices.size());
  for (const uint32_t index : indices) hashes.push_back(NodeAt(level, index));
  return hashes;
}

}  // namespace dynamo
