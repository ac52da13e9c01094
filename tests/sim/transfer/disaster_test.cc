// Two of three disks are lost for good, and with them the majority of the voters: the
// administrator's commands bring the cluster back with all that survived.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/sim/transfer/moving_cluster.h"

#if !defined(DYNAMO_PLANTED_BUGS)

namespace dynamo::sim {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

SimClusterConfig DisasterConfig(size_t nodes, uint32_t n_val = 3) {
  SimClusterConfig config;
  config.nodes = nodes;
  config.n_val = n_val;
  config.shards = 2;
  config.service.transfer_chunk_bytes = 2000;
  config.service.transfer_bytes_per_second = 100'000;
  config.service.anti_entropy_interval = Duration(0);
  return config;
}

std::vector<PartitionWait> WaitsSeen(MovingCluster& cluster, const std::set<NodeId>& away) {
  return WaitsOf(*cluster.topology(), [&away](NodeId node) { return !away.contains(node); });
}

std::vector<PartitionId> PartitionsOf(const std::vector<PartitionWait>& waits) {
  std::vector<PartitionId> partitions;
  partitions.reserve(waits.size());
  for (const PartitionWait& wait : waits) partitions.push_back(wait.partition);
  return partitions;
}

bool AwaitDone(MovingCluster& cluster) {
  return cluster.RunUntil([&] { return cluster.topology()->change_since == 0; }, std::chrono::minutes(5));
}

TEST(Disaster, TheLastOfThreeOwnersIsEnoughOnceTheLossOfTheOthersIsAccepted) {
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    SCOPED_TRACE(seed);
    MovingCluster cluster(seed, DisasterConfig(5), 2);
    cluster.WriteBase(80);
    const NodeId a = cluster.IdOf(0), b = cluster.IdOf(1);
    const ClusterId id = cluster.topology()->cluster;
    cluster.node(0).Crash();
    cluster.node(1).Crash();
    cluster.RunFor(std::chrono::seconds(30));
    cluster.Change("force", ForceTopology{{id, {a, b}, "ada", 0}});
    ASSERT_EQ(cluster.topology()->version.generation, 2u);
    EXPECT_THAT(cluster.topology()->losses[0].partitions, IsEmpty()) << "the third has a copy of all";

    cluster.Change("replace-a", ReplaceMember{a, cluster.MemberOf(3)});
    cluster.RunFor(std::chrono::minutes(2));
    EXPECT_EQ(cluster.Moved(), 0u) << "it waits for what only the other lost one may have";
    const auto waits = WaitsSeen(cluster, {a, b});
    ASSERT_THAT(waits, Not(IsEmpty()));
    EXPECT_THAT(waits[0].owners, ElementsAre(b));
    cluster.Change("accept", AcceptLoss{{id, {b}, "ada", 0}, PartitionsOf(waits)});
    EXPECT_TRUE(AwaitDone(cluster));
    cluster.Change("replace-b", ReplaceMember{b, cluster.MemberOf(4)});
    EXPECT_TRUE(cluster.AwaitSettled()) << cluster.WhyNotSettled();
    EXPECT_THAT(cluster.Lost(), IsEmpty());
    EXPECT_THAT(cluster.violations(), IsEmpty());
    EXPECT_EQ(cluster.topology()->losses.size(), 2u) << "both are on record";

    // A disk that was declared lost and was not: it is refused, and brings nothing back,
    // though nobody remembers its name.
    cluster.Change("forget", ForgetMember{a});
    cluster.node(0).Start();
    EXPECT_TRUE(cluster.RunUntil(
        [&] { return cluster.node(0).started() && cluster.node(0).admin().Identity().state == "removed"; },
        std::chrono::minutes(2)));
    EXPECT_TRUE(cluster.AwaitSettled()) << cluster.WhyNotSettled();
  }
}

// N = 2, and both owners of some partitions are lost: only these partitions' data is.
TEST(Disaster, PartitionsWhoseEveryCopyIsLostAreNamedAndServedEmptyOnceThatIsAccepted) {
  MovingCluster cluster(7, DisasterConfig(6, /*n_val=*/2), 2);
  const auto put = [&](const std::string& name) {
    PutRequest request;
    request.key = {"siblings", "bucket", name};
    request.content.value = "1";
    request.options.w = QuorumValue::Number(2);
    return cluster.world()
        .Await(cluster.cluster().clients(), cluster.cluster().Put(2, std::move(request), std::chrono::seconds(10)))
        .has_value();
  };
  const auto get = [&](const std::string& name) {
    GetRequest request;
    request.key = {"siblings", "bucket", name};
    request.options.r = QuorumValue::Number(2);
    return cluster.world().Await(cluster.cluster().clients(),
                                 cluster.cluster().Get(2, std::move(request), std::chrono::seconds(10)));
  };
  for (int i = 0; i < 60; ++i) ASSERT_TRUE(put("key" + std::to_string(i)));
  cluster.RunFor(std::chrono::seconds(5));
  const NodeId a = cluster.IdOf(0), b = cluster.IdOf(1);
  const ClusterId id = cluster.topology()->cluster;
  cluster.node(0).Crash();
  cluster.node(1).Crash();
  cluster.RunFor(std::chrono::seconds(30));
  // Four members have three voters: it may be that one of them is left, or two.
  TopologyChange force;
  force.operation_id = "force";
  force.what = ForceTopology{{id, {a, b}, "ada", 0}};
  const bool needed = ApplyChange(*cluster.topology(), force).has_value();
  if (needed) cluster.Change("force", force.what);
  const std::vector<PartitionId> gone = PartitionsLostWith(*cluster.topology(), {a, b});
  ASSERT_THAT(gone, Not(IsEmpty()));
  if (needed) EXPECT_EQ(cluster.topology()->losses[0].partitions, gone);

  cluster.Change("replace-a", ReplaceMember{a, cluster.MemberOf(4)});
  cluster.RunFor(std::chrono::minutes(1));
  const auto waits = WaitsSeen(cluster, {a, b});
  ASSERT_THAT(waits, Not(IsEmpty()));
  cluster.Change("accept", AcceptLoss{{id, {b}, "ada", 0}, PartitionsOf(waits)});
  ASSERT_TRUE(AwaitDone(cluster));
  cluster.Change("replace-b", ReplaceMember{b, cluster.MemberOf(5)});
  ASSERT_TRUE(AwaitDone(cluster)) << WaitsSeen(cluster, {a, b}).size();
  cluster.RunFor(std::chrono::seconds(30));
  for (int i = 0; i < 60; ++i) {
    const std::string name = "key" + std::to_string(i);
    const ObjectKey key{"siblings", "bucket", name};
    const Bytes stored = StorageKeyOf(key, cluster.topology()->ring_seed);
    const PartitionId partition = PartitionOf(PositionOfStorageKey(stored), cluster.topology()->partitions);
    const auto found = get(name);
    ASSERT_TRUE(found.has_value()) << found.error().message;
    EXPECT_EQ(found->object.never_written(), std::ranges::binary_search(gone, partition)) << name;
  }
}

}  // namespace
}  // namespace dynamo::sim

#endif
