#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <string>

#include "node/core/antientropy/hash_tree.h"

namespace dynamo {
namespace {

using ::testing::Optional;
using ::testing::Pair;

constexpr LeafIndex kFew = 8;  // Leaves that the models use.

// What is stored, by leaf: the truth that a tree is to tell of.
using Stored = std::map<LeafIndex, std::map<std::string, Hash128>>;

Hash128 HashLeaf(const Stored& stored, LeafIndex leaf) {
  LeafHash hash;
  const auto found = stored.find(leaf);
  if (found == stored.end()) return hash.value();
  for (const auto& [key, digest] : found->second) hash.Add(key, digest);
  return hash.value();
}

// Hashes all marked leaves again.
void Catch(HashTree& tree, const Stored& stored) {
  for (LeafIndex leaf = 0; leaf < kTreeLeaves; ++leaf) {
    if (tree.IsMarked(leaf)) tree.SetLeaf(leaf, HashLeaf(stored, leaf), tree.Now());
  }
}

HashTree Rebuilt(const Stored& stored) {
  HashTree tree;
  Catch(tree, stored);
  return tree;
}

void WriteSomething(Stored& stored, LeafIndex leaf) {
  const std::string key = "key" + std::to_string(*rc::gen::inRange(0, 4));
  if (*rc::gen::inRange(0, 4) == 0) {
    stored[leaf].erase(key);
  } else {
    stored[leaf][key] = Hash128{*rc::gen::arbitrary<uint64_t>(), 1};
  }
}

TEST(LeafHash, OfNothingIsZero) { EXPECT_EQ(LeafHash().value(), Hash128{}); }

RC_GTEST_PROP(LeafHash, DoesNotDependOnTheOrderOfTheKeys, (std::map<std::string, uint64_t> entries)) {
  std::vector<std::pair<std::string, uint64_t>> other(entries.begin(), entries.end());
  std::reverse(other.begin(), other.end());
  LeafHash a, b;
  for (const auto& [key, digest] : entries) a.Add(key, {digest, 1});
  for (const auto& [key, digest] : other) b.Add(key, {digest, 1});
  RC_ASSERT(a.value() == b.value());
}

RC_GTEST_PROP(LeafHash, ChangesWithEachKeyAndEachState, (std::map<std::string, uint64_t> entries)) {
  RC_PRE(!entries.empty());
  LeafHash all, less, other;
  for (const auto& [key, digest] : entries) {
    const bool first = key == entries.begin()->first;
    all.Add(key, {digest, 1});
    if (!first) less.Add(key, {digest, 1});
    other.Add(key, {first ? ~digest : digest, 1});
  }
  RC_ASSERT(all.value() != less.value());
  RC_ASSERT(all.value() != other.value());
}

TEST(LeafHash, TellsAKeyFromAnotherWithTheSameState) {
  LeafHash a, b;
  a.Add("a", {1, 1});
  b.Add("b", {1, 1});
  EXPECT_NE(a.value(), b.value());
}

TEST(HashTree, KnowsNothingAtFirst) {
  const HashTree tree;
  EXPECT_EQ(tree.marked(), kTreeLeaves);
  EXPECT_THAT(tree.NextMarked(0), Optional(Pair(0u, kTreeLeaves - 1)));
}

TEST(HashTree, OfNothingHasARootOfZero) {
  const HashTree tree = Rebuilt({});
  EXPECT_EQ(tree.marked(), 0u);
  EXPECT_EQ(tree.root(), Hash128{});
  EXPECT_EQ(tree.NextMarked(0), std::nullopt);
}

RC_GTEST_PROP(HashTree, KeptUpToDateIsTheOneBuiltAnew, ()) {
  Stored stored;
  HashTree tree = Rebuilt(stored);
  for (int round = *rc::gen::inRange(1, 12); round > 0; --round) {
    for (int write = *rc::gen::inRange(0, 4); write > 0; --write) {
      const auto leaf = *rc::gen::inRange<LeafIndex>(0, kFew) * (kTreeLeaves / kFew);
      WriteSomething(stored, leaf);
      tree.Mark(leaf);
    }
    Catch(tree, stored);
    RC_ASSERT(tree.root() == Rebuilt(stored).root());
  }
}

// Writes and scans interleave: a write is visible from some instant, marks after it;
// a scan sees the instant at which it reads.
RC_GTEST_PROP(HashTree, NeverForgetsAWriteThatAScanMayHaveMissed, ()) {
  Stored stored;
  HashTree tree = Rebuilt(stored);
  constexpr LeafIndex kLeaf = 17;
  int unmarked = 0;  // Visible writes that have not marked yet.
  bool scanning = false;
  HashTree::MarkCount began = 0;
  std::optional<Hash128> seen;
  for (int step = *rc::gen::inRange(1, 40); step > 0; --step) {
    switch (*rc::gen::inRange(0, 5)) {
      case 0: WriteSomething(stored, kLeaf), ++unmarked; break;
      case 1:
        if (unmarked > 0) tree.Mark(kLeaf), --unmarked;
        break;
      case 2:
        if (!scanning) scanning = true, began = tree.Now(), seen.reset();
        break;
      case 3:
        if (scanning && !seen) seen = HashLeaf(stored, kLeaf);
        break;
      default:
        if (scanning && seen) tree.SetLeaf(kLeaf, *seen, began), scanning = false;
        break;
    }
    const bool told = tree.IsMarked(kLeaf) || unmarked > 0;
    RC_ASSERT(told || tree.NodeAt(kTreeLevels - 1, kLeaf) == HashLeaf(stored, kLeaf));
  }
}

TEST(HashTree, KeepsTheMarkOfAWriteThatCameDuringTheScan) {
  HashTree tree = Rebuilt({});
  tree.Mark(3);
  const HashTree::MarkCount began = tree.Now();
  tree.Mark(3);
  tree.SetLeaf(3, {1, 1}, began);
  EXPECT_TRUE(tree.IsMarked(3));
  tree.SetLeaf(3, {1, 2}, tree.Now());
  EXPECT_FALSE(tree.IsMarked(3));
  EXPECT_EQ(tree.NodeAt(2, 3), (Hash128{1, 2}));
}

TEST(HashTree, FindsRunsOfMarkedLeaves) {
  HashTree tree = Rebuilt({});
  for (const LeafIndex leaf : {5u, 6u, 7u, 1000u, kTreeLeaves - 1}) tree.Mark(leaf);
  EXPECT_THAT(tree.NextMarked(0), Optional(Pair(5u, 7u)));
  EXPECT_THAT(tree.NextMarked(6), Optional(Pair(6u, 7u)));
  EXPECT_THAT(tree.NextMarked(8), Optional(Pair(1000u, 1000u)));
  EXPECT_THAT(tree.NextMarked(1001), Optional(Pair(kTreeLeaves - 1, kTreeLeaves - 1)));
  EXPECT_EQ(tree.NextMarked(kTreeLeaves), std::nullopt);
  EXPECT_EQ(tree.marked(), 5u);
}

TEST(HashTree, APlaceMattersAsMuchAsWhatIsThere) {
  HashTree a = Rebuilt({}), b = Rebuilt({});
  a.SetLeaf(1, {1, 1}, a.Now());
  b.SetLeaf(2, {1, 1}, b.Now());
  EXPECT_NE(a.root(), b.root());
  EXPECT_NE(a.NodeAt(1, 0), b.NodeAt(1, 0));
  EXPECT_EQ(a.NodesAt(1, {1, 31}), b.NodesAt(1, {1, 31}));
}

}  // namespace
}  // namespace dynamo
