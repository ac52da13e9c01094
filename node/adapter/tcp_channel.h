// This shard's way to whoever listens at one address: at most one connection, made
// when there is something to say, and the calls that wait on it.
#ifndef DYNAMO_NODE_ADAPTER_TCP_CHANNEL_H_
#define DYNAMO_NODE_ADAPTER_TCP_CHANNEL_H_

#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "node/adapter/call_table.h"
#include "node/adapter/host_port.h"
#include "node/adapter/tcp_connection.h"
#include "node/env/clock.h"
#include "node/env/transport.h"

namespace dynamo {

struct TcpChannelOptions {
  Duration connect_timeout{1'000'000};
  Duration reconnect_min{50'000};  // From one attempt to the next.
  size_t queue_bytes_max = 64u << 20;
  uint32_t calls_in_flight_max = 16'384;
  TcpConnectionOptions connection;
};

// Owned by shared_ptr; single-threaded.
class TcpChannel : public std::enable_shared_from_this<TcpChannel> {
 public:
  // `unreachable` is called when the connection broke or could not be made, before
  // the calls on it fail. `clock` and `corked` outlive this, or its Close.
  using Unreachable = std::function<void(const TcpChannel&, const Error&)>;
  TcpChannel(Executor executor, Clock* clock, CorkedConnections* corked, TcpChannelOptions options, std::string address,
             Unreachable unreachable);
  ~TcpChannel() { Close(); }

  // As Transport::Call. `header` lacks the call's id and what is left of the deadline.
  void Call(FrameHeader header, SharedBytes body, TimePoint deadline, ReplyCallback reply);

  // Drops the connection and, unanswered, the calls. For good.
  void Close();
  // Closes the connection if nothing waits on it; a later call makes a new one.
  void CloseIdle();

  const std::string& address() const { return address_; }
  bool connected() const { return connection_ && connection_->open(); }
  size_t calls() const { return calls_.size(); }
  TimePoint last_used() const { return last_used_; }

 private:
  using Resolver = asio::ip::basic_resolver<asio::ip::tcp, Executor>;

  // Why a call with `bytes` of body cannot be taken now; empty: it can.
  std::string Refusal(size_t bytes);
  void Connect();
  void StartConnectTimer();
  void ConnectTo(std::vector<asio::ip::tcp::endpoint> endpoints);
  void ConnectInPlaintext();
  void OnConnected(const boost::system::error_code& error);
  void OnFrame(const ParsedFrame& frame);
  void OnDeadline(uint64_t call_id);
  void Break(const Error& error);
  void FailLater(ReplyCallback reply, std::string why);

  Executor executor_;
  Clock* clock_;
  CorkedConnections* corked_;
  TcpChannelOptions options_;
  std::string address_;
  Unreachable unreachable_;
  Resolver resolver_;
  std::shared_ptr<TcpConnection> connection_;  // nullptr: none, and none is being made.
  CallTable calls_;
  TimerId connect_timer_ = 0;
  std::vector<asio::ip::tcp::endpoint> endpoints_;  // Of the latest attempt.
  TimePoint next_attempt_;
  TimePoint last_used_;
  std::string last_error_;
  bool closed_ = false;
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_ADAPTER_TCP_CHANNEL_H_
