// A blocking client that begins in plaintext and may go over to TLS.
#ifndef DYNAMO_TESTS_LIB_TLS_TLS_CLIENT_H_
#define DYNAMO_TESTS_LIB_TLS_TLS_CLIENT_H_

#include <openssl/types.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "common/tls/files.h"

namespace dynamo {

class TlsClient {
 public:
  // To an IPv4 address; what follows fails if nobody listens there.
  TlsClient(const std::string& address, uint16_t port);
  ~TlsClient();
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  // The handshake: shows the certificate, if there is one, and wants one of the authorities,
  // if there are any. True: the server's was good; what it thinks of ours comes later.
  bool StartTls(const TlsFiles& files = {});
  bool Send(std::string_view bytes);
  // Until `size` bytes have come, the server has closed, or ten seconds have passed.
  std::string Read(size_t size);
  std::string ReadToEnd() { return Read(SIZE_MAX); }

 private:
  int socket_;
  SSL* session_ = nullptr;  // Owned; nullptr: plaintext.
};

}  // namespace dynamo

#endif  // DYNAMO_TESTS_LIB_TLS_TLS_CLIENT_H_
