#include "tests/lib/tls/tls_client.h"

#include <arpa/inet.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "common/base/check.h"

namespace dynamo {
namespace {

SSL_CTX* ClientContext(const TlsFiles& files) {
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  const auto reading = [](const std::string& pem) { return BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())); };
  if (!files.certificate.empty()) {
    BIO* in = reading(files.certificate);
    X509* certificate = PEM_read_bio_X509(in, nullptr, nullptr, nullptr);
    BIO* key_in = reading(files.key);
    EVP_PKEY* key = PEM_read_bio_PrivateKey(key_in, nullptr, nullptr, nullptr);
    DYNAMO_CHECK(SSL_CTX_use_certificate(context, certificate) == 1 && SSL_CTX_use_PrivateKey(context, key) == 1);
    X509_free(certificate);
    EVP_PKEY_free(key);
    BIO_free(in);
    BIO_free(key_in);
  }
  if (!files.authorities.empty()) {
    BIO* in = reading(files.authorities);
    while (X509* authority = PEM_read_bio_X509(in, nullptr, nullptr, nullptr)) {
      X509_STORE_add_cert(SSL_CTX_get_cert_store(context), authority);
      X509_free(authority);
    }
    BIO_free(in);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  }
  return context;
}

}  // namespace

TlsClient::TlsClient(const std::string& address, uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
  // OpenSSL writes without MSG_NOSIGNAL.
  std::signal(SIGPIPE, SIG_IGN);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  DYNAMO_CHECK(::inet_pton(AF_INET, address.c_str(), &to.sin_addr) == 1);
  const timeval limit{10, 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  if (::connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0) return;
  ::close(socket_);
  socket_ = -1;
}

TlsClient::~TlsClient() {
  SSL_free(session_);
  if (socket_ >= 0) ::close(socket_);
}

bool TlsClient::StartTls(const TlsFiles& files) {
  SSL_CTX* context = ClientContext(files);
  session_ = SSL_new(context);
  SSL_CTX_free(context);
  SSL_set_fd(session_, socket_);
  return SSL_connect(session_) == 1;
}

bool TlsClient::Send(std::string_view bytes) {
  if (session_ != nullptr) return SSL_write(session_, bytes.data(), static_cast<int>(bytes.size())) > 0;
  return ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
}

std::string TlsClient::Read(size_t size) {
  std::string out;
  char chunk[4096];
  while (out.size() < size) {
    const size_t wanted = std::min(sizeof chunk, size - out.size());
    const ssize_t got =
        session_ != nullptr ? SSL_read(session_, chunk, static_cast<int>(wanted)) : ::recv(socket_, chunk, wanted, 0);
    if (got <= 0) break;
    out.append(chunk, static_cast<size_t>(got));
  }
  return out;
}

}  // namespace dynamo
