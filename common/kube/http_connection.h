// One connection to the API server: cpp-httplib behind plain values.
#ifndef DYNAMO_COMMON_KUBE_HTTP_CONNECTION_H_
#define DYNAMO_COMMON_KUBE_HTTP_CONNECTION_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "common/base/result.h"
#include "common/base/time.h"
#include "common/kube/kube_config.h"

namespace dynamo::kube {

struct HttpCall {
  std::string method, path, content_type, body, token;
};

struct HttpReply {
  int status = 0;
  std::string body;
  std::optional<Duration> retry_after;
};

struct HttpFailure {
  bool refused = false;  // The server has seen nothing of the request.
  std::string message;
};

// Kept alive between calls, opened anew when it broke. Calls must not overlap; only
// Stop may come from another thread.
class HttpConnection {
 public:
  struct Timeouts {
    Duration connect = std::chrono::seconds(10);
    // Longest silence within an answer.
    Duration read = std::chrono::seconds(30);
    // Of a whole answer that is not streamed: a server that sends a byte now and
    // then must not hold its caller for ever.
    Duration whole = std::chrono::seconds(60);
  };
  // Gets the pieces of a body as they come; false: enough.
  using OnPiece = std::function<bool(std::string_view)>;

  // kInvalidArgument: certificates that cannot be read.
  static Result<std::unique_ptr<HttpConnection>> Make(const KubeConfig& config, Timeouts timeouts);
  ~HttpConnection();

  tl::expected<HttpReply, HttpFailure> Send(const HttpCall& call);
  // A success's body goes to `on_piece`, any other's into the reply.
  tl::expected<HttpReply, HttpFailure> Stream(const HttpCall& call, const OnPiece& on_piece);
  // Ends a call that is under way.
  void Stop();

 private:
  struct State;
  explicit HttpConnection(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace dynamo::kube

#endif  // DYNAMO_COMMON_KUBE_HTTP_CONNECTION_H_
