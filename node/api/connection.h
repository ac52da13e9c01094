// Client connections of one door on one shard: accepted, bounded in number, and
// closed when a deadline passes, so that a slow or silent client costs nothing.
// Drained before the node stops: requests under way are answered, then all are closed.
#ifndef DYNAMO_NODE_API_CONNECTION_H_
#define DYNAMO_NODE_API_CONNECTION_H_

#include <boost/asio/basic_waitable_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <set>

#include "common/base/metrics.h"
#include "node/api/client_stream.h"
#include "node/api/limits.h"
#include "node/env/async.h"

namespace dynamo {

class Connection {
 public:
  using Socket = ClientStream::Socket;

  explicit Connection(Socket socket) : stream_(std::move(socket)) {}

  ClientStream& stream() { return stream_; }
  // The connection is closed unless another deadline is set by then.
  void SetDeadline(std::chrono::milliseconds from_now) {
    deadline_ = std::chrono::steady_clock::now() + from_now;
    idle_ = false;
  }
  // The same while no request has begun, and sooner when the connection is to end.
  void SetIdle(std::chrono::milliseconds timeout);
  // While a request runs, the request's own deadline rules.
  void ClearDeadline() { deadline_ = std::chrono::steady_clock::time_point::max(); }
  // No request after the one that is under way, or that comes within kLastRequestTime.
  void EndSoon();
  // The answer that is being made is the last one.
  bool ending() const { return ending_; }
  bool IsLate(std::chrono::steady_clock::time_point now) const { return now >= deadline_; }
  void Close();

  // A client that has sent a request before it could know gets its answer.
  static constexpr std::chrono::milliseconds kLastRequestTime{1000};

 private:
  ClientStream stream_;
  bool idle_ = false;
  bool ending_ = false;
  std::chrono::steady_clock::time_point deadline_ = std::chrono::steady_clock::time_point::max();
};

// Runs `serve` for each connection; when it ends, the connection is closed. Every
// call on the shard's thread.
class ConnectionSet {
 public:
  using Serve = std::function<Async<>(std::shared_ptr<Connection>)>;

  ConnectionSet(Executor executor, DoorLimits limits, Gauge* open, Counter* refused, Serve serve);
  ~ConnectionSet();
  ConnectionSet(const ConnectionSet&) = delete;
  ConnectionSet& operator=(const ConnectionSet&) = delete;

  // Takes over an accepted IPv4 or IPv6 socket (its descriptor). Above
  // connections_max it is closed at once.
  void Adopt(int descriptor, bool ipv6);
  // Ends all after their last answers; `done` is called, once, when none is left.
  void Drain(std::function<void()> done);
  // Closes all; what is being served ends with an error on its socket.
  void CloseAll();
  size_t size() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_API_CONNECTION_H_
