// What any node tells an administrator of all the others, by asking them.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "tests/sim/ring_changes/fixture.h"

namespace dynamo::sim {
namespace {

std::vector<MemberReport> ReportsAt(RingCluster& cluster, size_t at) {
  return cluster.world().Await(cluster.node(at).scope(0), cluster.node(at).admin().Reports());
}

uint64_t Sum(const std::vector<HintCount>& hints) {
  return std::accumulate(hints.begin(), hints.end(), uint64_t{0},
                         [](uint64_t sum, const HintCount& count) { return sum + count.hints; });
}

const MemberReport& ReportOf(const std::vector<MemberReport>& reports, NodeId node) {
  static const MemberReport kNone;
  const auto found = std::ranges::find(reports, node, &MemberReport::node);
  return found == reports.end() ? kNone : *found;
}

// Writes until somebody keeps a hint; who that is.
size_t KeepOneHint(RingCluster& cluster) {
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(cluster.Put(0, "key" + std::to_string(i), "value").has_value());
    cluster.world().RunFor(std::chrono::seconds(3));
    for (size_t keeper = 0; keeper < 4; ++keeper) {
      if (Sum(cluster.node(keeper).admin().Hints()) > 0) return keeper;
    }
  }
  ADD_FAILURE() << "nobody keeps a hint";
  return 0;
}

TEST(Reports, AnyMemberTellsOfHintsThatOnlyAnotherKeepsAndOfWhoDoesNotAnswer) {
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    SCOPED_TRACE(seed);
    RingCluster cluster(seed, WithSpares(5, 0, /*shards=*/2));
    const NodeId down = cluster.IdOf(4);
    cluster.node(4).Crash();
    cluster.world().RunFor(std::chrono::seconds(20));
    const size_t keeper = KeepOneHint(cluster);
    const NodeId keeper_id = cluster.IdOf(keeper);
    for (size_t asked = 0; asked < 4; ++asked) {
      const TimePoint began = cluster.world().now();
      const auto reports = ReportsAt(cluster, asked);
      EXPECT_LE(cluster.world().now() - began, std::chrono::seconds(2));
      ASSERT_EQ(reports.size(), 5u);
      if (asked != keeper) EXPECT_EQ(Sum(cluster.node(asked).admin().Hints()), 0u) << "it keeps none itself";
      ASSERT_EQ(ReportOf(reports, keeper_id).hints.size(), 1u) << "asked " << asked << ", kept by " << keeper;
      EXPECT_EQ(ReportOf(reports, keeper_id).hints[0].owner, down);
      for (const MemberReport& report : reports) EXPECT_EQ(report.answered, report.node != down);
    }
    cluster.node(4).Start();
    cluster.world().RunFor(std::chrono::seconds(60));
    for (const MemberReport& report : ReportsAt(cluster, 0)) {
      EXPECT_TRUE(report.answered);
      EXPECT_EQ(Sum(report.hints), 0u);
    }
  }
}

TEST(Reports, AStrangerIsToldNothingAndCountsForNobody) {
  RingCluster cluster(1, WithSpares(3, 1));
  EXPECT_TRUE(ReportsAt(cluster, 3).empty());
  EXPECT_EQ(ReportsAt(cluster, 0).size(), 3u);
}

TEST(Reports, WhoIsToReceivePartitionsSaysHowManyAndOfWhichChange) {
  RingCluster cluster(1, WithSpares(3, 1, /*shards=*/2));
  const auto epoch = cluster.Change(0, ChangeTo(cluster.Join(3), "join"));
  ASSERT_TRUE(epoch.has_value());
  ASSERT_TRUE(cluster.AwaitAgreedAt({0, 1, 2, 3}));
  ASSERT_TRUE(cluster.world().RunUntil([&] { return cluster.node(3).admin().Ready(); },
                                       cluster.world().now() + std::chrono::seconds(10)));
  const auto reports = ReportsAt(cluster, 1);
  ASSERT_EQ(reports.size(), 4u);
  const MemberReport& joining = ReportOf(reports, cluster.IdOf(3));
  EXPECT_EQ(joining.change_since, *epoch);
  double to_copy = 0;
  for (const auto& [n_val, share] : joining.copies) {
    to_copy += share.to_copy;
    EXPECT_EQ(share.copied, 0) << "transfers wait here";
  }
  const auto topology = cluster.TopologyAt(0);
  double to_own = 0;
  for (PartitionId partition = 0; partition < topology->partitions; ++partition) {
    for (const auto& [n_val, share] : joining.copies) {
      const auto owners = PendingOwners(*topology, partition, n_val);
      to_own += std::ranges::find(owners, joining.node) == owners.end() ? 0 : 1;
    }
  }
  EXPECT_GT(to_own, 0);
  EXPECT_EQ(to_copy, to_own);
}

}  // namespace
}  // namespace dynamo::sim
