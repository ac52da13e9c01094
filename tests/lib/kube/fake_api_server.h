// An API server on loopback that does as it is told: real HTTP, real watches, and any
// misbehaviour that a test wants.
#ifndef DYNAMO_TESTS_LIB_KUBE_FAKE_API_SERVER_H_
#define DYNAMO_TESTS_LIB_KUBE_FAKE_API_SERVER_H_

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/kube/kube_config.h"
#include "tests/lib/kube/fake_objects.h"

namespace dynamo::testing {

struct FakeRequest {
  std::string method, path, query, body, content_type, authorization;
  bool is_write() const { return method != "GET"; }
};

struct FakeReply {
  int status = 200;
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
};

class FakeApiServer {
 public:
  // Asked before the server looks at a request; nullopt: go on as usual.
  using Intercept = std::function<std::optional<FakeReply>(const FakeRequest&)>;

  FakeApiServer();
  ~FakeApiServer();

  kube::KubeConfig config() const;
  void set_intercept(Intercept intercept);
  // Called after each write that succeeded.
  void set_on_write(std::function<void(const FakeRequest&)> on_write);

  // What a user or a controller of Kubernetes does: past the intercept, and no write of
  // the client's.
  FakeAnswer Do(const std::string& method, const std::string& path, const kube::Object& body = {});
  kube::Object Get(const std::string& path);  // Empty: not there.
  std::vector<kube::Object> List(const std::string& path, const std::string& label_selector = "");

  // All requests so far, "METHOD path".
  std::vector<std::string> requests() const;

  // Into every open watch, as it is: no newline is added.
  void SendToWatches(const std::string& raw);
  // Ends every open watch: in order, or in the middle of its chunk.
  void EndWatches();
  void CutWatches();
  // Blocks until `count` watches are open.
  void AwaitWatches(int count);
  // Watches from before this version end with a 410 in their stream.
  void ForgetHistory();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace dynamo::testing

#endif  // DYNAMO_TESTS_LIB_KUBE_FAKE_API_SERVER_H_
