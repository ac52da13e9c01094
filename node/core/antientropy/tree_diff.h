// Where two owners' trees, and the keys under a leaf, differ. Dynamo section 4.7.
#ifndef DYNAMO_NODE_CORE_ANTIENTROPY_TREE_DIFF_H_
#define DYNAMO_NODE_CORE_ANTIENTROPY_TREE_DIFF_H_

#include <cstdint>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/hash.h"

namespace dynamo {

// Of the nodes `asked`, those whose hashes differ; the three lists are as long.
std::vector<uint32_t> DifferingNodes(const std::vector<uint32_t>& asked, const std::vector<Hash128>& mine,
                                     const std::vector<Hash128>& theirs);
// On the next level, in order.
std::vector<uint32_t> ChildrenOf(const std::vector<uint32_t>& nodes);
// A list of nodes of that level as a peer may ask for: not empty, ascending,
// distinct, all there.
bool IsNodeList(uint32_t level, const std::vector<uint32_t>& nodes);

// What an owner stores under a leaf.
struct LeafEntry {
  Bytes storage_key;
  Hash128 digest;        // Zero if corrupt.
  bool corrupt = false;  // It fails its checksum.

  friend bool operator==(const LeafEntry&, const LeafEntry&) = default;
};

struct KeyDifferences {
  std::vector<Bytes> only_mine;
  std::vector<Bytes> only_theirs;
  std::vector<Bytes> both;  // With different states.
  // On a side: whoever cannot read its own has to ask all other owners.
  std::vector<Bytes> corrupt;
  size_t size() const { return only_mine.size() + only_theirs.size() + both.size() + corrupt.size(); }
};

// Both sorted by key, distinct. A key is in one list.
KeyDifferences CompareLeaves(const std::vector<LeafEntry>& mine, const std::vector<LeafEntry>& theirs);

}  // namespace dynamo

#endif  // DYNAMO_NODE_CORE_ANTIENTROPY_TREE_DIFF_H_
