#include "node/adapter/tcp_channel.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/connect.hpp>
#include <boost/asio/post.hpp>
#include <utility>

namespace dynamo {
namespace {

uint32_t MillisecondsUntil(TimePoint deadline, TimePoint now) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - now).count();
  return static_cast<uint32_t>(std::clamp<int64_t>(left, 1, UINT32_MAX));
}

}  // namespace

TcpChannel::TcpChannel(Executor executor, Clock* clock, CorkedConnections* corked, TcpChannelOptions options,
                       std::string address, Unreachable unreachable)
    : executor_(executor),
      clock_(clock),
      corked_(corked),
      options_(options),
      address_(std::move(address)),
      unreachable_(std::move(unreachable)),
      resolver_(executor) {}

void TcpChannel::Call(FrameHeader header, SharedBytes body, TimePoint deadline, ReplyCallback reply) {
  if (closed_) return;
  if (!connection_) Connect();
  if (std::string why = Refusal(body->size()); !why.empty()) return FailLater(std::move(reply), std::move(why));

  last_used_ = clock_->Now();
  header.timeout_ms = MillisecondsUntil(deadline, last_used_);
  header.call_id = calls_.Add({std::move(reply)});
  connection_->Send(header, std::move(body));
  PendingCall& call = *calls_.Find(header.call_id);
  call.end_offset = connection_->queue().appended();
  call.timer = clock_->At(deadline, [this, id = header.call_id] { OnDeadline(id); });
}

std::string TcpChannel::Refusal(size_t bytes) {
  if (!connection_) return fmt::format("no connection to {}: {}", address_, last_error_);
  if (bytes > kFrameBytesMax - kFrameHeaderBytes) return fmt::format("a message of {} bytes is too large", bytes);
  const size_t waiting = connection_->queue().waiting();
  if (waiting > 0 && waiting + bytes > options_.queue_bytes_max) {
    return fmt::format("{} bytes wait to be sent to {}", waiting, address_);
  }
  if (calls_.size() >= options_.calls_in_flight_max) {
    return fmt::format("{} calls wait for answers of {}", calls_.size(), address_);
  }
  return {};
}

void TcpChannel::Connect() {
  const TimePoint now = clock_->Now();
  if (now < next_attempt_) return;
  next_attempt_ = now + options_.reconnect_min;
  const auto target = ParseHostPort(address_);
  if (!target) {
    last_error_ = target.error().message;
    return;
  }

  TcpConnection::Events events;
  events.on_frame = [this](const ParsedFrame& frame) { OnFrame(frame); };
  events.on_plaintext = [this] { ConnectInPlaintext(); };
  events.on_broken = [this](const Error& error) { Break(error); };
  connection_ = std::make_shared<TcpConnection>(PeerSocket(executor_), options_.connection, corked_, std::move(events));
  StartConnectTimer();

  boost::system::error_code is_name;
  const auto ip = asio::ip::make_address(target->host, is_name);
  if (!is_name) return ConnectTo({{ip, target->port}});
  resolver_.async_resolve(target->host, std::to_string(target->port),
                          [weak = weak_from_this(), attempt = std::weak_ptr(connection_)](
                              const boost::system::error_code& error, const Resolver::results_type& found) {
                            const auto self = weak.lock();
                            if (!self || !self->connection_ || attempt.lock() != self->connection_) return;
                            if (error) return self->Break({Errc::kUnavailable, "resolve: " + error.message()});
                            self->ConnectTo({found.begin(), found.end()});
                          });
}

void TcpChannel::StartConnectTimer() {
  connect_timer_ = clock_->At(clock_->Now() + options_.connect_timeout,
                              [this] { Break({Errc::kUnavailable, "no connection within the time limit"}); });
}

// Whoever listens there has not come to TLS yet.
void TcpChannel::ConnectInPlaintext() {
  connection_->StartAgain();
  StartConnectTimer();
  ConnectTo(endpoints_);
}

void TcpChannel::ConnectTo(std::vector<asio::ip::tcp::endpoint> endpoints) {
  auto attempt = connection_;
  endpoints_ = std::move(endpoints);
  auto targets = std::make_shared<const std::vector<asio::ip::tcp::endpoint>>(endpoints_);
  asio::async_connect(attempt->socket(), *targets,
                      [weak = weak_from_this(), attempt, targets](const boost::system::error_code& error,
                                                                  const asio::ip::tcp::endpoint&) {
                        const auto self = weak.lock();
                        if (self && attempt == self->connection_) self->OnConnected(error);
                      });
}

void TcpChannel::OnConnected(const boost::system::error_code& error) {
  if (error) return Break({Errc::kUnavailable, "connect: " + error.message()});
  clock_->Cancel(std::exchange(connect_timer_, 0));
  connection_->Open(TlsRole::kCaller);
}

void TcpChannel::OnFrame(const ParsedFrame& frame) {
  if (frame.header.kind == FrameKind::kRequest) return;  // Requests come on the peer's own connection.
  auto call = calls_.Take(frame.header.call_id);
  if (!call) return;  // Its deadline has passed.
  clock_->Cancel(call->timer);
  if (frame.header.kind == FrameKind::kRefused) {
    call->reply(Fail(Errc::kUnavailable, fmt::format("refused by {}: {}", address_, frame.body)));
  } else {
    call->reply(Bytes(frame.body));
  }
}

void TcpChannel::OnDeadline(uint64_t call_id) {
  auto call = calls_.Take(call_id);
  if (call) call->reply(Fail(Errc::kTimeout, fmt::format("no answer from {} by the deadline", address_)));
}

// A request whose last byte was not given to the socket cannot have been processed.
void TcpChannel::Break(const Error& error) {
  const auto self = shared_from_this();
  clock_->Cancel(std::exchange(connect_timer_, 0));
  const auto broken = std::exchange(connection_, nullptr);
  broken->Close();
  const uint64_t handed_over = broken->queue().consumed();
  last_error_ = error.message;
  auto calls = calls_.TakeAll();
  for (const PendingCall& call : calls) clock_->Cancel(call.timer);
  unreachable_(*this, error);
  for (PendingCall& call : calls) {
    if (closed_) return;
    const bool sent = call.end_offset <= handed_over;
    call.reply(Fail(sent ? Errc::kTimeout : Errc::kUnavailable,
                    fmt::format("connection to {} {}: {}", address_,
                                sent ? "broke before the answer came" : "could not be used", error.message)));
  }
}

void TcpChannel::Close() {
  closed_ = true;
  CloseIdle();
  for (const PendingCall& call : calls_.TakeAll()) clock_->Cancel(call.timer);
}

void TcpChannel::CloseIdle() {
  resolver_.cancel();
  clock_->Cancel(std::exchange(connect_timer_, 0));
  if (const auto connection = std::exchange(connection_, nullptr)) connection->Close();
}

void TcpChannel::FailLater(ReplyCallback reply, std::string why) {
  asio::post(executor_, [weak = weak_from_this(), reply = std::move(reply), why = std::move(why)] {
    const auto self = weak.lock();
    if (self && !self->closed_) reply(Fail(Errc::kUnavailable, why));
  });
}

}  // namespace dynamo
