#include "node/protocol/tree_messages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "node/core/version/object_key.h"

namespace dynamo {
namespace {

using ::testing::ElementsAre;

constexpr uint32_t kRing = 8;

// A key under the leaf, as the store would hold it.
Bytes KeyUnder(PartitionId partition, LeafIndex leaf, const std::string& name) {
  Bytes key = LeafKeyRange(partition, kRing, leaf, leaf).begin;
  ByteWriter out(&key);
  out.String("type");
  out.String("bucket");
  out.Raw(name);
  return key;
}

peer::LeafGet LeafGetOf(PartitionId partition, LeafIndex leaf) {
  peer::LeafGet get;
  get.mutable_tree()->set_partition(partition);
  get.set_leaf(leaf);
  return get;
}

TEST(TreeMessages, NodesComeBackAsTheyWereAskedFor) {
  peer::TreeGet get;
  get.set_level(1);
  for (const uint32_t node : {0u, 5u, kTreeFanOut - 1}) get.add_nodes(node);
  EXPECT_THAT(NodesAskedFor(get).value(), ElementsAre(0u, 5u, kTreeFanOut - 1));
  get.add_nodes(kTreeFanOut);
  EXPECT_EQ(NodesAskedFor(get).error().code, Errc::kInvalidArgument);
}

TEST(TreeMessages, MoreNodesThanATreeHasAreRefusedBeforeTheyAreCopied) {
  peer::TreeGet get;
  get.set_level(kTreeLevels - 1);
  for (uint32_t node = 0; node <= kTreeLeaves; ++node) get.add_nodes(node);
  EXPECT_FALSE(NodesAskedFor(get).has_value());
}

RC_GTEST_PROP(TreeMessages, HashesComeBackAsTheyWere, (std::vector<uint64_t> values)) {
  std::vector<Hash128> hashes;
  hashes.reserve(values.size());
  for (const uint64_t value : values) hashes.push_back({value, ~value});
  peer::TreeNodes nodes;
  ToProto(hashes, &nodes);
  RC_ASSERT(HashesOf(nodes, hashes.size()).value() == hashes);
  RC_ASSERT(HashesOf(nodes, hashes.size() + 1).error().code == Errc::kCorrupt);
}

TEST(TreeMessages, AHashCutShortIsCorrupt) {
  peer::TreeNodes nodes;
  nodes.set_hashes(Bytes(31, 'h'));
  EXPECT_FALSE(HashesOf(nodes, 1).has_value());
  EXPECT_FALSE(HashesOf(nodes, 2).has_value());
}

TEST(TreeMessages, APageGoesOnWithinItsLeafOnly) {
  peer::LeafGet get = LeafGetOf(3, 7);
  const KeyRange leaf = LeafKeyRange(3, kRing, 7, 7);
  EXPECT_EQ(RangeAskedFor(get, kRing).value(), leaf);
  const Bytes key = KeyUnder(3, 7, "a");
  get.set_after(key);
  EXPECT_EQ(RangeAskedFor(get, kRing).value(), (KeyRange{key + '\0', leaf.end}));
  get.set_after(KeyUnder(3, 8, "a"));
  EXPECT_FALSE(RangeAskedFor(get, kRing).has_value());
  EXPECT_FALSE(RangeAskedFor(LeafGetOf(kRing, 0), kRing).has_value());
  EXPECT_FALSE(RangeAskedFor(LeafGetOf(0, kTreeLeaves), kRing).has_value());
}

class LeafKeysTest : public testing::Test {
 protected:
  LeafKeysTest() : range_(LeafKeyRange(3, kRing, 7, 7)) {}

  peer::LeafKey* Add(const Bytes& key) {
    peer::LeafKey* added = keys_.add_keys();
    added->set_storage_key(key);
    added->set_digest(Bytes(16, 'd'));
    return added;
  }

  KeyRange range_;
  peer::LeafKeys keys_;
};

TEST_F(LeafKeysTest, ComeBackAsTheyWere) {
  LeafPage page;
  page.entries = {{KeyUnder(3, 7, "a"), {1, 2}, false}, {KeyUnder(3, 7, "b"), {}, true}};
  page.more = true;
  ToProto(page, &keys_);
  const auto back = PageOf(keys_, range_);
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->entries, page.entries);
  EXPECT_TRUE(back->more);
}

TEST_F(LeafKeysTest, OutOfOrderAreCorrupt) {
  Add(KeyUnder(3, 7, "b"));
  Add(KeyUnder(3, 7, "a"));
  EXPECT_FALSE(PageOf(keys_, range_).has_value());
}

TEST_F(LeafKeysTest, TwiceAreCorrupt) {
  Add(KeyUnder(3, 7, "a"));
  Add(KeyUnder(3, 7, "a"));
  EXPECT_FALSE(PageOf(keys_, range_).has_value());
}

TEST_F(LeafKeysTest, OfAnotherLeafAreCorrupt) {
  Add(KeyUnder(3, 8, "a"));
  EXPECT_FALSE(PageOf(keys_, range_).has_value());
}

TEST_F(LeafKeysTest, WithMalformedKeysOrDigestsAreCorrupt) {
  Add(KeyUnder(3, 7, "a"))->set_digest("short");
  EXPECT_FALSE(PageOf(keys_, range_).has_value());
  keys_.clear_keys();
  Add(range_.begin + "\xff\xff");  // A length that nothing follows.
  EXPECT_FALSE(PageOf(keys_, range_).has_value());
}

TEST_F(LeafKeysTest, ThatPromiseMoreAndGiveNoneAreCorrupt) {
  keys_.set_more(true);
  EXPECT_EQ(PageOf(keys_, range_).error().code, Errc::kCorrupt);
}

TEST_F(LeafKeysTest, InTooGreatANumberAreCorrupt) {
  for (size_t i = 0; i <= kLeafKeysMax; ++i) Add(KeyUnder(3, 7, std::to_string(10'000 + i)));
  EXPECT_FALSE(PageOf(keys_, range_).has_value());
  keys_.mutable_keys()->RemoveLast();
  EXPECT_TRUE(PageOf(keys_, range_).has_value());
}

}  // namespace
}  // namespace dynamo
