#include "node/api/admin_guard.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <utility>

#include "common/tls/files.h"

namespace dynamo {
namespace {

constexpr std::string_view kBearer = "Bearer ";
constexpr std::string_view kSpace = " \t\r\n";

Result<std::string> ReadToken(const std::string& file) {
  auto text = ReadSmallFile(file);
  if (!text) return text;
  text->erase(0, std::min(text->find_first_not_of(kSpace), text->size()));
  text->erase(text->find_last_not_of(kSpace) + 1);
  if (text->empty()) return Fail(Errc::kInvalidArgument, file + " holds no token");
  return text;
}

// In the same time wherever they differ.
bool Same(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace

bool NeedsNoCredentials(std::string_view target) {
  const std::string_view path = target.substr(0, target.find('?'));
  return path == "/healthz" || path == "/readyz" || path == "/metrics";
}

AdminGuard::AdminGuard(std::string token_file, std::string token, Metrics* metrics, Logger log)
    : token_file_(std::move(token_file)),
      token_(std::move(token)),
      log_(std::move(log)),
      refused_total_(metrics->counter("dynamo_admin_requests_refused_total",
                                      "Requests to the admin API without a token or certificate that counts.")) {}

Result<std::unique_ptr<AdminGuard>> AdminGuard::Open(std::string token_file, Metrics* metrics, Logger log) {
  std::string token;
  if (!token_file.empty()) {
    auto read = ReadToken(token_file);
    if (!read) return Fail(std::move(read.error()));
    token = std::move(*read);
  }
  return std::unique_ptr<AdminGuard>(new AdminGuard(std::move(token_file), std::move(token), metrics, std::move(log)));
}

void AdminGuard::Look() {
  if (token_file_.empty()) return;
  auto token = ReadToken(token_file_);
  const std::string error = token ? "" : token.error().message;
  if (!error.empty() && error != last_error_) {
    log_.Error("admin_token_unreadable error=\"{}\" doing=\"the token from before stays in use\"", error);
  }
  last_error_ = error;
  if (!token || *token == token_) return;
  token_ = std::move(*token);
  log_.Info("admin_token_reloaded file={}", token_file_);
}

std::optional<HttpResponse> AdminGuard::Refuse(const HttpRequest& request, bool is_admin) {
  namespace http = boost::beast::http;
  if (is_admin || NeedsNoCredentials(request.target())) return std::nullopt;
  const std::string_view given = request[http::field::authorization];
  const bool right = !token_.empty() && given.starts_with(kBearer) && Same(given.substr(kBearer.size()), token_);
  if (right) return std::nullopt;
  refused_total_.Add();
  HttpResponse response =
      JsonResponse(HttpStatus::unauthorized,
                   "{\"error\":\"this node wants an administrator's token (Authorization: Bearer ...) or certificate\","
                   "\"code\":\"unauthorized\"}\n");
  response.set(http::field::www_authenticate, "Bearer");
  return response;
}

}  // namespace dynamo
