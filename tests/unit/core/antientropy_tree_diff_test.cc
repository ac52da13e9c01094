#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <set>
#include <string>

#include "node/core/antientropy/hash_tree.h"
#include "node/core/antientropy/tree_diff.h"

namespace dynamo {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// As two owners talk: the root first, then the children of what differs.
std::vector<uint32_t> Descend(const HashTree& mine, const HashTree& theirs) {
  std::vector<uint32_t> nodes{0};
  for (uint32_t level = 0; !nodes.empty(); ++level) {
    nodes = DifferingNodes(nodes, mine.NodesAt(level, nodes), theirs.NodesAt(level, nodes));
    if (level + 1 == kTreeLevels) break;
    nodes = ChildrenOf(nodes);
  }
  return nodes;
}

HashTree TreeOf(const std::map<LeafIndex, uint64_t>& leaves) {
  HashTree tree;
  for (LeafIndex leaf = 0; leaf < kTreeLeaves; ++leaf) {
    const auto found = leaves.find(leaf);
    tree.SetLeaf(leaf, found == leaves.end() ? Hash128{} : Hash128{found->second, 1}, tree.Now());
  }
  return tree;
}

RC_GTEST_PROP(TreeDiff, FindsExactlyTheLeavesThatDiffer, ()) {
  std::map<LeafIndex, uint64_t> mine, theirs;
  std::set<uint32_t> differing;
  for (int i = *rc::gen::inRange(0, 30); i > 0; --i) {
    const auto leaf = *rc::gen::inRange<LeafIndex>(0, kTreeLeaves);
    mine[leaf] = *rc::gen::inRange<uint64_t>(0, 3);
    theirs[leaf] = *rc::gen::inRange<uint64_t>(0, 3);
    differing.erase(leaf);
    if (mine[leaf] != theirs[leaf]) differing.insert(leaf);
  }
  const std::vector<uint32_t> found = Descend(TreeOf(mine), TreeOf(theirs));
  RC_ASSERT(found == std::vector<uint32_t>(differing.begin(), differing.end()));
  RC_ASSERT(Descend(TreeOf(theirs), TreeOf(mine)) == found);
}

TEST(TreeDiff, BetweenEqualTreesTheRootIsAll) {
  EXPECT_THAT(DifferingNodes({0}, {{1, 2}}, {{1, 2}}), IsEmpty());
  EXPECT_THAT(ChildrenOf({}), IsEmpty());
}

TEST(TreeDiff, AnUnreadableLeafDiffersFromAnyThatCanBeRead) {
  HashTree broken = TreeOf({{5, 1}});
  broken.SetLeaf(9, kUnreadableLeaf, broken.Now());
  EXPECT_THAT(Descend(broken, TreeOf({{5, 1}})), ElementsAre(9u));
  EXPECT_THAT(Descend(broken, TreeOf({{5, 1}, {9, 1}})), ElementsAre(9u));
}

TEST(TreeDiff, NodesArePeersToAskForOnlyIfTheyAreThereAndInOrder) {
  EXPECT_TRUE(IsNodeList(0, {0}));
  EXPECT_TRUE(IsNodeList(1, {0, 3, kTreeFanOut - 1}));
  EXPECT_TRUE(IsNodeList(kTreeLevels - 1, {kTreeLeaves - 1}));
  EXPECT_FALSE(IsNodeList(kTreeLevels, {0}));
  EXPECT_FALSE(IsNodeList(~uint32_t{0}, {0}));
  EXPECT_FALSE(IsNodeList(0, {}));
  EXPECT_FALSE(IsNodeList(0, {1}));
  EXPECT_FALSE(IsNodeList(1, {kTreeFanOut}));
  EXPECT_FALSE(IsNodeList(1, {3, 3}));
  EXPECT_FALSE(IsNodeList(1, {4, 3}));
  EXPECT_FALSE(IsNodeList(1, {~uint32_t{0}, 3}));
}

TEST(TreeDiff, KeysAreGivenByWhoHasThem) {
  const std::vector<LeafEntry> mine{{"a", {1, 1}}, {"b", {1, 1}}, {"d", {1, 1}}};
  const std::vector<LeafEntry> theirs{{"b", {1, 1}}, {"c", {1, 1}}, {"d", {2, 2}}, {"e", {1, 1}}};
  const KeyDifferences differences = CompareLeaves(mine, theirs);
  EXPECT_THAT(differences.only_mine, ElementsAre("a"));
  EXPECT_THAT(differences.only_theirs, ElementsAre("c", "e"));
  EXPECT_THAT(differences.both, ElementsAre("d"));
  EXPECT_EQ(differences.size(), 4u);
}

TEST(TreeDiff, WhatIsCorruptIsNeitherAskedForNorGiven) {
  const std::vector<LeafEntry> mine{{"a", {}, true}, {"b", {1, 1}}, {"c", {}, true}};
  const std::vector<LeafEntry> theirs{{"a", {1, 1}}, {"b", {}, true}, {"c", {}, true}, {"d", {}, true}};
  const KeyDifferences differences = CompareLeaves(mine, theirs);
  EXPECT_THAT(differences.corrupt, ElementsAre("a", "b", "c", "d"));
  EXPECT_EQ(differences.size(), 4u);
}

RC_GTEST_PROP(TreeDiff, AfterTheDifferencesAreExchangedThereAreNone,
              (std::map<std::string, uint64_t> a, std::map<std::string, uint64_t> b)) {
  const auto list = [](const std::map<std::string, uint64_t>& stored) {
    std::vector<LeafEntry> entries;
    entries.reserve(stored.size());
    for (const auto& [key, state] : stored) entries.push_back({key, {state, 1}, false});
    return entries;
  };
  const KeyDifferences differences = CompareLeaves(list(a), list(b));
  for (const Bytes& key : differences.only_mine) b[key] = a.at(key);
  for (const Bytes& key : differences.only_theirs) a[key] = b.at(key);
  for (const Bytes& key : differences.both) a[key] = b[key] = std::max(a.at(key), b.at(key));
  RC_ASSERT(a == b);
  RC_ASSERT(CompareLeaves(list(a), list(b)).size() == 0u);
}

}  // namespace
}  // namespace dynamo
