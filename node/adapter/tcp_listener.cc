#include "node/adapter/tcp_listener.h"

#include <fmt/format.h>

#include <utility>

namespace dynamo {
namespace {

using asio::ip::tcp;

// Out of descriptors or memory: nothing is gained by asking again at once.
constexpr Duration kPauseAfterFailure{100'000};

Result<tcp::endpoint> ResolveLocal(ShardLoop& loop, const HostPort& address) {
  boost::system::error_code error;
  const auto ip = asio::ip::make_address(address.host, error);
  if (!error) return tcp::endpoint(ip, address.port);
  asio::ip::basic_resolver<tcp, Executor> resolver(loop.executor());
  const auto found = resolver.resolve(address.host, std::to_string(address.port), error);
  if (error || found.empty()) {
    return Fail(Errc::kInvalidArgument, fmt::format("cannot resolve {}: {}", address.host, error.message()));
  }
  return found.begin()->endpoint();
}

}  // namespace

Result<std::unique_ptr<TcpListener>> TcpListener::Bind(HostPort address, std::vector<Shard> shards, Clock* clock) {
  const auto endpoint = ResolveLocal(*shards.front().loop, address);
  if (!endpoint) return Fail(endpoint.error());
  Acceptor acceptor(shards.front().loop->executor());
  boost::system::error_code error;
  acceptor.open(endpoint->protocol(), error);
  if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) acceptor.bind(*endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) {
    return Fail(Errc::kUnavailable, fmt::format("cannot listen on {}: {}", ToString(address), error.message()));
  }
  return std::unique_ptr<TcpListener>(new TcpListener(std::move(acceptor), std::move(shards), clock));
}

TcpListener::TcpListener(Acceptor acceptor, std::vector<Shard> shards, Clock* clock)
    : acceptor_(std::move(acceptor)),
      shards_(std::move(shards)),
      clock_(clock),
      port_(acceptor_.local_endpoint().port()) {}

TcpListener::~TcpListener() { Stop(); }

void TcpListener::Start() { Accept(); }

void TcpListener::Stop() {
  clock_->Cancel(std::exchange(pause_, 0));
  boost::system::error_code ignored;
  acceptor_.close(ignored);
}

void TcpListener::Accept() {
  acceptor_.async_accept(shards_[next_].loop->executor(),
                         [this](const boost::system::error_code& error, PeerSocket socket) {
                           if (error == asio::error::operation_aborted) return;
                           OnAccepted(error, std::move(socket));
                         });
}

void TcpListener::OnAccepted(const boost::system::error_code& error, PeerSocket socket) {
  if (error && error != asio::error::connection_aborted) {
    pause_ = clock_->At(clock_->Now() + kPauseAfterFailure, [this] { Accept(); });
    return;
  }
  if (!error) {
    const Shard& shard = shards_[next_];
    next_ = (next_ + 1) % shards_.size();
    shard.loop->Post([transport = shard.transport, connection = std::move(socket)]() mutable {
      transport->Accept(std::move(connection));
    });
  }
  Accept();
}

}  // namespace dynamo
