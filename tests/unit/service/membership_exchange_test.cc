// What one exchange of gossip carries: between tables that nearly agree, nearly nothing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/service/membership_cluster.h"

namespace dynamo {
namespace {

using namespace std::chrono_literals;
using Cluster = MembershipCluster;

Bytes Encoded(const NodeInfo& info) {
  Bytes encoded;
  ByteWriter out(&encoded);
  EncodeNodeInfo(info, out);
  return encoded;
}

// Five settled members; a test speaks to node 0 as if it were node 1.
class MembershipExchange : public testing::Test {
 protected:
  MembershipExchange() {
    topology = *cluster.Create(0, Cluster::Request({0, 1, 2, 3, 4}));
    cluster.Run(10s);
  }
  const NodeInfo& Known(int node) { return cluster[0].view().nodes.at(cluster[node].id()); }
  peer::Request Gossip(bool second) {
    peer::Request request;
    request.mutable_gossip()->set_cluster(ToBytes(topology->cluster.value));
    request.mutable_gossip()->set_generation(topology->version.generation);
    request.mutable_gossip()->set_epoch(topology->version.epoch);
    request.mutable_gossip()->set_second(second);
    return request;
  }
  peer::GossipReply Tell(const peer::Request& request) {
    peer::GossipReply reply;
    cluster[0].membership().OnRequest(cluster[1].id(), request, [&reply](const SharedBytes& bytes) {
      reply = ParseResponse(*bytes)->gossip_reply();
    });
    return reply;
  }
  std::vector<NodeId> MembersOf(const peer::GossipReply& reply) {
    std::vector<NodeId> ids;
    for (const std::string& bytes : reply.members()) {
      ByteReader in(bytes);
      ids.push_back(DecodeNodeInfo(in).id);
    }
    return ids;
  }

  Cluster cluster{5, 1};
  Cluster::TopologyPtr topology;
};

TEST_F(MembershipExchange, EqualTablesExchangeTheirHashAlone) {
  peer::Request request = Gossip(false);
  request.mutable_gossip()->set_table_hash(ToBytes(cluster[0].view().nodes_hash));
  const peer::GossipReply reply = Tell(request);
  EXPECT_EQ(reply.members_size(), 0);
  EXPECT_TRUE(reply.fingerprints().empty());
  EXPECT_LT(reply.ByteSizeLong(), 120u);
}

TEST_F(MembershipExchange, OtherTablesAreToldApartByFingerprintsNotByEntries) {
  const peer::GossipReply reply = Tell(Gossip(false));
  EXPECT_EQ(MembersOf(reply), std::vector<NodeId>{cluster[0].id()});
  const auto fingerprints = DecodeFingerprints(reply.fingerprints());
  ASSERT_TRUE(fingerprints);
  EXPECT_EQ(fingerprints->size(), 5u);
}

TEST_F(MembershipExchange, TheSecondHalfBringsWhatIsNewerThereAndWhatIsWanted) {
  NodeInfo older = Known(2), newer = Known(3);
  older.incarnation -= 1;
  newer.incarnation += 1;
  peer::Request request = Gossip(true);
  for (const NodeInfo& info : {older, newer, Known(1)}) request.mutable_gossip()->add_members(Encoded(info));
  request.mutable_gossip()->add_wanted(cluster[4].id().value);
  request.mutable_gossip()->add_wanted(0x5eed);
  const peer::GossipReply reply = Tell(request);
  EXPECT_THAT(MembersOf(reply), testing::UnorderedElementsAre(cluster[2].id(), cluster[4].id()));
  EXPECT_TRUE(reply.fingerprints().empty());
  EXPECT_EQ(Known(3).incarnation, newer.incarnation);
}

TEST_F(MembershipExchange, AStrangerGetsNoFingerprintsAndNoEntries) {
  peer::Request request = Gossip(true);
  request.mutable_gossip()->add_wanted(cluster[4].id().value);
  for (const bool second : {false, true}) {
    request.mutable_gossip()->set_second(second);
    peer::GossipReply reply;
    cluster[0].membership().OnRequest(
        NodeId{0x5eed}, request, [&reply](const SharedBytes& bytes) { reply = ParseResponse(*bytes)->gossip_reply(); });
    EXPECT_TRUE(reply.fingerprints().empty());
    for (const NodeId id : MembersOf(reply)) EXPECT_EQ(id, cluster[0].id());
  }
}

TEST_F(MembershipExchange, ANewsTravelsWithoutTheTablesThatCarryIt) {
  const auto bytes_a_second = [this](Duration how_long) {
    const uint64_t before = cluster.network.counts().bytes;
    cluster.Run(how_long);
    return (cluster.network.counts().bytes - before) / static_cast<uint64_t>(how_long / 1s) / 5;
  };
  cluster.Run(30s);
  // A ping, a gossip and their answers: four frames a second, all but empty.
  EXPECT_LT(bytes_a_second(30s), 400u);
  cluster.Crash(4);
  ASSERT_TRUE(cluster.Start(4, "10.1.0.5:8099"));
  EXPECT_LT(bytes_a_second(10s), 1600u);
  for (int node = 0; node < 5; ++node) {
    EXPECT_EQ(cluster[node].view().nodes.at(cluster[4].id()).peer_address, "10.1.0.5:8099");
  }
  EXPECT_LT(bytes_a_second(30s), 400u) << "old news must not go on riding";
}

}  // namespace
}  // namespace dynamo
