// What a member does not believe: reliability.md's rows on gossip.
#include <gtest/gtest.h>

#include <limits>

#include "node/service/membership_volume.h"
#include "tests/unit/service/membership_cluster.h"

namespace dynamo {
namespace {

using namespace std::chrono_literals;
using Cluster = MembershipCluster;

NodeInfo About(NodeId id, uint64_t incarnation = uint64_t{1} << 32) {
  NodeInfo info;
  info.id = id;
  info.name = "forged";
  info.peer_address = "10.6.6.6:8099";
  info.incarnation = incarnation;
  return info;
}

Bytes Encoded(const NodeInfo& info) {
  Bytes encoded;
  ByteWriter out(&encoded);
  EncodeNodeInfo(info, out);
  return encoded;
}

peer::Request PingWith(const Bytes& rumour) {
  peer::Request request;
  request.mutable_ping()->add_rumours(rumour);
  return request;
}

// Three members of one cluster, and a node 3 that is of none.
class MembershipGuard : public testing::Test {
 protected:
  MembershipGuard() {
    topology = *cluster.Create(0, Cluster::Request({0, 1, 2}));
    cluster.Run(5s);
  }
  // As if it had come from the network; the answer, if one was given at once.
  Result<peer::Response> Tell(NodeId from, const peer::Request& request) {
    Result<peer::Response> answer = Fail(Errc::kTimeout, "not answered yet");
    cluster[0].membership().OnRequest(from, request,
                                      [&answer](const SharedBytes& bytes) { answer = ParseResponse(*bytes); });
    return answer;
  }
  Result<peer::Response> Offer(NodeId from, const Bytes& encoded) {
    peer::Request request;
    request.mutable_offer_topology()->set_topology(encoded);
    auto answer = std::make_shared<Result<peer::Response>>(Fail(Errc::kTimeout, "not answered"));
    cluster[0].membership().OnRequest(from, request,
                                      [answer](const SharedBytes& bytes) { *answer = ParseResponse(*bytes); });
    cluster.Run(100ms);
    return *answer;
  }
  void ExpectRingUnchanged() {
    for (int node = 0; node < 3; ++node) EXPECT_EQ(*cluster[node].view().topology, *topology);
  }
  // Node 1 is told to go: a change that all adopt.
  void Remove(NodeId removed) {
    Topology next = *topology;
    next.version.epoch += 1;
    std::vector<NodeId> owners = next.current.owners();
    for (NodeId& owner : owners) owner = owner == removed ? cluster[0].id() : owner;
    next.current = TokenMap(owners);
    for (Member& member : next.members) {
      if (member.id == removed) member.state = MemberState::kLeft;
    }
    next.voters = ChooseVoters(next.members);
    ASSERT_TRUE(Offer(cluster[2].id(), EncodeTopology(next)));
    topology = std::make_shared<const Topology>(next);
    cluster.Run(10s);
  }

  Cluster cluster{4, 1};
  Cluster::TopologyPtr topology;
  const NodeId stranger{0x5eed};
};

TEST_F(MembershipGuard, AMessageInThisNodesOwnNameIsRefused) {
  EXPECT_EQ(Tell(cluster[0].id(), PingWith({})).error().code, Errc::kInvalidArgument);
  EXPECT_EQ(Tell(NodeId{}, PingWith({})).error().code, Errc::kInvalidArgument);
  EXPECT_EQ(cluster[0].dropped("not_a_peer"), 2u);
}

TEST_F(MembershipGuard, AStrangersWordAboutAMemberIsNotHeard) {
  NodeInfo rumour = cluster[0].view().nodes.at(cluster[1].id());
  rumour.liveness = Liveness::kDead;
  ASSERT_TRUE(Tell(stranger, PingWith(Encoded(rumour))));
  EXPECT_TRUE(cluster.Sees(0, 1));
  EXPECT_EQ(cluster[0].view().nodes.at(cluster[1].id()).liveness, Liveness::kAlive);
  EXPECT_EQ(cluster[0].dropped("stranger"), 1u);
}

TEST_F(MembershipGuard, AStrangerMaySayWhoItIsAndLearnsNoSecret) {
  peer::Request request;
  request.mutable_gossip()->add_members(Encoded(About(stranger)));
  const auto answer = Tell(stranger, request);
  ASSERT_TRUE(answer);
  EXPECT_TRUE(cluster[0].view().nodes.contains(stranger));
  EXPECT_TRUE(answer->gossip_reply().topology().empty());
  EXPECT_TRUE(answer->gossip_reply().properties().empty());
  EXPECT_EQ(answer->gossip_reply().members_size(), 1);
}

TEST_F(MembershipGuard, AStrangerCannotOfferATopologyNorPropertiesNorUseANodeAsARelay) {
  Topology next = *topology;
  next.version.epoch += 1;
  EXPECT_EQ(Offer(stranger, EncodeTopology(next)).error().code, Errc::kWrongCluster);
  peer::Request relay;
  relay.mutable_ping_request()->set_target(cluster[1].id().value);
  EXPECT_EQ(Tell(stranger, relay).error().code, Errc::kWrongCluster);
  peer::Request gossip;
  gossip.mutable_gossip()->set_properties("99");
  ASSERT_TRUE(Tell(stranger, gossip));
  EXPECT_EQ(cluster[0].number.value, 0u);
  cluster.Run(10s);
  ExpectRingUnchanged();
}

TEST_F(MembershipGuard, ANodeThatWasRemovedIsRefusedAndForgotten) {
  const NodeId removed = cluster[1].id();
  Remove(removed);
  EXPECT_TRUE(cluster.AllHave(topology) || !cluster[3].view().topology);
  EXPECT_FALSE(cluster[0].view().nodes.contains(removed));
  EXPECT_EQ(Tell(removed, PingWith({})).error().code, Errc::kWrongCluster);
  peer::Request gossip;
  gossip.mutable_gossip()->set_cluster(ToBytes(topology->cluster.value));
  gossip.mutable_gossip()->add_members(Encoded(About(removed)));
  const auto answer = Tell(removed, gossip);
  ASSERT_TRUE(answer);
  EXPECT_TRUE(answer->gossip_reply().removed());
  EXPECT_TRUE(answer->gossip_reply().topology().empty());
  EXPECT_EQ(answer->gossip_reply().members_size(), 0);
  EXPECT_GE(cluster[0].dropped("removed"), 2u);
  // Not even by way of a member.
  ASSERT_TRUE(Tell(cluster[2].id(), PingWith(Encoded(About(removed)))));
  EXPECT_FALSE(cluster[0].view().nodes.contains(removed));
}

TEST_F(MembershipGuard, ANodeThatWasRemovedLearnsThatItWas) {
  const NodeId removed = cluster[1].id();
  EXPECT_FALSE(cluster[1].view().removed);
  Remove(removed);
  EXPECT_TRUE(cluster[1].view().removed);
  EXPECT_NE(*cluster[1].view().topology, *topology);  // Which holds secrets.
  for (const int node : {0, 2}) EXPECT_FALSE(cluster[node].view().removed);
}

TEST_F(MembershipGuard, OnlyAMemberWithANewerTopologyCanTellANodeThatItWasRemoved) {
  // At node 1's address; it answers all gossip with the notice.
  struct Teller : PeerHandler {
    peer::Response notice;
    int asked = 0;
    void OnPeerRequest(PeerRequest request, Responder respond) override {
      const bool gossip = ParseRequest(request.body)->has_gossip();
      asked += gossip;
      peer::Response ack;
      ack.mutable_ack();
      respond(EncodeResponse(gossip ? notice : ack));
    }
    void OnPeerUnreachable(NodeId) override {}
  };
  const NodeId member = cluster[1].id();
  cluster.Crash(1);
  Teller teller;
  const sim::ProcessId process = cluster.world.StartProcess();
  sim::SimClock clock(&cluster.world, process, TimePoint{}, 0);
  sim::SimTransport transport(&cluster.network, &clock, {process, 1, Cluster::Address(1), 0});
  transport.SetHandler(&teller);
  transport.SetSelf(member);
  peer::GossipReply* reply = teller.notice.mutable_gossip_reply();
  reply->set_cluster(ToBytes(topology->cluster.value));
  reply->set_removed(true);
  const auto told = [&](NodeId by, uint64_t epoch) {
    reply->set_node(by.value);
    reply->set_generation(topology->version.generation);
    reply->set_epoch(epoch);
    const int before = teller.asked;
    cluster.RunUntil([&] { return teller.asked > before + 4; }, 60s);
    return cluster[2].view().removed;
  };
  EXPECT_FALSE(told(stranger, topology->version.epoch + 1));
  EXPECT_FALSE(told(member, topology->version.epoch));
  EXPECT_GE(cluster[2].dropped("removal"), 1u);
  EXPECT_TRUE(told(member, topology->version.epoch + 1));
}

TEST_F(MembershipGuard, ANodeThatWasRemovedDoesNotStartAgain) {
  const NodeId removed = cluster[1].id();
  Remove(removed);
  peer::Request offer;
  offer.mutable_offer_topology()->set_topology(EncodeTopology(*topology));
  cluster[1].membership().OnRequest(cluster[0].id(), offer, [](const SharedBytes&) {});
  cluster.Run(1s);
  EXPECT_EQ(*cluster[1].view().topology, *topology);
  cluster.Crash(1);
  const Status started = cluster.Start(1);
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, Errc::kWrongCluster);
}

TEST_F(MembershipGuard, ATopologyThatIsCutOrAlteredIsRefused) {
  Topology next = *topology;
  next.version.epoch += 1;
  const Bytes good = EncodeTopology(next);
  EXPECT_EQ(Offer(cluster[1].id(), good.substr(0, good.size() / 2)).error().code, Errc::kCorrupt);
  EXPECT_EQ(Offer(cluster[1].id(), "").error().code, Errc::kCorrupt);
  EXPECT_EQ(cluster[0].dropped("malformed"), 2u);
  ExpectRingUnchanged();
}

TEST_F(MembershipGuard, ATopologyThatCannotFollowFromTheOneHereIsRefused) {
  const auto refused = [&](auto change) {
    Topology next = *topology;
    next.version.epoch += 1;
    change(&next);
    const auto answer = Offer(cluster[1].id(), EncodeTopology(next));
    return answer ? Errc::kInternal : answer.error().code;
  };
  EXPECT_EQ(refused([](Topology* next) { next->cluster = ClusterId{{6, 6}}; }), Errc::kWrongCluster);
  EXPECT_EQ(refused([](Topology* next) { next->version.generation = uint64_t{1} << 63; }), Errc::kInvalidArgument);
  EXPECT_EQ(refused([](Topology* next) { next->version.epoch = uint64_t{1} << 40; }), Errc::kInvalidArgument);
  EXPECT_EQ(refused([](Topology* next) { next->ring_seed += 1; }), Errc::kInvalidArgument);
  EXPECT_EQ(cluster[0].dropped("topology"), 4u);
  ExpectRingUnchanged();
}

TEST_F(MembershipGuard, AnOlderTopologyIsNoOffenceAndChangesNothing) {
  Topology older = *topology;
  older.version.epoch = 0;
  EXPECT_TRUE(Offer(cluster[1].id(), EncodeTopology(older)));
  EXPECT_TRUE(Offer(cluster[1].id(), EncodeTopology(*topology)));
  EXPECT_EQ(cluster[0].dropped("topology"), 0u);
  ExpectRingUnchanged();
}

TEST_F(MembershipGuard, ATopologyThatDoesNotNameAnEmptyNodeIsNotForIt) {
  peer::Request request;
  request.mutable_offer_topology()->set_topology(EncodeTopology(*topology));
  cluster[3].membership().OnRequest(cluster[0].id(), request, [](const SharedBytes&) {});
  cluster.Run(5s);
  EXPECT_FALSE(cluster[3].view().topology);
  EXPECT_EQ(cluster[3].dropped("topology"), 1u);
}

TEST_F(MembershipGuard, GossipOfAnotherClusterIsRefusedAndCounted) {
  peer::Request request;
  request.mutable_gossip()->set_cluster(ToBytes(Hash128{6, 6}));
  request.mutable_gossip()->add_members(Encoded(About(cluster[1].id(), uint64_t{9} << 32)));
  EXPECT_EQ(Tell(cluster[1].id(), request).error().code, Errc::kWrongCluster);
  EXPECT_EQ(cluster[0].dropped("other_cluster"), 1u);
  EXPECT_NE(cluster[0].view().nodes.at(cluster[1].id()).name, "forged");
}

TEST_F(MembershipGuard, TwoClustersWhoseSeedsAreMixedUpStayTwo) {
  Cluster both(4, 2, /*seed_nodes=*/{0, 1, 2, 3});
  const auto left = both.Create(0, Cluster::Request({0, 1}, "left"));
  const auto right = both.Create(2, Cluster::Request({2, 3}, "right"));
  ASSERT_TRUE(left && right);
  for (const int node : {1, 3}) {
    both.Crash(node);
    ASSERT_TRUE(both.Start(node));
  }
  both.Run(60s);
  EXPECT_EQ(*both[1].view().topology, **left);
  EXPECT_EQ(*both[3].view().topology, **right);
  EXPECT_TRUE(both.Sees(1, 0));
  EXPECT_TRUE(both.Sees(3, 2));
}

TEST_F(MembershipGuard, AForgedIncarnationIsDroppedAndCounted) {
  const NodeId member = cluster[1].id();
  ASSERT_TRUE(Tell(cluster[2].id(), PingWith(Encoded(About(member, uint64_t{1} << 63)))));
  EXPECT_EQ(cluster[0].dropped("forged"), 1u);
  EXPECT_EQ(cluster[0].view().nodes.at(member).peer_address, Cluster::Address(1));
  NodeInfo self = About(cluster[0].id(), std::numeric_limits<uint64_t>::max());
  self.liveness = Liveness::kDead;
  ASSERT_TRUE(Tell(cluster[2].id(), PingWith(Encoded(self))));
  EXPECT_EQ(cluster[0].dropped("forged"), 2u);
}

TEST_F(MembershipGuard, ARumourOfItsOwnDeathIsRefutedEverywhere) {
  NodeInfo rumour = cluster[0].view().nodes.at(cluster[0].id());
  rumour.liveness = Liveness::kDead;
  ASSERT_TRUE(Tell(cluster[1].id(), PingWith(Encoded(rumour))));
  cluster.Run(10s);
  for (const int node : {1, 2}) {
    EXPECT_TRUE(cluster.Sees(node, 0));
    EXPECT_GT(cluster[node].view().nodes.at(cluster[0].id()).incarnation, rumour.incarnation);
  }
}

TEST_F(MembershipGuard, RumoursThatCannotBeReadAreDroppedOneByOne) {
  peer::Request request = PingWith("garbage");
  request.mutable_ping()->add_rumours(Encoded(About(stranger)).substr(3));
  request.mutable_ping()->add_rumours(Encoded(About(stranger)) + "x");
  NodeInfo newer = cluster[0].view().nodes.at(cluster[1].id());
  newer.incarnation += 1;
  request.mutable_ping()->add_rumours(Encoded(newer));
  ASSERT_TRUE(Tell(cluster[1].id(), request));
  EXPECT_EQ(cluster[0].dropped("malformed"), 3u);
  EXPECT_EQ(cluster[0].view().nodes.at(cluster[1].id()).incarnation, newer.incarnation);
}

TEST_F(MembershipGuard, PropertiesThatCannotBeReadAreDropped) {
  peer::Request gossip;
  gossip.mutable_gossip()->set_properties("not a number");
  ASSERT_TRUE(Tell(cluster[1].id(), gossip));
  EXPECT_EQ(cluster[0].dropped("malformed"), 1u);
  EXPECT_EQ(cluster[0].number.value, 0u);
}

TEST_F(MembershipGuard, ARequestThatIsNotMembershipsIsUnsupported) {
  peer::Request request;
  request.mutable_replica_get();
  EXPECT_EQ(Tell(cluster[1].id(), request).error().code, Errc::kUnsupported);
}

TEST_F(MembershipGuard, ATopologyThatCannotBeStoredIsNotUsed) {
  cluster.disk(0).SetFull(true);
  Topology next = *topology;
  next.version.epoch += 1;
  EXPECT_EQ(Offer(cluster[1].id(), EncodeTopology(next)).error().code, Errc::kReadOnly);
  EXPECT_EQ(*cluster[0].view().topology, *topology);
  cluster.disk(0).SetFull(false);
  EXPECT_TRUE(Offer(cluster[1].id(), EncodeTopology(next)));
  EXPECT_EQ(*cluster[0].view().topology, next);
}

TEST_F(MembershipGuard, AnUnreadableTopologyOnDiskStopsTheStartAndStaysAsItIs) {
  sim::SimDisk& disk = cluster.disk(1);
  const Bytes cut = disk.durable(ColumnFamily::kMeta).at("topology").substr(0, 20);
  ASSERT_TRUE(cluster.world.Await(cluster[1].scope(), StoreMeta(cluster[1].env(), "topology", cut)));
  cluster.Crash(1);
  const Status started = cluster.Start(1);
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, Errc::kCorrupt);
  EXPECT_EQ(disk.durable(ColumnFamily::kMeta).at("topology"), cut);
}

TEST_F(MembershipGuard, AnAnswerOfAStrangerThatWasForgottenMeanwhileIsPassedOnWithoutIt) {
  NodeInfo stranger = About(cluster[3].id());
  stranger.peer_address = Cluster::Address(3);
  Tell(stranger.id, PingWith(Encoded(stranger)));
  // Until it has no news of itself left to send along.
  cluster.Run(20s);
  ASSERT_TRUE(cluster[0].view().nodes.contains(stranger.id));
  peer::Request ping_request;
  ping_request.mutable_ping_request()->set_target(stranger.id.value);
  auto answer = std::make_shared<Result<peer::Response>>(Fail(Errc::kTimeout, "not answered"));
  cluster[0].membership().OnRequest(cluster[1].id(), ping_request,
                                    [answer](const SharedBytes& bytes) { *answer = ParseResponse(*bytes); });
  stranger.incarnation = cluster[0].view().nodes.at(stranger.id).incarnation;
  stranger.liveness = Liveness::kDead;
  Tell(cluster[1].id(), PingWith(Encoded(stranger)));
  ASSERT_FALSE(cluster[0].view().nodes.contains(stranger.id));
  cluster.Run(1s);
  ASSERT_TRUE(answer->has_value());
  EXPECT_TRUE((*answer)->has_ack());
}

TEST_F(MembershipGuard, AMemberThatMetOnlyAStrangerGoesOnToLookForItsOwn) {
  cluster.Crash(0);
  cluster.CutOff(0);
  // Nobody will look for it where it is now.
  ASSERT_TRUE(cluster.Start(0, "10.0.0.99:8099"));
  NodeInfo stranger = About(cluster[3].id());
  stranger.peer_address = Cluster::Address(3);
  cluster.network.HealAll();
  for (const int member : {1, 2}) {
    cluster.network.Cut(0, static_cast<sim::HostId>(member));
    cluster.network.Cut(static_cast<sim::HostId>(member), 0);
  }
  Tell(stranger.id, PingWith(Encoded(stranger)));
  cluster.Run(20s);
  ASSERT_TRUE(cluster[0].view().IsUp(stranger.id));
  ASSERT_FALSE(cluster[0].view().IsUp(cluster[1].id()));
  // Not even the next start has only the stranger to ask.
  cluster.Crash(0);
  ASSERT_TRUE(cluster.Start(0, "10.0.0.99:8099"));
  Tell(stranger.id, PingWith(Encoded(stranger)));
  cluster.Run(1s);
  cluster.network.HealAll();
  cluster.Run(30s);
  for (const int member : {1, 2}) {
    EXPECT_TRUE(cluster[0].view().IsUp(cluster[member].id()));
    EXPECT_TRUE(cluster[member].view().IsUp(cluster[0].id()));
  }
}

}  // namespace
}  // namespace dynamo
