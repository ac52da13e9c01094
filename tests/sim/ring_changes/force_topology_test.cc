// The majority of the voters is lost: an administrator forces a generation. The old one
// never wins, however far it gets; two that are forced never mix.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/sim/ring_changes/fixture.h"

namespace dynamo::sim {
namespace {

using ::testing::HasSubstr;

constexpr Duration kDetected = std::chrono::seconds(30);

ForceTopology Without(RingCluster& cluster, size_t asked, const std::vector<NodeId>& lost) {
  return {{cluster.TopologyAt(asked)->cluster, lost, "ada", 0}};
}

std::vector<NodeId> IdsOf(RingCluster& cluster, const std::vector<size_t>& nodes) {
  std::vector<NodeId> ids;
  ids.reserve(nodes.size());
  for (const size_t index : nodes) ids.push_back(cluster.IdOf(index));
  return ids;
}

bool AwaitRemoved(RingCluster& cluster, const std::vector<size_t>& nodes) {
  return cluster.world().RunUntil(
      [&] {
        return std::ranges::all_of(nodes, [&](size_t i) {
          return cluster.node(i).started() && cluster.node(i).admin().Identity().state == "removed";
        });
      },
      cluster.world().now() + std::chrono::minutes(2));
}

TEST(ForcedGeneration, SurvivorsDecideAgainAndTheDeadThatComeBackAreFencedAndTold) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    SCOPED_TRACE(seed);
    RingCluster cluster(seed, WithSpares(5, 0));
    ASSERT_TRUE(cluster.Put(3, "key", "before", /*w=*/3).has_value());
    const std::vector<NodeId> lost = IdsOf(cluster, {0, 1, 2});
    const auto early = cluster.Change(3, ChangeTo(Without(cluster, 3, lost), "early"));
    ASSERT_FALSE(early.has_value()) << "they are alive";
    EXPECT_THAT(early.error().message, HasSubstr("alive"));
    for (size_t i = 0; i < 3; ++i) cluster.node(i).Crash();
    cluster.world().RunFor(kDetected);
    EXPECT_EQ(cluster.Change(3, CreateType("t", "t")).error().code, Errc::kQuorumUnmet);
    const auto forced = cluster.Change(3, ChangeTo(Without(cluster, 3, lost), "force"));
    ASSERT_TRUE(forced.has_value()) << forced.error().message;
    ASSERT_TRUE(cluster.AwaitAgreedAt({3, 4}));
    EXPECT_EQ(cluster.TopologyAt(4)->version.generation, 2u);
    EXPECT_EQ(cluster.TopologyAt(4)->losses.size(), 1u);
    EXPECT_GT(cluster.TopologyAt(4)->losses[0].at_ms, 0u);
    const auto decided = cluster.Change(4, CreateType("t", "t2"));
    ASSERT_TRUE(decided.has_value()) << decided.error().message;
    for (size_t i = 0; i < 3; ++i) cluster.node(i).Start();
    EXPECT_TRUE(AwaitRemoved(cluster, {0, 1, 2}));
    EXPECT_FALSE(cluster.node(0).admin().Ready());
    EXPECT_FALSE(cluster.Put(0, "key", "by the removed").has_value());
    ASSERT_TRUE(cluster.AwaitAgreedAt({3, 4}));
    EXPECT_EQ(cluster.TopologyAt(3)->version.generation, 2u);
  }
}

// They were not lost at all, only cut off, and went on deciding.
TEST(ForcedGeneration, AnOldMajorityThatWentOnIsFencedHoweverHighItsEpoch) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    SCOPED_TRACE(seed);
    RingCluster cluster(seed, WithSpares(5, 0));
    cluster.CutOff({3, 4});
    cluster.world().RunFor(kDetected);
    for (int i = 0; i < 12; ++i) {
      const std::string name = "old" + std::to_string(i);
      ASSERT_TRUE(cluster.Change(0, CreateType(name, name)).has_value());
    }
    const std::vector<NodeId> lost = IdsOf(cluster, {0, 1, 2});
    ASSERT_TRUE(cluster.Change(4, ChangeTo(Without(cluster, 4, lost), "force")).has_value());
    ASSERT_GT(cluster.TopologyAt(0)->version.epoch, cluster.TopologyAt(4)->version.epoch);
    cluster.cluster().network().HealAll();
    EXPECT_TRUE(AwaitRemoved(cluster, {0, 1, 2}));
    ASSERT_TRUE(cluster.AwaitAgreedAt({3, 4}));
    EXPECT_EQ(cluster.TopologyAt(3)->version.generation, 2u);
    EXPECT_FALSE(cluster.TopologyAt(3)->types.contains("old3"));
    EXPECT_EQ(cluster.Change(0, CreateType("late", "late")).error().code, Errc::kWrongCluster);
  }
}

TEST(ForcedGeneration, OneThatASurvivorDoesNotAgreeToChangesNothing) {
  RingCluster cluster(1, WithSpares(5, 0));
  const std::vector<NodeId> lost = IdsOf(cluster, {0, 1, 2});
  for (size_t i = 0; i < 3; ++i) cluster.node(i).Crash();
  cluster.world().RunFor(kDetected);
  cluster.CutOff({4});
  const auto refused = cluster.Change(3, ChangeTo(Without(cluster, 3, lost), "force"));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::kUnavailable);
  EXPECT_THAT(refused.error().message, HasSubstr("every member that is not declared lost"));
  EXPECT_EQ(cluster.TopologyAt(3)->version.generation, 1u);
  cluster.cluster().network().HealAll();
  cluster.world().RunFor(kDetected);
  EXPECT_TRUE(cluster.Change(3, ChangeTo(Without(cluster, 3, lost), "force")).has_value());
}

TEST(ForcedGeneration, GoesOnFromTheNewestTopologyThatASurvivorHolds) {
  RingCluster cluster(2, WithSpares(5, 0));
  const std::vector<NodeId> lost = IdsOf(cluster, {0, 1, 2});
  cluster.CutOff({3});
  ASSERT_TRUE(cluster.Change(0, CreateType("newer", "newer")).has_value());
  ASSERT_TRUE(cluster.AwaitAgreedAt({0, 1, 2, 4}));
  for (size_t i = 0; i < 3; ++i) cluster.node(i).Crash();
  cluster.cluster().network().HealAll();
  Result<uint64_t> forced = Fail(Errc::kUnavailable, "not asked");
  for (int attempt = 0; attempt < 60 && !forced; ++attempt) {
    forced = cluster.Change(3, ChangeTo(Without(cluster, 3, lost), "force"));
    cluster.world().RunFor(std::chrono::seconds(1));
  }
  ASSERT_TRUE(forced.has_value()) << forced.error().message;
  EXPECT_TRUE(cluster.TopologyAt(3)->types.contains("newer"));
}

TEST(ForcedGeneration, OfTwoAtOnceThatShareSurvivorsOneAtMostIsMade) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    RingCluster cluster(seed, WithSpares(5, 0));
    const std::vector<NodeId> lost = IdsOf(cluster, {0, 1, 2});
    for (size_t i = 0; i < 3; ++i) cluster.node(i).Crash();
    cluster.world().RunFor(kDetected);
    const auto one = cluster.Ask(3, ChangeTo(Without(cluster, 3, lost), "one"));
    cluster.world().RunFor(std::chrono::milliseconds(seed % 4));
    const auto other = cluster.Ask(4, ChangeTo(Without(cluster, 4, lost), "other"));
    ASSERT_TRUE(cluster.world().RunUntil([&] { return one->has_value() && other->has_value(); },
                                         cluster.world().now() + std::chrono::seconds(60)));
    EXPECT_FALSE((*one)->has_value() && (*other)->has_value());
    cluster.world().RunFor(std::chrono::seconds(1));
    if (cluster.TopologyAt(3)->version.generation == 1) {
      ASSERT_TRUE(cluster.Change(4, ChangeTo(Without(cluster, 4, lost), "again")).has_value());
    }
    ASSERT_TRUE(cluster.AwaitAgreedAt({3, 4}));
    EXPECT_EQ(cluster.TopologyAt(3)->losses.size(), 1u);
  }
}

// An administrator's mistake on two sides of a partition: two clusters, for good.
TEST(ForcedGeneration, TwoForcedOnTwoSidesNeverMix) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    SCOPED_TRACE(seed);
    RingCluster cluster(seed, WithSpares(6, 0));
    const std::vector<NodeId> ids = IdsOf(cluster, {0, 1, 2, 3, 4, 5});
    cluster.CutOff({0, 1});
    cluster.CutOff({2, 3});
    cluster.world().RunFor(kDetected);
    const auto one = cluster.Change(0, ChangeTo(Without(cluster, 0, {ids[2], ids[3], ids[4], ids[5]}), "one"));
    ASSERT_TRUE(one.has_value()) << one.error().message;
    const auto other = cluster.Change(2, ChangeTo(Without(cluster, 2, {ids[0], ids[1], ids[4], ids[5]}), "other"));
    ASSERT_TRUE(other.has_value()) << other.error().message;
    // One of them gets further than the other.
    ASSERT_TRUE(cluster.Change(0, CreateType("mine", "mine")).has_value());
    cluster.cluster().network().HealAll();
    EXPECT_TRUE(AwaitRemoved(cluster, {4, 5})) << "the old generation is told by both";
    cluster.world().RunFor(std::chrono::minutes(1));
    ASSERT_TRUE(cluster.AwaitAgreedAt({0, 1}));
    ASSERT_TRUE(cluster.AwaitAgreedAt({2, 3}));
    EXPECT_EQ(cluster.TopologyAt(0)->StandingOf(ids[2]), MemberStanding::kRemoved);
    EXPECT_EQ(cluster.TopologyAt(2)->StandingOf(ids[0]), MemberStanding::kRemoved);
    EXPECT_FALSE(cluster.TopologyAt(2)->types.contains("mine"));
  }
}

}  // namespace
}  // namespace dynamo::sim
