// Members come, go and are replaced while clients write and nodes die: nothing is
// lost, and in the end everything lies where it belongs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/sim/transfer/moving_cluster.h"

namespace dynamo::sim {
namespace {

using ::testing::IsEmpty;
using ::testing::Not;

SimClusterConfig Of(size_t nodes, [[maybe_unused]] PlantedBug planted = PlantedBug::kNone) {
  SimClusterConfig config;
  config.nodes = nodes;
  config.shards = 2;
  config.service.transfer_chunk_bytes = 2000;
  config.service.transfer_bytes_per_second = 100'000;
  // What anti-entropy would mend is not to hide what transfer leaves behind.
  config.service.anti_entropy_interval = Duration(0);
#if defined(DYNAMO_PLANTED_BUGS)
  config.service.planted.active = planted;
#endif
  return config;
}

// A disk that loses its objects between two starts while it receives.
std::vector<std::string> LoseTheReceiversDisk(PlantedBug planted) {
  MovingCluster cluster(11, Of(4, planted), 1);
  cluster.WriteBase(200);
  cluster.Join({3});
  cluster.RunUntil([&] { return cluster.node(3).disk().applied(ColumnFamily::kObjects).size() > 60; },
                   std::chrono::minutes(2));
  cluster.LoseObjects(3);
  cluster.node(3).Start();
  cluster.AwaitSettled();
  return cluster.violations();
}

// An owner that missed writes is away when another owner goes.
std::vector<std::string> DropWhileAnOwnerIsAway(PlantedBug planted) {
  SimClusterConfig config = Of(4, planted);
  config.service.hint_bytes_max = 0;
  MovingCluster cluster(12, config, 1);
  cluster.node(1).Crash();
  cluster.RunFor(std::chrono::seconds(20));
  cluster.WriteBase(60);
  cluster.Join({3});
  cluster.RunFor(std::chrono::minutes(2));
  cluster.node(1).Start();
  cluster.AwaitSettled();
  return cluster.violations();
}

std::vector<std::string> Grow(PlantedBug planted) {
  MovingCluster cluster(13, Of(6, planted), 3);
  cluster.WriteBase(200);
  cluster.Join({3, 4, 5});
  cluster.AwaitSettled();
  return cluster.violations();
}

#if defined(DYNAMO_PLANTED_BUGS)

TEST(PlantedTransferBugs, APartitionTakenOverBeforeItWasCopiedIsFound) {
  EXPECT_THAT(Grow(PlantedBug::kTakeoverBeforeCopy), Not(IsEmpty()));
}

TEST(PlantedTransferBugs, ATransferGoneOnWithByAWipedReceiverIsFound) {
  EXPECT_THAT(LoseTheReceiversDisk(PlantedBug::kTransferResumedByWiped), Not(IsEmpty()));
}

TEST(PlantedTransferBugs, AStrayDroppedBeforeAllOwnersHaveItIsFound) {
  EXPECT_THAT(DropWhileAnOwnerIsAway(PlantedBug::kStrayDroppedEarly), Not(IsEmpty()));
}

#else

void ExpectWell(MovingCluster& cluster) {
  cluster.StopLoad();
  EXPECT_TRUE(cluster.AwaitSettled()) << cluster.WhyNotSettled();
  EXPECT_THAT(cluster.Lost(), IsEmpty());
  EXPECT_THAT(cluster.violations(), IsEmpty());
}

// Half of the partitions have moved, or as many as there will be.
bool RunUntilHalfway(MovingCluster& cluster) {
  return cluster.RunUntil([&] { return cluster.Moved() >= cluster.topology()->partitions / 2; },
                          std::chrono::minutes(5));
}

TEST(TransferBugScenarios, HoldWithoutABug) {
  EXPECT_THAT(Grow(PlantedBug::kNone), IsEmpty());
  EXPECT_THAT(LoseTheReceiversDisk(PlantedBug::kNone), IsEmpty());
  EXPECT_THAT(DropWhileAnOwnerIsAway(PlantedBug::kNone), IsEmpty());
}

TEST(Transfer, AClusterThatGrowsUnderLoadLosesNothing) {
  MovingCluster cluster(1, Of(6), 3);
  cluster.WriteBase(100);
  cluster.StartLoad(4);
  cluster.Join({3, 4, 5});
  EXPECT_TRUE(RunUntilHalfway(cluster));
  cluster.RunFor(std::chrono::seconds(30));
  ExpectWell(cluster);
  EXPECT_GT(cluster.acknowledged(), 200u);
  for (size_t index = 0; index < 6; ++index) {
    EXPECT_GT(cluster.topology()->current.TokensOf(cluster.IdOf(index)), 0u);
    EXPECT_THAT(cluster.node(index).disk().applied(ColumnFamily::kObjects), Not(IsEmpty()));
  }
}

TEST(Transfer, AClusterThatShrinksUnderLoadLosesNothing) {
  MovingCluster cluster(2, Of(6), 0);
  cluster.WriteBase(100);
  cluster.StartLoad(4);
  cluster.Leave({1, 4});
  EXPECT_TRUE(RunUntilHalfway(cluster));
  cluster.RunFor(std::chrono::seconds(30));
  ExpectWell(cluster);
  for (const size_t index : {size_t{1}, size_t{4}}) {
    EXPECT_EQ(cluster.topology()->StandingOf(cluster.IdOf(index)), MemberStanding::kRemoved);
    EXPECT_THAT(cluster.node(index).disk().applied(ColumnFamily::kObjects), IsEmpty());
    EXPECT_THAT(cluster.node(index).disk().applied(ColumnFamily::kHints), IsEmpty());
  }
}

TEST(Transfer, ADonorThatDiesInTheMiddleAndComesBackHarmsNothing) {
  MovingCluster cluster(3, Of(4), 1);
  cluster.WriteBase(100);
  cluster.StartLoad(3, /*reads_may_lag=*/true);
  cluster.Join({3});
  cluster.RunFor(std::chrono::seconds(2));
  cluster.node(0).Crash();
  cluster.RunFor(std::chrono::seconds(40));
  cluster.node(0).Start();
  ExpectWell(cluster);
}

TEST(Transfer, AReceiverThatDiesInTheMiddleIsWaitedFor) {
  MovingCluster cluster(4, Of(4), 1);
  cluster.WriteBase(100);
  cluster.StartLoad(3, /*reads_may_lag=*/true);
  cluster.Join({3});
  for (int crash = 0; crash < 4; ++crash) {
    cluster.RunFor(std::chrono::seconds(2));
    cluster.node(3).Crash();
    cluster.RunFor(std::chrono::seconds(3));
    cluster.node(3).Start();
  }
  ExpectWell(cluster);
}

TEST(Transfer, AChangeTurnedRoundInTheMiddleGoesBack) {
  MovingCluster cluster(5, Of(5), 1);
  cluster.WriteBase(150);
  cluster.StartLoad(3);
  cluster.Join({4});
  EXPECT_TRUE(RunUntilHalfway(cluster));
  cluster.Change("cancel", CancelChange{});
  ExpectWell(cluster);
  EXPECT_EQ(cluster.topology()->current.TokensOf(cluster.IdOf(4)), 0u);
}

TEST(Transfer, ANodeWhoseDiskIsLostIsReplacedAndRebuilt) {
  MovingCluster cluster(6, Of(4), 0);
  cluster.WriteBase(150);
  cluster.StartLoad(3, /*reads_may_lag=*/true);
  const NodeId lost = cluster.IdOf(2);
  cluster.node(2).Crash();
  cluster.RunFor(std::chrono::seconds(5));
  cluster.node(2).disk().Wipe();
  cluster.node(2).Start();
  ASSERT_TRUE(
      cluster.RunUntil([&] { return cluster.node(2).started() && cluster.IdOf(2) != lost; }, std::chrono::minutes(1)));
  cluster.Change("replace", ReplaceMember{lost, cluster.MemberOf(2)});
  ExpectWell(cluster);
  EXPECT_EQ(cluster.topology()->current.TokensOf(lost), 0u);
  EXPECT_GT(cluster.topology()->current.TokensOf(cluster.IdOf(2)), 0u);
}

// Whatever dies at whatever step, the end is the same.
class KillAtEveryStep : public testing::TestWithParam<int> {};

TEST_P(KillAtEveryStep, EndsWithTheSame) {
  const int step = GetParam();
  MovingCluster cluster(100 + static_cast<uint64_t>(step), Of(5), 1);
  cluster.WriteBase(120);
  cluster.StartLoad(2, /*reads_may_lag=*/true);
  const bool joins = step % 2 == 0;
  if (joins) {
    cluster.Join({4});
  } else {
    cluster.Leave({1});
  }
  cluster.RunFor(std::chrono::milliseconds(150 * step));
  const auto victim = static_cast<size_t>(step % 5);
  if (cluster.node(victim).running()) {
    cluster.node(victim).Crash();
    cluster.RunFor(std::chrono::seconds(step % 3 == 0 ? 1 : 15));
    cluster.node(victim).Start();
  }
  ExpectWell(cluster);
}

INSTANTIATE_TEST_SUITE_P(Steps, KillAtEveryStep, testing::Range(1, 25));

#endif

}  // namespace
}  // namespace dynamo::sim
