#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "node/core/ring/token_map.h"

namespace dynamo {
namespace {

uint32_t AnyPartitionCount() { return uint32_t{1} << *rc::gen::inRange(3, 13); }

TEST(TokenMap, PartitionCountsArePowersOfTwoFrom8To4096) {
  uint32_t valid = 0;
  for (uint32_t count = 0; count <= 2 * kPartitionsMax; ++count) valid += IsValidPartitionCount(count) ? 1 : 0;
  EXPECT_EQ(valid, 10u);
  EXPECT_TRUE(IsValidPartitionCount(kPartitionsMin));
  EXPECT_TRUE(IsValidPartitionCount(kPartitionsDefault));
  EXPECT_TRUE(IsValidPartitionCount(kPartitionsMax));
}

RC_GTEST_PROP(TokenMap, EveryPositionLiesInTheRangeOfItsPartition, (uint64_t high, uint64_t low)) {
  const uint32_t partitions = AnyPartitionCount();
  const Hash128 position{high, low};
  const PartitionId partition = PartitionOf(position, partitions);
  RC_ASSERT(partition < partitions);
  const auto [first, last] = PartitionRange(partition, partitions);
  RC_ASSERT(first <= position);
  RC_ASSERT(position <= last);
}

RC_GTEST_PROP(TokenMap, RangesTouchWithoutOverlapAndCoverTheRing, ()) {
  const uint32_t partitions = AnyPartitionCount();
  RC_ASSERT(PartitionRange(0, partitions).first == (Hash128{0, 0}));
  RC_ASSERT(PartitionRange(partitions - 1, partitions).second == (Hash128{~uint64_t{0}, ~uint64_t{0}}));
  for (PartitionId partition = 0; partition + 1 < partitions; ++partition) {
    const Hash128 last = PartitionRange(partition, partitions).second;
    const Hash128 next = PartitionRange(partition + 1, partitions).first;
    RC_ASSERT(last.low == ~uint64_t{0});
    RC_ASSERT(next == (Hash128{last.high + 1, 0}));
  }
}

TEST(TokenMap, CountsTheTokensOfANode) {
  const TokenMap map({NodeId{1}, NodeId{2}, NodeId{1}, NodeId{3}});
  EXPECT_EQ(map.TokensOf(NodeId{1}), 2u);
  EXPECT_EQ(map.TokensOf(NodeId{3}), 1u);
  EXPECT_EQ(map.TokensOf(NodeId{9}), 0u);
}

}  // namespace
}  // namespace dynamo
