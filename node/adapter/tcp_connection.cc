#include "node/adapter/tcp_connection.h"

#include <fmt/format.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <utility>

#include "node/adapter/host_port.h"

namespace dynamo {
namespace {

using UserTimeout = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_USER_TIMEOUT>;
using KeepIdle = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_KEEPIDLE>;
using KeepInterval = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_KEEPINTVL>;
using KeepCount = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_KEEPCNT>;

constexpr int kKeepAliveSeconds = 5;
constexpr int kKeepAliveProbes = 3;
constexpr size_t kSealedBytes = 32 << 10;  // Read at once; a record is 16 KiB at most.
constexpr unsigned char kTlsAlert = 0x15;  // The first byte of an answer that is a refusal.

}  // namespace

TcpConnection::TcpConnection(PeerSocket socket, TcpConnectionOptions options, CorkedConnections* corked, Events events)
    : socket_(std::move(socket)),
      options_(options),
      corked_(corked),
      events_(std::move(events)),
      input_(options.versions) {
  queue_.AppendRaw(EncodeHello(options.versions));
}

void TcpConnection::Open(TlsRole role) {
  if (closed_) return;
  Configure();
  if (options_.tls == nullptr || heard_) return Begin();
  role_ = role;
  sealed_.resize(kSealedBytes);
  if (role == TlsRole::kCaller) {
    engine_ = std::make_unique<TlsEngine>(options_.tls->context()->NewSession(), role);
    if (!Shake()) return;
  }
  Read();
}

// Frames flow.
void TcpConnection::Begin() {
  open_ = true;
  if (!reads_) Read();
  Cork();
}

void TcpConnection::StartAgain() {
  boost::system::error_code ignored;
  socket_.close(ignored);
  socket_ = PeerSocket(socket_.get_executor());
  engine_.reset();
  reads_ = false;
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
  engine_ ? FlushSealed() : FlushPlain();
  if (closed_) return;
  if (!reads_ && queue_.waiting() < options_.unread_answers_bytes_max / 2) Read();
}

void TcpConnection::FlushPlain() {
  while (!queue_.empty()) {
    queue_.Buffers(&buffers_);
    boost::system::error_code error;
    const size_t written = socket_.write_some(buffers_, error);
    queue_.Consume(written);
    if (error == asio::error::would_block || error == asio::error::try_again) return FlushLater();
    if (error) return Break({Errc::kUnavailable, "write: " + error.message()});
  }
}

// What is encrypted counts as handed over: it may be on its way at any time.
void TcpConnection::FlushSealed() {
  while (WriteSealed() && open_ && !queue_.empty()) {
    queue_.Buffers(&buffers_);
    queue_.Consume(engine_->Write(buffers_));
  }
}

// False: there is no room, or the connection broke.
bool TcpConnection::WriteSealed() {
  while (!engine_->output().empty()) {
    boost::system::error_code error;
    const std::string_view output = engine_->output();
    engine_->Sent(socket_.write_some(asio::buffer(output.data(), output.size()), error));
    if (error == asio::error::would_block || error == asio::error::try_again) {
      FlushLater();
      return false;
    }
    if (error) {
      Break({Errc::kUnavailable, "write: " + error.message()});
      return false;
    }
  }
  return true;
}

void TcpConnection::FlushLater() {
  waits_for_room_ = true;
  socket_.async_wait(asio::socket_base::wait_write,
                     [self = shared_from_this()](const boost::system::error_code& error) {
                       self->waits_for_room_ = false;
                       if (error || self->closed_) return;
                       // In a handshake there is more to write than frames.
                       self->open_ || !self->engine_ ? self->Flush() : self->FlushSealed();
                     });
}

void TcpConnection::Read() {
  reads_ = true;
  const bool sealed = options_.tls != nullptr && (engine_ || !heard_);
  const std::span<char> space = sealed ? std::span<char>(sealed_) : input_.Space();
  socket_.async_read_some(
      asio::buffer(space.data(), space.size()),
      [self = shared_from_this()](const boost::system::error_code& error, size_t size) { self->OnRead(error, size); });
}

void TcpConnection::OnRead(const boost::system::error_code& error, size_t size) {
  if (closed_) return;
  if (error == asio::error::eof) return Break({Errc::kUnavailable, "closed by the peer"});
  if (error) return Break({Errc::kUnavailable, "read: " + error.message()});
  if (options_.tls == nullptr || (heard_ && !engine_)) {
    input_.Filled(size);
    if (!TakeFrames()) return;
  } else {
    const auto self = shared_from_this();
    const std::string_view bytes(sealed_.data(), size);
    if (!(heard_ ? OnSealed(bytes) : OnFirstBytes(bytes))) return;
  }
  reads_ = false;
  if (queue_.waiting() < options_.unread_answers_bytes_max) Read();
}

// False, as of those below: nothing more is to be read, for now or for ever.
bool TcpConnection::OnFirstBytes(std::string_view bytes) {
  heard_ = true;
  const auto first = static_cast<unsigned char>(bytes.front());
  if (first != kTlsFirstByte && !(role_ == TlsRole::kCaller && first == kTlsAlert)) return OnPlaintext(bytes);
  if (!engine_) engine_ = std::make_unique<TlsEngine>(options_.tls->context()->NewSession(), role_);
  return OnSealed(bytes);
}

bool TcpConnection::OnPlaintext(std::string_view bytes) {
  if (options_.tls->required()) {
    Refuse({TlsReason::kPlaintext, "wanted TLS"});
    return false;
  }
  if (role_ == TlsRole::kCaller) {
    events_.on_plaintext();
    return false;
  }
  const std::span<char> space = input_.Space();
  std::ranges::copy(bytes, space.begin());  // An empty buffer has room for more than was read.
  input_.Filled(bytes.size());
  open_ = true;
  Cork();
  return TakeFrames();
}

bool TcpConnection::OnSealed(std::string_view bytes) {
  engine_->Receive(bytes);
  if (!open_ && !Shake()) return false;
  while (open_) {
    const std::span<char> space = input_.Space();
    const auto size = engine_->Read(space);
    if (!size) {
      if (engine_->refusal()) {
        Refuse(*engine_->refusal());
      } else {
        Break({Errc::kUnavailable, "closed by the peer"});
      }
      return false;
    }
    if (*size == 0) break;
    input_.Filled(*size);
    if (!TakeFrames()) return false;
  }
  // Of TLS itself; frames leave at the end of the wake-up.
  if (!waits_for_room_) WriteSealed();
  return !closed_;
}

bool TcpConnection::Shake() {
  const TlsEngine::Progress progress = engine_->Shake();
  if (!waits_for_room_) WriteSealed();
  if (closed_) return false;
  if (progress == TlsEngine::Progress::kFailed) {
    Refuse(*engine_->refusal());
    return false;
  }
  if (progress == TlsEngine::Progress::kWaits) return true;
  options_.tls->CountHandshake();
  if (const auto name = engine_->peer_name()) only_from_ = name->node;
  open_ = true;
  Cork();
  return true;
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
    if (const NodeId from = (*frame)->header.from; only_from_ && from != only_from_) {
      Refuse({TlsReason::kWrongName,
              fmt::format("certificate of node {}: came with a frame of {}", ToString(only_from_), ToString(from))});
      return false;
    }
    events_.on_frame(**frame);
    if (closed_) return false;
  }
}

void TcpConnection::OnVersion(uint8_t version) {
  queue_.SetVersion(version);
  Cork();
  if (events_.on_version) events_.on_version(version);
}

void TcpConnection::Refuse(const TlsRefusal& why) {
  boost::system::error_code unknown;
  const auto peer = socket_.remote_endpoint(unknown);
  options_.tls->Refused(why, unknown ? "?" : ToString(HostPort{peer.address().to_string(), peer.port()}));
  Break({Errc::kUnavailable, fmt::format("refused, {}: {}", TlsReasonName(why.reason), why.detail)});
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
