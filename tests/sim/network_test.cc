#include "tests/sim/network.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "tests/sim/clock.h"
#include "tests/sim/transport.h"

namespace dynamo::sim {
namespace {

class Echo : public PeerHandler {
 public:
  void OnPeerRequest(PeerRequest request, Responder respond) override {
    order.push_back(request.body);
    respond(std::make_shared<const Bytes>(request.body));
  }
  void OnPeerUnreachable(NodeId) override { ++unreachable; }
  std::vector<Bytes> order;
  int unreachable = 0;
};

// Two nodes, 1 and 2, on hosts 1 and 2.
class SimNetworkTest : public ::testing::Test {
 protected:
  struct Node {
    Node(SimWorld* world, SimNetwork* network, HostId host)
        : process(world->StartProcess()), clock(world, process, TimePoint{}, 0) {
      transport = std::make_unique<SimTransport>(network, &clock, SimTransport::Place{process, host, Address(host), 0});
      transport->SetHandler(&handler);
      transport->SetSelf({host});
    }
    ProcessId process;
    SimClock clock;
    Echo handler;
    std::unique_ptr<SimTransport> transport;
  };
  static std::string Address(HostId host) { return "10.0.0." + std::to_string(host) + ":8099"; }

  SimNetworkTest() {
    a_.transport->SetAddress({2}, Address(2));
    b_->transport->SetAddress({1}, Address(1));
  }
  void Call(const Bytes& body, Duration timeout = std::chrono::seconds(1)) {
    a_.transport->Call({2}, std::make_shared<const Bytes>(body), a_.clock.Now() + timeout,
                       [this](Result<Bytes> reply) { replies_.push_back(std::move(reply)); });
  }
  Errc Code(size_t reply) const { return replies_[reply] ? Errc::kInternal : replies_[reply].error().code; }

  SimWorld world_{1};
  SimNetwork network_{&world_, NetworkConfig{}};
  Node a_{&world_, &network_, 1};
  std::unique_ptr<Node> b_ = std::make_unique<Node>(&world_, &network_, 2);
  std::vector<Result<Bytes>> replies_;
};

TEST_F(SimNetworkTest, APartitionIsABlackHole) {
  network_.Cut(1, 2);
  Call("x");
  world_.RunFor(std::chrono::milliseconds(900));
  EXPECT_TRUE(replies_.empty());
  world_.RunFor(std::chrono::seconds(1));
  ASSERT_EQ(replies_.size(), 1u);
  EXPECT_EQ(Code(0), Errc::kTimeout);
  EXPECT_TRUE(b_->handler.order.empty());
  EXPECT_GT(network_.counts().cut, 0u);
}

TEST_F(SimNetworkTest, AOneWayPartitionLetsRequestsThroughAndKeepsTheAnswers) {
  network_.Cut(2, 1);
  Call("x");
  world_.RunFor(std::chrono::seconds(2));
  EXPECT_EQ(Code(0), Errc::kTimeout);
  EXPECT_EQ(b_->handler.order.size(), 1u);
  network_.HealAll();
  Call("y");
  world_.RunFor(std::chrono::seconds(2));
  EXPECT_TRUE(replies_[1].has_value());
}

TEST_F(SimNetworkTest, ADeadNodeRefusesUnlessAPartitionHidesIt) {
  world_.KillProcess(b_->process);
  b_.reset();
  Call("x");
  world_.RunFor(std::chrono::milliseconds(10));
  ASSERT_EQ(replies_.size(), 1u);
  EXPECT_EQ(Code(0), Errc::kUnavailable);
  network_.Cut(1, 2);
  Call("y");
  world_.RunFor(std::chrono::seconds(2));
  EXPECT_EQ(Code(1), Errc::kTimeout);
}

TEST_F(SimNetworkTest, DroppedMessagesTimeOut) {
  network_.config().drop = 0.5;
  for (int i = 0; i < 100; ++i) Call("x");
  world_.RunFor(std::chrono::seconds(2));
  ASSERT_EQ(replies_.size(), 100u);
  const auto answered = std::ranges::count_if(replies_, [](const auto& reply) { return reply.has_value(); });
  EXPECT_GT(answered, 10);
  EXPECT_LT(answered, 45);
}

TEST_F(SimNetworkTest, DuplicatedRequestsArriveTwiceAndAreAnsweredOnce) {
  network_.config().duplicate = 1;
  Call("x");
  world_.RunFor(std::chrono::seconds(2));
  EXPECT_EQ(b_->handler.order.size(), 2u);
  EXPECT_EQ(replies_.size(), 1u);
}

TEST_F(SimNetworkTest, ReorderedRequestsOvertake) {
  network_.config().reorder = 0.5;
  std::vector<Bytes> sent;
  for (int i = 0; i < 100; ++i) {
    sent.push_back(std::to_string(i));
    Call(sent.back());
  }
  world_.RunFor(std::chrono::seconds(2));
  EXPECT_EQ(b_->handler.order.size(), 100u);
  EXPECT_NE(b_->handler.order, sent);
}

TEST_F(SimNetworkTest, CorruptionIsFoundAndBreaksTheConnection) {
  network_.config().corrupt = 1;
  for (int i = 0; i < 20; ++i) Call("a message long enough to have many bits");
  world_.RunFor(std::chrono::seconds(2));
  ASSERT_EQ(replies_.size(), 20u);
  for (size_t i = 0; i < 20; ++i) EXPECT_EQ(Code(i), Errc::kTimeout);
  EXPECT_TRUE(b_->handler.order.empty());
  EXPECT_GT(a_.handler.unreachable, 0);
  network_.config().corrupt = 0;
  Call("x");
  world_.RunFor(std::chrono::seconds(1));
  EXPECT_TRUE(replies_.back().has_value());
}

TEST_F(SimNetworkTest, AHalfOpenConnectionSwallowsAllUntilSomebodyNoticesAndNewOnesAreWell) {
  Call("open");
  world_.RunFor(std::chrono::milliseconds(10));
  EXPECT_EQ(network_.MakeHalfOpen(2, 1, /*responses_only=*/false), 0);
  EXPECT_EQ(network_.MakeHalfOpen(1, 2, /*responses_only=*/false), 1);
  Call("swallowed");
  world_.RunFor(std::chrono::milliseconds(10));
  EXPECT_EQ(replies_.size(), 1u);
  EXPECT_EQ(a_.handler.unreachable, 0);
  EXPECT_EQ(b_->handler.order.size(), 1u);
  network_.BreakHalfOpen();
  world_.RunFor(std::chrono::milliseconds(10));
  EXPECT_EQ(Code(1), Errc::kTimeout);
  EXPECT_GT(a_.handler.unreachable, 0);
  Call("anew");
  world_.RunFor(std::chrono::milliseconds(10));
  EXPECT_TRUE(replies_.back().has_value());
}

TEST_F(SimNetworkTest, AHalfOpenConnectionMayLetRequestsThrough) {
  Call("open");
  world_.RunFor(std::chrono::milliseconds(10));
  EXPECT_EQ(network_.MakeHalfOpen(1, 2, /*responses_only=*/true), 1);
  Call("heard");
  world_.RunFor(std::chrono::seconds(2));
  EXPECT_EQ(b_->handler.order.size(), 2u);
  EXPECT_EQ(Code(1), Errc::kTimeout);
}

TEST_F(SimNetworkTest, AClogHoldsEverythingBackThenDeliversItInOrder) {
  network_.Clog(1, 2, world_.now() + std::chrono::seconds(3));
  std::vector<Bytes> sent;
  for (int i = 0; i < 10; ++i) {
    sent.push_back(std::to_string(i));
    Call(sent.back(), std::chrono::seconds(10));
  }
  world_.RunFor(std::chrono::milliseconds(2900));
  EXPECT_TRUE(b_->handler.order.empty());
  world_.RunFor(std::chrono::milliseconds(200));
  EXPECT_EQ(b_->handler.order, sent);
  EXPECT_EQ(replies_.size(), 10u);
}

TEST_F(SimNetworkTest, AClogIsOfOneDirectionAndCanEndEarly) {
  network_.Clog(2, 1, world_.now() + std::chrono::seconds(3));
  Call("x", std::chrono::seconds(10));
  world_.RunFor(std::chrono::milliseconds(10));
  EXPECT_EQ(b_->handler.order.size(), 1u);
  EXPECT_TRUE(replies_.empty());
  network_.Unclog();
  world_.RunFor(std::chrono::seconds(4));
  EXPECT_EQ(replies_.size(), 1u);
}

TEST_F(SimNetworkTest, WhatFollowsAClogThatEndedEarlyDoesNotWaitForItsTime) {
  network_.Clog(1, 2, world_.now() + std::chrono::seconds(30));
  Call("held up", std::chrono::seconds(60));
  world_.RunFor(std::chrono::milliseconds(10));
  network_.Unclog();
  world_.RunFor(std::chrono::milliseconds(10));
  EXPECT_EQ(Code(0), Errc::kTimeout);  // It may have arrived, for all that its sender knows.
  Call("prompt", std::chrono::seconds(60));
  world_.RunFor(std::chrono::seconds(1));
  EXPECT_EQ(b_->handler.order, std::vector<Bytes>{"prompt"});
}

TEST_F(SimNetworkTest, ADeadCallerCostsTheOthersNothing) {
  Call("x");
  world_.KillProcess(a_.process);
  a_.transport.reset();
  world_.RunFor(std::chrono::seconds(2));
  EXPECT_TRUE(replies_.empty());
}

}  // namespace
}  // namespace dynamo::sim
