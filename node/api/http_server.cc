#include "node/api/http_server.h"

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <boost/beast/http/write.hpp>
#include <optional>
#include <utility>

namespace dynamo {
namespace {

namespace http = boost::beast::http;
using Parser = http::request_parser<http::string_body>;

constexpr std::chrono::seconds kLingerTime{5};
constexpr size_t kLingerBytesMax = 16 << 20;
constexpr size_t kFirstBytesMax = 4 << 10;

// The answer to a request that could not be read; nullopt: the client has gone.
std::optional<HttpResponse> ResponseToReadError(boost::system::error_code error) {
  if (error == http::error::header_limit) {
    return TextResponse(HttpStatus::request_header_fields_too_large, "request header is too large");
  }
  if (error == http::error::body_limit) return TextResponse(HttpStatus::payload_too_large, "object is too large");
  if (error == http::error::end_of_stream || error == http::error::partial_message) return std::nullopt;
  if (error.category() == make_error_code(http::error::bad_method).category()) {
    return TextResponse(HttpStatus::bad_request, "malformed request: " + error.message());
  }
  return std::nullopt;
}

class HttpSession {
 public:
  HttpSession(std::shared_ptr<Connection> connection, DoorLimits limits, HttpHandler handler)
      : connection_(std::move(connection)), limits_(limits), handler_(std::move(handler)) {
    buffer_.max_size(limits_.header_bytes_max + (64u << 10));
  }

  Async<> Run(TlsKeeper* tls) {
    if (tls != nullptr && !co_await Secure(tls)) co_return;
    while (co_await ServeOne()) {
    }
  }

 private:
  // The first byte says how the client speaks.
  Async<bool> Secure(TlsKeeper* tls) {
    connection_->SetIdle(limits_.idle_timeout);
    if (!co_await WaitForBytes()) co_return false;
    const auto first = connection_->stream().Peek();
    if (!first) co_return false;
    if (*first == kTlsFirstByte) {
      connection_->SetDeadline(limits_.handshake_timeout);
      co_return co_await connection_->stream().Secure(tls);
    }
    if (!tls->required()) co_return true;
    tls->Refused({TlsReason::kPlaintext, "wanted TLS"}, connection_->stream().Client());
    HttpResponse refusal = TextResponse(HttpStatus::bad_request, "this port takes https only");
    refusal.keep_alive(false);
    if (co_await Write(std::move(refusal))) co_await Linger();
    co_return false;
  }

  Async<bool> WaitForBytes() {
    boost::system::error_code error;
    co_await connection_->stream().socket().async_wait(asio::socket_base::wait_read,
                                                       asio::redirect_error(kUseAwaitable, error));
    co_return !error;
  }

  // Bytes on the socket may be TLS's own, and bytes of a request may have left it already.
  Async<bool> ReadFirstBytes() {
    boost::system::error_code error;
    buffer_.commit(co_await connection_->stream().async_read_some(buffer_.prepare(kFirstBytesMax),
                                                                  asio::redirect_error(kUseAwaitable, error)));
    co_return !error;
  }

  Async<bool> ServeOne() {
    if (!co_await WaitForRequest()) co_return false;
    Parser parser;
    parser.header_limit(static_cast<uint32_t>(limits_.header_bytes_max));
    parser.body_limit(limits_.object_bytes_max);
    const boost::system::error_code error = co_await ReadInto(&parser);
    if (error) {
      if (auto response = ResponseToReadError(error)) {
        response->keep_alive(false);
        if (co_await Write(std::move(*response))) co_await Linger();
      }
      co_return false;
    }
    HttpRequest request = parser.release();
    const bool wants_more = request.keep_alive();
    const bool head = request.method() == http::verb::head;
    connection_->ClearDeadline();
    HttpResponse response = co_await handler_(std::move(request));
    const bool keep_alive = wants_more && !connection_->ending();
    response.keep_alive(keep_alive);
    if (head) {
      // The length of what a GET would have given, without it.
      if (!response.has_content_length()) response.content_length(response.body().size());
      response.body().clear();
    }
    co_return co_await Write(std::move(response)) && keep_alive;
  }

  // An idle connection is let be for longer than one that dawdles in a request.
  Async<bool> WaitForRequest() {
    if (buffer_.size() == 0) {
      connection_->SetIdle(limits_.idle_timeout);
      const bool secured = connection_->stream().secured();
      if (!(secured ? co_await ReadFirstBytes() : co_await WaitForBytes())) co_return false;
    }
    connection_->SetDeadline(limits_.transfer_timeout);
    co_return true;
  }

  Async<boost::system::error_code> ReadInto(Parser* parser) {
    boost::system::error_code error;
    auto token = asio::redirect_error(kUseAwaitable, error);
    co_await http::async_read_header(connection_->stream(), buffer_, *parser, token);
    if (error) co_return error;
    if (boost::beast::iequals(parser->get()[http::field::expect], "100-continue")) {
      HttpResponse go_on(HttpStatus::continue_, kHttp11);
      co_await http::async_write(connection_->stream(), go_on, token);
      if (error) co_return error;
    }
    co_await http::async_read(connection_->stream(), buffer_, *parser, token);
    co_return error;
  }

  Async<bool> Write(HttpResponse response) {
    // 204 and 304 have no body, and a HEAD has set its length itself.
    const bool bodiless = response.result() == HttpStatus::no_content || response.result() == HttpStatus::not_modified;
    if (!bodiless && !response.has_content_length()) response.prepare_payload();
    connection_->SetDeadline(limits_.transfer_timeout);
    boost::system::error_code error;
    co_await http::async_write(connection_->stream(), response, asio::redirect_error(kUseAwaitable, error));
    co_return !error;
  }

  // Reads on, for a while, what a refused client is still sending: closing on
  // unread bytes resets the connection, and the client never sees the refusal.
  Async<> Linger() {
    boost::system::error_code error;
    connection_->stream().socket().shutdown(asio::socket_base::shutdown_send, error);
    connection_->SetDeadline(std::min<std::chrono::milliseconds>(kLingerTime, limits_.transfer_timeout));
    std::array<char, 16 << 10> sink;
    for (size_t read = 0; !error && read < kLingerBytesMax;) {
      read += co_await connection_->stream().async_read_some(asio::buffer(sink),
                                                             asio::redirect_error(kUseAwaitable, error));
    }
  }

  std::shared_ptr<Connection> connection_;
  DoorLimits limits_;
  HttpHandler handler_;
  boost::beast::flat_buffer buffer_;
};

}  // namespace

Async<> ServeHttp(std::shared_ptr<Connection> connection, DoorLimits limits, HttpHandler handler, TlsKeeper* tls) {
  HttpSession session(std::move(connection), limits, std::move(handler));
  co_await session.Run(tls);
}

HttpResponse TextResponse(HttpStatus status, std::string_view text) {
  HttpResponse response(status, kHttp11);
  response.set(http::field::content_type, "text/plain");
  response.body() = text;
  if (!text.ends_with('\n')) response.body() += '\n';
  return response;
}

HttpResponse JsonResponse(HttpStatus status, std::string json) {
  HttpResponse response(status, kHttp11);
  response.set(http::field::content_type, "application/json");
  response.body() = std::move(json);
  return response;
}

void SetHeader(HttpResponse& response, std::string_view name, std::string_view value) {
  static constexpr std::string_view kTokenMarks = "!#$%&'*+-.^_`|~";
  const auto is_token = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           kTokenMarks.find(c) != std::string_view::npos;
  };
  if (name.empty() || !std::all_of(name.begin(), name.end(), is_token)) return;
  std::string safe(value);
  std::replace_if(
      safe.begin(), safe.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
  response.set(name, safe);
}

}  // namespace dynamo
