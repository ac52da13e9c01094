#include "node/api/http_guard.h"

#include <boost/beast/core/string.hpp>

#include "common/base/base64.h"
#include "node/api/client_guard.h"
#include "node/api/http_door.h"

namespace dynamo {
namespace {

namespace http = boost::beast::http;
using http::verb;

constexpr std::string_view kBasic = "Basic ";

HttpResponse Unauthorized() {
  HttpResponse response = TextResponse(HttpStatus::unauthorized, "Unauthorized: want a user's name and password");
  response.set(http::field::www_authenticate, "Basic realm=\"Riak\"");
  return response;
}

HttpResponse WantsTls() {
  HttpResponse response =
      TextResponse(HttpStatus::upgrade_required,
                   "Security is enabled and this server does not accept credentials over HTTP. Try HTTPS instead.");
  response.set(http::field::upgrade, "TLS/1.2, HTTP/1.1");
  return response;
}

}  // namespace

std::optional<std::pair<std::string, std::string>> ParseBasic(std::string_view authorization) {
  if (!boost::beast::iequals(authorization.substr(0, kBasic.size()), kBasic)) return std::nullopt;
  const auto text = Base64Decode(authorization.substr(kBasic.size()));
  if (!text) return std::nullopt;
  const size_t colon = text->find(':');
  if (colon == std::string::npos) return std::nullopt;
  return std::pair(text->substr(0, colon), text->substr(colon + 1));
}

std::optional<Permission> PermissionOf(HttpRoute::Kind kind, verb method) {
  const bool read = method == verb::get || method == verb::head;
  const bool write = method == verb::put || method == verb::post;
  switch (kind) {
    case HttpRoute::Kind::kObject:
      if (read) return Permission::kGet;
      if (write) return Permission::kPut;
      return method == verb::delete_ ? std::optional(Permission::kDelete) : std::nullopt;
    case HttpRoute::Kind::kKeys: return method == verb::post ? Permission::kPut : Permission::kListKeys;
    case HttpRoute::Kind::kBuckets: return Permission::kListBuckets;
    case HttpRoute::Kind::kProperties: return read ? Permission::kGetBucket : Permission::kSetBucket;
    case HttpRoute::Kind::kTypeProperties: return read ? Permission::kGetBucketType : Permission::kSetBucketType;
    case HttpRoute::Kind::kUnknown:
    case HttpRoute::Kind::kResources:
    case HttpRoute::Kind::kPing:
    case HttpRoute::Kind::kStats: break;
  }
  return std::nullopt;
}

Async<std::optional<HttpResponse>> RefuseHttp(const DoorEnv* env, HttpCaller caller) {
  constexpr auto kDoor = ClientGuard::Door::kHttp;
  if (!caller.secured && !env->guard->allows_plaintext()) {
    if (env->tls != nullptr) env->tls->Refused({TlsReason::kPlaintext, "wanted HTTPS"}, caller.client);
    co_return WantsTls();
  }
  auto given = ParseBasic(caller.authorization);
  if (!given) {
    env->guard->CountFailure(kDoor);
    co_return Unauthorized();
  }
  const auto user = co_await env->guard->Authenticate(
      env->scope, {kDoor, std::move(caller.client), std::move(given->first), std::move(given->second)});
  if (!user) co_return ErrorResponse(user.error(), /*read=*/true);
  if (!*user) co_return Unauthorized();
  const auto route = ParseTarget(caller.target);
  if (!route) co_return std::nullopt;  // The door says what is wrong with it.
  const auto permission = PermissionOf(route->kind, caller.method);
  if (!permission) co_return std::nullopt;
  const auto denial = env->guard->Deny(kDoor, **user, *permission, {route->key.type, route->key.bucket});
  if (!denial) co_return std::nullopt;
  co_return TextResponse(HttpStatus::forbidden, *denial);
}

}  // namespace dynamo
