#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "tests/unit/service/membership_cluster.h"

namespace dynamo {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using Cluster = MembershipCluster;
using CreateResult = Result<Cluster::TopologyPtr>;

bool NobodyIsOfACluster(Cluster& cluster) {
  for (int node = 0; node < cluster.size(); ++node) {
    if (cluster.running(node) && cluster[node].view().topology) return false;
  }
  return true;
}

// Starts a create and does not wait for it.
Async<> Keep(Async<CreateResult> work, std::optional<CreateResult>* result) { *result = co_await std::move(work); }
void Begin(Cluster& cluster, int node, CreateCluster request, std::optional<CreateResult>* result) {
  cluster[node].scope().Spawn(Keep(cluster[node].membership().Create(std::move(request)), result));
}

TEST(Create, MakesOneClusterOfEmptyNodes) {
  Cluster cluster(3, 1);
  const auto created = cluster.Create(0, Cluster::Request({0, 1, 2}));
  ASSERT_TRUE(created) << created.error().message;
  EXPECT_EQ((*created)->members.size(), 3u);
  EXPECT_EQ((*created)->partitions, 16u);
  EXPECT_EQ((*created)->context_keys[0].secret.size(), 32u);
  // All know it and each other by the time that it is answered.
  EXPECT_TRUE(cluster.AllHave(*created));
  EXPECT_TRUE(cluster.AllSeeAll());
  EXPECT_FALSE(cluster[1].membership().empty_volume());
}

TEST(Create, TakesZonesAndCapacitiesFromTheRequestAndElseFromTheNode) {
  Cluster cluster(2, 2);
  CreateCluster request = Cluster::Request({0, 1});
  request.members[1].zone = "elsewhere";
  request.members[1].capacity = 3;
  request.cluster = ClusterId{{1, 2}};
  request.ring_seed = 77;
  const auto created = cluster.Create(0, request);
  ASSERT_TRUE(created);
  EXPECT_EQ((*created)->Find(cluster[0].id())->zone, "zone-a");
  EXPECT_EQ((*created)->Find(cluster[0].id())->capacity, 1u);
  EXPECT_EQ((*created)->Find(cluster[1].id())->zone, "elsewhere");
  EXPECT_EQ((*created)->Find(cluster[1].id())->capacity, 3u);
  EXPECT_EQ((*created)->cluster, request.cluster);
  EXPECT_EQ((*created)->ring_seed, 77u);
}

TEST(Create, MakesAClusterOfOne) {
  Cluster cluster(1, 3);
  EXPECT_TRUE(cluster.Create(0, Cluster::Request({0})));
}

TEST(Create, AskedAgainAnswersTheSame) {
  Cluster cluster(3, 4);
  const auto created = cluster.Create(0, Cluster::Request({0, 1, 2}, "op"));
  ASSERT_TRUE(created);
  // The same operation; the same members in another order, at another node; after a restart.
  EXPECT_EQ(**cluster.Create(0, Cluster::Request({0, 1, 2}, "op")), **created);
  EXPECT_EQ(**cluster.Create(0, Cluster::Request({2, 1, 0}, "another")), **created);
  EXPECT_EQ(**cluster.Create(1, Cluster::Request({0, 1, 2}, "")), **created);
  cluster.Crash(0);
  ASSERT_TRUE(cluster.Start(0));
  cluster.Run(2s);
  EXPECT_EQ(**cluster.Create(0, Cluster::Request({0, 1, 2}, "op")), **created);
}

TEST(Create, AskedTwiceAtOnceMakesOneCluster) {
  Cluster cluster(3, 5);
  std::optional<CreateResult> first, second;
  Begin(cluster, 0, Cluster::Request({0, 1, 2}, "op"), &first);
  Begin(cluster, 0, Cluster::Request({0, 1, 2}, "op"), &second);
  cluster.Run(5s);
  ASSERT_TRUE(first && *first && second && *second);
  EXPECT_EQ(***first, ***second);
}

TEST(Create, OfOtherMembersOrAnotherClusterIsRefusedOnceThereIsOne) {
  Cluster cluster(3, 6);
  ASSERT_TRUE(cluster.Create(0, Cluster::Request({0, 1}, "op")));
  const auto other_members = cluster.Create(0, Cluster::Request({0, 1, 2}, "another"));
  ASSERT_FALSE(other_members);
  EXPECT_EQ(other_members.error().code, Errc::kAlreadyExists);
  CreateCluster other_id = Cluster::Request({0, 1}, "op");
  other_id.cluster = ClusterId{{8, 8}};
  EXPECT_EQ(cluster.Create(0, other_id).error().code, Errc::kAlreadyExists);
  // An empty node cannot draw a member of a cluster into a second one.
  const auto stolen = cluster.Create(2, Cluster::Request({2, 1}, "theft"));
  ASSERT_FALSE(stolen);
  EXPECT_EQ(stolen.error().code, Errc::kAlreadyExists);
  EXPECT_THAT(stolen.error().message, HasSubstr(Cluster::Address(1)));
  EXPECT_FALSE(cluster[2].view().topology);
}

TEST(Create, NamesEveryNodeThatCannotBeReachedAndChangesNothing) {
  Cluster cluster(4, 7);
  cluster.Crash(1);
  cluster.CutOff(3);
  const auto created = cluster.Create(0, Cluster::Request({0, 1, 2, 3}));
  ASSERT_FALSE(created);
  EXPECT_EQ(created.error().code, Errc::kUnavailable);
  EXPECT_THAT(created.error().message, HasSubstr(Cluster::Address(1)));
  EXPECT_THAT(created.error().message, HasSubstr(Cluster::Address(3)));
  EXPECT_THAT(created.error().message, testing::Not(HasSubstr(Cluster::Address(2))));
  EXPECT_TRUE(NobodyIsOfACluster(cluster));
  EXPECT_TRUE(cluster.Create(0, Cluster::Request({0, 2}, "smaller")));
}

TEST(Create, NamesANodeWhoseVolumeIsNotEmpty) {
  Cluster cluster(2, 8);
  WriteOps ops(1);
  ops[0] = {WriteOp::Kind::kPut, ColumnFamily::kObjects, "old", "data"};
  const auto written = cluster.world.Await(cluster[1].scope(), cluster[1].storage().Write(ops));
  ASSERT_TRUE(written);
  ASSERT_TRUE(cluster.world.Await(cluster[1].scope(), cluster[1].storage().Sync(*written)));
  cluster.Crash(1);
  ASSERT_TRUE(cluster.Start(1));
  EXPECT_FALSE(cluster[1].membership().empty_volume());
  for (const int asked : {0, 1}) {
    const auto created = cluster.Create(asked, Cluster::Request({0, 1}));
    ASSERT_FALSE(created);
    EXPECT_EQ(created.error().code, Errc::kAlreadyExists);
    EXPECT_THAT(created.error().message, HasSubstr(Cluster::Address(1) + " is not empty"));
  }
  EXPECT_TRUE(NobodyIsOfACluster(cluster));
}

TEST(Create, OfAListThatCannotBeRightIsAnInvalidArgument) {
  Cluster cluster(3, 9);
  const auto code = [&](CreateCluster request) { return cluster.Create(0, std::move(request)).error().code; };
  EXPECT_EQ(code(Cluster::Request({})), Errc::kInvalidArgument);
  EXPECT_EQ(code(Cluster::Request({0, 1, 1})), Errc::kInvalidArgument);
  EXPECT_EQ(code(Cluster::Request({1, 2})), Errc::kInvalidArgument);  // Without the node that is asked.
  EXPECT_EQ(code(Cluster::Request({0, 1}, std::string(256, 'x'))), Errc::kInvalidArgument);
  CreateCluster bad_partitions = Cluster::Request({0, 1, 2});
  bad_partitions.partitions = 12;
  EXPECT_EQ(code(bad_partitions), Errc::kInvalidArgument);
  EXPECT_TRUE(NobodyIsOfACluster(cluster));
  EXPECT_TRUE(cluster.Create(0, Cluster::Request({0, 1, 2}, "right")));
}

TEST(Create, TwoThatOverlapNeverMakeTwoClusters) {
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    Cluster cluster(4, seed);
    std::optional<CreateResult> left, right;
    Begin(cluster, 0, Cluster::Request({0, 1, 2}, "left"), &left);
    cluster.Run(Duration(seed * 100));
    Begin(cluster, 3, Cluster::Request({1, 2, 3}, "right"), &right);
    cluster.Run(30s);
    ASSERT_TRUE(left && right) << seed;
    EXPECT_FALSE(*left && *right) << seed;
    // Whoever lost, or both, left nothing behind that hinders the next.
    if (!*left && !*right) EXPECT_TRUE(cluster.Create(0, Cluster::Request({0, 1, 2, 3}, "next"))) << seed;
    ClusterId made;
    for (int node = 0; node < 4; ++node) {
      const auto& topology = cluster[node].view().topology;
      if (!topology) continue;
      EXPECT_TRUE(!made || made == topology->cluster) << seed;
      made = topology->cluster;
    }
  }
}

TEST(Create, CutShortByACrashLetsItsReservationsLapse) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    Cluster cluster(3, seed);
    std::optional<CreateResult> never;
    Begin(cluster, 0, Cluster::Request({0, 1, 2}, "cut short"), &never);
    cluster.Run(Duration(seed * 500));
    cluster.Crash(0);
    const bool stored = cluster.disk(0).durable(ColumnFamily::kMeta).contains("topology");
    ASSERT_TRUE(cluster.Start(0));
    cluster.Run(31s);
    const auto again = cluster.Create(0, Cluster::Request({0, 1, 2}, "again"));
    ASSERT_TRUE(again) << seed << ": " << again.error().message;
    cluster.Run(5s);
    EXPECT_TRUE(cluster.AllHave(*again)) << seed << (stored ? " stored" : "");
  }
}

TEST(Create, ReachesANodeThatWasSlowByGossip) {
  Cluster cluster(3, 10);
  std::optional<CreateResult> created;
  Begin(cluster, 0, Cluster::Request({0, 1, 2}), &created);
  // From the moment the topology is stored the third hears nothing.
  cluster.RunUntil([&] { return cluster[0].view().topology != nullptr; }, 5s);
  cluster[2].Pause();
  cluster.Run(20s);
  ASSERT_TRUE(created && *created);
  EXPECT_FALSE(cluster[2].view().topology);
  cluster[2].Resume();
  EXPECT_LT(cluster.RunUntil([&] { return cluster.AllHave(**created) && cluster.AllSeeAll(); }, 60s), 15s);
}

TEST(Create, SurvivesTheCrashOfAllNodesTheMomentItIsAnswered) {
  Cluster cluster(3, 11);
  const auto created = cluster.Create(0, Cluster::Request({0, 1, 2}));
  ASSERT_TRUE(created);
  for (int node = 0; node < 3; ++node) cluster.Crash(node);
  for (int node = 0; node < 3; ++node) ASSERT_TRUE(cluster.Start(node));
  EXPECT_TRUE(cluster.AllHave(*created));
}

TEST(Create, DoesNotTakeInANodeWhoseVolumeWasEmptied) {
  Cluster cluster(3, 12, /*seed_nodes=*/{0, 1, 2});
  const auto created = cluster.Create(0, Cluster::Request({0, 1, 2}));
  ASSERT_TRUE(created);
  const NodeId before = cluster[2].id();
  cluster.Crash(2);
  cluster.Wipe(2);
  ASSERT_TRUE(cluster.Start(2));
  EXPECT_NE(cluster[2].id(), before);
  cluster.Run(60s);
  EXPECT_FALSE(cluster[2].view().topology);
  EXPECT_TRUE(cluster[0].view().nodes.contains(cluster[2].id()));  // Known as a stranger.
  EXPECT_FALSE(cluster[0].view().IsUp(before));
}

}  // namespace
}  // namespace dynamo
