// HTTP/1.1 on one connection, whatever it serves: limits before allocation,
// deadlines, keep-alive. Both the client door and the admin API stand on it.
#ifndef DYNAMO_NODE_API_HTTP_SERVER_H_
#define DYNAMO_NODE_API_HTTP_SERVER_H_

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <functional>
#include <memory>
#include <string>

#include "common/base/result.h"
#include "node/api/connection.h"
#include "node/api/limits.h"
#include "node/env/async.h"

namespace dynamo {

using HttpRequest = boost::beast::http::request<boost::beast::http::string_body>;
using HttpResponse = boost::beast::http::response<boost::beast::http::string_body>;
using HttpStatus = boost::beast::http::status;

// How Beast writes the version of the answers that we make.
inline constexpr unsigned kHttp11 = 11;

// Answers one request; never fails: errors are answers.
using HttpHandler = std::function<Async<HttpResponse>(HttpRequest)>;

// Serves one connection until it ends, over TLS if it begins so; `tls`: nullptr for
// plaintext only. What cannot be parsed is answered with 400,
// 413 or 431 and closes the connection.
Async<> ServeHttp(std::shared_ptr<Connection> connection, DoorLimits limits, HttpHandler handler,
                  TlsKeeper* tls = nullptr);

// A plain-text answer that ends in a newline.
HttpResponse TextResponse(HttpStatus status, std::string_view text);
HttpResponse JsonResponse(HttpStatus status, std::string json);

// Sets a header from stored bytes: control characters, which could start another
// header, become spaces; a name that is no token is left out.
void SetHeader(HttpResponse& response, std::string_view name, std::string_view value);

}  // namespace dynamo

#endif  // DYNAMO_NODE_API_HTTP_SERVER_H_
