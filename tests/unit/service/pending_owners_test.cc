// While members change: who is about to own a key gets its writes and counts for
// nothing, messages of older epochs are refused, and hints follow the topology.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "node/core/ring/preference_list.h"
#include "node/core/ring/topology_change.h"
#include "node/protocol/messages.h"
#include "tests/unit/service/test_cluster.h"

namespace dynamo {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

template <class What>
Topology After(const Topology& topology, What what) {
  TopologyChange change;
  change.operation_id = std::is_same_v<What, TakeOver> || std::is_same_v<What, Depart> ? "" : "operation";
  change.operation_id += change.operation_id.empty() ? "" : std::to_string(topology.version.epoch);
  change.what = std::move(what);
  return *ApplyChange(topology, change)->next;
}

Topology AllTakenOver(const Topology& topology) {
  TakeOver all{topology.change_since, {}};
  for (PartitionId p = 0; p < topology.partitions; ++p) all.partitions.push_back(p);
  return After(topology, all);
}

TestClusterConfig Config(int nodes, int members) {
  TestClusterConfig config = Nodes(nodes);
  config.members = members;
  return config;
}

// `members` nodes in a cluster, and one more that joins.
class PendingOwners : public testing::Test {
 protected:
  explicit PendingOwners(int members = 3) : cluster(Config(members + 1, members)), newcomer(members) {
    const Member joining{.id = id(newcomer), .name = "newcomer", .zone = "", .capacity = 1};
    before = cluster.topology();
    joined = After(before, ChangeMembers{{joining}, {}, {}});
    for (int i = 0; !IsPending(key); ++i) key.key = "key" + std::to_string(i);
    owners = cluster.WalkOf(key);
    owners.resize(3);
  }
  static NodeId id(int node) { return TestCluster::IdOf(node); }
  PartitionId partition() const { return PartitionOf(PositionOf(key, before.ring_seed), before.partitions); }
  bool IsPending(const ObjectKey& candidate) const {
    const PartitionId at = PartitionOf(PositionOf(candidate, before.ring_seed), before.partitions);
    return std::ranges::count(dynamo::PendingOwners(joined, at, 3), id(newcomer)) > 0;
  }
  void Join(std::set<int> at = {}) {
    cluster.SetTopology(joined, std::move(at));
    cluster.RunFor(Duration(50'000));
  }
  std::vector<std::string> StoredAt(int node) { return TestCluster::ValuesOf(cluster.Stored(node, key)); }
  static WriteOptions Strict(uint32_t w) {
    WriteOptions options = WithW(QuorumValue::Number(w));
    options.sloppy_quorum = false;
    return options;
  }

  // As one replica puts at another, at that epoch.
  Result<peer::Response> PutAt(int node, int from, uint64_t epoch, NodeId hint_for = {}) {
    peer::Request request;
    peer::ReplicaPut* put = request.mutable_replica_put();
    ToProto(key, put->mutable_key());
    Write milk;
    milk.actor = ActorId{9};
    milk.content.value = "milk";
    put->set_object(EncodeObject(Mint(Object{}, {}, std::move(milk))));
    put->set_epoch(epoch);
    put->set_hint_for(hint_for.value);
    return Ask(node, from, request);
  }
  Result<peer::Response> Ask(int node, int from, const peer::Request& request) {
    auto answer = std::make_shared<Result<peer::Response>>(Fail(Errc::kTimeout, "not answered"));
    cluster.node(node).shard(0).OnPeerRequest(
        {id(from), cluster.world().now() + Duration(1'000'000), *EncodeRequest(request)},
        [answer](const SharedBytes& bytes) { *answer = ParseResponse(*bytes); });
    cluster.RunFor(Duration(500'000));
    return *answer;
  }

  TestCluster cluster;
  int newcomer;
  Topology before, joined;
  ObjectKey key{"siblings", "cart", ""};
  std::vector<int> owners;
};

TEST_F(PendingOwners, GetEveryWrite) {
  Join();
  ASSERT_TRUE(cluster.Put(owners[0], key, "milk").has_value());
  cluster.RunFor(Duration(500'000));
  EXPECT_THAT(StoredAt(newcomer), ElementsAre("milk"));
  for (int owner : owners) EXPECT_THAT(StoredAt(owner), ElementsAre("milk"));
}

TEST_F(PendingOwners, RefuseNobodysWriteWhenTheyAreDeadAndGetAHint) {
  Join();
  cluster.Crash(newcomer);
  const auto put = cluster.Put(owners[0], key, "milk", {}, WithW(QuorumValue::All()));
  ASSERT_TRUE(put.has_value()) << put.error().message;
  cluster.RunFor(Duration(500'000));
  EXPECT_EQ(cluster.Hints(owners[0]), 1u);
  cluster.Start(newcomer);
  cluster.RunFor(Duration(3'000'000));
  EXPECT_EQ(cluster.Hints(owners[0]), 0u);
  EXPECT_THAT(StoredAt(newcomer), ElementsAre("milk"));
}

TEST_F(PendingOwners, GetAHintWhenTheyHangToo) {
  Join();
  cluster.world().Pause(cluster.node(newcomer).process());
  ASSERT_TRUE(cluster.Put(owners[0], key, "milk", {}, WithW(QuorumValue::All())).has_value());
  cluster.RunFor(Duration(2'000'000));
  EXPECT_EQ(cluster.Hints(owners[0]), 1u);
  cluster.world().Resume(cluster.node(newcomer).process());
  cluster.RunFor(Duration(10'000'000));
  EXPECT_EQ(cluster.Hints(owners[0]), 0u);
  EXPECT_THAT(StoredAt(newcomer), ElementsAre("milk"));
}

TEST_F(PendingOwners, CountForNothing) {
  Join();
  cluster.Crash(owners[2]);
  const auto put = cluster.Put(owners[0], key, "milk", {}, Strict(3));
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().code, Errc::kQuorumUnmet) << put.error().message;
  const auto sloppy = cluster.Put(owners[0], key, "milk", {}, WithW(QuorumValue::Number(3)));
  EXPECT_FALSE(sloppy) << "who joins does not stand in before it owns anything";
}

TEST_F(PendingOwners, DoNotAnswerReadsAsOwners) {
  ASSERT_TRUE(cluster.Put(owners[0], key, "milk").has_value());
  Join();
  cluster.Crash(owners[1]);
  cluster.Crash(owners[2]);
  EXPECT_FALSE(cluster.Get(newcomer, key, WithR(QuorumValue::Number(2))));
  const auto one = cluster.Get(newcomer, key, WithR(QuorumValue::Number(1)));
  ASSERT_TRUE(one.has_value()) << one.error().message;
  EXPECT_THAT(TestCluster::ValuesOf(one->object), ElementsAre("milk"));
}

TEST_F(PendingOwners, OwnWhatHasMovedAndWhoOwnedItOwnsItNoMore) {
  Join();
  cluster.SetTopology(AllTakenOver(joined));
  const PreferenceList list = WalkRing(cluster.topology(), partition(), 3);
  ASSERT_TRUE(list.Owns(id(newcomer)));
  ASSERT_TRUE(cluster.Put(newcomer, key, "milk", {}, Strict(3)).has_value());
  for (int node = 0; node <= newcomer; ++node) {
    EXPECT_EQ(StoredAt(node).size(), list.Owns(id(node)) ? 1u : 0u) << node;
  }
}

TEST_F(PendingOwners, AnOwnerRefusesWhatWasSentBeforeTheyWereNamedAndSaysItsEpoch) {
  Join();
  const auto old = PutAt(owners[0], owners[1], before.version.epoch);
  ASSERT_TRUE(old.has_value()) << old.error().message;
  ASSERT_TRUE(old->has_wrong_epoch());
  EXPECT_EQ(old->wrong_epoch().epoch(), joined.version.epoch);
  EXPECT_TRUE(PutAt(owners[0], owners[1], joined.version.epoch)->has_replica_stored());
  EXPECT_TRUE(PutAt(newcomer, owners[1], joined.version.epoch)->has_replica_stored());
}

TEST_F(PendingOwners, ANodeThatOwnsTheKeyNoMoreRefusesWhateverTheEpoch) {
  const Topology done = AllTakenOver(joined);
  cluster.SetTopology(done);
  const PreferenceList list = WalkRing(done, partition(), 3);
  for (int node = 0; node < newcomer; ++node) {
    if (list.Owns(id(node))) continue;
    for (const uint64_t epoch : {before.version.epoch, done.version.epoch, done.version.epoch + 1}) {
      EXPECT_TRUE(PutAt(node, newcomer, epoch)->has_wrong_epoch());
    }
  }
  EXPECT_TRUE(PutAt(newcomer, 0, before.version.epoch)->has_replica_stored()) << "nobody is about to own it";
}

TEST_F(PendingOwners, ACoordinatorThatIsBehindAdoptsTheEpochAndSendsAgain) {
  std::set<int> all_others;
  for (int node = 0; node <= newcomer; ++node) {
    if (node != owners[0]) all_others.insert(node);
  }
  Join(all_others);
  const auto put = cluster.Put(owners[0], key, "milk", {}, Strict(3));
  ASSERT_TRUE(put.has_value()) << put.error().message;
  cluster.RunFor(Duration(500'000));
  EXPECT_THAT(StoredAt(newcomer), ElementsAre("milk"));
}

TEST_F(PendingOwners, ACoordinatorThatCannotLearnTheEpochFailsHonestly) {
  std::set<int> all_others;
  for (int node = 0; node <= newcomer; ++node) {
    if (node != owners[0]) all_others.insert(node);
  }
  cluster.SetGossip(false);
  Join(all_others);
  EXPECT_FALSE(cluster.Put(owners[0], key, "milk", {}, Strict(2)));
  EXPECT_THAT(StoredAt(newcomer), IsEmpty());
  EXPECT_THAT(StoredAt(owners[1]), IsEmpty()) << "refused before it had any effect there";
}

TEST_F(PendingOwners, AreNotSaidToBeReadyByWhoHasNotHeardOfTheChange) {
  Join();
  // An owner receives nothing in this change: it is ready from the start.
  peer::Request request;
  peer::TreeId* tree = request.mutable_transfer_status()->mutable_tree();
  ToProto(cluster.node(owners[0]).shard(0).context(), {partition(), 0}, tree);
  EXPECT_TRUE(Ask(owners[0], owners[1], request)->transfer_ready().ready());
  tree->set_epoch(joined.version.epoch + 1);
  EXPECT_FALSE(Ask(owners[0], owners[1], request)->transfer_ready().ready());
}

TEST_F(PendingOwners, AnOwnerThatIsBehindCostsNothingButAHint) {
  Join({owners[0], owners[1], newcomer});
  const auto put = cluster.Put(owners[0], key, "milk", {}, Strict(2));
  ASSERT_TRUE(put.has_value()) << put.error().message;
  cluster.RunFor(Duration(5'000'000));
  for (int owner : owners) EXPECT_THAT(StoredAt(owner), ElementsAre("milk"));
}

// ---- Hints

class HintsOfChangingOwners : public PendingOwners {
 protected:
  HintsOfChangingOwners() : PendingOwners(5) {}
};

TEST_F(HintsOfChangingOwners, GoToAllOwnersOnceWhoTheyAreForOwnsTheKeyNoMore) {
  // The one who will lose the key is away while it is written.
  const PreferenceList target = WalkTarget(joined, partition(), 3);
  const auto loser = std::ranges::find_if(owners, [&](int owner) { return !target.Owns(id(owner)); });
  ASSERT_NE(loser, owners.end());
  const int keeper = owners[0] == *loser ? owners[1] : owners[0];
  cluster.Crash(*loser);
  ASSERT_TRUE(cluster.Put(keeper, key, "milk", {}, WithW(QuorumValue::All())).has_value());
  const auto hints = [&] {
    uint64_t sum = 0;
    for (int node = 0; node < newcomer; ++node) sum += node == *loser ? 0 : cluster.Hints(node);
    return sum;
  };
  EXPECT_EQ(hints(), 1u);
  Join();
  cluster.RunFor(Duration(3'000'000));
  EXPECT_EQ(hints(), 1u) << "it owns the key still";
  cluster.SetTopology(AllTakenOver(joined));
  cluster.RunFor(Duration(3'000'000));
  EXPECT_EQ(hints(), 0u);
  for (const NodeId owner : target.owners) EXPECT_THAT(StoredAt(TestCluster::IndexOf(owner)), ElementsAre("milk"));
}

TEST_F(HintsOfChangingOwners, GoToAllOwnersAtOnceIfOneWhoIsBehindMadeThemForWhoOwnsTheKeyNoMore) {
  const PreferenceList target = WalkTarget(joined, partition(), 3);
  const auto loser = std::ranges::find_if(owners, [&](int owner) { return !target.Owns(id(owner)); });
  ASSERT_NE(loser, owners.end());
  Join();
  cluster.SetTopology(AllTakenOver(joined));
  cluster.Crash(*loser);
  cluster.RunFor(Duration(3'000'000));
  const int keeper = TestCluster::IndexOf(target.owners[0]), behind = TestCluster::IndexOf(target.owners[1]);
  ASSERT_TRUE(PutAt(keeper, behind, before.version.epoch, id(*loser))->has_replica_stored());
  cluster.RunFor(Duration(3'000'000));
  EXPECT_EQ(cluster.Hints(keeper), 0u);
  for (const NodeId owner : target.owners) EXPECT_THAT(StoredAt(TestCluster::IndexOf(owner)), ElementsAre("milk"));
}

TEST_F(HintsOfChangingOwners, AreKeptForAnOwnerThatIsAwayInTheStandOfOneThatOwnsNoMore) {
  const PreferenceList target = WalkTarget(joined, partition(), 3);
  const auto loser = std::ranges::find_if(owners, [&](int owner) { return !target.Owns(id(owner)); });
  const int keeper = owners[0] == *loser ? owners[1] : owners[0];
  cluster.Crash(*loser);
  ASSERT_TRUE(cluster.Put(keeper, key, "milk", {}, WithW(QuorumValue::All())).has_value());
  Join();
  cluster.Crash(newcomer);
  cluster.SetTopology(AllTakenOver(joined));
  cluster.RunFor(Duration(3'000'000));
  cluster.Start(newcomer);
  cluster.RunFor(Duration(3'000'000));
  EXPECT_THAT(StoredAt(newcomer), ElementsAre("milk"));
}

// A member leaves while it keeps hints for another that is away.
TEST(HintsOfOneWhoLeaves, AreGivenAwayAsASloppyWriteWouldAndNoneAreTaken) {
  TestCluster cluster(Nodes(5));
  const ObjectKey key{"siblings", "cart", "ann"};
  const std::vector<int> walk = cluster.WalkOf(key);
  const int away = walk[0], leaver = walk[3];
  cluster.Crash(away);
  ASSERT_TRUE(cluster.Put(walk[1], key, "milk", {}, WithW(QuorumValue::All())).has_value());
  ASSERT_EQ(cluster.Hints(leaver), 1u);
  const Topology leaving = After(cluster.topology(), ChangeMembers{{}, {TestCluster::IdOf(leaver)}, {}});
  cluster.SetTopology(leaving);
  cluster.RunFor(Duration(3'000'000));
  EXPECT_EQ(cluster.Hints(leaver), 1u) << "it stands in while it owns anything";
  cluster.SetTopology(AllTakenOver(leaving));
  cluster.RunFor(Duration(5'000'000));
  EXPECT_EQ(cluster.Hints(leaver), 0u);
  EXPECT_TRUE(cluster.node(leaver).shard(0).context().departing());
  // It serves on, and asks its clients to go elsewhere before it has left.
  EXPECT_TRUE(cluster.node(leaver).door().Parting());
  EXPECT_TRUE(cluster.Put(leaver, key, "eggs").has_value());
  cluster.Start(away);
  cluster.RunFor(Duration(5'000'000));
  EXPECT_THAT(TestCluster::ValuesOf(cluster.Stored(away, key)), UnorderedElementsAre("milk", "eggs"));
}

TEST(HintsOfOneWhoLeaves, StayWhereNoOtherDiskIsLeftForThem) {
  TestCluster cluster(Nodes(4));
  const ObjectKey key{"siblings", "cart", "ann"};
  const std::vector<int> walk = cluster.WalkOf(key);
  const int away = walk[0], leaver = walk[3];
  cluster.Crash(away);
  ASSERT_TRUE(cluster.Put(walk[1], key, "milk", {}, WithW(QuorumValue::All())).has_value());
  ASSERT_EQ(cluster.Hints(leaver), 1u);
  cluster.SetTopology(AllTakenOver(After(cluster.topology(), ChangeMembers{{}, {TestCluster::IdOf(leaver)}, {}})));
  cluster.RunFor(Duration(10'000'000));
  EXPECT_EQ(cluster.Hints(leaver), 1u) << "the write was acknowledged for three disks";
  cluster.Start(away);
  cluster.RunFor(Duration(20'000'000));
  EXPECT_EQ(cluster.Hints(leaver), 0u);
}

}  // namespace
}  // namespace dynamo
