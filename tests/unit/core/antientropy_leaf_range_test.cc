#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "node/core/antientropy/leaf_range.h"
#include "node/core/version/object_key.h"

namespace dynamo {
namespace {

uint32_t AnyRing() { return uint32_t{1} << *rc::gen::inRange(3, 13); }

bool Holds(const KeyRange& range, const Bytes& key) {
  return range.begin <= key && (range.end.empty() || key < range.end);
}

TEST(LeafRange, TheLevelsAreTheRootItsChildrenAndTheLeaves) {
  EXPECT_EQ(NodesOfLevel(0), 1u);
  EXPECT_EQ(NodesOfLevel(1), kTreeFanOut);
  EXPECT_EQ(NodesOfLevel(kTreeLevels - 1), kTreeLeaves);
}

RC_GTEST_PROP(LeafRange, AStoredKeyLiesInTheRangeOfItsLeafAndInNoOther, (uint64_t high, uint64_t low)) {
  const uint32_t partitions = AnyRing();
  const Hash128 position{high, low};
  const Bytes key = ToBytes(position) + "whatever follows";
  const PartitionId partition = PartitionOf(position, partitions);
  const LeafIndex leaf = LeafOf(position, partitions);
  RC_ASSERT(leaf < kTreeLeaves);
  RC_ASSERT(Holds(LeafKeyRange(partition, partitions, leaf, leaf), key));
  if (leaf > 0) RC_ASSERT(!Holds(LeafKeyRange(partition, partitions, 0, leaf - 1), key));
  if (leaf + 1 < kTreeLeaves) RC_ASSERT(!Holds(LeafKeyRange(partition, partitions, leaf + 1, kTreeLeaves - 1), key));
}

RC_GTEST_PROP(LeafRange, LeavesTouchWithoutOverlapAndCoverTheirPartition, ()) {
  const uint32_t partitions = AnyRing();
  const auto partition = *rc::gen::inRange<PartitionId>(0, partitions);
  const auto [first, last] = PartitionRange(partition, partitions);
  const KeyRange whole = LeafKeyRange(partition, partitions, 0, kTreeLeaves - 1);
  RC_ASSERT(whole.begin == ToBytes(first));
  Bytes at = whole.begin;
  for (LeafIndex leaf = 0; leaf < kTreeLeaves; ++leaf) {
    const KeyRange range = LeafKeyRange(partition, partitions, leaf, leaf);
    RC_ASSERT(range.begin == at);
    at = range.end;
  }
  RC_ASSERT(at == whole.end);
  RC_ASSERT(Holds(whole, ToBytes(last)));
}

TEST(LeafRange, TheLastLeafOfTheRingEndsWithTheStore) {
  const KeyRange last = LeafKeyRange(7, 8, kTreeLeaves - 1, kTreeLeaves - 1);
  EXPECT_TRUE(last.end.empty());
  EXPECT_TRUE(Holds(last, Bytes(16, '\xff') + Bytes(100, '\xff')));
  EXPECT_FALSE(LeafKeyRange(6, 8, kTreeLeaves - 1, kTreeLeaves - 1).end.empty());
}

TEST(LeafRange, PartitionsMeetWhereTheirLeavesDo) {
  EXPECT_EQ(LeafKeyRange(3, 8, kTreeLeaves - 1, kTreeLeaves - 1).end, LeafKeyRange(4, 8, 0, 0).begin);
  EXPECT_EQ(LeafKeyRange(4, 8, 0, 0).begin, ToBytes(PartitionRange(4, 8).first));
}

}  // namespace
}  // namespace dynamo
