#include "tests/contract/transport_contract.h"

#include <gmock/gmock.h>

#include "node/protocol/frame.h"
#include "node/protocol/messages.h"

namespace dynamo {

void TransportContract::Start(int node, ClusterId cluster) {
  harness_->Start(node, &peers_[node]);
  harness_->transport(node).SetSelf(Id(node));
  harness_->transport(node).SetCluster(cluster);
}

void TransportContract::StartNodes(int count) {
  for (int node = 0; node < count; ++node) Start(node, Cluster(1));
  for (int node = 0; node < count; ++node) {
    for (int other = 0; other < count; ++other) {
      if (other != node) harness_->transport(node).SetAddress(Id(other), harness_->address(other));
    }
  }
}

void TransportContract::Call(int from, NodeId to, const std::string& body, Duration timeout) {
  const size_t before = replies_.size();
  harness_->transport(from).Call(to, std::make_shared<const Bytes>(body), harness_->clock(from).Now() + timeout,
                                 [this](Result<Bytes> reply) { replies_.push_back(std::move(reply)); });
  EXPECT_EQ(replies_.size(), before) << "replied within the call";
}

void TransportContract::CallAddress(int from, const std::string& address, const std::string& body) {
  const size_t before = replies_.size();
  harness_->transport(from).CallAddress(address, std::make_shared<const Bytes>(body),
                                        harness_->clock(from).Now() + std::chrono::seconds(30),
                                        [this](Result<Bytes> reply) { replies_.push_back(std::move(reply)); });
  EXPECT_EQ(replies_.size(), before) << "replied within the call";
}

void TransportContract::AwaitReplies(size_t count) {
  harness_->RunUntil([this, count] { return replies_.size() >= count; });
}

namespace {

using ::testing::Contains;
using ::testing::ElementsAre;

constexpr Duration kShort = std::chrono::milliseconds(200);

Errc CodeOf(const Result<Bytes>& reply) { return reply ? Errc::kInternal : reply.error().code; }

TEST_P(TransportContract, ACallIsAnsweredOnce) {
  StartNodes(2);
  Call(0, Id(1), "hello");
  AwaitReplies(1);
  harness_->RunFor(kShort);
  ASSERT_EQ(replies_.size(), 1u);
  EXPECT_EQ(replies_[0], Bytes("echo hello"));
  ASSERT_EQ(peers_[1].requests.size(), 1u);
  EXPECT_EQ(peers_[1].requests[0].request.from, Id(0));
  EXPECT_EQ(peers_[1].requests[0].request.body, "hello");
}

TEST_P(TransportContract, NodesTalkBothWays) {
  StartNodes(3);
  for (int from = 0; from < 3; ++from) {
    for (int to = 0; to < 3; ++to) {
      if (from != to) Call(from, Id(to), "x");
    }
  }
  AwaitReplies(6);
  for (int node = 0; node < 3; ++node) EXPECT_EQ(peers_[node].requests.size(), 2u);
}

TEST_P(TransportContract, RequestsArriveInTheOrderSent) {
  StartNodes(2);
  std::vector<Bytes> sent, arrived;
  for (int i = 0; i < 500; ++i) {
    sent.push_back(std::to_string(i));
    Call(0, Id(1), sent.back());
  }
  AwaitReplies(500);
  for (const auto& request : peers_[1].requests) arrived.push_back(request.request.body);
  EXPECT_EQ(arrived, sent);
}

TEST_P(TransportContract, AnAnswerFindsItsCallWhateverTheOrder) {
  StartNodes(2);
  peers_[1].echo = false;
  std::map<std::string, std::string> answers;
  for (const std::string body : {"a", "b", "c"}) {
    harness_->transport(0).Call(Id(1), std::make_shared<const Bytes>(body),
                                harness_->clock(0).Now() + std::chrono::seconds(30),
                                [&answers, body](Result<Bytes> reply) { answers[body] = reply.value_or("failed"); });
  }
  harness_->RunUntil([this] { return peers_[1].requests.size() == 3; });
  for (auto request = peers_[1].requests.rbegin(); request != peers_[1].requests.rend(); ++request) {
    request->respond(std::make_shared<const Bytes>("to " + request->request.body));
  }
  harness_->RunUntil([&answers] { return answers.size() == 3; });
  EXPECT_EQ(answers, (std::map<std::string, std::string>{{"a", "to a"}, {"b", "to b"}, {"c", "to c"}}));
}

TEST_P(TransportContract, ARefusedConnectionIsUnavailableAndASign) {
  StartNodes(2);
  harness_->Stop(1);
  Call(0, Id(1), "x");
  AwaitReplies(1);
  EXPECT_EQ(CodeOf(replies_[0]), Errc::kUnavailable);
  harness_->RunUntil([this] { return !peers_[0].unreachable.empty(); });
  EXPECT_THAT(peers_[0].unreachable, Contains(Id(1)));
}

TEST_P(TransportContract, ANodeWithoutAnAddressIsUnavailable) {
  StartNodes(1);
  Call(0, Id(7), "x");
  AwaitReplies(1);
  EXPECT_EQ(CodeOf(replies_[0]), Errc::kUnavailable);
}

TEST_P(TransportContract, AnotherNodeAtTheAddressIsNeverHandedTheRequest) {
  StartNodes(2);
  harness_->transport(0).SetAddress(Id(7), harness_->address(1));
  Call(0, Id(7), "for 7");
  AwaitReplies(1);
  EXPECT_EQ(CodeOf(replies_[0]), Errc::kUnavailable);
  EXPECT_TRUE(peers_[1].requests.empty());
  Call(0, Id(1), "for 1");
  AwaitReplies(2);
  EXPECT_TRUE(replies_[1].has_value());
}

TEST_P(TransportContract, NoAnswerIsATimeoutAtTheDeadlineAndALateOneIsDropped) {
  StartNodes(2);
  peers_[1].echo = false;
  const TimePoint before = harness_->clock(0).Now();
  Call(0, Id(1), "x", kShort);
  AwaitReplies(1);
  EXPECT_EQ(CodeOf(replies_[0]), Errc::kTimeout);
  EXPECT_GE(harness_->clock(0).Now() - before, kShort);
  ASSERT_EQ(peers_[1].requests.size(), 1u);
  peers_[1].requests[0].respond(std::make_shared<const Bytes>("late"));
  harness_->RunFor(kShort);
  EXPECT_EQ(replies_.size(), 1u);
}

TEST_P(TransportContract, AnAnswerThatNoFrameCarriesIsAFailureAtOnce) {
  StartNodes(2);
  peers_[1].echo = false;
  Call(0, Id(1), "how much?");
  harness_->RunUntil([&] { return !peers_[1].requests.empty(); });
  peers_[1].requests[0].respond(std::make_shared<const Bytes>(kFrameBytesMax, 'x'));
  const TimePoint answered = harness_->clock(0).Now();
  AwaitReplies(1);
  EXPECT_LT(harness_->clock(0).Now() - answered, std::chrono::seconds(10));
  ASSERT_TRUE(replies_[0]) << replies_[0].error().message;
  EXPECT_EQ(ParseResponse(*replies_[0]).error().code, Errc::kTooLarge);
}

TEST_P(TransportContract, ASecondAnswerIsIgnored) {
  StartNodes(2);
  peers_[1].echo = false;
  Call(0, Id(1), "x");
  harness_->RunUntil([this] { return peers_[1].requests.size() == 1; });
  const Responder respond = peers_[1].requests[0].respond;
  respond(std::make_shared<const Bytes>("first"));
  respond(std::make_shared<const Bytes>("second"));
  AwaitReplies(1);
  harness_->RunFor(kShort);
  EXPECT_THAT(replies_, ElementsAre(Result<Bytes>("first")));
}

TEST_P(TransportContract, TheDeadlineTravels) {
  StartNodes(2);
  Call(0, Id(1), "x", std::chrono::seconds(20));
  AwaitReplies(1);
  const Duration left = peers_[1].requests[0].request.deadline - harness_->clock(1).Now();
  EXPECT_LE(left, std::chrono::seconds(20) + std::chrono::milliseconds(1));
  EXPECT_GE(left, std::chrono::seconds(10));
}

TEST_P(TransportContract, MessagesOfAnotherClusterAreDropped) {
  StartNodes(1);
  Start(1, Cluster(2));
  harness_->transport(0).SetAddress(Id(1), harness_->address(1));
  Call(0, Id(1), "x", kShort);
  AwaitReplies(1);
  EXPECT_FALSE(replies_[0].has_value());
  EXPECT_TRUE(peers_[1].requests.empty());
}

TEST_P(TransportContract, ANodeOfNoClusterIsSpokenWith) {
  StartNodes(1);
  Start(1, ClusterId{});
  harness_->transport(0).SetAddress(Id(1), harness_->address(1));
  harness_->transport(1).SetAddress(Id(0), harness_->address(0));
  Call(0, Id(1), "x");
  Call(1, Id(0), "y");
  AwaitReplies(2);
  EXPECT_TRUE(replies_[0].has_value());
  EXPECT_TRUE(replies_[1].has_value());
}

TEST_P(TransportContract, AnAddressIsCalledWhateverTheClusterThere) {
  StartNodes(1);
  Start(1, Cluster(2));
  CallAddress(0, harness_->address(1), "who are you");
  AwaitReplies(1);
  EXPECT_EQ(replies_[0], Bytes("echo who are you"));
  EXPECT_EQ(peers_[1].requests[0].request.from, Id(0));
  harness_->Stop(1);
  CallAddress(0, harness_->address(1), "still there");
  AwaitReplies(2);
  EXPECT_EQ(CodeOf(replies_[1]), Errc::kUnavailable);
}

TEST_P(TransportContract, APeerThatDiesWithARequestIsATimeoutAndASign) {
  StartNodes(2);
  peers_[1].echo = false;
  const TimePoint before = harness_->clock(0).Now();
  Call(0, Id(1), "x");
  harness_->RunUntil([this] { return peers_[1].requests.size() == 1; });
  peers_[1].requests.clear();
  harness_->Stop(1);
  AwaitReplies(1);
  EXPECT_EQ(CodeOf(replies_[0]), Errc::kTimeout);
  EXPECT_LT(harness_->clock(0).Now() - before, std::chrono::seconds(20)) << "waited for the deadline";
  harness_->RunUntil([this] { return !peers_[0].unreachable.empty(); });
  EXPECT_THAT(peers_[0].unreachable, Contains(Id(1)));
}

TEST_P(TransportContract, APeerThatCameBackIsReachedAgain) {
  StartNodes(2);
  Call(0, Id(1), "before");
  AwaitReplies(1);
  harness_->Stop(1);
  Call(0, Id(1), "meanwhile");
  AwaitReplies(2);
  EXPECT_FALSE(replies_[1].has_value());
  Start(1, Cluster(1));
  // A transport may wait a little before it tries a refused address again.
  for (size_t calls = 3; calls < 100; ++calls) {
    Call(0, Id(1), "after");
    AwaitReplies(calls);
    if (replies_.back()) break;
    EXPECT_EQ(CodeOf(replies_.back()), Errc::kUnavailable);
    harness_->RunFor(std::chrono::milliseconds(50));
  }
  EXPECT_EQ(replies_.back(), Bytes("echo after"));
}

TEST_P(TransportContract, ANewAddressReplacesTheOld) {
  StartNodes(2);
  harness_->transport(0).SetAddress(Id(1), harness_->address(0));
  harness_->transport(0).SetAddress(Id(1), harness_->address(1));
  Call(0, Id(1), "x");
  AwaitReplies(1);
  EXPECT_TRUE(replies_[0].has_value());
}

TEST_P(TransportContract, ABigMessageComesThroughBothWays) {
  StartNodes(2);
  const std::string big(8 << 20, 'b');
  Call(0, Id(1), big);
  Call(0, Id(1), "small");
  AwaitReplies(2);
  EXPECT_THAT(replies_, Contains(Result<Bytes>("echo " + big)));
  EXPECT_EQ(peers_[1].requests[0].request.body, big);
}

TEST_P(TransportContract, AThousandCallsAtOnceAreAllAnswered) {
  StartNodes(2);
  for (int i = 0; i < 1000; ++i) Call(0, Id(1), std::string(1000, 'x'));
  AwaitReplies(1000);
  for (const auto& reply : replies_) EXPECT_TRUE(reply.has_value());
}

TEST_P(TransportContract, AKilledCallerIsNeverCalledBackAndLeavesNothing) {
  StartNodes(2);
  peers_[1].echo = false;
  auto owned = std::make_shared<int>(0);
  for (int i = 0; i < 3; ++i) {
    harness_->transport(0).Call(Id(1), std::make_shared<const Bytes>("x"),
                                harness_->clock(0).Now() + std::chrono::seconds(30),
                                [owned](const Result<Bytes>&) { ++*owned; });
  }
  harness_->RunUntil([this] { return peers_[1].requests.size() == 3; });
  harness_->Stop(0);
  for (auto& request : peers_[1].requests) request.respond(std::make_shared<const Bytes>("anybody there"));
  harness_->RunFor(kShort);
  EXPECT_EQ(*owned, 0);
  EXPECT_EQ(owned.use_count(), 1);
}

}  // namespace
}  // namespace dynamo
