// Owners that are away: stand-ins, hints, and their delivery.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "node/service/hint_store.h"
#include "tests/unit/service/test_cluster.h"

namespace dynamo {
namespace {

using ::testing::ElementsAre;

const ObjectKey kKey{"siblings", "cart", "ann"};

WriteOptions Strict(QuorumValue w) {
  WriteOptions options = WithW(w);
  options.sloppy_quorum = false;
  return options;
}

TEST(Hints, AWriteGoesOnWithOneOfThreeNodesDownAndArrivesWhenItIsBack) {
  TestCluster cluster;
  cluster.Crash(2);
  ASSERT_TRUE(cluster.Put(0, kKey, "milk").has_value());
  cluster.RunFor(Duration(2'000'000));
  // Nobody is left to stand in: the coordinator keeps it itself.
  EXPECT_EQ(cluster.Hints(0), 1u);
  EXPECT_EQ(cluster.Hints(1), 0u);
  cluster.Start(2);
  cluster.RunFor(Duration(2'000'000));
  EXPECT_EQ(cluster.Hints(0), 0u);
  EXPECT_THAT(TestCluster::ValuesOf(cluster.Stored(2, kKey)), ElementsAre("milk"));
}

TEST(Hints, AStandInKeepsTheWriteAndServesItAndHandsItOver) {
  TestCluster cluster(Nodes(5));
  const std::vector<int> walk = cluster.WalkOf(kKey);
  cluster.Crash(walk[0]);
  ASSERT_TRUE(cluster.Put(walk[1], kKey, "milk", {}, WithW(QuorumValue::All())).has_value());
  EXPECT_EQ(cluster.Hints(walk[3]), 1u);
  const auto got = cluster.Get(walk[3], kKey, WithR(QuorumValue::All()));
  ASSERT_TRUE(got.has_value()) << got.error().message;
  EXPECT_THAT(TestCluster::ValuesOf(got->object), ElementsAre("milk"));
  cluster.Start(walk[0]);
  cluster.RunFor(Duration(2'000'000));
  EXPECT_EQ(cluster.Hints(walk[3]), 0u);
  EXPECT_THAT(TestCluster::ValuesOf(cluster.Stored(walk[0], kKey)), ElementsAre("milk"));
}

TEST(Hints, AnOwnerThatDiesUnnoticedIsReplacedDuringTheWrite) {
  TestCluster cluster(Nodes(5));
  const std::vector<int> walk = cluster.WalkOf(kKey);
  cluster.Crash(walk[2], /*unnoticed=*/true);
  const auto put = cluster.Put(walk[0], kKey, "milk", {}, WithW(QuorumValue::All()));
  ASSERT_TRUE(put.has_value()) << put.error().message;
  EXPECT_EQ(cluster.Hints(walk[3]) + cluster.Hints(walk[4]), 1u);
  EXPECT_THAT(cluster.node(walk[0]).signs(), testing::Contains(std::pair(TestCluster::IdOf(walk[2]), false)));
}

TEST(Hints, AnOwnerThatHangsIsReplacedAfterTheReplicaTimeout) {
  TestCluster cluster(Nodes(5));
  const std::vector<int> walk = cluster.WalkOf(kKey);
  cluster.world().Pause(cluster.node(walk[2]).process());
  const auto put = cluster.Put(walk[0], kKey, "milk", {}, WithW(QuorumValue::All()));
  ASSERT_TRUE(put.has_value()) << put.error().message;
  EXPECT_EQ(cluster.Hints(walk[3]) + cluster.Hints(walk[4]), 1u);
  cluster.world().Resume(cluster.node(walk[2]).process());
  cluster.RunFor(Duration(10'000'000));
  EXPECT_EQ(cluster.Hints(walk[3]) + cluster.Hints(walk[4]), 0u);
}

TEST(Hints, AHintIsMadeAlsoAfterTheClientHasItsAnswer) {
  TestCluster cluster;
  cluster.world().Pause(cluster.node(2).process());
  ASSERT_TRUE(cluster.Put(0, kKey, "milk").has_value());
  EXPECT_EQ(cluster.Hints(0), 0u);
  cluster.RunFor(Duration(1'500'000));
  EXPECT_EQ(cluster.Hints(0), 1u);
}

TEST(Hints, WithAllOwnersDownTwoStandInsTakeTheWrite) {
  TestCluster cluster(Nodes(5));
  const std::vector<int> walk = cluster.WalkOf(kKey);
  for (int i = 0; i < 3; ++i) cluster.Crash(walk[static_cast<size_t>(i)]);
  ASSERT_TRUE(cluster.Put(walk[4], kKey, "milk").has_value());
  const auto got = cluster.Get(walk[3], kKey);
  ASSERT_TRUE(got.has_value()) << got.error().message;
  EXPECT_THAT(TestCluster::ValuesOf(got->object), ElementsAre("milk"));
  for (int i = 0; i < 3; ++i) cluster.Start(walk[static_cast<size_t>(i)]);
  cluster.RunFor(Duration(5'000'000));
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(TestCluster::ValuesOf(cluster.Stored(walk[static_cast<size_t>(i)], kKey)), ElementsAre("milk"));
  }
  for (int node = 0; node < 5; ++node) EXPECT_EQ(cluster.Hints(node), 0u);
}

TEST(Hints, AStrictWriteCountsOwnersOnlyButStillLeavesAHint) {
  TestCluster cluster(Nodes(5));
  const std::vector<int> walk = cluster.WalkOf(kKey);
  cluster.Crash(walk[2]);
  ASSERT_TRUE(cluster.Put(walk[0], kKey, "milk", {}, Strict(QuorumValue::Number(2))).has_value());
  cluster.RunFor(Duration(1'000'000));
  EXPECT_EQ(cluster.Hints(walk[0]), 1u);
  EXPECT_EQ(cluster.Hints(walk[3]), 0u);
  const auto all = cluster.Put(walk[0], kKey, "bread", {}, Strict(QuorumValue::Number(3)));
  ASSERT_FALSE(all.has_value());
  EXPECT_EQ(all.error().code, Errc::kQuorumUnmet);
  EXPECT_THAT(all.error().message, testing::StartsWith("{w_val_unsatisfied,3,2}"));
}

TEST(Hints, AFallbacksAbsenceNeverCountsAsNotFound) {
  TestCluster cluster(Nodes(5));
  const std::vector<int> walk = cluster.WalkOf(kKey);
  ASSERT_TRUE(cluster.Put(walk[0], kKey, "milk", {}, WithW(QuorumValue::All())).has_value());
  cluster.Crash(walk[0]);
  cluster.Crash(walk[1]);
  const auto got = cluster.Get(walk[3], kKey);
  ASSERT_FALSE(got.has_value());
  EXPECT_EQ(got.error().code, Errc::kQuorumUnmet);
  const auto one = cluster.Get(walk[3], kKey, WithR(QuorumValue::One()));
  ASSERT_TRUE(one.has_value()) << one.error().message;
  EXPECT_THAT(TestCluster::ValuesOf(one->object), ElementsAre("milk"));
}

TEST(Hints, ARestartFindsItsHintsAgain) {
  TestCluster cluster(Nodes(3, 2));
  cluster.Crash(2);
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(cluster.Put(0, {"siblings", "b", std::to_string(i)}, "v").has_value());
  }
  cluster.RunFor(Duration(2'000'000));
  const uint64_t before = cluster.Hints(0);
  EXPECT_GT(before, 0u);
  cluster.Crash(0);
  cluster.Start(0);
  EXPECT_EQ(cluster.Hints(0), before);
  cluster.Start(2);
  cluster.RunFor(Duration(2'000'000));
  EXPECT_EQ(cluster.Hints(0) + cluster.Hints(1), 0u);
  for (int i = 0; i < 10; ++i) {
    EXPECT_THAT(TestCluster::ValuesOf(cluster.Stored(2, {"siblings", "b", std::to_string(i)})), ElementsAre("v"));
  }
}

TEST(Hints, AtTheirBoundNewOnesAreRefusedAndOldOnesStay) {
  TestClusterConfig config = Nodes(5);
  config.service.hint_bytes_max = 1000;
  TestCluster cluster(config);
  const std::vector<int> walk = cluster.WalkOf(kKey);
  cluster.Crash(walk[0]);
  Bytes context;
  ASSERT_TRUE(cluster.Put(walk[1], kKey, std::string(300, 'a'), {}, WithW(QuorumValue::All())).has_value());
  // The walk has one more node: the full one is replaced, until that is full too.
  bool refused = false;
  for (int i = 0; i < 20 && !refused; ++i) {
    const auto put =
        cluster.Put(walk[1], {"siblings", "cart", "ann"}, std::string(300, 'b'), context, WithW(QuorumValue::All()));
    refused = !put.has_value();
    if (refused) EXPECT_EQ(put.error().code, Errc::kQuorumUnmet) << put.error().message;
  }
  EXPECT_TRUE(refused);
  EXPECT_GT(cluster.Hints(walk[3]), 0u);
}

TEST(Hints, ANewerHintTakesThePlaceOfThoseItCovers) {
  TestCluster cluster(Nodes(5));
  const std::vector<int> walk = cluster.WalkOf(kKey);
  cluster.Crash(walk[0]);
  Bytes context;
  for (int i = 0; i < 5; ++i) {
    const auto put = cluster.Put(walk[1], kKey, "v" + std::to_string(i), context, WithW(QuorumValue::All()));
    ASSERT_TRUE(put.has_value());
    context = put->context;
  }
  EXPECT_EQ(cluster.Hints(walk[3]), 1u);
}

TEST(Hints, AKeyOfAHintComesBackFromItsEntry) {
  const Bytes storage_key = StorageKeyOf({"t", "b", std::string("k\0\xff", 3)}, 5);
  const Hash128 digest = HashOf("object");
  const Bytes entry = HintEntryKey(storage_key, NodeId{77}, digest);
  const auto hint = ParseHintEntry({entry, "object"});
  ASSERT_TRUE(hint.has_value());
  EXPECT_EQ(hint->storage_key, storage_key);
  EXPECT_EQ(hint->owner, NodeId{77});
  EXPECT_EQ(hint->digest, digest);
  for (size_t cut = 0; cut < entry.size(); ++cut) {
    EXPECT_EQ(ParseHintEntry({entry.substr(0, cut), "object"}).error().code, Errc::kCorrupt);
  }
  EXPECT_FALSE(ParseHintEntry({entry + "x", "object"}).has_value());
}

}  // namespace
}  // namespace dynamo
