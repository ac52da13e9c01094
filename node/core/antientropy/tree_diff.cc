#include "node/core/antientropy/tree_diff.h"

#include <algorithm>
#include <functional>

#include "node/core/antientropy/leaf_range.h"

namespace dynamo {

std::vector<uint32_t> DifferingNodes(const std::vector<uint32_t>& asked, const std::vector<Hash128>& mine,
                                     const std::vector<Hash128>& theirs) {
  std::vector<uint32_t> differing;
  for (size_t i = 0; i < asked.size(); ++i) {
    if (mine[i] != theirs[i]) differing.push_back(asked[i]);
  }
  return differing;
}

std::vector<uint32_t> ChildrenOf(const std::vector<uint32_t>& nodes) {
  std::vector<uint32_t> children;
  children.reserve(nodes.size() * kTreeFanOut);
  for (const uint32_t node : nodes) {
    for (uint32_t child = 0; child < kTreeFanOut; ++child) children.push_back(node * kTreeFanOut + child);
  }
  return children;
}

bool IsNodeList(uint32_t level, const std::vector<uint32_t>& nodes) {
  if (level >= kTreeLevels || nodes.empty() || nodes.back() >= NodesOfLevel(level)) return false;
  return std::ranges::adjacent_find(nodes, std::greater_equal()) == nodes.end();
}

KeyDifferences CompareLeaves(const std::vector<LeafEntry>& mine, const std::vector<LeafEntry>& theirs) {
  KeyDifferences differences;
  auto my = mine.begin();
  auto their = theirs.begin();
  while (my != mine.end() || their != theirs.end()) {
    const bool i_have = my != mine.end() && (their == theirs.end() || my->storage_key <= their->storage_key);
    const bool they_have = their != theirs.end() && (my == mine.end() || their->storage_key <= my->storage_key);
    if ((i_have && my->corrupt) || (they_have && their->corrupt)) {
      differences.corrupt.push_back(i_have ? my->storage_key : their->storage_key);
    } else if (!they_have) {
      differences.only_mine.push_back(my->storage_key);
    } else if (!i_have) {
      differences.only_theirs.push_back(their->storage_key);
    } else if (my->digest != their->digest) {
      differences.both.push_back(my->storage_key);
    }
    if (i_have) ++my;
    if (they_have) ++their;
  }
  return differences;
}

}  // namespace dynamo
