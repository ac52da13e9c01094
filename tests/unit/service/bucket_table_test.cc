#include "node/service/bucket_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "node/service/request_options.h"

namespace dynamo {
namespace {

using ::testing::StartsWith;

struct Node {
  explicit Node(uint64_t number, size_t buckets_max = 100) : id{number}, table(buckets_max) {
    table.OnChange([this](std::shared_ptr<const BucketMap> map) { seen = std::move(map); });
  }
  NodeId id;
  std::shared_ptr<const BucketMap> seen = std::make_shared<BucketMap>();
  BucketTable table;

  Status Set(const std::string& bucket, const BucketPropertiesChange& change, WallMicros now = 1000) {
    return table.Set("default", bucket, change, id, now);
  }
  BucketProperties Properties(const std::string& bucket) const {
    return PropertiesOf(BucketType{}, *seen, "default", bucket);
  }
};

BucketPropertiesChange SetW(uint32_t w) {
  BucketPropertiesChange change;
  change.w = QuorumValue::Number(w);
  return change;
}

TEST(BucketTable, OnlyWhatIsSetChanges) {
  Node node(1);
  ASSERT_TRUE(node.Set("b", SetW(1)).has_value());
  BucketProperties expected = node.Properties("other");
  expected.w = QuorumValue::Number(1);
  EXPECT_EQ(node.Properties("b"), expected);
}

TEST(BucketTable, AResetForgetsWhatWasSetBefore) {
  Node node(1);
  ASSERT_TRUE(node.Set("b", SetW(1)).has_value());
  BucketPropertiesChange change;
  change.reset = true;
  change.notfound_ok = false;
  ASSERT_TRUE(node.Set("b", change).has_value());
  EXPECT_EQ(node.Properties("b").w, QuorumValue::Quorum());
  EXPECT_FALSE(node.Properties("b").notfound_ok);
}

TEST(BucketTable, MergesInAnyOrderEndEqual) {
  Node a(1), b(2), c(3);
  ASSERT_TRUE(a.Set("b", SetW(1), 1000).has_value());
  ASSERT_TRUE(b.Set("b", SetW(2), 2000).has_value());
  ASSERT_TRUE(b.Set("only-b", SetW(3), 2001).has_value());
  const Bytes of_a = a.table.Encode(), of_b = b.table.Encode();
  ASSERT_TRUE(a.table.Merge(of_b).has_value());
  ASSERT_TRUE(b.table.Merge(of_a).has_value());
  ASSERT_TRUE(c.table.Merge(of_b).has_value());
  ASSERT_TRUE(c.table.Merge(of_a).has_value());
  EXPECT_EQ(a.table.hash(), b.table.hash());
  EXPECT_EQ(a.table.hash(), c.table.hash());
  EXPECT_EQ(a.table.Encode(), c.table.Encode());
  EXPECT_EQ(c.Properties("b").w, QuorumValue::Number(2));
}

TEST(BucketTable, ALaterChangeWinsEvenWhereTheWallClockIsBehind) {
  Node ahead(1), behind(2);
  ASSERT_TRUE(ahead.Set("b", SetW(1), 5'000'000).has_value());
  ASSERT_TRUE(behind.table.Merge(ahead.table.Encode()).has_value());
  ASSERT_TRUE(behind.Set("b", SetW(2), 10).has_value());
  ASSERT_TRUE(ahead.table.Merge(behind.table.Encode()).has_value());
  EXPECT_EQ(ahead.Properties("b").w, QuorumValue::Number(2));
}

TEST(BucketTable, DamagedEncodingsChangeNothing) {
  Node node(1), other(2);
  ASSERT_TRUE(node.Set("b", SetW(1)).has_value());
  ASSERT_TRUE(other.Set("b", SetW(2), 9000).has_value());
  const Hash128 before = node.table.hash();
  const Bytes good = other.table.Encode();
  for (size_t cut = 0; cut < good.size(); ++cut) {
    EXPECT_FALSE(node.table.Merge(good.substr(0, cut)).has_value()) << cut;
  }
  EXPECT_FALSE(node.table.Merge(good + "x").has_value());
  EXPECT_EQ(node.table.hash(), before);
}

TEST(BucketTable, AtTheLimitNewBucketsAreRefusedAndKnownOnesStillChange) {
  Node node(1, 2);
  ASSERT_TRUE(node.Set("a", SetW(1)).has_value());
  ASSERT_TRUE(node.Set("b", SetW(1)).has_value());
  EXPECT_EQ(node.Set("c", SetW(1)).error().code, Errc::kTooLarge);
  EXPECT_TRUE(node.Set("b", SetW(2)).has_value());
}

TEST(BucketProperties, DwAsksForSyncsByItselfOnlyWhereEveryAckIsSyncedAnyway) {
  BucketType memory;
  memory.durability = BucketType::Durability::kMemory;
  EXPECT_EQ(PropertiesOf(memory, {}, "t", "b").dw, QuorumValue::Number(0));
  EXPECT_EQ(PropertiesOf(BucketType{}, {}, "t", "b").dw, QuorumValue::Quorum());
}

TEST(RequestOptions, WordsAreResolvedAgainstTheNThatThereIs) {
  ReadOptions read;
  read.r = QuorumValue::All();
  const auto resolved = ResolveRead(read, {}, 2);
  ASSERT_TRUE(resolved.has_value());
  EXPECT_EQ(resolved->quorum, (ReadQuorum{2, 2, 0, 0}));
  const auto write = ResolveWrite({}, {}, 5);
  ASSERT_TRUE(write.has_value());
  EXPECT_EQ(*write, (WriteQuorum{5, 3, 0, 3, 0}));
}

TEST(RequestOptions, NMayOnlyBeLoweredAndOnlyForReads) {
  const BucketProperties properties;
  ReadOptions read;
  EXPECT_EQ(NForRead(read, properties), 3u);
  read.n_val = 1;
  EXPECT_EQ(NForRead(read, properties), 1u);
  for (const uint32_t bad : {0u, 4u}) {
    read.n_val = bad;
    EXPECT_THAT(NForRead(read, properties).error().message, StartsWith("{n_val_violation,"));
  }
  WriteOptions write;
  write.n_val = 3;
  EXPECT_TRUE(CheckNForWrite(write, properties).has_value());
  write.n_val = 2;
  EXPECT_FALSE(CheckNForWrite(write, properties).has_value());
}

}  // namespace
}  // namespace dynamo
