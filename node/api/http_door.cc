#include "node/api/http_door.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "common/base/base64.h"
#include "node/api/http_content.h"
#include "node/api/http_guard.h"
#include "node/api/http_objects.h"
#include "node/api/http_properties.h"
#include "node/api/riak_values.h"

namespace dynamo {
namespace {

namespace http = boost::beast::http;
using http::verb;

HttpResponse Resources() {
  // The names are looked up by clients to find their way.
  return JsonResponse(HttpStatus::ok,
                      R"({"riak_kv_wm_buckets":"/buckets","riak_kv_wm_object":"/riak","riak_kv_wm_keylist":"/buckets",)"
                      R"("riak_kv_wm_props":"/buckets","riak_kv_wm_bucket_type":"/types","riak_kv_wm_ping":"/ping",)"
                      R"("riak_kv_wm_stats":"/stats"})");
}

// Exactly "OK": clients compare.
HttpResponse Ping() {
  HttpResponse response = TextResponse(HttpStatus::ok, "OK");
  response.body() = "OK";
  return response;
}

HttpResponse NotAllowed(std::string_view allow) {
  HttpResponse response = TextResponse(HttpStatus::method_not_allowed, "this resource allows " + std::string(allow));
  response.set(http::field::allow, allow);
  return response;
}

// A stale read says so by 304.
bool NotModified(const HttpRequest& request, const Sibling& sibling) {
  const std::string_view wanted = request[http::field::if_none_match];
  return !wanted.empty() && (wanted == "*" || wanted.find('"' + EntityTagOf(sibling) + '"') != std::string_view::npos);
}

Status SetCondition(const HttpRequest& request, PutRequest* put) {
  const std::string_view match = request[http::field::if_match];
  const std::string_view none_match = request[http::field::if_none_match];
  const std::string_view unmodified = request["X-Riak-If-Not-Modified"];
  if (!none_match.empty()) {
    if (none_match != "*") return Fail(Errc::kInvalidArgument, "If-None-Match of a write must be *");
    put->condition = {PutCondition::Kind::kAbsent, {}};
  } else if (!match.empty()) {
    std::string tag(match);
    std::erase(tag, '"');
    put->condition = {PutCondition::Kind::kMatchesTag, std::move(tag)};
  } else if (!unmodified.empty()) {
    auto token = Base64Decode(unmodified);
    if (!token) return Fail(Errc::kInvalidArgument, "X-Riak-If-Not-Modified is no base64");
    put->condition = {PutCondition::Kind::kUnmodified, std::move(*token)};
  }
  return {};
}

Result<Bytes> ContextFrom(const HttpRequest& request) {
  auto token = Base64Decode(request["X-Riak-Vclock"]);
  if (!token) return Fail(Errc::kBadContext, "X-Riak-Vclock is no base64");
  return std::move(*token);
}

}  // namespace

Async<HttpResponse> HttpDoor::AnswerOn(std::shared_ptr<Connection> connection, HttpRequest request) {
  if (env_.guard != nullptr) {
    HttpCaller caller{request.method(), std::string(request.target()), std::string(request[http::field::authorization]),
                      connection->stream().secured(), connection->stream().Client()};
    if (auto refusal = co_await RefuseHttp(&env_, std::move(caller))) co_return std::move(*refusal);
  }
  HttpResponse response = co_await Answer(std::move(request));
  if (env_.handler->Parting()) connection->EndSoon();
  co_return response;
}

Async<HttpResponse> HttpDoor::Answer(HttpRequest request) {
  auto route = ParseTarget(request.target());
  if (!route) co_return ErrorResponse(route.error(), /*read=*/true);
  const bool read = request.method() == verb::get || request.method() == verb::head;
  using Kind = HttpRoute::Kind;
  switch (route->kind) {
    case Kind::kResources: co_return read ? Resources() : NotAllowed("GET, HEAD");
    case Kind::kPing: co_return read ? Ping() : NotAllowed("GET, HEAD");
    case Kind::kStats: co_return read ? Stats() : NotAllowed("GET, HEAD");
    case Kind::kObject: co_return co_await AnswerObject(std::move(*route), std::move(request));
    case Kind::kKeys:
      if (request.method() == verb::post) {
        co_return co_await Put(std::move(*route), std::move(request), /*new_key=*/true);
      }
      co_return ErrorResponse({Errc::kUnsupported, "listing keys is not supported by this version"}, true);
    case Kind::kBuckets:
      co_return ErrorResponse({Errc::kUnsupported, "listing buckets is not supported by this version"}, true);
    case Kind::kProperties:
    case Kind::kTypeProperties: co_return co_await Properties(std::move(*route), std::move(request));
    case Kind::kUnknown: break;
  }
  co_return TextResponse(HttpStatus::not_found, "no such resource; GET / lists what there is");
}

Async<HttpResponse> HttpDoor::AnswerObject(HttpRoute route, HttpRequest request) {
  if (auto valid = ValidateKey(route.key, env_.limits); !valid) {
    if (valid.error().code == Errc::kTooLarge) co_return TextResponse(HttpStatus::uri_too_long, valid.error().message);
    co_return ErrorResponse(valid.error(), true);
  }
  switch (request.method()) {
    case verb::get:
    case verb::head: co_return co_await Get(std::move(route), std::move(request));
    case verb::put:
    case verb::post: co_return co_await Put(std::move(route), std::move(request), /*new_key=*/false);
    case verb::delete_: co_return co_await Delete(std::move(route), std::move(request));
    default: co_return NotAllowed("GET, HEAD, PUT, POST, DELETE");
  }
}

Async<HttpResponse> HttpDoor::Get(HttpRoute route, HttpRequest request) {
  auto options = ReadOptionsFrom(route);
  if (!options) co_return ErrorResponse(options.error(), true);
  auto reply = co_await env_.handler->Get({route.key, *options});
  if (!reply) co_return ErrorResponse(reply.error(), true);
  HttpResponse response;
  if (reply->object.never_written() || reply->object.deleted()) {
    response = NotFoundResponse(*reply);
  } else if (reply->object.siblings.size() == 1 && NotModified(request, reply->object.siblings[0])) {
    response = HttpResponse(HttpStatus::not_modified, kHttp11);
    SetHeader(response, "X-Riak-Vclock", Base64Encode(reply->context));
  } else {
    response = ObjectResponse({reply->object, reply->context, route.key, route.Parameter("vtag"),
                               std::string_view(request[http::field::accept])});
  }
  SetParticipants(reply->participants, &response);
  co_return response;
}

Async<HttpResponse> HttpDoor::Put(HttpRoute route, HttpRequest request, bool new_key) {
  PutRequest put;
  if (new_key) route.key.key = GenerateKey(*env_.random);
  if (auto valid = ValidateKey(route.key, env_.limits); !valid) co_return ErrorResponse(valid.error(), false);
  put.key = route.key;
  auto options = WriteOptionsFrom(route);
  if (!options) co_return ErrorResponse(options.error(), false);
  put.options = *options;
  auto context = ContextFrom(request);
  if (!context) co_return ErrorResponse(context.error(), false);
  put.context = std::move(*context);
  if (auto set = SetCondition(request, &put); !set) co_return ErrorResponse(set.error(), false);
  const auto return_body = FlagFrom(route, "returnbody", false);
  if (!return_body) co_return ErrorResponse(return_body.error(), false);
  put.return_object = *return_body;
  const bool by_tag = put.condition.kind != PutCondition::Kind::kUnmodified;
  const std::string accept(request[http::field::accept]);
  auto content = ContentFromHttp(std::move(request));
  if (!content) co_return ErrorResponse(content.error(), false);
  put.content = std::move(*content);

  const auto reply = co_await env_.handler->Put(std::move(put));
  if (!reply) {
    HttpResponse response = ErrorResponse(reply.error(), false);
    if (reply.error().code == Errc::kConflict && by_tag) response.result(HttpStatus::precondition_failed);
    co_return response;
  }
  HttpResponse response(new_key ? HttpStatus::created : HttpStatus::no_content, kHttp11);
  if (reply->object) {
    response = ObjectResponse({*reply->object, reply->context, route.key, std::nullopt, accept});
    if (new_key && response.result() == HttpStatus::ok) response.result(HttpStatus::created);
  } else {
    SetHeader(response, "X-Riak-Vclock", Base64Encode(reply->context));
  }
  if (new_key) SetHeader(response, "Location", PathOf(route.key));
  SetParticipants(reply->participants, &response);
  co_return response;
}

Async<HttpResponse> HttpDoor::Delete(HttpRoute route, HttpRequest request) {
  DeleteRequest erase;
  erase.key = route.key;
  auto read_options = ReadOptionsFrom(route);
  if (!read_options) co_return ErrorResponse(read_options.error(), false);
  auto options = WriteOptionsFrom(route);
  if (!options) co_return ErrorResponse(options.error(), false);
  auto context = ContextFrom(request);
  if (!context) co_return ErrorResponse(context.error(), false);
  // `rw` is the old name for both quorums of a delete.
  if (const auto rw = route.Parameter("rw")) {
    const auto quorum = QuorumFromText("rw", *rw);
    if (!quorum) co_return ErrorResponse(quorum.error(), false);
    if (read_options->r.is_default()) read_options->r = *quorum;
    if (options->w.is_default()) options->w = *quorum;
  }
  erase.read_options = *read_options;
  erase.options = *options;
  erase.context = std::move(*context);
  const Status done = co_await env_.handler->Delete(std::move(erase));
  if (!done) co_return ErrorResponse(done.error(), false);
  co_return HttpResponse(HttpStatus::no_content, kHttp11);
}

Async<HttpResponse> HttpDoor::Properties(HttpRoute route, HttpRequest request) {
  const bool of_type = route.kind == HttpRoute::Kind::kTypeProperties;
  const auto today = env_.handler->GetProperties(route.key.type, route.key.bucket);
  if (!today) co_return ErrorResponse(today.error(), true);
  BucketPropertiesChange change;
  switch (request.method()) {
    case verb::get:
    case verb::head: co_return JsonResponse(HttpStatus::ok, PropertiesToJson(*today, route.key));
    case verb::put: {
      if (of_type) {
        co_return ErrorResponse({Errc::kInvalidArgument, "a bucket type is changed by an administrator"}, false);
      }
      auto wanted = PropertiesFromJson(request.body(), *today);
      if (!wanted) co_return ErrorResponse(wanted.error(), false);
      change = *wanted;
      break;
    }
    case verb::delete_:
      if (of_type) co_return NotAllowed("GET, HEAD");
      change.reset = true;
      break;
    default: co_return NotAllowed(of_type ? "GET, HEAD" : "GET, HEAD, PUT, DELETE");
  }
  const Status done = co_await env_.handler->SetProperties(route.key.type, route.key.bucket, change);
  if (!done) co_return ErrorResponse(done.error(), false);
  co_return HttpResponse(HttpStatus::no_content, kHttp11);
}

HttpResponse HttpDoor::Stats() const { return JsonResponse(HttpStatus::ok, StatsToJson(env_)); }

}  // namespace dynamo
