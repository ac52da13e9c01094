#include "node/adapter/tcp_transport.h"

#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <utility>

#include "tests/unit/adapter/tcp_testing.h"

namespace dynamo {
namespace {

using namespace tcp_testing;
using asio::ip::tcp;
using std::chrono::milliseconds;
using std::chrono::seconds;

TEST_F(TcpTransportTest, CarriesARequestAndItsAnswer) {
  const Answer answer = Ask(NodeId{2}, "hello");
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(**answer.value, "echo:hello");
  ASSERT_EQ(b.handler.requests.size(), 1u);
  EXPECT_EQ(b.handler.requests[0].from, NodeId{1});
  EXPECT_LE(b.handler.requests[0].deadline, In(seconds(5)));
  EXPECT_GT(b.handler.requests[0].deadline, In(seconds(4)));
}

TEST_F(TcpTransportTest, ManyCallsShareOneConnectionAndArriveInOrder) {
  std::deque<Answer> answers(1000);
  for (size_t i = 0; i < answers.size(); ++i) {
    a.transport.Call(NodeId{2}, Shared(std::to_string(i)), In(seconds(5)), answers[i].Keep());
  }
  Until([&] { return answers.back().value.has_value(); });
  for (size_t i = 0; i < answers.size(); ++i) {
    ASSERT_TRUE(answers[i].ok());
    EXPECT_EQ(**answers[i].value, "echo:" + std::to_string(i));
    EXPECT_EQ(b.handler.requests[i].body, std::to_string(i));
  }
}

TEST_F(TcpTransportTest, CarriesLargeBodiesBothWays) {
  const std::string large(20 << 20, 'v');
  const Answer answer = Ask(NodeId{2}, large);
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(**answer.value, "echo:" + large);
}

TEST_F(TcpTransportTest, AnAddressIsEnoughForASeed) {
  Answer answer;
  a.transport.CallAddress("localhost:" + std::to_string(b.listener->port()), Shared("seed"), In(seconds(5)),
                          answer.Keep());
  Until([&] { return answer.value.has_value(); });
  EXPECT_TRUE(answer.ok());
}

TEST_F(TcpTransportTest, AnAnswerMayComeLateButOnlyOnce) {
  b.handler.silent = true;
  Answer answer;
  a.transport.Call(NodeId{2}, Shared("x"), In(seconds(5)), answer.Keep());
  Until([&] { return b.handler.kept.size() == 1; });
  b.handler.kept[0](Shared("at last"));
  b.handler.kept[0](Shared("again"));
  Until([&] { return answer.value.has_value(); });
  EXPECT_EQ(**answer.value, "at last");
  EXPECT_TRUE(Ask(NodeId{2}, "still fine", milliseconds(20)).value.has_value());
}

TEST_F(TcpTransportTest, ASilentPeerIsATimeoutAtTheDeadlineAndItsLateAnswerIsIgnored) {
  b.handler.silent = true;
  const TimePoint asked = In({});
  EXPECT_EQ(Ask(NodeId{2}, "x", milliseconds(50)).code(), Errc::kTimeout);
  EXPECT_GE(In({}) - asked, milliseconds(50));
  b.handler.kept[0](Shared("late"));
  b.handler.silent = false;
  EXPECT_EQ(**Ask(NodeId{2}, "next").value, "echo:next");
}

TEST_F(TcpTransportTest, AnUnknownNodeIsUnavailable) { EXPECT_EQ(Ask(NodeId{9}, "x").code(), Errc::kUnavailable); }

TEST_F(TcpTransportTest, AnAddressThatIsNoneIsUnavailable) {
  a.transport.SetAddress(NodeId{9}, "nonsense");
  const Answer answer = Ask(NodeId{9}, "x");
  EXPECT_EQ(answer.code(), Errc::kUnavailable);
  EXPECT_NE(answer.value->error().message.find("nonsense"), std::string::npos);
}

TEST_F(TcpTransportTest, ARefusedConnectionIsUnavailableAndASignForTheDetector) {
  b.listener->Stop();
  const TimePoint asked = In({});
  EXPECT_EQ(Ask(NodeId{2}, "x").code(), Errc::kUnavailable);
  EXPECT_LT(In({}) - asked, seconds(1));
  EXPECT_EQ(a.handler.unreachable, std::vector<NodeId>{NodeId{2}});
}

TEST_F(TcpTransportTest, AfterARefusalCallsFailAtOnceUntilTheNextAttemptAndThenGetThrough) {
  const uint16_t port = b.listener->port();
  b.listener.reset();
  EXPECT_EQ(Ask(NodeId{2}, "refused").code(), Errc::kUnavailable);
  EXPECT_EQ(Ask(NodeId{2}, "too soon").code(), Errc::kUnavailable);
  EXPECT_EQ(a.handler.unreachable.size(), 1u);  // No second attempt was made.
  b.Listen(port);
  Turn(milliseconds(60));
  EXPECT_TRUE(Ask(NodeId{2}, "back").ok());
}

TEST_F(TcpTransportTest, AConnectionThatBreaksAfterTheRequestLeftIsATimeout) {
  b.handler.silent = true;
  Answer answer;
  a.transport.Call(NodeId{2}, Shared("x"), In(seconds(30)), answer.Keep());
  Until([&] { return !b.handler.kept.empty(); });
  b.transport.Stop();
  Until([&] { return answer.value.has_value(); });
  EXPECT_EQ(answer.code(), Errc::kTimeout);
  EXPECT_EQ(a.handler.unreachable, std::vector<NodeId>{NodeId{2}});
}

TEST_F(TcpTransportTest, ARequestThatHadNotWhollyLeftWhenTheConnectionBrokeIsUnavailable) {
  // A peer that accepts and never reads: the second request stays behind the first.
  tcp::acceptor deaf(b.loop.io(), {asio::ip::make_address("127.0.0.1"), 0});
  tcp::socket accepted(b.loop.io());
  bool connected = false;
  deaf.async_accept(accepted, [&](const boost::system::error_code&) {
    SayHello(accepted);
    connected = true;
  });
  a.transport.SetAddress(NodeId{3}, "127.0.0.1:" + std::to_string(deaf.local_endpoint().port()));
  Answer small, large;
  a.transport.Call(NodeId{3}, Shared("small"), In(seconds(30)), small.Keep());
  a.transport.Call(NodeId{3}, Shared(std::string(40 << 20, 'x')), In(seconds(30)), large.Keep());
  Until([&] { return connected && accepted.available() > 100'000; });
  accepted.close();
  Until([&] { return small.value && large.value; });
  EXPECT_EQ(small.code(), Errc::kTimeout);
  EXPECT_EQ(large.code(), Errc::kUnavailable);
}

TEST_F(TcpTransportTest, APeerThatReadsNothingCostsNoMoreThanTheLimit) {
  tcp::acceptor deaf(b.loop.io(), {asio::ip::make_address("127.0.0.1"), 0});
  tcp::socket accepted(b.loop.io());
  deaf.async_accept(accepted, [&](const boost::system::error_code&) { SayHello(accepted); });
  a.transport.SetAddress(NodeId{3}, "127.0.0.1:" + std::to_string(deaf.local_endpoint().port()));
  const SharedBytes body = Shared(std::string(8 << 20, 'x'));
  std::deque<Answer> answers(20);
  for (Answer& answer : answers) a.transport.Call(NodeId{3}, body, In(seconds(30)), answer.Keep());
  Until([&] { return answers.back().value.has_value(); });
  size_t refused = 0;
  for (const Answer& answer : answers) refused += answer.code() == Errc::kUnavailable;
  EXPECT_GE(refused, 10u);
  EXPECT_LT(refused, 20u);
  EXPECT_LE(body.use_count(), 11);
}

TEST_F(TcpTransportTest, TooManyCallsInFlightAreRefused) {
  TcpTransportOptions options;
  options.channel.calls_in_flight_max = 3;
  Node small(7, /*listen=*/false, options);
  small.transport.SetAddress(NodeId{2}, b.address());
  b.handler.silent = true;
  std::deque<Answer> answers(4);
  for (Answer& answer : answers) small.transport.Call(NodeId{2}, Shared("x"), In(seconds(30)), answer.Keep());
  Until([&] { return answers[3].value.has_value() && b.handler.kept.size() == 3; }, {&small});
  EXPECT_EQ(answers[3].code(), Errc::kUnavailable);
  EXPECT_FALSE(answers[0].value.has_value());
}

TEST_F(TcpTransportTest, AnotherNodeAtTheAddressRefusesSoTheCallerKnowsItWasNotProcessed) {
  a.transport.SetAddress(NodeId{3}, b.address());
  const Answer answer = Ask(NodeId{3}, "for three");
  EXPECT_EQ(answer.code(), Errc::kUnavailable);
  EXPECT_NE(answer.value->error().message.find("node 0000000000000002 listens here"), std::string::npos);
  EXPECT_TRUE(b.handler.requests.empty());
}

TEST_F(TcpTransportTest, ANodeThatHasNotStartedRefuses) {
  b.transport.SetHandler(nullptr);
  EXPECT_EQ(Ask(NodeId{2}, "x").code(), Errc::kUnavailable);
}

TEST_F(TcpTransportTest, ARequestOfAnotherClusterIsDroppedAndCounted) {
  a.transport.SetCluster(ClusterId{{1, 11}});
  b.transport.SetCluster(ClusterId{{1, 22}});
  EXPECT_EQ(Ask(NodeId{2}, "x", milliseconds(50)).code(), Errc::kTimeout);
  EXPECT_TRUE(b.handler.requests.empty());
  EXPECT_EQ(b.count("dynamo_peer_requests_other_cluster_total"), 1u);
}

TEST_F(TcpTransportTest, ANodeOfNoClusterYetIsHeardAndSoIsOneThatAsksWhoeverIsThere) {
  b.transport.SetCluster(ClusterId{{1, 22}});
  EXPECT_TRUE(Ask(NodeId{2}, "of none").ok());
  a.transport.SetCluster(ClusterId{{1, 11}});
  Answer answer;
  a.transport.CallAddress(b.address(), Shared("seed"), In(seconds(5)), answer.Keep());
  Until([&] { return answer.value.has_value(); });
  EXPECT_TRUE(answer.ok());
}

TEST_F(TcpTransportTest, ANewAddressReplacesTheOldOne) {
  Node c(3);
  a.transport.SetAddress(NodeId{3}, b.address());
  EXPECT_EQ(Ask(NodeId{3}, "wrong door").code(), Errc::kUnavailable);
  a.transport.SetAddress(NodeId{3}, c.address());
  Answer answer;
  a.transport.Call(NodeId{3}, Shared("right door"), In(seconds(5)), answer.Keep());
  Until([&] { return answer.value.has_value(); }, {&c});
  EXPECT_TRUE(answer.ok());
}

TEST_F(TcpTransportTest, ADrainingNodeAnswersWhatIsUnderWayAndRefusesTheRest) {
  b.handler.silent = true;
  Answer under_way;
  a.transport.Call(NodeId{2}, Shared("x"), In(seconds(5)), under_way.Keep());
  Until([&] { return b.handler.kept.size() == 1; });
  int done = 0;
  b.transport.Drain([&done] { ++done; });
  EXPECT_EQ(Ask(NodeId{2}, "y").code(), Errc::kUnavailable);
  EXPECT_EQ(b.handler.requests.size(), 1u);
  EXPECT_EQ(done, 0);
  b.handler.kept.front()(Shared("late"));
  b.handler.kept.clear();
  Until([&] { return under_way.value.has_value(); });
  EXPECT_TRUE(under_way.ok());
  EXPECT_EQ(done, 1);
}

TEST_F(TcpTransportTest, ANodeWithoutRequestsIsDrainedAtOnceAndMayStillAsk) {
  int done = 0;
  a.transport.Drain([&done] { ++done; });
  EXPECT_EQ(done, 1);
  EXPECT_TRUE(Ask(NodeId{2}, "x").ok());
}

TEST_F(TcpTransportTest, StopLeavesCallsUnansweredAndNothingBehind) {
  b.handler.silent = true;
  Answer answer;
  const SharedBytes body = Shared("x");
  a.transport.Call(NodeId{2}, body, In(milliseconds(30)), answer.Keep());
  a.transport.Call(NodeId{9}, body, In(milliseconds(30)), answer.Keep());
  a.transport.Stop();
  a.transport.Call(NodeId{2}, body, In(milliseconds(30)), answer.Keep());
  Turn(milliseconds(60));
  EXPECT_FALSE(answer.value.has_value());
  EXPECT_TRUE(a.handler.unreachable.empty());
  EXPECT_EQ(body.use_count(), 1);
}

TEST_F(TcpTransportTest, AResponderMayOutliveItsTransport) {
  b.handler.silent = true;
  Answer answer;
  a.transport.Call(NodeId{2}, Shared("x"), In(seconds(5)), answer.Keep());
  Until([&] { return !b.handler.kept.empty(); });
  b.transport.Stop();
  b.handler.kept[0](Shared("to nobody"));
}

}  // namespace
}  // namespace dynamo
