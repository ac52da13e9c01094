// What administrators are promised, in a quiet cluster that a test breaks.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/sim/register/fixture.h"

namespace dynamo::sim {
namespace {

SimClusterConfig Nodes(size_t nodes) {
  SimClusterConfig config;
  config.nodes = nodes;
  return config;
}

Result<PutReply> Put(RegisterCluster& cluster, size_t at, const ObjectKey& key) {
  PutRequest request;
  request.key = key;
  request.content.value = "value";
  request.options.w = QuorumValue::Number(2);
  return cluster.world().Await(cluster.cluster().clients(),
                               cluster.cluster().Put(at, std::move(request), std::chrono::seconds(30)));
}
Result<GetReply> Get(RegisterCluster& cluster, size_t at, const ObjectKey& key, uint32_t r) {
  GetRequest request;
  request.key = key;
  request.options.r = QuorumValue::Number(r);
  return cluster.world().Await(cluster.cluster().clients(),
                               cluster.cluster().Get(at, std::move(request), std::chrono::seconds(30)));
}

TEST(TopologyRegister, EveryNodeServesANewTypeOnceGossipHasBroughtIt) {
  RegisterCluster cluster(1, Nodes(5));
  const ObjectKey key{"carts", "bucket", "key"};
  EXPECT_FALSE(Put(cluster, 0, key));
  const auto epoch = cluster.Change(2, CreateType("carts", "operation-1"));
  ASSERT_TRUE(epoch.has_value()) << epoch.error().message;
  EXPECT_EQ(*epoch, 2u);
  ASSERT_TRUE(cluster.AwaitAgreed(std::chrono::seconds(30)));
  for (size_t node = 0; node < 5; ++node) {
    EXPECT_TRUE(Put(cluster, node, key).has_value()) << node;
    EXPECT_TRUE(Get(cluster, node, key, 2).has_value()) << node;
  }
}

TEST(TopologyRegister, OfTwoAdministratorsOneWinsAndTheOtherIsToldTheEpoch) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    RegisterCluster cluster(seed, Nodes(5));
    const auto one = cluster.Ask(0, CreateType("ones", "one", 1));
    const auto other = cluster.Ask(4, CreateType("others", "other", 1));
    ASSERT_TRUE(cluster.world().RunUntil([&] { return one->has_value() && other->has_value(); },
                                         cluster.world().now() + std::chrono::seconds(30)));
    ASSERT_NE((*one)->has_value(), (*other)->has_value()) << "seed " << seed;
    const Error& told = (*one)->has_value() ? (*other)->error() : (*one)->error();
    EXPECT_EQ(told.code, Errc::kConflict) << told.message;
    EXPECT_NE(told.message.find("at epoch 2, not 1"), std::string::npos) << told.message;
    ASSERT_TRUE(cluster.AwaitAgreed());
    EXPECT_EQ(cluster.TopologyAt(0)->types.contains("ones"), (*one)->has_value());
    EXPECT_EQ(cluster.TopologyAt(0)->types.contains("others"), (*other)->has_value());
  }
}

TEST(TopologyRegister, TheSameIdAtTwoNodesAtOnceAndLaterIsOneOperation) {
  RegisterCluster cluster(3, Nodes(3));
  const auto here = cluster.Ask(0, CreateType("carts", "the-same", 1));
  const auto there = cluster.Ask(2, CreateType("carts", "the-same", 1));
  cluster.world().RunUntil([&] { return here->has_value() && there->has_value(); },
                           cluster.world().now() + std::chrono::seconds(30));
  ASSERT_TRUE((*here)->has_value() && (*there)->has_value());
  EXPECT_EQ(***here, 2u);
  EXPECT_EQ(***there, 2u);
  ASSERT_TRUE(cluster.Change(1, CreateType("orders", "another")).has_value());
  cluster.node(1).Crash();
  cluster.node(1).Start();
  ASSERT_TRUE(cluster.AwaitAgreed());
  const auto again = cluster.Change(1, CreateType("carts", "the-same", 1));
  ASSERT_TRUE(again.has_value()) << again.error().message;
  EXPECT_EQ(*again, 2u);
}

TEST(TopologyRegister, AMinorityChangesNothingAndSaysSoWhileReadsAndWritesGoOn) {
  RegisterCluster cluster(5, Nodes(5));
  const ObjectKey key{"siblings", "bucket", "key"};
  ASSERT_TRUE(Put(cluster, 0, key).has_value());
  for (const size_t voter : {2, 3, 4}) cluster.node(voter).Crash();
  cluster.world().RunFor(std::chrono::seconds(20));
  const TimePoint began = cluster.world().now();
  const auto outcome = cluster.Ask(0, CreateType("carts", "operation-1"));
  EXPECT_TRUE(Put(cluster, 1, key).has_value());
  EXPECT_TRUE(Get(cluster, 0, key, 1).has_value());
  EXPECT_FALSE(outcome->has_value());
  cluster.world().RunUntil([&] { return outcome->has_value(); }, began + std::chrono::seconds(15));
  ASSERT_TRUE(outcome->has_value());
  ASSERT_FALSE((*outcome)->has_value());
  EXPECT_EQ((*outcome)->error().code, Errc::kQuorumUnmet);
  EXPECT_NE((*outcome)->error().message.find("2 of 5 voters answered, and 3 have to agree"), std::string::npos)
      << (*outcome)->error().message;
  EXPECT_EQ(cluster.TopologyAt(0)->version.epoch, 1u);
  cluster.StartAll();
  ASSERT_TRUE(cluster.AwaitAgreed());
  EXPECT_EQ(cluster.TopologyAt(4)->version.epoch, 1u);
  EXPECT_TRUE(cluster.Change(0, CreateType("carts", "operation-1")).has_value());
}

TEST(TopologyRegister, AVoterThatWasSetBackNeverVotesAgain) {
  RegisterCluster cluster(6, Nodes(3));
  SimNode& set_back = cluster.node(1);
  const auto restart = [&] {
    set_back.Crash();
    set_back.Start();
    EXPECT_TRUE(cluster.AwaitAgreed());
    cluster.world().RunFor(std::chrono::seconds(10));
  };
  set_back.disk().TakeSnapshot();
  restart();
  restart();
  set_back.Crash();
  set_back.disk().RestoreSnapshot();
  set_back.Start();
  cluster.world().RunFor(std::chrono::seconds(10));
  cluster.node(2).Crash();
  const auto refused = cluster.Change(0, CreateType("carts", "operation-1"));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::kQuorumUnmet) << refused.error().message;
  // The two whose disks are what they were are a majority.
  cluster.node(2).Start();
  EXPECT_TRUE(cluster.Change(0, CreateType("carts", "operation-1")).has_value());
}

TEST(TopologyRegister, ADecisionWhoseProposerDiedIsFinishedByTheVoters) {
  SimClusterConfig config = Nodes(3);
  RegisterCluster cluster(8, config);
  // The proposer's disk is so slow that it has not stored what the others have decided.
  cluster.node(0).disk().SetSlowness(2000);
  cluster.Ask(0, CreateType("carts", "operation-1"));
  cluster.world().RunFor(std::chrono::milliseconds(500));
  cluster.node(0).Crash();
  cluster.node(0).disk().SetSlowness(1);
  cluster.world().RunFor(std::chrono::seconds(30));
  cluster.node(0).Start();
  ASSERT_TRUE(cluster.AwaitAgreed());
  EXPECT_TRUE(cluster.TopologyAt(1)->types.contains("carts"));
  EXPECT_TRUE(cluster.TopologyAt(0)->types.contains("carts"));
}

TEST(TopologyRegister, AVoterThatLosesPowerAfterAgreeingKeepsToIt) {
  for (uint64_t seed = 1; seed <= 20; ++seed) EXPECT_EQ(AgreeAndLosePower(seed, {}), "") << "seed " << seed;
}

}  // namespace
}  // namespace dynamo::sim
