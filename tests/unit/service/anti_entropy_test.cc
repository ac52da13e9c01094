// Owners that differ without anybody's hints: what Merkle trees find and repair.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "node/protocol/messages.h"
#include "tests/unit/service/test_cluster.h"

namespace dynamo {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const ObjectKey kKey{"siblings", "cart", "ann"};
constexpr Duration kSecond{1'000'000};

// No hints are kept, so that only anti-entropy repairs.
TestClusterConfig WithoutHints(int nodes = 3, uint32_t shards = 1) {
  TestClusterConfig config = Nodes(nodes, shards);
  config.service.hint_bytes_max = 0;
  config.service.anti_entropy_interval = kSecond;
  return config;
}

ObjectKey KeyOf(int number) { return {"siblings", "cart", "key" + std::to_string(number)}; }

WriteOptions AloneW() {
  WriteOptions options = WithW(QuorumValue::Number(1));
  options.dw = QuorumValue::Number(1);
  return options;
}

std::optional<Bytes> BytesOf(TestCluster& cluster, int node, const ObjectKey& key) {
  const auto& objects = cluster.disk(node).applied(ColumnFamily::kObjects);
  const auto found = objects.find(StorageKeyOf(key, cluster.topology().ring_seed));
  return found == objects.end() ? std::nullopt : std::optional(found->second);
}

uint64_t Figure(TestCluster& cluster, int node, const std::string& name) {
  for (const auto& figure : cluster.node(node).metrics().Collect()) {
    if (figure.name == name && figure.counter != nullptr) return figure.counter->value();
  }
  ADD_FAILURE() << "no counter " << name;
  return 0;
}

RepairProgress OrderAndWait(TestCluster& cluster, int node, std::optional<PartitionId> partition = std::nullopt) {
  RepairProgress last;
  AntiEntropy& parts = cluster.node(node).shard(0).anti_entropy();
  parts.OnProgress([&last](const RepairProgress& progress) { last = progress; });
  parts.Order({"order", partition});
  const auto done = [&last] { return last.state == RepairProgress::State::kDone && last.operation_id == "order"; };
  EXPECT_TRUE(cluster.world().RunUntil(done, cluster.world().now() + 60 * kSecond));
  parts.OnProgress(nullptr);
  return last;
}

TEST(AntiEntropy, ANodeThatMissedWritesWithoutHintsGetsThemInTheEnd) {
  TestCluster cluster(WithoutHints());
  cluster.Crash(2);
  for (int i = 0; i < 30; ++i) ASSERT_TRUE(cluster.Put(0, KeyOf(i), "milk").has_value());
  cluster.Start(2);
  ASSERT_EQ(cluster.Hints(0), 0u);
  cluster.RunFor(5 * kSecond);
  for (int i = 0; i < 30; ++i) {
    EXPECT_EQ(BytesOf(cluster, 2, KeyOf(i)), BytesOf(cluster, 0, KeyOf(i))) << i;
    EXPECT_THAT(TestCluster::ValuesOf(cluster.Stored(2, KeyOf(i))), ElementsAre("milk"));
  }
}

TEST(AntiEntropy, WritesGoBothWaysAndNoneOverwritesAnother) {
  TestCluster cluster(WithoutHints());
  cluster.SetUp({});  // Each sees itself alone.
  for (int node = 0; node < 3; ++node) {
    const auto put = cluster.Put(node, kKey, "of node " + std::to_string(node), {}, AloneW());
    ASSERT_TRUE(put.has_value()) << put.error().message;
  }
  cluster.SetUp({0, 1, 2});
  cluster.RunFor(5 * kSecond);
  for (int node = 0; node < 3; ++node) {
    EXPECT_THAT(TestCluster::ValuesOf(cluster.Stored(node, kKey)), ElementsAre("of node 0", "of node 1", "of node 2"));
    EXPECT_EQ(BytesOf(cluster, node, kKey), BytesOf(cluster, 0, kKey));
  }
}

TEST(AntiEntropy, EachShardLooksAfterItsOwnPartitions) {
  TestCluster cluster(WithoutHints(3, /*shards=*/2));
  cluster.Crash(1);
  for (int i = 0; i < 30; ++i) ASSERT_TRUE(cluster.Put(0, KeyOf(i), "milk").has_value());
  cluster.Start(1);
  cluster.RunFor(5 * kSecond);
  for (int i = 0; i < 30; ++i) EXPECT_EQ(BytesOf(cluster, 1, KeyOf(i)), BytesOf(cluster, 0, KeyOf(i))) << i;
}

TEST(AntiEntropy, TypesOfAnotherNHaveTreesOfTheirOwn) {
  TestClusterConfig config = WithoutHints(4);
  config.types["pairs"] = {ConflictPolicy::kSiblings, 2, BucketType::Durability::kSync};
  TestCluster cluster(config);
  const ObjectKey pair{"pairs", "b", "k"};
  const std::vector<int> walk = cluster.WalkOf(pair);
  cluster.Crash(walk[1]);
  ASSERT_TRUE(cluster.Put(walk[0], pair, "milk", {}, AloneW()).has_value());
  cluster.Start(walk[1]);
  cluster.RunFor(5 * kSecond);
  EXPECT_EQ(BytesOf(cluster, walk[1], pair), BytesOf(cluster, walk[0], pair));
  EXPECT_EQ(BytesOf(cluster, walk[2], pair), std::nullopt);
  EXPECT_EQ(BytesOf(cluster, walk[3], pair), std::nullopt);
}

TEST(AntiEntropy, OnDemandRepairsAtOnceAndSaysHowMuch) {
  TestClusterConfig config = WithoutHints();
  config.service.anti_entropy_interval = Duration(0);
  TestCluster cluster(config);
  cluster.Crash(2);
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(cluster.Put(0, KeyOf(i), "milk").has_value());
  cluster.Start(2);
  cluster.RunFor(100 * kSecond);
  EXPECT_EQ(BytesOf(cluster, 2, KeyOf(0)), std::nullopt);
  const RepairProgress progress = OrderAndWait(cluster, 2);
  // Each of the node's eight partitions with two others.
  EXPECT_EQ(progress.exchanges, 16u);
  EXPECT_EQ(progress.exchanges_done, 16u);
  EXPECT_EQ(progress.exchanges_failed, 0u);
  EXPECT_EQ(progress.keys_repaired, 10u);
  EXPECT_EQ(Figure(cluster, 2, "dynamo_anti_entropy_keys_repaired_total"), 10u);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(BytesOf(cluster, 2, KeyOf(i)), BytesOf(cluster, 0, KeyOf(i)));
  EXPECT_EQ(OrderAndWait(cluster, 2).leaves_differing, 0u);
}

TEST(AntiEntropy, AnOrderForOnePartitionTouchesNoOther) {
  TestClusterConfig config = WithoutHints();
  config.service.anti_entropy_interval = Duration(0);
  TestCluster cluster(config);
  cluster.Crash(2);
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(cluster.Put(0, KeyOf(i), "milk").has_value());
  cluster.Start(2);
  const uint32_t partitions = cluster.topology().partitions;
  const PartitionId chosen = PartitionOf(PositionOf(KeyOf(0), cluster.topology().ring_seed), partitions);
  EXPECT_EQ(OrderAndWait(cluster, 2, chosen).exchanges, 2u);
  for (int i = 0; i < 20; ++i) {
    const bool repaired = PartitionOf(PositionOf(KeyOf(i), cluster.topology().ring_seed), partitions) == chosen;
    EXPECT_EQ(BytesOf(cluster, 2, KeyOf(i)).has_value(), repaired) << i;
  }
}

TEST(AntiEntropy, APeerThatIsAwayIsCountedAndTheOthersAreCompared) {
  TestClusterConfig config = WithoutHints();
  config.service.anti_entropy_interval = Duration(0);
  TestCluster cluster(config);
  cluster.Crash(1);
  const RepairProgress progress = OrderAndWait(cluster, 0);
  EXPECT_EQ(progress.exchanges_done, 8u);
  EXPECT_EQ(progress.exchanges_failed, 8u);
  EXPECT_EQ(Figure(cluster, 0, "dynamo_anti_entropy_exchanges_failed_total"), 8u);
}

TEST(AntiEntropy, AnOrderGoesOnPastTheBytesOfOneExchange) {
  TestClusterConfig config = WithoutHints();
  config.service.anti_entropy_interval = Duration(0);
  config.service.anti_entropy_bytes_max = 1;
  TestCluster cluster(config);
  cluster.Crash(2);
  for (int i = 0; i < 30; ++i) ASSERT_TRUE(cluster.Put(0, KeyOf(i), "milk").has_value());
  cluster.Start(2);
  EXPECT_EQ(OrderAndWait(cluster, 2).keys_repaired, 30u);
  for (int i = 0; i < 30; ++i) EXPECT_EQ(BytesOf(cluster, 2, KeyOf(i)), BytesOf(cluster, 0, KeyOf(i)));
}

TEST(AntiEntropy, ItsPaceIsAsManyBytesASecondAsAreAllowed) {
  TestClusterConfig config = WithoutHints();
  config.service.anti_entropy_interval = Duration(0);
  config.service.anti_entropy_bytes_per_second = 10'000;
  TestCluster cluster(config);
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(cluster.Put(0, KeyOf(i), std::string(5'000, 'm')).has_value());
  const TimePoint before = cluster.world().now();
  OrderAndWait(cluster, 0);
  EXPECT_GE(cluster.world().now() - before, 4 * kSecond);
}

// ---- What fails its checksum

TEST(AntiEntropy, AnObjectThatRottedIsFoundByTheRescanAndWrittenAgain) {
  TestClusterConfig config = WithoutHints();
  config.service.anti_entropy_rescan = 3 * kSecond;
  TestCluster cluster(config);
  ASSERT_TRUE(cluster.Put(0, kKey, "milk").has_value());
  cluster.RunFor(2 * kSecond);
  const auto good = BytesOf(cluster, 1, kKey);
  ASSERT_TRUE(cluster.disk(1).SpoilOne());
  ASSERT_NE(BytesOf(cluster, 1, kKey), good);
  cluster.RunFor(10 * kSecond);
  EXPECT_EQ(BytesOf(cluster, 1, kKey), good);
  EXPECT_EQ(Figure(cluster, 1, "dynamo_corrupt_objects_repaired_total"), 1u);
}

TEST(AntiEntropy, AnObjectThatFailsWhileItIsMergedWithIsWrittenAgainSoon) {
  TestClusterConfig config = WithoutHints();
  config.service.anti_entropy_interval = Duration(0);
  config.service.clock_cache_entries = 0;
  TestCluster cluster(config);
  ASSERT_TRUE(cluster.Put(0, kKey, "milk").has_value());
  cluster.RunFor(kSecond);
  ASSERT_TRUE(cluster.disk(1).SpoilOne());
  ASSERT_TRUE(cluster.Put(0, kKey, "eggs").has_value());
  cluster.RunFor(2 * kSecond);
  EXPECT_EQ(BytesOf(cluster, 1, kKey), BytesOf(cluster, 0, kKey));
  EXPECT_THAT(TestCluster::ValuesOf(cluster.Stored(1, kKey)), ElementsAre("eggs", "milk"));
}

TEST(AntiEntropy, WhatRottedOnTwoOwnersComesBackFromTheThird) {
  TestCluster cluster(WithoutHints());
  ASSERT_TRUE(cluster.Put(0, kKey, "milk", {}, WithW(QuorumValue::All())).has_value());
  cluster.RunFor(kSecond);
  const auto good = BytesOf(cluster, 0, kKey);
  ASSERT_TRUE(cluster.disk(1).SpoilOne());
  ASSERT_TRUE(cluster.disk(2).SpoilOne());
  OrderAndWait(cluster, 1);
  OrderAndWait(cluster, 2);
  EXPECT_EQ(BytesOf(cluster, 1, kKey), good);
  EXPECT_EQ(BytesOf(cluster, 2, kKey), good);
}

TEST(AntiEntropy, WithLessThanAllOtherOwnersNothingIsPutInACorruptObjectsPlace) {
  TestClusterConfig config = WithoutHints();
  config.service.anti_entropy_interval = Duration(0);
  TestCluster cluster(config);
  ASSERT_TRUE(cluster.Put(0, kKey, "milk").has_value());
  cluster.RunFor(kSecond);
  ASSERT_TRUE(cluster.disk(1).SpoilOne());
  const auto bad = BytesOf(cluster, 1, kKey);
  cluster.Crash(2);
  OrderAndWait(cluster, 1);
  EXPECT_EQ(BytesOf(cluster, 1, kKey), bad);
  // What the absent owner alone might know could be what this one acknowledged.
  cluster.Start(2);
  cluster.RunFor(30 * kSecond);
  EXPECT_EQ(BytesOf(cluster, 1, kKey), BytesOf(cluster, 0, kKey));
}

TEST(AntiEntropy, WhatNobodyElseHasStaysCorruptAndIsNeverTakenForNothing) {
  TestCluster cluster(WithoutHints());
  cluster.SetUp({});
  ASSERT_TRUE(cluster.Put(1, kKey, "milk", {}, AloneW()).has_value());
  ASSERT_TRUE(cluster.disk(1).SpoilOne());
  const auto bad = BytesOf(cluster, 1, kKey);
  cluster.SetUp({0, 1, 2});
  OrderAndWait(cluster, 1);
  cluster.RunFor(30 * kSecond);
  EXPECT_EQ(BytesOf(cluster, 1, kKey), bad);
  EXPECT_EQ(BytesOf(cluster, 0, kKey), std::nullopt);
}

// ---- What peers ask

Result<peer::Response> Ask(TestCluster& cluster, int from, int to, const peer::Request& request) {
  return cluster.world().Await(
      cluster.node(from).scope(),
      cluster.node(from).shard(0).peers().Ask(TestCluster::IdOf(to), EncodeRequest(request),
                                              cluster.node(from).shard(0).context().Now() + 10 * kSecond));
}

peer::Request RootOf(PartitionId partition, uint32_t n_val) {
  peer::Request request;
  request.mutable_tree_get()->mutable_tree()->set_partition(partition);
  request.mutable_tree_get()->mutable_tree()->set_n_val(n_val);
  request.mutable_tree_get()->add_nodes(0);
  return request;
}

TEST(AntiEntropy, OwnersOfEqualObjectsHaveEqualRoots) {
  TestCluster cluster(WithoutHints());
  ASSERT_TRUE(cluster.Put(0, kKey, "milk", {}, WithW(QuorumValue::All())).has_value());
  const PartitionId partition =
      PartitionOf(PositionOf(kKey, cluster.topology().ring_seed), cluster.topology().partitions);
  const auto one = Ask(cluster, 0, 1, RootOf(partition, 3));
  const auto two = Ask(cluster, 0, 2, RootOf(partition, 3));
  ASSERT_TRUE(one.has_value() && two.has_value());
  EXPECT_EQ(one->tree_nodes().hashes().size(), 16u);
  EXPECT_NE(one->tree_nodes().hashes(), Bytes(16, '\0'));
  EXPECT_EQ(one->tree_nodes().hashes(), two->tree_nodes().hashes());
}

TEST(AntiEntropy, WhoDoesNotOwnThePartitionRefusesWithTheEpoch) {
  TestCluster cluster(WithoutHints(5));
  const std::vector<int> walk = cluster.WalkOf(kKey);
  const PartitionId partition =
      PartitionOf(PositionOf(kKey, cluster.topology().ring_seed), cluster.topology().partitions);
  for (const auto& [from, to] : {std::pair(walk[0], walk[4]), std::pair(walk[4], walk[0])}) {
    const auto refused = Ask(cluster, from, to, RootOf(partition, 3));
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, Errc::kNotOwner);
    EXPECT_THAT(refused.error().message, HasSubstr("epoch 1.1"));
  }
  EXPECT_EQ(Figure(cluster, walk[4], "dynamo_anti_entropy_requests_refused_total"), 1u);
}

TEST(AntiEntropy, MalformedRequestsAreRefusedAndCounted) {
  TestCluster cluster(WithoutHints());
  std::vector<peer::Request> bad{RootOf(1'000'000, 3), RootOf(0, 0), RootOf(0, 1'000'000)};
  bad.push_back(RootOf(0, 3));
  bad.back().mutable_tree_get()->add_nodes(0);  // Twice.
  bad.push_back(RootOf(0, 3));
  bad.back().mutable_tree_get()->set_level(99);
  bad.emplace_back().mutable_leaf_get()->mutable_tree()->set_n_val(3);
  bad.back().mutable_leaf_get()->set_leaf(kTreeLeaves);
  bad.emplace_back().mutable_leaf_get()->mutable_tree()->set_n_val(3);
  bad.back().mutable_leaf_get()->set_after("\xff of another leaf");
  for (const peer::Request& request : bad) {
    const auto refused = Ask(cluster, 0, 1, request);
    ASSERT_FALSE(refused.has_value()) << request.ShortDebugString();
    EXPECT_EQ(refused.error().code, Errc::kInvalidArgument);
  }
  EXPECT_EQ(Figure(cluster, 1, "dynamo_anti_entropy_requests_refused_total"), bad.size());
}

TEST(AntiEntropy, OfTwoOwnersEachBeginsForHalfOfThePartitions) {
  for (PartitionId partition = 0; partition < 8; ++partition) {
    EXPECT_NE(InitiatesExchange(NodeId{1}, NodeId{2}, partition), InitiatesExchange(NodeId{2}, NodeId{1}, partition));
    EXPECT_NE(InitiatesExchange(NodeId{1}, NodeId{2}, partition),
              InitiatesExchange(NodeId{1}, NodeId{2}, partition + 1));
  }
}

}  // namespace
}  // namespace dynamo
