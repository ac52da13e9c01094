// Requests to the API server. Blocking; safe to call from any thread.
#ifndef DYNAMO_COMMON_KUBE_REST_CLIENT_H_
#define DYNAMO_COMMON_KUBE_REST_CLIENT_H_

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "common/base/metrics.h"
#include "common/kube/api_error.h"
#include "common/kube/clock.h"
#include "common/kube/http_connection.h"
#include "common/kube/kube_config.h"
#include "common/kube/object.h"
#include "common/kube/token_source.h"

namespace dynamo::kube {

struct ObjectList {
  std::vector<Object> items;
  std::string resource_version;
};

struct ListOptions {
  std::string label_selector;
  std::string field_selector;
};

struct DeleteOptions {
  std::string uid;                         // Never empty: what is deleted is an object, not a name.
  std::string propagation = "Background";  // Or "Orphan", "Foreground".
};

struct RestClientOptions {
  HttpConnection::Timeouts timeouts;
  int attempts_max = 4;
  Duration wait_between_max = std::chrono::seconds(10);  // A longer Retry-After is not waited for.
  int page_items_max = 500;
  std::string field_manager = "dynamo";
};

// Repeats a request by itself when the connection was refused (nothing was sent), and
// after 429 or a 5xx that says Retry-After; a POST only when nothing can have come of
// it. All else is the caller's to decide.
class RestClient {
 public:
  // kInvalidArgument: the configuration's certificates cannot be read. `metrics` may be null.
  static Result<std::unique_ptr<RestClient>> Make(KubeConfig config, Clock* clock, Metrics* metrics,
                                                  RestClientOptions options = {});

  Answer<Object> Get(const Resource& resource, const std::string& namespace_, const std::string& name);
  // Every page; a list whose continue token expires is begun anew, never cut.
  Answer<ObjectList> List(const Resource& resource, const std::string& namespace_, const ListOptions& options = {});

  // Server-side apply of the whole wish of this field manager, with force.
  Answer<Object> Apply(const Resource& resource, const Object& object);
  Answer<Object> Create(const Resource& resource, const Object& object);
  // With metadata.resourceVersion in it, it applies to that version only (kConflict).
  Answer<Object> MergePatch(const Resource& resource, const std::string& namespace_, const std::string& name,
                            const Object& patch);
  // `patch` holds the new values below "status", and may hold metadata.resourceVersion.
  Answer<Object> StatusPatch(const Resource& resource, const std::string& namespace_, const std::string& name,
                             const Object& patch);
  // kConflict: an object of that name is there, but of another UID.
  Answer<void> Delete(const Resource& resource, const std::string& namespace_, const std::string& name,
                      const DeleteOptions& options);

  // Whether the server knows the kind: of an extension, it may not. (It then answers a request for an
  // object with a bare 404, as a proxy would that knows nothing of it.)
  Answer<bool> Serves(const Resource& resource);

  // The server says that it is up.
  Answer<void> Ping();

  // A connection of its own, for a watch: these block, and others must not wait.
  Result<std::unique_ptr<HttpConnection>> NewConnection(HttpConnection::Timeouts timeouts) const;
  TokenSource& tokens() { return tokens_; }
  Clock* clock() const { return clock_; }
  const KubeConfig& config() const { return config_; }

 private:
  RestClient(KubeConfig config, Clock* clock, Metrics* metrics, RestClientOptions options);

  Answer<Object> Call(HttpCall call);
  Answer<std::string> Text(HttpCall call);
  Answer<Object> Patch(const std::string& path, const Object& patch);
  tl::expected<HttpReply, HttpFailure> Once(const HttpCall& call);
  void CountReply(const HttpCall& call, const tl::expected<HttpReply, HttpFailure>& reply);
  Answer<ObjectList> ListOnce(const std::string& path, const std::string& query);

  const KubeConfig config_;
  Clock* const clock_;
  Metrics* const metrics_;
  const RestClientOptions options_;
  TokenSource tokens_;
  std::mutex mutex_;  // Guards idle_.
  std::vector<std::unique_ptr<HttpConnection>> idle_;
};

// What may stand in a query: everything else percent-encoded.
std::string PercentEncoded(std::string_view text);

}  // namespace dynamo::kube

#endif  // DYNAMO_COMMON_KUBE_REST_CLIENT_H_
