// Accepts the peers' connections, on shard 0, and deals them out to the shards.
#ifndef DYNAMO_NODE_ADAPTER_TCP_LISTENER_H_
#define DYNAMO_NODE_ADAPTER_TCP_LISTENER_H_

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "node/adapter/host_port.h"
#include "node/adapter/shard_loop.h"
#include "node/adapter/tcp_transport.h"
#include "node/env/clock.h"

namespace dynamo {

// One port and one acceptor, not SO_REUSEPORT: a port in use must be an error, and
// peers are few and stay.
class TcpListener {
 public:
  struct Shard {
    ShardLoop* loop = nullptr;
    TcpTransport* transport = nullptr;
  };

  // Binds at once, so that a busy port is found before anything is started, and
  // accepts from Start on. The first shard's loop and clock carry the accepting.
  // All that is given outlives this; loops have ended when it goes.
  // kInvalidArgument, kUnavailable: says which address and why.
  static Result<std::unique_ptr<TcpListener>> Bind(HostPort address, std::vector<Shard> shards, Clock* clock);
  ~TcpListener();

  // On shard 0's thread, both.
  void Start();
  void Stop();

  // The port that is listened on: the kernel's choice when 0 was asked for.
  uint16_t port() const { return port_; }

 private:
  using Acceptor = asio::basic_socket_acceptor<asio::ip::tcp, Executor>;

  TcpListener(Acceptor acceptor, std::vector<Shard> shards, Clock* clock);
  void Accept();
  void OnAccepted(const boost::system::error_code& error, PeerSocket socket);

  Acceptor acceptor_;
  std::vector<Shard> shards_;
  Clock* clock_;
  uint16_t port_ = 0;
  size_t next_ = 0;
  TimerId pause_ = 0;
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_ADAPTER_TCP_LISTENER_H_
