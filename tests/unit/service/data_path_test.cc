// Get, put and delete over three nodes and more, all healthy.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/service/test_cluster.h"

namespace dynamo {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const ObjectKey kKey{"siblings", "cart", "ann"};

TEST(DataPath, WhatOneNodeTakesEveryNodeGives) {
  TestCluster cluster;
  const auto put = cluster.Put(0, kKey, "milk");
  ASSERT_TRUE(put.has_value()) << put.error().message;
  for (int node = 0; node < 3; ++node) {
    const auto got = cluster.Get(node, kKey);
    ASSERT_TRUE(got.has_value()) << got.error().message;
    EXPECT_THAT(TestCluster::ValuesOf(got->object), ElementsAre("milk"));
    EXPECT_FALSE(got->context.empty());
  }
}

TEST(DataPath, AKeyThatNobodyWroteIsFoundByNobody) {
  TestCluster cluster;
  const auto got = cluster.Get(1, kKey);
  ASSERT_TRUE(got.has_value()) << got.error().message;
  EXPECT_TRUE(got->object.never_written());
  EXPECT_THAT(got->context, IsEmpty());
}

TEST(DataPath, AllOwnersEndUpWithTheSameBytes) {
  TestCluster cluster;
  ASSERT_TRUE(cluster.Put(0, kKey, "milk").has_value());
  cluster.RunFor(Duration(1'000'000));
  const Object first = cluster.Stored(0, kKey);
  EXPECT_THAT(TestCluster::ValuesOf(first), ElementsAre("milk"));
  EXPECT_EQ(cluster.Stored(1, kKey), first);
  EXPECT_EQ(cluster.Stored(2, kKey), first);
}

TEST(DataPath, WritesWithoutAContextStayAsSiblingsUntilAWriteHasSeenThem) {
  TestCluster cluster;
  ASSERT_TRUE(cluster.Put(0, kKey, "milk").has_value());
  ASSERT_TRUE(cluster.Put(1, kKey, "bread").has_value());
  const auto got = cluster.Get(2, kKey);
  ASSERT_TRUE(got.has_value());
  EXPECT_THAT(TestCluster::ValuesOf(got->object), ElementsAre("bread", "milk"));
  ASSERT_TRUE(cluster.Put(2, kKey, "milk and bread", got->context).has_value());
  EXPECT_THAT(TestCluster::ValuesOf(cluster.Get(0, kKey)->object), ElementsAre("milk and bread"));
}

TEST(DataPath, AContextSupersedesOnlyWhatItHasSeen) {
  TestCluster cluster;
  const auto first = cluster.Put(0, kKey, "milk");
  ASSERT_TRUE(first.has_value());
  ASSERT_TRUE(cluster.Put(0, kKey, "bread").has_value());
  ASSERT_TRUE(cluster.Put(1, kKey, "oat milk", first->context).has_value());
  EXPECT_THAT(TestCluster::ValuesOf(cluster.Get(2, kKey)->object), ElementsAre("bread", "oat milk"));
}

TEST(DataPath, TheLastOfTwoWritesStaysInALastWriterWinsType) {
  TestCluster cluster;
  const ObjectKey key{"lww", "b", "k"};
  ASSERT_TRUE(cluster.Put(0, key, "first").has_value());
  ASSERT_TRUE(cluster.Put(1, key, "second").has_value());
  EXPECT_THAT(TestCluster::ValuesOf(cluster.Get(2, key)->object), ElementsAre("second"));
}

TEST(DataPath, ADeleteLeavesATombstoneThatReadsAsDeleted) {
  TestCluster cluster;
  ASSERT_TRUE(cluster.Put(0, kKey, "milk").has_value());
  ASSERT_TRUE(cluster.Delete(1, kKey).has_value());
  const auto got = cluster.Get(2, kKey);
  ASSERT_TRUE(got.has_value());
  EXPECT_TRUE(got->object.deleted());
  EXPECT_FALSE(got->context.empty());
}

TEST(DataPath, DeletingWhatDoesNotExistSucceedsAndWritesNothing) {
  TestCluster cluster;
  ASSERT_TRUE(cluster.Delete(0, kKey).has_value());
  cluster.RunFor(Duration(1'000'000));
  for (int node = 0; node < 3; ++node) EXPECT_TRUE(cluster.disk(node).applied(ColumnFamily::kObjects).empty());
}

TEST(DataPath, ADeleteWithAnOldContextKeepsWhatCameSince) {
  TestCluster cluster;
  const auto first = cluster.Put(0, kKey, "milk");
  ASSERT_TRUE(cluster.Put(0, kKey, "bread").has_value());
  ASSERT_TRUE(cluster.Delete(2, kKey, first->context).has_value());
  EXPECT_THAT(TestCluster::ValuesOf(cluster.Get(1, kKey)->object), ElementsAre("<deleted>", "bread"));
}

TEST(DataPath, ANodeThatDoesNotOwnTheKeyForwardsToOneThatDoes) {
  TestCluster cluster(Nodes(5));
  const std::vector<int> walk = cluster.WalkOf(kKey);
  const int outsider = walk[4];
  const auto put = cluster.Put(outsider, kKey, "milk");
  ASSERT_TRUE(put.has_value()) << put.error().message;
  EXPECT_NE(put->participants.coordinator, TestCluster::IdOf(outsider));
  const auto got = cluster.Get(outsider, kKey);
  ASSERT_TRUE(got.has_value()) << got.error().message;
  EXPECT_THAT(TestCluster::ValuesOf(got->object), ElementsAre("milk"));
  EXPECT_TRUE(cluster.Delete(outsider, kKey).has_value());
  EXPECT_TRUE(cluster.Get(walk[3], kKey)->object.deleted());
  EXPECT_TRUE(cluster.Stored(outsider, kKey).never_written());
}

TEST(DataPath, EveryShardTakesEveryKey) {
  TestCluster cluster(Nodes(3, 3));
  for (int i = 0; i < 24; ++i) {
    const ObjectKey key{"siblings", "b", "key" + std::to_string(i)};
    const auto shard = static_cast<ShardIndex>(i % 3);
    const auto put = cluster.Put(i % 2, key, "v" + std::to_string(i), {}, {}, shard);
    ASSERT_TRUE(put.has_value()) << put.error().message;
    const auto got = cluster.Get(2, key, {}, (shard + 1) % 3);
    ASSERT_TRUE(got.has_value()) << got.error().message;
    EXPECT_THAT(TestCluster::ValuesOf(got->object), ElementsAre("v" + std::to_string(i)));
  }
}

TEST(DataPath, ASingleNodeIsAClusterOfEffectiveNOne) {
  TestCluster cluster(Nodes(1));
  ASSERT_TRUE(cluster.Put(0, kKey, "milk").has_value());
  EXPECT_THAT(TestCluster::ValuesOf(cluster.Get(0, kKey)->object), ElementsAre("milk"));
}

TEST(DataPath, TheAnswerSaysWhoTookPart) {
  TestCluster cluster;
  const auto put = cluster.Put(1, kKey, "milk", {}, WithW(QuorumValue::All()));
  ASSERT_TRUE(put.has_value());
  EXPECT_EQ(put->participants.coordinator, TestCluster::IdOf(1));
  EXPECT_THAT(put->participants.replicas, SizeIs(3));
}

}  // namespace
}  // namespace dynamo
