// What a client's connection is read and written through: plaintext or, once it has been
// secured, TLS.
#ifndef DYNAMO_NODE_API_CLIENT_STREAM_H_
#define DYNAMO_NODE_API_CLIENT_STREAM_H_

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "common/tls/keeper.h"
#include "node/env/async.h"

namespace dynamo {

// One branch for each read or write, whatever its size.
class ClientStream {
 public:
  using Socket = asio::basic_stream_socket<asio::ip::tcp, Executor>;
  using executor_type = Executor;  // As Asio names it.

  explicit ClientStream(Socket socket) : socket_(std::move(socket)) {}

  Executor get_executor() { return socket_.get_executor(); }
  Socket& socket() { return socket_; }

  template <class Buffers, class Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    if (tls_) return tls_->async_read_some(buffers, std::forward<Token>(token));
    return socket_.async_read_some(buffers, std::forward<Token>(token));
  }
  template <class Buffers, class Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    if (tls_) return tls_->async_write_some(buffers, std::forward<Token>(token));
    return socket_.async_write_some(buffers, std::forward<Token>(token));
  }

  // The first byte that waits to be read; nullopt: there is none, the client has gone.
  std::optional<unsigned char> Peek();
  // The handshake; false: it failed, which was counted and logged. `keeper` outlives this.
  Async<bool> Secure(TlsKeeper* keeper);
  bool secured() const { return tls_ != nullptr; }
  // After Secure with an administrator's certificate.
  bool is_admin() const { return is_admin_; }
  // "10.0.0.1:4711".
  std::string Client() const;

 private:
  Socket socket_;
  std::unique_ptr<asio::ssl::stream<Socket&>> tls_;
  bool is_admin_ = false;
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_API_CLIENT_STREAM_H_
