#include "node/api/client_stream.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/error.hpp>

namespace dynamo {

std::optional<unsigned char> ClientStream::Peek() {
  unsigned char first = 0;
  if (::recv(socket_.native_handle(), &first, 1, MSG_PEEK | MSG_DONTWAIT) != 1) return std::nullopt;
  return first;
}

Async<bool> ClientStream::Secure(TlsKeeper* keeper) {
  tls_ = std::make_unique<asio::ssl::stream<Socket&>>(socket_, keeper->context()->NewSession().release());
  boost::system::error_code error;
  co_await tls_->async_handshake(asio::ssl::stream_base::server, asio::redirect_error(kUseAwaitable, error));
  if (error) {
    const bool of_tls = error.category() == asio::error::get_ssl_category();
    TlsRefusal why = TlsRefusalOf(tls_->native_handle(), of_tls ? static_cast<unsigned>(error.value()) : 0u);
    if (!of_tls) why.detail += ": " + error.message();
    keeper->Refused(why, Client());
    co_return false;
  }
  keeper->CountHandshake();
  is_admin_ = keeper->use() == TlsUse::kAdmin && PeerName(tls_->native_handle(), TlsUse::kAdmin).has_value();
  co_return true;
}

std::string ClientStream::Client() const {
  boost::system::error_code error;
  const auto client = socket_.remote_endpoint(error);
  if (error) return "?";
  const std::string address = client.address().to_string();
  return fmt::format(fmt::runtime(client.address().is_v6() ? "[{}]:{}" : "{}:{}"), address, client.port());
}

}  // namespace dynamo
