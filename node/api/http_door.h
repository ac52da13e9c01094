// The HTTP door: the key-value part of Riak's HTTP API onto the request handler.
#ifndef DYNAMO_NODE_API_HTTP_DOOR_H_
#define DYNAMO_NODE_API_HTTP_DOOR_H_

#include <functional>
#include <memory>
#include <string>

#include "node/api/connection.h"
#include "node/api/door_env.h"
#include "node/api/http_route.h"
#include "node/api/http_server.h"
#include "node/env/async.h"

namespace dynamo {

// Outlives every answer it has begun.
class HttpDoor {
 public:
  explicit HttpDoor(DoorEnv env) : env_(std::move(env)) {}

  Async<HttpResponse> Answer(HttpRequest request);
  // As Answer. Of a node that parts it is the connection's last one: whoever comes back
  // comes by another connection, and so to another node.
  Async<HttpResponse> AnswerOn(std::shared_ptr<Connection> connection, HttpRequest request);

 private:
  Async<HttpResponse> AnswerObject(HttpRoute route, HttpRequest request);
  Async<HttpResponse> Get(HttpRoute route, HttpRequest request);
  Async<HttpResponse> Put(HttpRoute route, HttpRequest request, bool new_key);
  Async<HttpResponse> Delete(HttpRoute route, HttpRequest request);
  Async<HttpResponse> Properties(HttpRoute route, HttpRequest request);
  HttpResponse Stats() const;

  DoorEnv env_;
};

// The status and text of an error, as Riak's HTTP API has them. `read`: of a read.
HttpResponse ErrorResponse(const Error& error, bool read);

}  // namespace dynamo

#endif  // DYNAMO_NODE_API_HTTP_DOOR_H_
