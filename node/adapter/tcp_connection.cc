#include "node/adapter/tcp_connection.h"

#include <netinet/tcp.h>

#include <boost/asio/buffer.hpp>
#include <utility>

namespace dynamo {
namespace {

using UserTimeout = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_USER_TIMEOUT>;
using KeepIdle = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_KEEPIDLE>;
using KeepInterval = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_KEEPINTVL>;
using KeepCount = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_KEEPCNT>;

constexpr int kKeepAliveSeconds = 5;
constexpr int kKeepAliveProbes = 3;

}  // namespace

TcpConnection::TcpConnection(PeerSocket socket, TcpConnectionOptions options, CorkedConnections* corked, Events events)
    : socket_(std::move(socket)),
      options_(options),
      corked_(corked),
      events_(std::move(events)),
      input_(options.versions) {
  queue_.AppendRaw(EncodeHello(options.versions));
}

void TcpConnection::Open() {
  if (closed_) return;
  open_ = true;
  Configure();
  Read();
  Cork();
}

// A peer whose machine went away without a word is found by keep-alive when the
// connection is idle, by the user timeout when it is not. Options that a system
// does not know only make that slower.
void TcpConnection::Configure() {
  boost::system::error_code ignored;
  socket_.non_blocking(true, ignored);
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  socket_.set_option(asio::socket_base::keep_alive(true), ignored);
  socket_.set_option(KeepIdle(kKeepAliveSeconds), ignored);
  socket_.set_option(KeepInterval(kKeepAliveSeconds), ignored);
  socket_.set_option(KeepCount(kKeepAliveProbes), ignored);
  socket_.set_option(UserTimeout(static_cast<int>(options_.unacknowledged_max.count() / 1000)), ignored);
}

void TcpConnection::Send(const FrameHeader& header, SharedBytes body) {
  if (closed_) return;
  queue_.Append(header, std::move(body));
  Cork();
}

void TcpConnection::Cork() {
  if (corked_now_ || !open_ || waits_for_room_ || queue_.empty()) return;
  corked_now_ = true;
  corked_->push_back(shared_from_this());
}

void TcpConnection::Flush() {
  corked_now_ = false;
  if (closed_ || !open_ || waits_for_room_) return;
  while (!queue_.empty()) {
    queue_.Buffers(&buffers_);
    boost::system::error_code error;
    const size_t written = socket_.write_some(buffers_, error);
    queue_.Consume(written);
    if (error == asio::error::would_block || error == asio::error::try_again) {
      FlushLater();
      break;
    }
    if (error) return Break({Errc::kUnavailable, "write: " + error.message()});
  }
  if (!reads_ && queue_.waiting() < options_.unread_answers_bytes_max / 2) Read();
}

void TcpConnection::FlushLater() {
  waits_for_room_ = true;
  socket_.async_wait(asio::socket_base::wait_write,
                     [self = shared_from_this()](const boost::system::error_code& error) {
                       self->waits_for_room_ = false;
                       if (!error) self->Flush();
                     });
}

void TcpConnection::Read() {
  reads_ = true;
  const std::span<char> space = input_.Space();
  socket_.async_read_some(
      asio::buffer(space.data(), space.size()),
      [self = shared_from_this()](const boost::system::error_code& error, size_t size) { self->OnRead(error, size); });
}

void TcpConnection::OnRead(const boost::system::error_code& error, size_t size) {
  if (closed_) return;
  if (error == asio::error::eof) return Break({Errc::kUnavailable, "closed by the peer"});
  if (error) return Break({Errc::kUnavailable, "read: " + error.message()});
  input_.Filled(size);
  if (!TakeFrames()) return;
  reads_ = false;
  if (queue_.waiting() < options_.unread_answers_bytes_max) Read();
}

// False: there is nothing more to read.
bool TcpConnection::TakeFrames() {
  const auto self = shared_from_this();
  for (;;) {
    const bool knew_version = input_.version().has_value();
    const auto frame = input_.Next();
    if (!knew_version && input_.version()) OnVersion(*input_.version());
    if (!frame) {
      Flush();  // Our hello tells the peer why, if it is a matter of versions.
      Break(frame.error());
      return false;
    }
    if (!*frame) return true;
    events_.on_frame(**frame);
    if (closed_) return false;
  }
}

void TcpConnection::OnVersion(uint8_t version) {
  queue_.SetVersion(version);
  Cork();
  if (events_.on_version) events_.on_version(version);
}

void TcpConnection::Break(Error error) {
  if (closed_) return;
  // The callback may hold what owns this.
  const auto self = shared_from_this();
  const auto on_broken = std::move(events_.on_broken);
  Close();
  on_broken(error);
}

void TcpConnection::Close() {
  if (closed_) return;
  closed_ = true;
  boost::system::error_code ignored;
  socket_.close(ignored);
}

}  // namespace dynamo
