#include "node/api/listener.h"

#include <fmt/format.h>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <utility>

namespace dynamo {

using asio::ip::tcp;

struct Listener::State : std::enable_shared_from_this<Listener::State> {
  using Socket = asio::basic_stream_socket<tcp, Executor>;
  using Timer =
      asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, Executor>;

  explicit State(Executor executor) : acceptor(executor), pause(executor) {}

  void AcceptNext() {
    acceptor.async_accept([self = shared_from_this()](boost::system::error_code error, Socket socket) {
      if (self->stopped) return;
      if (error) {
        self->PauseThenAccept();
        return;
      }
      self->Give(std::move(socket));
      self->AcceptNext();
    });
  }

  void Give(Socket socket) {
    boost::system::error_code error;
    const bool ipv6 = socket.local_endpoint(error).address().is_v6();
    const int descriptor = socket.release(error);
    if (!error) deliver(descriptor, ipv6);
  }

  void GiveThoseWhoWait() {
    boost::system::error_code error;
    acceptor.non_blocking(true, error);
    while (deliver && !error) {
      Socket socket(acceptor.get_executor());
      acceptor.accept(socket, error);
      if (!error) Give(std::move(socket));
    }
  }

  // File descriptors have run out, most likely: trying again at once would spin.
  void PauseThenAccept() {
    pause.expires_after(std::chrono::milliseconds(100));
    pause.async_wait([self = shared_from_this()](boost::system::error_code error) {
      if (!error && !self->stopped) self->AcceptNext();
    });
  }

  asio::basic_socket_acceptor<tcp, Executor> acceptor;
  Timer pause;
  Deliver deliver;
  bool stopped = false;
};

Listener::Listener(std::shared_ptr<State> state) : state_(std::move(state)) {}

Listener::~Listener() { Stop(); }

Result<std::unique_ptr<Listener>> Listener::Open(Executor executor, const std::string& address, uint16_t port) {
  boost::system::error_code error;
  const auto ip = asio::ip::make_address(address, error);
  if (error) return Fail(Errc::kInvalidArgument, fmt::format("'{}' is no numeric IP address", address));
  auto state = std::make_shared<State>(executor);
  const tcp::endpoint endpoint(ip, port);
  state->acceptor.open(endpoint.protocol(), error);
  if (!error) state->acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) state->acceptor.bind(endpoint, error);
  if (!error) state->acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) {
    return Fail(Errc::kUnavailable,
                fmt::format("cannot listen at {}:{}: {}; stop what uses the port, or choose another", address, port,
                            error.message()));
  }
  return std::unique_ptr<Listener>(new Listener(std::move(state)));
}

uint16_t Listener::port() const {
  boost::system::error_code ignored;
  return state_->acceptor.local_endpoint(ignored).port();
}

void Listener::Start(Deliver deliver) {
  state_->deliver = std::move(deliver);
  state_->AcceptNext();
}

void Listener::Stop() {
  if (std::exchange(state_->stopped, true)) return;
  state_->GiveThoseWhoWait();
  boost::system::error_code ignored;
  state_->acceptor.close(ignored);
  state_->pause.cancel();
}

}  // namespace dynamo
