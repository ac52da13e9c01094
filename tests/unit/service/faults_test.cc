// Disks and peers that fail: answers stay honest and nothing is lost.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "node/protocol/messages.h"
#include "node/service/forward_codec.h"
#include "tests/unit/service/test_cluster.h"

namespace dynamo {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const ObjectKey kKey{"siblings", "cart", "ann"};

TEST(Faults, ANodeWhoseDiskIsFullLetsOthersCoordinate) {
  TestCluster cluster;
  cluster.disk(0).SetFull(true);
  // The first write finds it full; what it sent is counted where it arrived.
  static_cast<void>(cluster.Put(0, kKey, "first"));
  const auto put = cluster.Put(0, kKey, "second");
  ASSERT_TRUE(put.has_value()) << put.error().message;
  EXPECT_NE(put->participants.coordinator, TestCluster::IdOf(0));
  cluster.disk(0).SetFull(false);
  ASSERT_TRUE(cluster.Put(1, kKey, "third").has_value());
  cluster.RunFor(Duration(2'000'000));
  const auto again = cluster.Put(0, kKey, "fourth");
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->participants.coordinator, TestCluster::IdOf(0));
}

TEST(Faults, ASingleNodeWithAFullDiskRefusesWithoutEffectAndRecovers) {
  TestCluster cluster(Nodes(1));
  ASSERT_TRUE(cluster.Put(0, kKey, "before").has_value());
  cluster.disk(0).SetFull(true);
  static_cast<void>(cluster.Put(0, kKey, "finds it full"));
  const auto put = cluster.Put(0, kKey, "refused");
  ASSERT_FALSE(put.has_value());
  EXPECT_EQ(put.error().code, Errc::kReadOnly);
  EXPECT_THAT(TestCluster::ValuesOf(cluster.Get(0, kKey)->object), ElementsAre("before"));
  cluster.disk(0).SetFull(false);
  EXPECT_TRUE(cluster.Put(0, kKey, "after").has_value());
}

TEST(Faults, ANodeThatCannotReadItsDiskWhenItIsGivenATopologyTriesAgainUntilItServes) {
  TestCluster cluster(Nodes(5));
  const int owner = cluster.WalkOf(kKey)[0], keeper = cluster.WalkOf(kKey)[3];
  cluster.Crash(owner);
  ASSERT_TRUE(cluster.Put(cluster.WalkOf(kKey)[1], kKey, "milk").has_value());
  cluster.RunFor(std::chrono::seconds(1));  // The write needed two acknowledgements of three.
  const uint64_t hints = cluster.Hints(keeper);
  ASSERT_GT(hints, 0u);
  cluster.Crash(keeper);
  cluster.disk(keeper).SetReadErrors(1);
  cluster.Start(keeper);
  cluster.RunFor(std::chrono::seconds(3));
  EXPECT_FALSE(cluster.Get(keeper, kKey).has_value());
  // Some of the attempts that follow get half of the way.
  cluster.disk(keeper).SetReadErrors(0.5);
  cluster.RunFor(std::chrono::seconds(3));
  cluster.disk(keeper).SetReadErrors(0);
  cluster.RunFor(std::chrono::seconds(3));
  EXPECT_EQ(cluster.Hints(keeper), hints);
  EXPECT_THAT(TestCluster::ValuesOf(cluster.Get(keeper, kKey)->object), ElementsAre("milk"));
}

TEST(Faults, TooFewReachableNodesRefuseAWriteBeforeItHasAnyEffect) {
  TestCluster cluster;
  cluster.Crash(1);
  cluster.Crash(2);
  const auto put = cluster.Put(0, kKey, "milk");
  ASSERT_FALSE(put.has_value());
  EXPECT_EQ(put.error().code, Errc::kQuorumUnmet);
  EXPECT_THAT(put.error().message, HasSubstr("{w_val_unsatisfied,2,1}"));
  cluster.RunFor(Duration(2'000'000));
  EXPECT_TRUE(cluster.Stored(0, kKey).never_written());
}

TEST(Faults, AReadBelowItsQuorumSaysHowManyAnswered) {
  TestCluster cluster;
  cluster.Crash(1);
  cluster.Crash(2);
  const auto got = cluster.Get(0, kKey);
  ASSERT_FALSE(got.has_value());
  EXPECT_EQ(got.error().code, Errc::kQuorumUnmet);
  EXPECT_THAT(got.error().message, HasSubstr("{r_val_unsatisfied,2,1}"));
}

TEST(Faults, AWriteThatMissesItsDeadlineSaysThatItMayStillTakeEffect) {
  TestCluster cluster;
  cluster.world().Pause(cluster.node(1).process());
  cluster.world().Pause(cluster.node(2).process());
  WriteOptions options;
  options.timeout = Duration(200'000);
  const auto put = cluster.Put(0, kKey, "milk", {}, options);
  ASSERT_FALSE(put.has_value());
  EXPECT_EQ(put.error().code, Errc::kTimeout);
  EXPECT_THAT(put.error().message, HasSubstr("1 of 2"));
  EXPECT_THAT(put.error().message, HasSubstr("may still take effect"));
}

TEST(Faults, AForwardedWriteLostInFlightIsUnknownAndNotTriedElsewhere) {
  TestCluster cluster(Nodes(5));
  const std::vector<int> walk = cluster.WalkOf(kKey);
  for (int i = 0; i < 3; ++i) cluster.world().Pause(cluster.node(walk[static_cast<size_t>(i)]).process());
  WriteOptions options;
  options.timeout = Duration(500'000);
  const auto put = cluster.Put(walk[4], kKey, "milk", {}, options);
  ASSERT_FALSE(put.has_value());
  EXPECT_EQ(put.error().code, Errc::kTimeout);
  for (int i = 0; i < 3; ++i) cluster.world().Resume(cluster.node(walk[static_cast<size_t>(i)]).process());
  cluster.RunFor(Duration(5'000'000));
  size_t siblings = 0;
  for (int i = 0; i < 3; ++i) {
    siblings = std::max(siblings, cluster.Stored(walk[static_cast<size_t>(i)], kKey).siblings.size());
  }
  EXPECT_LE(siblings, 1u);
}

TEST(Faults, AForwardThatSurelyDidNotArriveGoesToTheNextCoordinator) {
  TestCluster cluster(Nodes(5));
  const std::vector<int> walk = cluster.WalkOf(kKey);
  cluster.Crash(walk[0], /*unnoticed=*/true);
  cluster.Crash(walk[1], /*unnoticed=*/true);
  const auto put = cluster.Put(walk[4], kKey, "milk");
  ASSERT_TRUE(put.has_value()) << put.error().message;
  EXPECT_THAT(TestCluster::ValuesOf(cluster.Get(walk[3], kKey)->object), ElementsAre("milk"));
}

TEST(Faults, ADuplicatedForwardMintsOnce) {
  TestClusterConfig config = Nodes(5);
  config.network.duplicate = 1.0;
  TestCluster cluster(config);
  const std::vector<int> walk = cluster.WalkOf(kKey);
  ASSERT_TRUE(cluster.Put(walk[4], kKey, "milk").has_value());
  ASSERT_TRUE(cluster.Put(walk[3], kKey, "bread").has_value());
  cluster.RunFor(Duration(5'000'000));
  EXPECT_THAT(TestCluster::ValuesOf(cluster.Get(walk[0], kKey)->object), ElementsAre("bread", "milk"));
}

TEST(Faults, ReadRepairBringsAReplicaThatMissedAWriteUpToDate) {
  TestCluster cluster;
  ASSERT_TRUE(cluster.Put(0, kKey, "milk", {}, WithW(QuorumValue::All())).has_value());
  // Its disk comes back older than it was: it lost what the others kept.
  cluster.network().Cut(0, 2);
  cluster.SetUp({0, 1, 2});
  ASSERT_TRUE(cluster.Put(0, kKey, "bread").has_value());
  EXPECT_EQ(cluster.Stored(2, kKey).siblings.size(), 1u);
  cluster.network().HealAll();
  const auto got = cluster.Get(1, kKey, WithR(QuorumValue::All()));
  ASSERT_TRUE(got.has_value()) << got.error().message;
  EXPECT_THAT(TestCluster::ValuesOf(got->object), ElementsAre("bread", "milk"));
  cluster.RunFor(Duration(500'000));
  EXPECT_THAT(TestCluster::ValuesOf(cluster.Stored(2, kKey)), ElementsAre("bread", "milk"));
}

TEST(Faults, AnUnsyncedWriteThatACrashTookIsRepairedAndItsDotNeverMeetsANewOne) {
  TestClusterConfig config;
  BucketType memory;
  memory.durability = BucketType::Durability::kMemory;
  config.types["memory"] = memory;
  TestCluster cluster(config);
  const ObjectKey key{"memory", "b", "k"};
  ASSERT_TRUE(cluster.Put(0, key, "one", {}, WithW(QuorumValue::All())).has_value());
  cluster.Crash(0);
  cluster.Start(0);
  ASSERT_TRUE(cluster.Put(0, key, "two").has_value());
  cluster.RunFor(Duration(1'000'000));
  const auto got = cluster.Get(1, key, WithR(QuorumValue::All()));
  ASSERT_TRUE(got.has_value());
  EXPECT_THAT(TestCluster::ValuesOf(got->object), ElementsAre("one", "two"));
}

TEST(Faults, ASlowDataReplicaIsHedged) {
  TestClusterConfig config = Nodes(5);
  TestCluster cluster(config);
  const std::vector<int> walk = cluster.WalkOf(kKey);
  ASSERT_TRUE(cluster.Put(walk[0], kKey, "milk", {}, WithW(QuorumValue::All())).has_value());
  // A stand-in has nothing itself: it must take the object from an owner.
  cluster.Crash(walk[0]);
  cluster.world().Pause(cluster.node(walk[1]).process());
  const TimePoint began = cluster.world().now();
  const auto got = cluster.Get(walk[3], kKey, WithR(QuorumValue::One()));
  ASSERT_TRUE(got.has_value()) << got.error().message;
  EXPECT_THAT(TestCluster::ValuesOf(got->object), ElementsAre("milk"));
  EXPECT_LT(cluster.world().now() - began, Duration(500'000));
}

TEST(Faults, RequestsOverTheLimitAreShedWithoutEffect) {
  TestClusterConfig config;
  config.service.requests_in_flight_max = 1;
  TestCluster cluster(config);
  TestNode& node = cluster.node(0);
  std::vector<std::optional<Result<PutReply>>> results(8);
  const auto put = [](RequestHandler* door, PutRequest request, std::optional<Result<PutReply>>* out) -> Async<> {
    out->emplace(co_await door->Put(std::move(request)));
  };
  for (size_t i = 0; i < results.size(); ++i) {
    PutRequest request;
    request.key = {"siblings", "b", std::to_string(i)};
    node.scope().Spawn(put(&node.door(), request, &results[i]));
  }
  cluster.RunFor(Duration(1'000'000));
  int shed = 0;
  for (size_t i = 0; i < results.size(); ++i) {
    if (*results[i]) continue;
    ++shed;
    EXPECT_EQ(results[i]->error().code, Errc::kOverloaded);
    EXPECT_TRUE(cluster.Stored(0, {"siblings", "b", std::to_string(i)}).never_written());
  }
  EXPECT_EQ(shed, 7);
}

TEST(Faults, TwoWritersOfOneKeyAtOnceLoseNothing) {
  TestClusterConfig config;
  config.service.siblings_max = 1000;
  TestCluster cluster(config);
  std::vector<std::optional<Result<PutReply>>> results(60);
  const auto put = [](RequestHandler* door, PutRequest request, std::optional<Result<PutReply>>* out) -> Async<> {
    out->emplace(co_await door->Put(std::move(request)));
  };
  for (size_t i = 0; i < results.size(); ++i) {
    PutRequest request;
    request.key = kKey;
    request.content.value = std::to_string(i);
    TestNode& node = cluster.node(static_cast<int>(i % 3));
    node.scope().Spawn(put(&node.door(), request, &results[i]));
  }
  cluster.RunFor(Duration(2'000'000));
  for (const auto& result : results) EXPECT_TRUE(result && *result);
  for (int node = 0; node < 3; ++node) EXPECT_EQ(cluster.Stored(node, kKey).siblings.size(), results.size());
}

}  // namespace
}  // namespace dynamo
