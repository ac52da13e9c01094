#include "tests/lib/kube/fake_api_server.h"

#include <fmt/format.h>
#include <httplib.h>

#include <boost/json/serialize.hpp>
#include <thread>

namespace dynamo::testing {
namespace {

namespace json = kube::json;
using kube::Object;

constexpr size_t kThreads = 24;  // A watch holds one.

FakeRequest Of(const httplib::Request& request) {
  const size_t question = request.target.find('?');
  return {request.method,
          request.path,
          question == std::string::npos ? "" : request.target.substr(question + 1),
          request.body,
          request.get_header_value("Content-Type"),
          request.get_header_value("Authorization")};
}

FakeAnswer Handle(FakeObjects& objects, const std::string& method, const ObjectPath& path,
                  const std::string& content_type, const Object& body, const httplib::Request* request) {
  if (request != nullptr && !objects.Serves(path)) return NotServed();
  if (method == "GET" && !path.name.empty()) return objects.Get(path);
  if (method == "GET") {
    const auto parameter = [request](const char* name) { return request->get_param_value(name); };
    const std::string limit = parameter("limit");
    return objects.List(path, parameter("labelSelector"), limit.empty() ? 0 : std::stoul(limit), parameter("continue"));
  }
  if (method == "POST") return objects.Create(path, body);
  if (method == "PATCH")
    return content_type.find("apply") != std::string::npos ? objects.Apply(path, body) : objects.MergePatch(path, body);
  const bool orphan = kube::StringAt(body, "propagationPolicy") == "Orphan";
  if (method == "DELETE") return objects.Delete(path, kube::StringAt(body, "preconditions.uid"), orphan);
  return FakeStatus(405, "MethodNotAllowed", method);
}

}  // namespace

struct FakeApiServer::State {
  httplib::Server server;
  std::thread thread;
  int port = 0;

  mutable std::mutex mutex;
  std::condition_variable changed;
  FakeObjects objects;
  std::vector<std::string> seen;
  Intercept intercept;
  std::function<void(const FakeRequest&)> on_write;
  int64_t forgotten = 0;
  int watches = 0;
  int64_t ended_before = 0, cut_before = 0, watch_ids = 0;
  std::vector<std::string> raw;  // Sent to all watches, in order.
  bool closing = false;

  void Serve(const httplib::Request& in, httplib::Response& out) {
    const FakeRequest request = Of(in);
    Intercept ask;
    {
      const std::lock_guard lock(mutex);
      seen.push_back(request.method + " " + request.path);
      ask = intercept;
    }
    if (const auto reply = ask ? ask(request) : std::nullopt) {
      out.status = reply->status;
      for (const auto& [name, value] : reply->headers) out.set_header(name.c_str(), value);
      out.set_content(reply->body, "application/json");
      return;
    }
    if (IsDiscovery(request.path)) {
      const std::lock_guard lock(mutex);
      return Answer(out, objects.Discover(request.path));
    }
    const auto path = ObjectPath::Parse(request.path);
    if (!path) return Answer(out, FakeStatus(404, "NotFound", "no such path"));
    if (in.get_param_value("watch") == "true") return Watch(in, *path, out);
    const auto body = request.body.empty() ? Object{} : kube::ParseObject(request.body).value_or(Object{});
    FakeAnswer answer;
    std::function<void(const FakeRequest&)> tell;
    {
      const std::lock_guard lock(mutex);
      answer = Handle(objects, request.method, *path, request.content_type, body, &in);
      tell = on_write;
    }
    changed.notify_all();
    if (tell && request.is_write() && answer.status / 100 == 2) tell(request);
    Answer(out, answer);
  }

  static void Answer(httplib::Response& out, const FakeAnswer& answer) {
    out.status = answer.status;
    out.set_content(json::serialize(answer.body), "application/json");
  }

  void Watch(const httplib::Request& in, const ObjectPath& path, httplib::Response& out) {
    const std::string from = in.get_param_value("resourceVersion");
    auto version = std::make_shared<int64_t>(from.empty() ? 0 : std::stoll(from));
    auto raw_sent = std::make_shared<size_t>(0);
    int64_t id = 0;
    {
      const std::lock_guard lock(mutex);
      ++watches;
      id = ++watch_ids;
      *raw_sent = raw.size();
    }
    changed.notify_all();
    out.set_chunked_content_provider(
        "application/json",
        [=, this](size_t, httplib::DataSink& sink) { return Feed(path, id, version.get(), raw_sent.get(), sink); },
        [this](bool) {
          const std::lock_guard lock(mutex);
          --watches;
          changed.notify_all();
        });
  }

  // One turn of a watch: waits for something to send.
  bool Feed(const ObjectPath& path, int64_t id, int64_t* version, size_t* raw_sent, httplib::DataSink& sink) {
    std::string text;
    {
      std::unique_lock lock(mutex);
      changed.wait_for(lock, std::chrono::milliseconds(50), [&] {
        return closing || id <= ended_before || id <= cut_before || *raw_sent < raw.size() || *version < forgotten ||
               !objects.ChangesAfter(path.collection(), path.namespace_, *version).empty();
      });
      if (closing || id <= cut_before) return false;
      if (*version < forgotten) {
        text =
            json::serialize(Object{{"type", "ERROR"}, {"object", FakeStatus(410, "Expired", "too old").body}}) + "\n";
        sink.write(text.data(), text.size());
        sink.done();
        return true;
      }
      for (const auto& change : objects.ChangesAfter(path.collection(), path.namespace_, *version)) {
        Object object = change.object;
        object["metadata"].get_object()["resourceVersion"] = std::to_string(change.version);
        text += json::serialize(Object{{"type", change.type}, {"object", std::move(object)}}) + "\n";
        *version = change.version;
      }
      for (; *raw_sent < raw.size(); ++*raw_sent) text += raw[*raw_sent];
      if (text.empty() && id <= ended_before) {
        sink.done();
        return true;
      }
    }
    return text.empty() || sink.write(text.data(), text.size());
  }
};

FakeApiServer::FakeApiServer() : state_(std::make_unique<State>()) {
  State* state = state_.get();
  state->server.new_task_queue = [] { return new httplib::ThreadPool(kThreads); };
  state->server.set_keep_alive_timeout(1);
  state->server.set_tcp_nodelay(true);
  const auto serve = [state](const httplib::Request& in, httplib::Response& out) { state->Serve(in, out); };
  state->server.Get(".*", serve).Post(".*", serve).Patch(".*", serve).Delete(".*", serve);
  state->port = state->server.bind_to_any_port("127.0.0.1");
  state->thread = std::thread([state] { state->server.listen_after_bind(); });
  while (!state->server.is_running()) std::this_thread::yield();
}

FakeApiServer::~FakeApiServer() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->closing = true;
  }
  state_->changed.notify_all();
  state_->server.stop();
  state_->thread.join();
}

kube::KubeConfig FakeApiServer::config() const {
  kube::KubeConfig config;
  config.tls = false;
  config.host = "127.0.0.1";
  config.port = state_->port;
  return config;
}

void FakeApiServer::set_intercept(Intercept intercept) {
  const std::lock_guard lock(state_->mutex);
  state_->intercept = std::move(intercept);
}

void FakeApiServer::set_on_write(std::function<void(const FakeRequest&)> on_write) {
  const std::lock_guard lock(state_->mutex);
  state_->on_write = std::move(on_write);
}

FakeAnswer FakeApiServer::Do(const std::string& method, const std::string& path, const Object& body) {
  const auto parsed = ObjectPath::Parse(path);
  if (!parsed) return FakeStatus(404, "NotFound", "no such path");
  FakeAnswer answer;
  {
    const std::lock_guard lock(state_->mutex);
    answer = Handle(state_->objects, method, *parsed, "", body, nullptr);
  }
  state_->changed.notify_all();
  return answer;
}

Object FakeApiServer::Get(const std::string& path) {
  const std::lock_guard lock(state_->mutex);
  const auto parsed = ObjectPath::Parse(path);
  const FakeAnswer answer = parsed ? state_->objects.Get(*parsed) : FakeStatus(404, "NotFound", "");
  return answer.status == 200 ? answer.body : Object{};
}

std::vector<Object> FakeApiServer::List(const std::string& path, const std::string& label_selector) {
  const std::lock_guard lock(state_->mutex);
  const auto parsed = ObjectPath::Parse(path);
  std::vector<Object> out;
  if (!parsed) return out;
  const FakeAnswer answer = state_->objects.List(*parsed, label_selector, 0, "");
  for (const json::value& item : answer.body.at("items").get_array()) out.push_back(item.get_object());
  return out;
}

std::vector<std::string> FakeApiServer::requests() const {
  const std::lock_guard lock(state_->mutex);
  return state_->seen;
}

void FakeApiServer::SendToWatches(const std::string& raw) {
  const std::lock_guard lock(state_->mutex);
  state_->raw.push_back(raw);
  state_->changed.notify_all();
}

void FakeApiServer::EndWatches() {
  const std::lock_guard lock(state_->mutex);
  state_->ended_before = state_->watch_ids;
  state_->changed.notify_all();
}

void FakeApiServer::CutWatches() {
  const std::lock_guard lock(state_->mutex);
  state_->cut_before = state_->watch_ids;
  state_->changed.notify_all();
}

void FakeApiServer::AwaitWatches(int count) {
  std::unique_lock lock(state_->mutex);
  state_->changed.wait_for(lock, std::chrono::seconds(10), [&] { return state_->watches >= count; });
}

void FakeApiServer::ForgetHistory() {
  const std::lock_guard lock(state_->mutex);
  state_->forgotten = state_->objects.version() + 1;
  state_->changed.notify_all();
}

}  // namespace dynamo::testing
