// Partitions on the move: receivers copy and compare, take over only then, and who
// held them before drops nothing that an owner lacks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "node/core/ring/preference_list.h"
#include "node/protocol/messages.h"
#include "tests/unit/service/test_cluster.h"

namespace dynamo {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr Duration kOneSecond{1'000'000};
constexpr int kKeys = 160;

ObjectKey NumberedKey(int number) { return {"siblings", "moves", "key" + std::to_string(number)}; }

// Node 3 is a member from the beginning and holds no token.
TestClusterConfig FourNodes() {
  TestClusterConfig config = Nodes(4);
  config.partitions = 8;
  config.service.transfer_chunk_bytes = 500;
  return config;
}

class TransferTest : public testing::Test {
 protected:
  explicit TransferTest(TestClusterConfig config = FourNodes())
      : cluster_(std::move(config)), target_(cluster_.topology().current) {
    std::vector<NodeId> owners;
    owners.reserve(target_.partitions());
    for (PartitionId p = 0; p < target_.partitions(); ++p) owners.push_back(TestCluster::IdOf(static_cast<int>(p % 3)));
    cluster_.Change([&](Topology* topology) { topology->current = TokenMap(owners); });
    cluster_.DecideTakeovers(true);
  }

  void PutAll(int node, const std::string& value = "milk") {
    for (int i = 0; i < kKeys; ++i) ASSERT_TRUE(cluster_.Put(node, NumberedKey(i), value).has_value());
  }
  // From three owners to four.
  void Grow() {
    cluster_.Change([this](Topology* topology) { topology->pending = target_; });
  }
  bool Moved() { return cluster_.topology().pending.empty(); }
  void RunUntilMoved() {
    EXPECT_TRUE(cluster_.world().RunUntil([this] { return Moved(); }, cluster_.world().now() + 60 * kOneSecond));
  }

  std::set<Bytes> KeysAt(int node) {
    std::set<Bytes> keys;
    for (const auto& [key, object] : cluster_.disk(node).applied(ColumnFamily::kObjects)) keys.insert(key);
    return keys;
  }
  PartitionId PartitionAt(const Bytes& storage_key) {
    return PartitionOf(PositionOfStorageKey(storage_key), cluster_.topology().partitions);
  }
  // Whoever owns a key has it, with equal bytes; nobody else has.
  void ExpectAllInPlace(size_t owners = 3) {
    for (int i = 0; i < kKeys; ++i) {
      const Bytes key = StorageKeyOf(NumberedKey(i), cluster_.topology().ring_seed);
      const std::vector<int> walk = cluster_.WalkOf(NumberedKey(i));
      std::set<Bytes> states;
      for (size_t place = 0; place < walk.size(); ++place) {
        const auto& objects = cluster_.disk(walk[place]).applied(ColumnFamily::kObjects);
        const auto found = objects.find(key);
        EXPECT_EQ(found != objects.end(), place < owners) << i << " at node " << walk[place];
        if (found != objects.end()) states.insert(found->second);
      }
      EXPECT_THAT(states, SizeIs(1)) << i;
    }
  }
  uint64_t Figure(int node, const std::string& name) {
    for (const auto& figure : cluster_.node(node).metrics().Collect()) {
      if (figure.name == name && figure.counter != nullptr) return figure.counter->value();
    }
    ADD_FAILURE() << "no counter " << name;
    return 0;
  }
  // Asks as one node of another, over the network.
  Result<peer::Response> Ask(int from, int to, const peer::Request& request) {
    std::optional<Result<peer::Response>> answer;
    cluster_.node(from).shard(0).peers().Call(
        TestCluster::IdOf(to), EncodeRequest(request), cluster_.node(from).shard(0).context().ReplicaDeadline(),
        [&answer](Result<peer::Response> response) { answer = std::move(response); });
    cluster_.world().RunUntil([&answer] { return answer.has_value(); }, cluster_.world().now() + 5 * kOneSecond);
    return std::move(*answer);
  }
  void Name(PartitionId partition, uint32_t n_val, peer::TreeId* tree) {
    ToProto(cluster_.node(0).shard(0).context(), {partition, n_val}, tree);
  }

  TestCluster cluster_;
  TokenMap target_;
};

TEST_F(TransferTest, AReceiverKnowsAboutHowMuchIsToComeOnceItHasSomeOfIt) {
  PutAll(0, std::string(200, 'm'));
  cluster_.DecideTakeovers(false);
  Grow();
  Transfer& receiver = cluster_.node(3).shard(0).transfer();
  const CopyShares begun = receiver.Copies();
  EXPECT_GT(begun.at(3).to_copy, 1);
  EXPECT_FALSE(EstimateOf(begun, 0).bytes_in_all);
  const auto copied = [&] { return receiver.Copies().at(3).copied; };
  cluster_.world().RunUntil([&] { return copied() >= 1; }, cluster_.world().now() + 60 * kOneSecond);
  const CopyEstimate half_way = EstimateOf(receiver.Copies(), receiver.copied_per_second());
  cluster_.RunFor(60 * kOneSecond);
  const CopyEstimate end = EstimateOf(receiver.Copies(), receiver.copied_per_second());
  EXPECT_EQ(end.bytes, Figure(3, "dynamo_transfer_bytes_total"));
  EXPECT_EQ(end.bytes_in_all, end.bytes);
  EXPECT_LT(half_way.bytes, end.bytes);
  EXPECT_NEAR(static_cast<double>(*half_way.bytes_in_all), static_cast<double>(end.bytes), 0.4 * end.bytes);
  EXPECT_GT(*half_way.time_left, Duration(0));
}

TEST_F(TransferTest, ANewOwnerReceivesWhatItIsToOwnAndTheOldOneDropsIt) {
  PutAll(0);
  ASSERT_THAT(KeysAt(3), IsEmpty());
  Grow();
  RunUntilMoved();
  EXPECT_EQ(cluster_.topology().current, target_);
  cluster_.RunFor(10 * kOneSecond);
  ExpectAllInPlace();
  EXPECT_GT(Figure(3, "dynamo_transfer_bytes_total"), 0u);
  EXPECT_GT(Figure(3, "dynamo_transfer_objects_total"), 0u);
  EXPECT_GT(Figure(0, "dynamo_strays_dropped_total"), 0u);
  EXPECT_EQ(Figure(0, "dynamo_strays_handed_back_total"), 0u);
}

TEST_F(TransferTest, AnEmptyClusterChangesHandsToo) {
  Grow();
  RunUntilMoved();
}

TEST_F(TransferTest, NothingIsTakenOverWhileTheReceiverIsAway) {
  PutAll(0);
  cluster_.Crash(3);
  Grow();
  cluster_.RunFor(20 * kOneSecond);
  for (PartitionId p = 0; p < 8; ++p) {
    const std::vector<NodeId> list = WalkTarget(cluster_.topology(), p, 3).owners;
    if (std::find(list.begin(), list.end(), TestCluster::IdOf(3)) == list.end()) continue;
    EXPECT_FALSE(cluster_.topology().HasMoved(p)) << p;
  }
  cluster_.Start(3);
  RunUntilMoved();
  cluster_.RunFor(10 * kOneSecond);
  ExpectAllInPlace();
}

TEST_F(TransferTest, TheOthersGiveWhatANodeThatIsAwayCannot) {
  PutAll(0);
  cluster_.Crash(1);
  Grow();
  RunUntilMoved();
  for (const Bytes& key : KeysAt(0)) {
    const std::vector<NodeId> list = WalkRing(cluster_.topology(), PartitionAt(key), 3).owners;
    const bool owns = std::find(list.begin(), list.end(), TestCluster::IdOf(3)) != list.end();
    EXPECT_TRUE(!owns || KeysAt(3).contains(key));
  }
  // Whose place was taken finds that out when it is back, and hands back what it has.
  cluster_.Start(1);
  cluster_.RunFor(20 * kOneSecond);
  ExpectAllInPlace();
}

TEST_F(TransferTest, ADonorThatDiesInTheMiddleIsTakenOverFromByTheOthers) {
  PutAll(0);
  Grow();
  const auto begun = [this] { return KeysAt(3).size() > 3; };
  ASSERT_TRUE(cluster_.world().RunUntil(begun, cluster_.world().now() + 10 * kOneSecond));
  ASSERT_FALSE(Moved());
  cluster_.Crash(2);
  RunUntilMoved();
  cluster_.Start(2);
  cluster_.RunFor(20 * kOneSecond);
  ExpectAllInPlace();
}

TEST_F(TransferTest, AReceiverThatCrashesInTheMiddleEndsWithAllTheSame) {
  PutAll(0);
  Grow();
  for (size_t crash = 1; crash <= 4; ++crash) {
    const auto begun = [this, crash] { return KeysAt(3).size() >= 5 * crash || Moved(); };
    ASSERT_TRUE(cluster_.world().RunUntil(begun, cluster_.world().now() + 10 * kOneSecond));
    cluster_.Crash(3);
    cluster_.RunFor(kOneSecond);
    cluster_.Start(3);
  }
  RunUntilMoved();
  cluster_.RunFor(10 * kOneSecond);
  ExpectAllInPlace();
}

TEST_F(TransferTest, WhatIsAlreadyThereIsNotSentAgain) {
  PutAll(0);
  Grow();
  RunUntilMoved();
  cluster_.RunFor(10 * kOneSecond);
  // Back to three owners, and on to four before anybody has dropped anything.
  const uint64_t first = Figure(3, "dynamo_transfer_objects_total");
  cluster_.Crash(3);
  std::vector<NodeId> owners;
  owners.reserve(8);
  for (PartitionId p = 0; p < 8; ++p) owners.push_back(TestCluster::IdOf(static_cast<int>(p % 3)));
  cluster_.Change([&](Topology* topology) { topology->pending = TokenMap(owners); });
  RunUntilMoved();
  Grow();
  cluster_.Start(3);
  RunUntilMoved();
  cluster_.RunFor(10 * kOneSecond);
  ExpectAllInPlace();
  EXPECT_GT(first, 0u);
  EXPECT_EQ(Figure(3, "dynamo_transfer_objects_total"), 0u);
}

TEST_F(TransferTest, AChangeThatIsGivenUpLeavesNothingBehind) {
  PutAll(0);
  cluster_.DecideTakeovers(false);
  Grow();
  cluster_.RunFor(10 * kOneSecond);
  ASSERT_THAT(KeysAt(3), testing::Not(IsEmpty()));
  cluster_.Change([](Topology* topology) { topology->pending = TokenMap(); });
  cluster_.RunFor(20 * kOneSecond);
  EXPECT_THAT(KeysAt(3), IsEmpty());
  ExpectAllInPlace();
}

TEST_F(TransferTest, TheSameChangeMadeAgainIsShownAgain) {
  PutAll(0);
  cluster_.DecideTakeovers(false);
  Grow();
  cluster_.RunFor(10 * kOneSecond);
  // Node 3 hears of neither, and gets no writes meanwhile.
  cluster_.SetGossip(false);
  cluster_.SetDeaf(3, true);
  cluster_.Change([](Topology* topology) { topology->pending = TokenMap(); });
  PutAll(0, "bread");
  Grow();
  cluster_.DecideTakeovers(true);
  cluster_.SetDeaf(3, false);
  RunUntilMoved();
  for (int i = 0; i < kKeys; ++i) {
    const std::vector<int> walk = cluster_.WalkOf(NumberedKey(i));
    if (std::find(walk.begin(), walk.begin() + 3, 3) == walk.begin() + 3) continue;
    EXPECT_THAT(TestCluster::ValuesOf(cluster_.Stored(3, NumberedKey(i))), ElementsAre("bread", "milk")) << i;
  }
}

TEST_F(TransferTest, WritesOnTheWayAreNotLost) {
  PutAll(0, "before");
  Grow();
  for (int round = 0; !Moved() && round < 50; ++round) {
    PutAll(round % 4, "round" + std::to_string(round % 3));
    cluster_.RunFor(kOneSecond / 10);
  }
  RunUntilMoved();
  cluster_.RunFor(20 * kOneSecond);
  ExpectAllInPlace();
}

// ---- What an owner answers

TEST_F(TransferTest, WhoIsNotToOwnThePartitionIsRefusedWithTheEpoch) {
  PutAll(0);
  peer::Request request;
  Name(0, 3, request.mutable_transfer_get()->mutable_tree());
  request.mutable_transfer_get()->set_last_leaf(kTreeLeaves - 1);
  request.mutable_transfer_get()->set_max_bytes(1000);
  const auto refused = Ask(3, 0, request);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::kNotOwner);
  EXPECT_THAT(refused.error().message, HasSubstr("epoch"));
  EXPECT_EQ(Figure(0, "dynamo_transfer_requests_refused_total"), 1u);
}

TEST_F(TransferTest, AnOwnerThatIsBehindConfirmsNothing) {
  cluster_.DecideTakeovers(false);
  Grow();
  peer::Request request;
  Name(0, 3, request.mutable_transfer_confirm()->mutable_tree());
  request.mutable_transfer_confirm()->mutable_tree()->set_epoch(cluster_.topology().version.epoch + 1);
  const auto refused = Ask(3, 0, request);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::kUnavailable);
  EXPECT_THAT(refused.error().message, HasSubstr("behind"));
}

TEST_F(TransferTest, TreesThatAreNotThereAreRefused) {
  for (const auto& [partition, n_val] : {std::pair{8u, 3u}, std::pair{0u, 5u}}) {
    peer::Request request;
    Name(partition, n_val, request.mutable_transfer_confirm()->mutable_tree());
    EXPECT_EQ(Ask(3, 0, request).error().code, Errc::kInvalidArgument);
    peer::Request proof;
    Name(partition, n_val, proof.mutable_stray_proof()->mutable_tree());
    EXPECT_EQ(Ask(3, 0, proof).error().code, Errc::kInvalidArgument);
  }
}

// ---- Strays

class StrayTest : public TransferTest {
 protected:
  // Puts an object into the store of a node behind its back, as an old copy would be.
  void Plant(int node, const ObjectKey& key, const std::string& value) {
    Write write;
    write.actor = ActorId{99};
    write.content.value = value;
    const Bytes object = EncodeObject(Mint(Object{}, CausalContext{}, std::move(write)));
    cluster_.disk(node).Apply(
        {{WriteOp::Kind::kPut, ColumnFamily::kObjects, StorageKeyOf(key, cluster_.topology().ring_seed), object}});
  }
  // Makes all look again.
  void Look() {
    cluster_.Change([](Topology*) {});
  }
};

TEST_F(StrayTest, WhatAllOwnersLackIsHandedBackAndThenDropped) {
  Plant(3, NumberedKey(1), "stray");
  Look();
  cluster_.RunFor(5 * kOneSecond);
  EXPECT_THAT(KeysAt(3), IsEmpty());
  const std::vector<int> walk = cluster_.WalkOf(NumberedKey(1));
  for (int place = 0; place < 3; ++place) {
    EXPECT_THAT(TestCluster::ValuesOf(cluster_.Stored(walk[static_cast<size_t>(place)], NumberedKey(1))),
                ElementsAre("stray"));
  }
  EXPECT_EQ(Figure(3, "dynamo_strays_handed_back_total"), 3u);
  EXPECT_EQ(Figure(3, "dynamo_strays_dropped_total"), 1u);
}

TEST_F(StrayTest, ItIsJoinedWithWhatTheOwnersHave) {
  PutAll(0, "newer");
  Plant(3, NumberedKey(1), "stray");
  Look();
  cluster_.RunFor(5 * kOneSecond);
  EXPECT_THAT(KeysAt(3), IsEmpty());
  EXPECT_THAT(TestCluster::ValuesOf(cluster_.Stored(0, NumberedKey(1))), ElementsAre("newer", "stray"));
}

TEST_F(StrayTest, NothingIsDroppedWhileOneOwnerIsAway) {
  Plant(3, NumberedKey(1), "stray");
  cluster_.Crash(2);
  Look();
  cluster_.RunFor(20 * kOneSecond);
  EXPECT_THAT(KeysAt(3), SizeIs(1));
  EXPECT_FALSE(cluster_.node(3).shard(0).strays().clean());
  cluster_.Start(2);
  cluster_.RunFor(20 * kOneSecond);
  EXPECT_THAT(KeysAt(3), IsEmpty());
  EXPECT_TRUE(cluster_.node(3).shard(0).strays().clean());
  EXPECT_THAT(TestCluster::ValuesOf(cluster_.Stored(2, NumberedKey(1))), ElementsAre("stray"));
}

TEST_F(StrayTest, WhatCannotBeReadIsKept) {
  cluster_.disk(3).Apply({{WriteOp::Kind::kPut, ColumnFamily::kObjects,
                           StorageKeyOf(NumberedKey(1), cluster_.topology().ring_seed), "rotten"}});
  Look();
  cluster_.RunFor(20 * kOneSecond);
  EXPECT_THAT(KeysAt(3), SizeIs(1));
  EXPECT_FALSE(cluster_.node(3).shard(0).strays().clean());
}

TEST_F(StrayTest, WhatAnOwnerHoldsIsNoStray) {
  PutAll(0);
  Look();
  cluster_.RunFor(20 * kOneSecond);
  for (int node = 0; node < 3; ++node) EXPECT_THAT(KeysAt(node), SizeIs(kKeys));
}

TEST_F(StrayTest, AnOwnerProvesNothingToAnotherOwner) {
  PutAll(0);
  const Bytes key = *KeysAt(0).begin();
  peer::Request request;
  Name(PartitionAt(key), 3, request.mutable_stray_proof()->mutable_tree());
  peer::LeafKey* asked = request.mutable_stray_proof()->add_keys();
  asked->set_storage_key(key);
  asked->set_digest(Bytes(16, 'd'));
  EXPECT_EQ(Ask(1, 0, request).error().code, Errc::kNotOwner);
  const auto lacking = Ask(3, 0, request);
  ASSERT_TRUE(lacking.has_value()) << lacking.error().message;
  EXPECT_THAT(lacking->stray_proved().lacking(), ElementsAre(0u));
}

}  // namespace
}  // namespace dynamo
