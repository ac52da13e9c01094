// Two nodes' transports over loopback, their loops turned by hand.
#ifndef DYNAMO_TESTS_UNIT_ADAPTER_TCP_TESTING_H_
#define DYNAMO_TESTS_UNIT_ADAPTER_TCP_TESTING_H_

#include <gtest/gtest.h>

#include <boost/asio/write.hpp>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "node/adapter/asio_clock.h"
#include "node/adapter/shard_loop.h"
#include "node/adapter/tcp_transport.h"
#include "node/api/listener.h"

namespace dynamo::tcp_testing {

inline SharedBytes Shared(std::string text) { return std::make_shared<const Bytes>(std::move(text)); }

inline void SayHello(asio::ip::tcp::socket& socket, SpokenVersions spoken = kSpokenVersions) {
  asio::write(socket, asio::buffer(EncodeHello(spoken)));
}

// Answers "echo:<body>", unless told to keep silent.
struct EchoHandler : PeerHandler {
  void OnPeerRequest(PeerRequest request, Responder respond) override {
    requests.push_back(request);
    if (silent) {
      kept.push_back(std::move(respond));
    } else {
      respond(Shared("echo:" + request.body));
    }
  }
  void OnPeerUnreachable(NodeId peer) override { unreachable.push_back(peer); }

  bool silent = false;
  std::vector<PeerRequest> requests;
  std::vector<Responder> kept;
  std::vector<NodeId> unreachable;
};

// One node with one shard, its loop turned by hand.
struct Node {
  explicit Node(uint64_t id, bool listen = true, TcpTransportOptions options = {})
      : transport(loop.executor(), &clock, &metrics, Logger(), options) {
    loop.AtEndOfWakeUp([this] { transport.Flush(); });
    transport.SetSelf(NodeId{id});
    transport.SetHandler(&handler);
    if (listen) Listen(0);
  }
  void Listen(uint16_t port) {
    listener = std::move(*Listener::Open(loop.executor(), "127.0.0.1", port));
    listener->Start([this](int descriptor, bool ipv6) { transport.Adopt(descriptor, ipv6); });
  }
  std::string address() const { return "127.0.0.1:" + std::to_string(listener->port()); }
  uint64_t count(const std::string& name) { return metrics.counter(name, "").value(); }

  ShardLoop loop;
  Metrics metrics;
  AsioClock clock{loop.executor()};
  TcpTransport transport;
  EchoHandler handler;
  std::unique_ptr<Listener> listener;
};

struct Answer {
  std::optional<Result<Bytes>> value;
  ReplyCallback Keep() {
    return [this](Result<Bytes> got) {
      EXPECT_FALSE(value.has_value()) << "answered twice";
      value = std::move(got);
    };
  }
  bool ok() const { return value && value->has_value(); }
  Errc code() const { return value && !value->has_value() ? value->error().code : Errc{}; }
};

class TcpTransportTest : public ::testing::Test {
 protected:
  TcpTransportTest() { a.transport.SetAddress(NodeId{2}, b.address()); }
  TimePoint In(Duration wait) { return a.clock.Now() + wait; }

  // Turns all loops until it is so; fails after ten seconds.
  template <class Condition>
  void Until(Condition condition, std::vector<Node*> others = {}) {
    const TimePoint end = In(std::chrono::seconds(10));
    while (!condition() && a.clock.Now() < end) {
      a.loop.Drain();
      b.loop.Drain();
      for (Node* other : others) other->loop.Drain();
    }
    EXPECT_TRUE(condition());
  }
  void Turn(Duration wait) {
    const TimePoint end = In(wait);
    Until([&] { return a.clock.Now() >= end; });
  }
  Answer Ask(NodeId to, std::string body, Duration wait = std::chrono::seconds(5)) {
    Answer answer;
    a.transport.Call(to, Shared(std::move(body)), In(wait), answer.Keep());
    EXPECT_FALSE(answer.value) << "answered within the call";
    Until([&] { return answer.value.has_value(); });
    return answer;
  }

  Node a{1, /*listen=*/false};
  Node b{2};
};

}  // namespace dynamo::tcp_testing

#endif  // DYNAMO_TESTS_UNIT_ADAPTER_TCP_TESTING_H_
