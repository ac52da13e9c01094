// What our clients of a node's HTTP ports have in common.
#ifndef DYNAMO_COMMON_ADMIN_HTTP_CLIENT_H_
#define DYNAMO_COMMON_ADMIN_HTTP_CLIENT_H_

#include <memory>
#include <string>
#include <utility>

#include "common/base/result.h"

namespace httplib {
class Client;
}

namespace dynamo::admin {

// Files in PEM, but for the token; each may be missing (empty).
struct Credentials {
  std::string ca_file;  // Whom to trust at https; without it those whom the system trusts.
  std::string certificate_file, key_file;
  std::string token_file;  // Its token is shown as a bearer's.
  // Of the clients' door; the password is the file's first line.
  std::string user, password_file;
};

// Of a node's port: "host:port", "http://..." or "https://...".
struct Endpoint {
  std::string url;
  Credentials with;

  // Implicit: an address alone is an endpoint, mostly.
  Endpoint(std::string address, Credentials credentials = {}) : url(std::move(address)), with(std::move(credentials)) {}
};

// Connects when it is first used. A token or password that cannot be read is not shown.
std::unique_ptr<httplib::Client> MakeHttpClient(const Endpoint& endpoint);

// "host:port" or a URL -> a URL.
std::string WithScheme(const std::string& endpoint);

// What a status other than success says of the request.
Errc CodeOf(int status);

}  // namespace dynamo::admin

#endif  // DYNAMO_COMMON_ADMIN_HTTP_CLIENT_H_
