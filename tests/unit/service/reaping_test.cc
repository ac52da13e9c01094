// Generations: what nodes stamp, refuse, learn and keep; and reaping over them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/unit/service/test_cluster.h"

namespace dynamo {
namespace {

using ::testing::ElementsAre;

constexpr Duration kOneSecond{1'000'000};
const ObjectKey kReapedKey{"siblings", "b", "reaped"};

TestClusterConfig ReapingEvery(Duration interval) {
  TestClusterConfig config = Nodes(4);
  config.service.reap_interval = interval;
  config.service.reap_age_min = Duration(0);
  config.service.anti_entropy_interval = std::chrono::hours(1);  // Needed, and not wanted here.
  return config;
}

class GenerationsTest : public testing::Test {
 protected:
  explicit GenerationsTest(Duration interval = Duration(0)) : cluster_(ReapingEvery(interval)) {}

  PartitionId Partition() { return Place(kReapedKey, cluster_.topology())->partition; }
  ReapGenerations& Of(int node) { return cluster_.node(node).shard(0).generations(); }
  ReapGeneration At(int node) { return Of(node).Of(Partition()); }
  Status Raise(int node, ReapGeneration to) {
    return cluster_.world().Await(cluster_.node(node).scope(), Of(node).Raise(Partition(), to));
  }
  uint64_t Refused(int node) {
    for (const auto& figure : cluster_.node(node).metrics().Collect()) {
      if (figure.name == "dynamo_reap_stale_refused_total") return figure.counter->value();
    }
    return 0;
  }

  TestCluster cluster_;
};

TEST_F(GenerationsTest, ArePresentAfterARestartAndThenNotClean) {
  EXPECT_EQ(At(0), 0u);
  ASSERT_TRUE(Raise(0, 1).has_value());
  EXPECT_EQ(At(0), 1u);
  EXPECT_TRUE(Of(0).clean(Partition()));
  EXPECT_TRUE(Raise(0, 1).has_value());
  const uint64_t run = Of(0).run();
  cluster_.Crash(0);
  cluster_.Start(0);
  cluster_.RunFor(kOneSecond);
  EXPECT_EQ(At(0), 1u);
  EXPECT_FALSE(Of(0).clean(Partition()));
  EXPECT_NE(Of(0).run(), run);
}

TEST_F(GenerationsTest, AreRefusedWhenTwoAheadAndTheDiskIsSaidToBeOld) {
  EXPECT_EQ(Raise(0, 2).error().code, Errc::kUnavailable);
  EXPECT_EQ(At(0), 0u);
  EXPECT_TRUE(cluster_.node(0).shard(0).context().rolled_back);
  EXPECT_FALSE(cluster_.Get(0, kReapedKey).has_value());
}

TEST_F(GenerationsTest, RefuseWhatWasReadBeforeAndTheCoordinatorReadsItAgain) {
  const std::vector<int> walk = cluster_.WalkOf(kReapedKey);
  ASSERT_TRUE(Raise(walk[1], 1).has_value());
  ASSERT_TRUE(Raise(walk[2], 1).has_value());
  ASSERT_TRUE(cluster_.Put(walk[0], kReapedKey, "milk", {}, WithW(QuorumValue::All())).has_value());
  cluster_.RunFor(kOneSecond);
  EXPECT_EQ(Refused(walk[1]) + Refused(walk[2]), 2u);
  EXPECT_EQ(At(walk[0]), 1u);
  for (int owner = 0; owner < 3; ++owner) {
    EXPECT_THAT(TestCluster::ValuesOf(cluster_.Stored(walk[static_cast<size_t>(owner)], kReapedKey)),
                ElementsAre("milk"));
  }
  EXPECT_EQ(cluster_.Hints(walk[0]) + cluster_.Hints(walk[3]), 0u);
}

TEST_F(GenerationsTest, AreLearntFromWhatIsStampedHigher) {
  const std::vector<int> walk = cluster_.WalkOf(kReapedKey);
  ASSERT_TRUE(Raise(walk[0], 1).has_value());
  ASSERT_TRUE(cluster_.Put(walk[0], kReapedKey, "milk", {}, WithW(QuorumValue::All())).has_value());
  EXPECT_EQ(At(walk[1]), 1u);
  EXPECT_EQ(At(walk[2]), 1u);
}

TEST_F(GenerationsTest, AreAdoptedUncleanWhileAHintIsThere) {
  const std::vector<int> walk = cluster_.WalkOf(kReapedKey);
  cluster_.Crash(walk[2]);
  ASSERT_TRUE(cluster_.Put(walk[0], kReapedKey, "milk").has_value());
  ASSERT_EQ(cluster_.Hints(walk[3]), 1u);
  ASSERT_TRUE(Raise(walk[3], 1).has_value());
  EXPECT_FALSE(Of(walk[3]).clean(Partition()));
  ASSERT_TRUE(Raise(walk[0], 1).has_value());
  EXPECT_TRUE(Of(walk[0]).clean(Partition()));
}

TEST_F(GenerationsTest, HintsFromBeforeAreDeliveredAsWhatIsReadNow) {
  const std::vector<int> walk = cluster_.WalkOf(kReapedKey);
  cluster_.Crash(walk[2]);
  ASSERT_TRUE(cluster_.Put(walk[0], kReapedKey, "milk").has_value());
  for (const int node : {walk[0], walk[1], walk[3]}) ASSERT_TRUE(Raise(node, 1).has_value());
  cluster_.Start(walk[2]);
  cluster_.RunFor(10 * kOneSecond);
  EXPECT_EQ(cluster_.Hints(walk[3]), 0u);
  EXPECT_THAT(TestCluster::ValuesOf(cluster_.Stored(walk[2], kReapedKey)), ElementsAre("milk"));
}

class ReaperTest : public GenerationsTest {
 protected:
  ReaperTest() : GenerationsTest(2 * kOneSecond) {}
};

TEST_F(ReaperTest, RemovesADeletedObjectFromAllOwnersInTwoGenerations) {
  ASSERT_TRUE(cluster_.Put(0, kReapedKey, "milk").has_value());
  ASSERT_TRUE(cluster_.Delete(1, kReapedKey).has_value());
  cluster_.RunFor(20 * kOneSecond);
  for (int node = 0; node < 4; ++node) {
    EXPECT_TRUE(cluster_.Stored(node, kReapedKey).never_written()) << node;
    EXPECT_EQ(At(node), 2u) << node;
  }
  cluster_.RunFor(60 * kOneSecond);
  EXPECT_EQ(At(0), 2u);
}

TEST_F(ReaperTest, RaisesNothingWhereThereIsNothingToReap) {
  ASSERT_TRUE(cluster_.Put(0, kReapedKey, "milk").has_value());
  cluster_.RunFor(30 * kOneSecond);
  EXPECT_EQ(At(0), 0u);
  EXPECT_THAT(TestCluster::ValuesOf(cluster_.Stored(cluster_.WalkOf(kReapedKey)[0], kReapedKey)), ElementsAre("milk"));
}

TEST_F(ReaperTest, WaitsWhileAMemberIsAway) {
  ASSERT_TRUE(cluster_.Put(0, kReapedKey, "milk").has_value());
  cluster_.Crash(cluster_.WalkOf(kReapedKey)[3]);
  ASSERT_TRUE(cluster_.Delete(cluster_.WalkOf(kReapedKey)[0], kReapedKey).has_value());
  cluster_.RunFor(30 * kOneSecond);
  EXPECT_THAT(TestCluster::ValuesOf(cluster_.Stored(cluster_.WalkOf(kReapedKey)[0], kReapedKey)),
              ElementsAre("<deleted>"));
  cluster_.Start(cluster_.WalkOf(kReapedKey)[3]);
  cluster_.RunFor(30 * kOneSecond);
  EXPECT_TRUE(cluster_.Stored(cluster_.WalkOf(kReapedKey)[0], kReapedKey).never_written());
}

}  // namespace
}  // namespace dynamo
