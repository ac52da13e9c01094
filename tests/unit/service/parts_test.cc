// Small parts: actors, latencies, codecs of forwarded requests.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "node/protocol/messages.h"
#include "node/service/actors.h"
#include "node/service/forward_codec.h"
#include "node/service/peer_latency.h"
#include "tests/sim/random.h"

namespace dynamo {
namespace {

TEST(Actors, OneForATenureAndANewOneForTheNext) {
  sim::SimRandom random{Rng(1)};
  Actors actors(&random, {});
  const ActorId first = actors.For(3, NodeId{1});
  EXPECT_NE(first.value, 0u);
  EXPECT_EQ(actors.For(3, NodeId{1}), first);
  EXPECT_NE(actors.For(4, NodeId{1}), first);
  actors.Retire(3);
  EXPECT_NE(actors.For(3, NodeId{1}), first);
}

TEST(PeerLatency, TheFastestOnAverageIsChosenAndANewPeerIsTried) {
  PeerLatency latency;
  const NodeId slow{1}, fast{2}, fresh{3};
  for (int i = 0; i < 10; ++i) {
    latency.Record(slow, Duration(900));
    latency.Record(fast, Duration(100));
  }
  EXPECT_EQ(latency.Fastest({slow, fast}), fast);
  EXPECT_EQ(latency.Fastest({slow, fast, fresh}), fresh);
  EXPECT_EQ(latency.Fastest({}), NodeId{});
}

TEST(PeerLatency, P95FollowsTheSlowTail) {
  PeerLatency latency;
  const NodeId peer{1};
  Rng rng(5);
  for (int i = 0; i < 20'000; ++i) latency.Record(peer, Duration(rng.Between(1, 1000)));
  EXPECT_NEAR(static_cast<double>(latency.P95(peer).count()), 950, 120);
  for (int i = 0; i < 20'000; ++i) latency.Record(peer, Duration(rng.Between(1, 100)));
  EXPECT_LT(latency.P95(peer), Duration(150));
}

TEST(ForwardCodec, APutComesBackAsItWas) {
  PutRequest put;
  put.key = {"t", "b", std::string("k\0", 2)};
  put.content.value = "v";
  put.content.content_type = "text/plain";
  put.content.user_metadata = {{"a", "1"}, {"a", "2"}};
  put.context = "token";
  put.condition = {PutCondition::Kind::kMatchesTag, "tag"};
  put.options.w = QuorumValue::All();
  put.options.dw = QuorumValue::Number(1);
  put.options.sloppy_quorum = false;
  put.options.timeout = Duration(1234);
  put.return_object = true;
  const auto request = ParseRequest(*EncodeForward(put, 99));
  ASSERT_TRUE(request && request->has_forward_put());
  EXPECT_EQ(request->forward_put().request_id(), 99u);
  const auto decoded = DecodeForward(request->forward_put());
  ASSERT_TRUE(decoded.has_value());
  EXPECT_EQ(decoded->key, put.key);
  EXPECT_EQ(decoded->content, put.content);
  EXPECT_EQ(decoded->context, put.context);
  EXPECT_EQ(decoded->condition.kind, put.condition.kind);
  EXPECT_EQ(decoded->condition.value, put.condition.value);
  EXPECT_EQ(decoded->options.w, put.options.w);
  EXPECT_EQ(decoded->options.dw, put.options.dw);
  EXPECT_EQ(decoded->options.sloppy_quorum, put.options.sloppy_quorum);
  EXPECT_EQ(decoded->options.timeout, put.options.timeout);
  EXPECT_TRUE(decoded->return_object);
}

TEST(ForwardCodec, UnknownConditionsAndDamagedContentsAreRefused) {
  peer::ForwardPut put;
  put.set_content("junk");
  EXPECT_FALSE(DecodeForward(put).has_value());
  const auto request = ParseRequest(*EncodeForward(PutRequest{}, 1));
  put = request->forward_put();
  EXPECT_TRUE(DecodeForward(put).has_value());
  put.set_condition(200);
  EXPECT_EQ(DecodeForward(put).error().code, Errc::kInvalidArgument);
}

TEST(ForwardCodec, ErrorsTravelWithTheirCode) {
  const Status refused = Fail(Errc::kTooManySiblings, "{too_many_siblings,100}");
  const auto response = ParseResponse(*EncodeForwardReply(refused));
  ASSERT_FALSE(response.has_value());
  EXPECT_EQ(response.error(), refused.error());
}

}  // namespace
}  // namespace dynamo
