// HTTP requests of users: who they say they are, and what they ask for.
#ifndef DYNAMO_NODE_API_HTTP_GUARD_H_
#define DYNAMO_NODE_API_HTTP_GUARD_H_

#include <boost/beast/http/verb.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "common/users/users.h"
#include "node/api/door_env.h"
#include "node/api/http_route.h"
#include "node/api/http_server.h"
#include "node/env/async.h"

namespace dynamo {

struct HttpCaller {
  boost::beast::http::verb method;
  std::string target, authorization;  // As they came.
  bool secured = false;
  std::string client;  // Its address.
};

// nullopt: let it through. Else 401, 403, 426, or 503 when too many come at once. `env`
// has a guard and outlives the answer.
Async<std::optional<HttpResponse>> RefuseHttp(const DoorEnv* env, HttpCaller caller);

// "Basic ..." -> name and password; nullopt: it is nothing of the kind.
std::optional<std::pair<std::string, std::string>> ParseBasic(std::string_view authorization);
// What a user must be allowed; nullopt: nothing in particular.
std::optional<Permission> PermissionOf(HttpRoute::Kind kind, boost::beast::http::verb method);

}  // namespace dynamo

#endif  // DYNAMO_NODE_API_HTTP_GUARD_H_
