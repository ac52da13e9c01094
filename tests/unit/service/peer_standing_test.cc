// Who may read and write over the peer port: members alone. reliability.md's rows on
// messages of others, as the data path answers them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "node/protocol/messages.h"
#include "tests/unit/service/test_cluster.h"

namespace dynamo {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const ObjectKey kKey{"siblings", "cart", "ann"};

// Four nodes; the last one left, or was replaced, and the other three have heard so.
class PeerStanding : public testing::TestWithParam<std::tuple<MemberState, uint32_t>> {
 protected:
  PeerStanding() : cluster(Nodes(4, std::get<1>(GetParam()))) {
    EXPECT_TRUE(cluster.Put(0, kKey, "milk"));
    cluster.RunFor(Duration(1'000'000));
  }
  static constexpr int kGone = 3;
  static NodeId gone() { return TestCluster::IdOf(kGone); }

  ClusterViewPtr ViewWithout(int observer) {
    auto topology = std::make_shared<Topology>(cluster.topology());
    topology->version.epoch += 1;
    std::vector<NodeId> owners = topology->current.owners();
    for (size_t i = 0; i < owners.size(); ++i) {
      if (owners[i] == gone()) owners[i] = TestCluster::IdOf(static_cast<int>(i) % kGone);
    }
    topology->current = TokenMap(owners);
    for (Member& member : topology->members) {
      if (member.id == gone()) member.state = std::get<0>(GetParam());
    }
    auto view = std::make_shared<ClusterView>();
    view->removed = observer == kGone;
    view->topology = topology;
    for (int i = 0; i < kGone; ++i) {
      NodeInfo info;
      info.id = TestCluster::IdOf(i);
      info.peer_address = TestCluster::AddressOf(i);
      view->nodes[info.id] = info;
      view->up.insert(info.id);
    }
    return view;
  }
  void Remove() {
    for (int node = 0; node < kGone; ++node) cluster.node(node).Adopt(ViewWithout(node));
    cluster.RunFor(Duration(1'000'000));
  }

  // As if it had come from the network to node 0.
  Result<peer::Response> Tell(NodeId from, const peer::Request& request) {
    auto answer = std::make_shared<Result<peer::Response>>(Fail(Errc::kTimeout, "not answered"));
    cluster.node(0).shard(0).OnPeerRequest({from, cluster.world().now() + Duration(1'000'000), *EncodeRequest(request)},
                                           [answer](const SharedBytes& bytes) { *answer = ParseResponse(*bytes); });
    cluster.RunFor(Duration(500'000));
    return *answer;
  }
  std::vector<peer::Request> Requests() {
    const Bytes object = EncodeObject(cluster.Stored(cluster.WalkOf(kKey)[0], kKey));
    std::vector<peer::Request> requests(6);
    const auto name = [](peer::Key* key) {
      key->set_type(kKey.type);
      key->set_bucket(kKey.bucket);
      key->set_key("another");
    };
    name(requests[0].mutable_replica_get()->mutable_key());
    name(requests[1].mutable_replica_put()->mutable_key());
    requests[1].mutable_replica_put()->set_object(object);
    name(requests[2].mutable_replica_put()->mutable_key());
    requests[2].mutable_replica_put()->set_object(object);
    requests[2].mutable_replica_put()->set_hint_for(TestCluster::IdOf(1).value);
    name(requests[3].mutable_forward_get()->mutable_key());
    name(requests[4].mutable_forward_put()->mutable_key());
    name(requests[5].mutable_forward_delete()->mutable_key());
    return requests;
  }
  void ExpectNothingChanged() {
    for (int node = 0; node < kGone; ++node) {
      EXPECT_TRUE(cluster.Stored(node, {kKey.type, kKey.bucket, "another"}).never_written());
      EXPECT_EQ(cluster.Hints(node), 0u);
    }
    EXPECT_THAT(TestCluster::ValuesOf(cluster.Get(0, kKey)->object), ElementsAre("milk"));
  }
  uint64_t Refused(const std::string& reason) {
    return cluster.node(0).metrics().counter("dynamo_replica_requests_refused_total", "", {{"reason", reason}}).value();
  }

  TestCluster cluster;
};

TEST_P(PeerStanding, AMemberThatIsGoneReadsAndWritesNothing) {
  Remove();
  for (const peer::Request& request : Requests()) {
    const auto answer = Tell(gone(), request);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, Errc::kWrongCluster) << answer.error().message;
  }
  EXPECT_EQ(Refused("removed"), 6u);
  ExpectNothingChanged();
}

TEST_P(PeerStanding, AStrangerReadsAndWritesNothing) {
  for (const peer::Request& request : Requests()) {
    EXPECT_EQ(Tell(NodeId{0x5eed}, request).error().code, Errc::kWrongCluster);
  }
  EXPECT_EQ(Refused("stranger"), 6u);
  ExpectNothingChanged();
}

TEST_P(PeerStanding, ARequestInThisNodesOwnNameOrInNoneIsRefused) {
  for (const NodeId name : {TestCluster::IdOf(0), NodeId{}}) {
    for (const peer::Request& request : Requests()) {
      EXPECT_EQ(Tell(name, request).error().code, Errc::kInvalidArgument);
    }
  }
  EXPECT_EQ(Refused("not_a_peer"), 12u);
  ExpectNothingChanged();
}

TEST_P(PeerStanding, AMemberIsServed) {
  Remove();
  const auto answer = Tell(TestCluster::IdOf(1), Requests()[0]);
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_TRUE(answer->replica_state().object().empty());
  EXPECT_EQ(Refused("removed") + Refused("stranger") + Refused("not_a_peer"), 0u);
}

TEST_P(PeerStanding, WhatTheGoneNodeDoesNotKnowYetCostsItsClientsAnErrorAndNobodyElse) {
  Remove();
  const auto put = cluster.Put(kGone, {kKey.type, kKey.bucket, "another"}, "bread");
  ASSERT_FALSE(put);
  for (int node = 0; node < kGone; ++node) {
    EXPECT_TRUE(cluster.Stored(node, {kKey.type, kKey.bucket, "another"}).never_written());
  }
}

TEST_P(PeerStanding, ANodeThatKnowsItWasRemovedSaysSoToItsClients) {
  Remove();
  cluster.node(kGone).Adopt(ViewWithout(kGone));
  const auto got = cluster.Get(kGone, kKey);
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, Errc::kWrongCluster);
  EXPECT_THAT(got.error().message, HasSubstr("was removed from cluster"));
  EXPECT_EQ(cluster.Put(kGone, kKey, "bread").error().code, Errc::kWrongCluster);
}

INSTANTIATE_TEST_SUITE_P(LeftOrReplaced, PeerStanding,
                         testing::Combine(testing::Values(MemberState::kLeft, MemberState::kReplaced),
                                          testing::Values(1u, 3u)));

}  // namespace
}  // namespace dynamo
