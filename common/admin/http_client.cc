#include "common/admin/http_client.h"

#include <httplib.h>

#include <fstream>

namespace dynamo::admin {

std::unique_ptr<httplib::Client> MakeHttpClient(const Endpoint& endpoint) {
  const Credentials& with = endpoint.with;
  auto client = std::make_unique<httplib::Client>(WithScheme(endpoint.url), with.certificate_file, with.key_file);
  if (!with.ca_file.empty()) client->set_ca_cert_path(with.ca_file.c_str());
  std::string token;
  if (!with.token_file.empty() && std::ifstream(with.token_file) >> token) client->set_bearer_token_auth(token.c_str());
  std::ifstream password_file(with.password_file);
  std::string password;
  if (!with.user.empty() && std::getline(password_file, password)) client->set_basic_auth(with.user, password);
  return client;
}

std::string WithScheme(const std::string& endpoint) {
  return endpoint.find("://") == std::string::npos ? "http://" + endpoint : endpoint;
}

Errc CodeOf(int status) {
  switch (status) {
    case 400: return Errc::kInvalidArgument;
    case 404: return Errc::kNotFound;
    case 409:
    case 412: return Errc::kConflict;
    case 413:
    case 414: return Errc::kTooLarge;
    case 422: return Errc::kTooManySiblings;
    case 501: return Errc::kUnsupported;
    case 503: return Errc::kUnavailable;
    default: return Errc::kInternal;
  }
}

}  // namespace dynamo::admin
