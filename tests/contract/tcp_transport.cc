// Real TCP on loopback under the transport contract: each node a loop of its own,
// all turned by the test's thread.
#include "node/adapter/tcp_transport.h"

#include "node/adapter/asio_clock.h"
#include "node/adapter/shard_loop.h"
#include "node/api/listener.h"
#include "tests/contract/transport_contract.h"
#include "tests/lib/temporary_folder.h"
#include "tests/lib/tls/test_authority.h"

namespace dynamo {
namespace {

class TcpTransportHarness : public TransportHarness {
 public:
  // How a node speaks to others, by its number.
  using ModeOf = TlsMode (*)(int node);
  explicit TcpTransportHarness(ModeOf mode_of) : mode_of_(mode_of) {}

  void Start(int node, PeerHandler* handler) override {
    auto started = std::make_unique<Node>(OpenTls(mode_of_(node)));
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
    std::unique_ptr<TlsKeeper> tls;
    TcpTransport transport{loop.executor(), &clock, &metrics, Logger(), OptionsWith(tls.get())};
    std::unique_ptr<Listener> listener;

    explicit Node(std::unique_ptr<TlsKeeper> keeper) : tls(std::move(keeper)) {
      loop.AtEndOfWakeUp([this] { transport.Flush(); });
    }
    void Listen(uint16_t port) {
      auto bound = Listener::Open(loop.executor(), "127.0.0.1", port);
      ASSERT_TRUE(bound.has_value()) << bound.error().message;
      listener = std::move(*bound);
      listener->Start([this](int descriptor, bool ipv6) { transport.Adopt(descriptor, ipv6); });
    }
  };
  static TcpTransportOptions OptionsWith(TlsKeeper* tls) {
    TcpTransportOptions options;
    options.channel.connection.tls = tls;
    return options;
  }
  std::unique_ptr<TlsKeeper> OpenTls(TlsMode mode) {
    if (mode == TlsMode::kOff) return nullptr;
    if (!authority_) {
      authority_ = std::make_unique<TestAuthority>("authority");
      WriteTlsFolder(folder_.path(), authority_->IssueNode("demo"));
    }
    return std::move(*TlsKeeper::Open(TlsUse::kPeer, mode, folder_.path(), &tls_metrics_, Logger()));
  }
  void Turn() {
    for (auto& [number, node] : nodes_) node->loop.Drain();
  }

  ModeOf mode_of_;
  TemporaryFolder folder_;
  std::unique_ptr<TestAuthority> authority_;
  Metrics tls_metrics_;
  ShardLoop time_loop_;
  AsioClock time_{time_loop_.executor()};
  std::map<int, uint16_t> ports_;
  std::map<int, std::unique_ptr<Node>> nodes_;
};

template <TcpTransportHarness::ModeOf mode_of>
std::unique_ptr<TransportHarness> MakeTcpHarness() {
  return std::make_unique<TcpTransportHarness>(mode_of);
}

TlsMode Off(int) { return TlsMode::kOff; }
TlsMode Required(int) { return TlsMode::kRequired; }
// On the way to TLS: the nodes that have not come to it yet are met in plaintext.
TlsMode HalfOptional(int node) { return node % 2 == 0 ? TlsMode::kOptional : TlsMode::kOff; }
TlsMode HalfRequired(int node) { return node % 2 == 0 ? TlsMode::kOptional : TlsMode::kRequired; }

INSTANTIATE_TEST_SUITE_P(Tcp, TransportContract, ::testing::Values(&MakeTcpHarness<Off>));
INSTANTIATE_TEST_SUITE_P(Tls, TransportContract, ::testing::Values(&MakeTcpHarness<Required>));
INSTANTIATE_TEST_SUITE_P(TlsAndPlaintext, TransportContract, ::testing::Values(&MakeTcpHarness<HalfOptional>));
INSTANTIATE_TEST_SUITE_P(OptionalAndRequiredTls, TransportContract, ::testing::Values(&MakeTcpHarness<HalfRequired>));

}  // namespace
}  // namespace dynamo
