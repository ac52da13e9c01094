// Real TCP on loopback under the transport contract: each node a loop of its own,
// all turned by the test's thread.
#include "node/adapter/tcp_transport.h"

#include "node/adapter/asio_clock.h"
#include "node/adapter/shard_loop.h"
#include "node/api/listener.h"
#include "tests/contract/transport_contract.h"

namespace dynamo {
namespace {

class TcpTransportHarness : public TransportHarness {
 public:
  void Start(int node, PeerHandler* handler) override {
    auto started = std::make_unique<Node>();
    started->transport.SetHandler(handler);
    started->Listen(ports_[node]);
    ports_[node] = started->listener->port();
    nodes_[node] = std::move(started);
  }
  void Stop(int node) override {
    nodes_.erase(node);
    Turn();  // The others see their connections broken.
  }
  Transport& transport(int node) override { return nodes_[node]->transport; }
  Clock& clock(int node) override { return nodes_[node]->clock; }
  std::string address(int node) override { return ToString(HostPort{"127.0.0.1", ports_[node]}); }

  void RunUntil(const std::function<bool()>& done) override {
    const TimePoint end = time_.Now() + std::chrono::seconds(60);
    while (!done()) {
      ASSERT_LT(time_.Now(), end);
      Turn();
    }
  }
  void RunFor(Duration duration) override {
    const TimePoint end = time_.Now() + duration;
    while (time_.Now() < end) Turn();
  }

 private:
  struct Node {
    ShardLoop loop;
    AsioClock clock{loop.executor()};
    Metrics metrics;
    TcpTransport transport{loop.executor(), &clock, &metrics, Logger()};
    std::unique_ptr<Listener> listener;

    Node() {
      loop.AtEndOfWakeUp([this] { transport.Flush(); });
    }
    void Listen(uint16_t port) {
      auto bound = Listener::Open(loop.executor(), "127.0.0.1", port);
      ASSERT_TRUE(bound.has_value()) << bound.error().message;
      listener = std::move(*bound);
      listener->Start([this](int descriptor, bool ipv6) { transport.Adopt(descriptor, ipv6); });
    }
  };
  void Turn() {
    for (auto& [number, node] : nodes_) node->loop.Drain();
  }

  ShardLoop time_loop_;
  AsioClock time_{time_loop_.executor()};
  std::map<int, uint16_t> ports_;
  std::map<int, std::unique_ptr<Node>> nodes_;
};

std::unique_ptr<TransportHarness> MakeTcpHarness() { return std::make_unique<TcpTransportHarness>(); }

INSTANTIATE_TEST_SUITE_P(Tcp, TransportContract, ::testing::Values(&MakeTcpHarness));

}  // namespace
}  // namespace dynamo
