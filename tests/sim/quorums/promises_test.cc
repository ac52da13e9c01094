// What the configurations promise a reader, and what they don't.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/sim/quorums/fixture.h"

namespace dynamo::sim {
namespace {

bool Has(const GetReply& reply, const std::string& value) {
  const std::vector<std::string> values = QuietCluster::ValuesOf(reply);
  return std::find(values.begin(), values.end(), value) != values.end();
}

// Cuts a node off from all others, both ways: it stays alive and misses writes.
void CutOff(QuietCluster& quiet, size_t out) {
  SimCluster& cluster = quiet.cluster();
  const HostId host = cluster.node(out).config().host;
  for (size_t i = 0; i < cluster.size(); ++i) {
    if (i == out) continue;
    cluster.network().Cut(host, cluster.node(i).config().host);
    cluster.network().Cut(cluster.node(i).config().host, host);
  }
  // Long enough for everybody to find out.
  quiet.world().RunFor(std::chrono::seconds(30));
}

TEST(Quorums, WithOverlappingQuorumsAReadAfterAnAckCoversIt) {
  const Quorums quorums{3, 2, 2};
  QuietCluster quiet(3, 3);
  for (int round = 0; round < 20; ++round) {
    const std::string value = "round " + std::to_string(round);
    const auto before = quiet.Get(round % 3, quorums, true);
    ASSERT_TRUE(before.has_value());
    ASSERT_TRUE(quiet.Put(round % 3, quorums, true, value, before->context).has_value());
    for (size_t node = 0; node < 3; ++node) {
      const auto after = quiet.Get(node, quorums, true);
      ASSERT_TRUE(after.has_value());
      EXPECT_EQ(QuietCluster::ValuesOf(*after), std::vector<std::string>{value}) << "at node " << node;
    }
  }
}

TEST(Quorums, WithOneAndOneAReadCanBeStale) {
  const Quorums quorums{3, 1, 1};
  QuietCluster quiet(3, 3);
  ASSERT_TRUE(quiet.Put(0, {3, 3, 3}, false, "old").has_value());
  const auto old = quiet.Get(0, {3, 3, 3}, false);
  ASSERT_TRUE(old.has_value());
  // One owner is cut off; the others take a write that it cannot hear of.
  const size_t cut_off = quiet.owners()[0], writer = quiet.owners()[1];
  CutOff(quiet, cut_off);
  ASSERT_TRUE(quiet.Put(writer, quorums, true, "new", old->context).has_value());
  const auto stale = quiet.Get(cut_off, quorums, true);
  ASSERT_TRUE(stale.has_value());
  EXPECT_EQ(QuietCluster::ValuesOf(*stale), std::vector<std::string>{"old"});
  // It is not for good: the hint arrives when the network is whole again.
  quiet.cluster().network().HealAll();
  quiet.world().RunFor(std::chrono::seconds(60));
  const auto fresh = quiet.Get(cut_off, quorums, true);
  ASSERT_TRUE(fresh.has_value());
  EXPECT_EQ(QuietCluster::ValuesOf(*fresh), std::vector<std::string>{"new"});
}

TEST(Quorums, WithOneWriteADestroyedDiskLosesAWriteThatNobodyElseHas) {
  const Quorums quorums{3, 3, 1};
  QuietCluster quiet(3, 3);
  const size_t only = quiet.owners()[0];
  CutOff(quiet, only);
  ASSERT_TRUE(quiet.Put(only, quorums, true, "alone").has_value());
  // Its disk is destroyed before it could tell anybody: the node never returns.
  quiet.cluster().node(only).Crash();
  quiet.cluster().network().HealAll();
  quiet.world().RunFor(std::chrono::seconds(60));
  const auto rest = quiet.Get(quiet.owners()[1], {3, 2, 1}, true);
  ASSERT_TRUE(rest.has_value());
  EXPECT_FALSE(Has(*rest, "alone"));
}

TEST(Quorums, WithTwoWritesADestroyedDiskLosesNothing) {
  const Quorums quorums{3, 2, 2};
  QuietCluster quiet(3, 3);
  ASSERT_TRUE(quiet.Put(quiet.owners()[0], quorums, true, "kept").has_value());
  quiet.TakeDown({quiet.owners()[0]});
  const auto rest = quiet.Get(quiet.owners()[1], quorums, true);
  ASSERT_TRUE(rest.has_value());
  EXPECT_TRUE(Has(*rest, "kept"));
}

}  // namespace
}  // namespace dynamo::sim
