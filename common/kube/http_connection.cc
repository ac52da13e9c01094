#include "common/kube/http_connection.h"

#include <fmt/format.h>
#include <httplib.h>
#include <netinet/tcp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <charconv>
#include <chrono>
#include <utility>

namespace dynamo::kube {
namespace {

constexpr size_t kBodyBytesMax = size_t{256} << 20;

using X509Ptr = std::unique_ptr<X509, decltype(&X509_free)>;
using KeyPtr = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using BioPtr = std::unique_ptr<BIO, decltype(&BIO_free)>;

BioPtr Reading(const std::string& pem) {
  return {BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &BIO_free};
}

X509Ptr ReadCertificate(BIO* bio) { return {PEM_read_bio_X509(bio, nullptr, nullptr, nullptr), &X509_free}; }

// nullptr: it holds no certificate. SSL_CTX takes ownership.
X509_STORE* ReadAuthorities(const std::string& pem) {
  const BioPtr bio = Reading(pem);
  X509_STORE* store = X509_STORE_new();
  bool any = false;
  while (const X509Ptr certificate = ReadCertificate(bio.get()))
    any = X509_STORE_add_cert(store, certificate.get()) == 1;
  if (any) return store;
  X509_STORE_free(store);
  return nullptr;
}

Result<std::unique_ptr<httplib::ClientImpl>> MakeClient(const KubeConfig& config) {
  if (!config.tls) return std::make_unique<httplib::ClientImpl>(config.host, config.port);
  std::unique_ptr<httplib::SSLClient> client;
  if (config.client_certificate_pem.empty()) {
    client = std::make_unique<httplib::SSLClient>(config.host, config.port);
  } else {
    const X509Ptr certificate = ReadCertificate(Reading(config.client_certificate_pem).get());
    const KeyPtr key(PEM_read_bio_PrivateKey(Reading(config.client_key_pem).get(), nullptr, nullptr, nullptr),
                     &EVP_PKEY_free);
    if (!certificate || !key) return Fail(Errc::kInvalidArgument, "the client certificate or its key is no PEM");
    client = std::make_unique<httplib::SSLClient>(config.host, config.port, certificate.get(), key.get());
  }
  if (!client->is_valid()) return Fail(Errc::kInvalidArgument, "the client certificate does not fit its key");
  if (!config.ca_pem.empty()) {
    X509_STORE* store = ReadAuthorities(config.ca_pem);
    if (store == nullptr) return Fail(Errc::kInvalidArgument, "the authority's certificate is no PEM");
    client->set_ca_cert_store(store);
  }
  client->enable_server_certificate_verification(true);
  return client;
}

// Finds a peer that is gone without a word within about half a minute.
void KeepAlive(int socket) {
  const int on = 1, idle_seconds = 15, between_seconds = 5, probes = 3;
  setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
  setsockopt(socket, IPPROTO_TCP, TCP_KEEPIDLE, &idle_seconds, sizeof(idle_seconds));
  setsockopt(socket, IPPROTO_TCP, TCP_KEEPINTVL, &between_seconds, sizeof(between_seconds));
  setsockopt(socket, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));
}

std::optional<Duration> RetryAfter(const httplib::Response& response) {
  const std::string text = response.get_header_value("Retry-After");
  int seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (text.empty() || error != std::errc() || seconds < 0) return std::nullopt;
  return std::chrono::seconds(seconds);
}

httplib::Request RequestOf(const HttpCall& call) {
  httplib::Request request;
  request.method = call.method;
  request.path = call.path;
  request.body = call.body;
  request.set_header("Accept", "application/json");
  if (!call.content_type.empty()) request.set_header("Content-Type", call.content_type);
  if (!call.token.empty()) request.set_header("Authorization", "Bearer " + call.token);
  return request;
}

bool NothingSent(httplib::Error error) {
  return error == httplib::Error::Connection || error == httplib::Error::ConnectionTimeout;
}

}  // namespace

struct HttpConnection::State {
  std::string where;
  Timeouts timeouts;
  std::unique_ptr<httplib::ClientImpl> client;

  tl::expected<HttpReply, HttpFailure> Run(const HttpCall& call, const OnPiece& on_success_piece) {
    httplib::Request request = RequestOf(call);
    HttpReply reply;
    int status = 0;
    const auto begun = std::chrono::steady_clock::now();
    request.response_handler = [&status](const httplib::Response& response) {
      status = response.status;
      return true;
    };
    request.content_receiver = [&](const char* data, size_t size, uint64_t, uint64_t) {
      if (on_success_piece && status / 100 == 2) return on_success_piece({data, size});
      reply.body.append(data, size);
      return reply.body.size() <= kBodyBytesMax && std::chrono::steady_clock::now() - begun < timeouts.whole;
    };
    httplib::Response response;
    httplib::Error error = httplib::Error::Success;
    if (!client->send(request, response, error)) {
      return tl::unexpected(HttpFailure{NothingSent(error), fmt::format("{} {} at {}: {}", call.method, call.path,
                                                                        where, httplib::to_string(error))});
    }
    reply.status = response.status;
    reply.retry_after = RetryAfter(response);
    return reply;
  }
};

Result<std::unique_ptr<HttpConnection>> HttpConnection::Make(const KubeConfig& config, Timeouts timeouts) {
  auto client = MakeClient(config);
  if (!client) return Fail(client.error());
  (*client)->set_connection_timeout(timeouts.connect);
  (*client)->set_read_timeout(timeouts.read);
  (*client)->set_write_timeout(timeouts.read);
  (*client)->set_keep_alive(true);
  (*client)->set_tcp_nodelay(true);
  (*client)->set_url_encode(false);  // Paths come encoded.
  (*client)->set_socket_options(KeepAlive);
  return std::unique_ptr<HttpConnection>(
      new HttpConnection(std::make_unique<State>(State{config.where(), timeouts, std::move(*client)})));
}

HttpConnection::HttpConnection(std::unique_ptr<State> state) : state_(std::move(state)) {}
HttpConnection::~HttpConnection() = default;

tl::expected<HttpReply, HttpFailure> HttpConnection::Send(const HttpCall& call) { return state_->Run(call, nullptr); }

tl::expected<HttpReply, HttpFailure> HttpConnection::Stream(const HttpCall& call, const OnPiece& on_piece) {
  return state_->Run(call, on_piece);
}

void HttpConnection::Stop() { state_->client->stop(); }

}  // namespace dynamo::kube
