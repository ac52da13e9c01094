#include "node/api/connection.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <exception>
#include <utility>

namespace dynamo {
namespace {

constexpr std::chrono::seconds kSweepInterval{1};

}  // namespace

void Connection::SetIdle(std::chrono::milliseconds timeout) {
  SetDeadline(ending_ ? std::min(timeout, kLastRequestTime) : timeout);
  idle_ = true;
}

void Connection::EndSoon() {
  ending_ = true;
  if (idle_) SetIdle(kLastRequestTime);
}

void Connection::Close() {
  boost::system::error_code ignored;
  stream_.socket().shutdown(asio::ip::tcp::socket::shutdown_both, ignored);
  stream_.socket().close(ignored);
}

struct ConnectionSet::State : std::enable_shared_from_this<ConnectionSet::State> {
  using Timer =
      asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, Executor>;

  State(Executor where, DoorLimits bounds, Gauge* gauge, Counter* counter, Serve how)
      : executor(where), limits(bounds), open(gauge), refused(counter), serve(std::move(how)), sweep_timer(where) {}

  // Deadlines are coarse: one sweep a second costs less than a timer for each request.
  void ScheduleSweep() {
    sweep_timer.expires_after(kSweepInterval);
    sweep_timer.async_wait([weak = weak_from_this()](boost::system::error_code error) {
      auto self = weak.lock();
      if (error || !self || self->closed) return;
      const auto now = std::chrono::steady_clock::now();
      for (const auto& connection : self->connections) {
        if (connection->IsLate(now)) connection->Close();
      }
      self->ScheduleSweep();
    });
  }

  void Run(std::shared_ptr<Connection> connection) {
    connections.insert(connection);
    open->Set(static_cast<int64_t>(connections.size()));
    asio::co_spawn(executor, serve(connection), [self = shared_from_this(), connection](std::exception_ptr failure) {
      connection->Close();
      self->connections.erase(connection);
      self->open->Set(static_cast<int64_t>(self->connections.size()));
      if (failure) std::terminate();
      self->TellWhenEmpty();
    });
  }

  void TellWhenEmpty() {
    if (drained && connections.empty()) std::exchange(drained, nullptr)();
  }

  Executor executor;
  DoorLimits limits;
  Gauge* open;
  Counter* refused;
  Serve serve;
  Timer sweep_timer;
  bool closed = false;
  bool draining = false;
  std::function<void()> drained;  // Whom to tell when the last connection has ended.
  std::set<std::shared_ptr<Connection>> connections;
};

ConnectionSet::ConnectionSet(Executor executor, DoorLimits limits, Gauge* open, Counter* refused, Serve serve)
    : state_(std::make_shared<State>(executor, limits, open, refused, std::move(serve))) {
  state_->ScheduleSweep();
}

ConnectionSet::~ConnectionSet() { CloseAll(); }

void ConnectionSet::Adopt(int descriptor, bool ipv6) {
  Connection::Socket socket(state_->executor);
  boost::system::error_code error;
  socket.assign(ipv6 ? asio::ip::tcp::v6() : asio::ip::tcp::v4(), descriptor, error);
  if (error) return;
  if (state_->closed || state_->connections.size() >= state_->limits.connections_max) {
    state_->refused->Add();
    return;
  }
  socket.set_option(asio::ip::tcp::no_delay(true), error);
  auto connection = std::make_shared<Connection>(std::move(socket));
  connection->SetIdle(state_->limits.idle_timeout);
  if (state_->draining) connection->EndSoon();
  state_->Run(std::move(connection));
}

void ConnectionSet::Drain(std::function<void()> done) {
  state_->draining = true;
  state_->drained = std::move(done);
  for (const auto& connection : state_->connections) connection->EndSoon();
  state_->TellWhenEmpty();
}

void ConnectionSet::CloseAll() {
  state_->closed = true;
  state_->sweep_timer.cancel();
  for (const auto& connection : state_->connections) connection->Close();
}

size_t ConnectionSet::size() const { return state_->connections.size(); }

}  // namespace dynamo
