#include "common/kube/rest_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <cctype>
#include <utility>

namespace dynamo::kube {
namespace {

constexpr char kMergePatch[] = "application/merge-patch+json";
constexpr char kApplyPatch[] = "application/apply-patch+yaml";  // JSON is YAML.
constexpr char kJsonBody[] = "application/json";
constexpr int kListsMax = 3;  // Beginnings of a list whose continue token expires.
constexpr size_t kIdleConnectionsMax = 8;

// How long to wait before the same request may be sent again; nullopt: not at all.
std::optional<Duration> RetryIn(const HttpCall& call, const tl::expected<HttpReply, HttpFailure>& reply, int attempt) {
  const Duration backoff = std::chrono::milliseconds(100) * (1 << attempt);
  if (!reply) return reply.error().refused ? std::optional(backoff) : std::nullopt;
  if (reply->status == 429) return reply->retry_after.value_or(backoff);
  if (reply->status / 100 == 5 && call.method != "POST") return reply->retry_after;
  return std::nullopt;
}

// One of the objects has this value there.
bool Holds(const json::array& objects, const char* field, std::string_view value) {
  return std::ranges::any_of(objects, [&](const json::value& object) {
    return object.is_object() && StringAt(object.get_object(), field) == value;
  });
}

}  // namespace

std::string PercentEncoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain =
        std::isalnum(static_cast<unsigned char>(c)) != 0 || std::string_view("-._~").find(c) != std::string_view::npos;
    if (plain) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

Result<std::unique_ptr<RestClient>> RestClient::Make(KubeConfig config, Clock* clock, Metrics* metrics,
                                                     RestClientOptions options) {
  auto probe = HttpConnection::Make(config, options.timeouts);
  if (!probe) return Fail(probe.error());
  return std::unique_ptr<RestClient>(new RestClient(std::move(config), clock, metrics, std::move(options)));
}

RestClient::RestClient(KubeConfig config, Clock* clock, Metrics* metrics, RestClientOptions options)
    : config_(std::move(config)),
      clock_(clock),
      metrics_(metrics),
      options_(std::move(options)),
      tokens_(config_, clock) {}

Answer<Object> RestClient::Get(const Resource& resource, const std::string& namespace_, const std::string& name) {
  return Call({"GET", resource.Path(namespace_, name), "", "", ""});
}

Answer<ObjectList> RestClient::List(const Resource& resource, const std::string& namespace_,
                                    const ListOptions& options) {
  std::string query = fmt::format("?limit={}", options_.page_items_max);
  if (!options.label_selector.empty()) query += "&labelSelector=" + PercentEncoded(options.label_selector);
  if (!options.field_selector.empty()) query += "&fieldSelector=" + PercentEncoded(options.field_selector);
  Answer<ObjectList> list = Unknown("no list was tried");
  for (int attempt = 0; attempt < kListsMax; ++attempt) {
    list = ListOnce(resource.Path(namespace_), query);
    if (list || list.error().kind != ApiError::Kind::kGone) return list;
  }
  return list;
}

Answer<ObjectList> RestClient::ListOnce(const std::string& path, const std::string& query) {
  ObjectList list;
  std::string token;
  do {
    auto page = Call({"GET", path + query + (token.empty() ? "" : "&continue=" + PercentEncoded(token)), "", "", ""});
    if (!page) return tl::unexpected(page.error());
    json::value* items = page->if_contains("items");
    // A list without items is null in some servers' JSON; anything else is no list.
    if (items == nullptr || !(items->is_array() || items->is_null())) return Unknown(path + ": the answer is no list");
    if (items->is_array()) {
      for (json::value& item : items->get_array()) {
        if (!item.is_object()) return Unknown(path + ": an item of the list is no object");
        list.items.push_back(std::move(item.get_object()));
      }
    }
    list.resource_version = ResourceVersionOf(*page);
    token = StringAt(*page, "metadata.continue");
  } while (!token.empty());
  return list;
}

Answer<Object> RestClient::Apply(const Resource& resource, const Object& object) {
  const std::string path = resource.Path(NamespaceOf(object), NameOf(object)) +
                           fmt::format("?fieldManager={}&force=true", PercentEncoded(options_.field_manager));
  return Call({"PATCH", path, kApplyPatch, json::serialize(object), ""});
}

Answer<Object> RestClient::Create(const Resource& resource, const Object& object) {
  const std::string path =
      resource.Path(NamespaceOf(object)) + "?fieldManager=" + PercentEncoded(options_.field_manager);
  return Call({"POST", path, kJsonBody, json::serialize(object), ""});
}

Answer<Object> RestClient::MergePatch(const Resource& resource, const std::string& namespace_, const std::string& name,
                                      const Object& patch) {
  return Patch(resource.Path(namespace_, name), patch);
}

Answer<Object> RestClient::StatusPatch(const Resource& resource, const std::string& namespace_, const std::string& name,
                                       const Object& patch) {
  return Patch(resource.Path(namespace_, name, "status"), patch);
}

Answer<Object> RestClient::Patch(const std::string& path, const Object& patch) {
  const std::string query = "?fieldManager=" + PercentEncoded(options_.field_manager);
  return Call({"PATCH", path + query, kMergePatch, json::serialize(patch), ""});
}

Answer<void> RestClient::Delete(const Resource& resource, const std::string& namespace_, const std::string& name,
                                const DeleteOptions& options) {
  if (options.uid.empty())
    return tl::unexpected(ApiError{ApiError::Kind::kInvalid, 0, "", "delete " + name + ": no UID"});
  const Object body{{"apiVersion", "v1"},
                    {"kind", "DeleteOptions"},
                    {"propagationPolicy", options.propagation},
                    {"preconditions", {{"uid", options.uid}}}};
  const auto done = Text({"DELETE", resource.Path(namespace_, name), kJsonBody, json::serialize(body), ""});
  if (!done) return tl::unexpected(done.error());
  return {};
}

Answer<bool> RestClient::Serves(const Resource& resource) {
  const auto groups = Call({"GET", "/apis", "", "", ""});
  if (!groups) return tl::unexpected(groups.error());
  const bool has_version = std::ranges::any_of(ArrayAt(*groups, "groups"), [&resource](const json::value& group) {
    return group.is_object() && Holds(ArrayAt(group.get_object(), "versions"), "groupVersion", resource.api_version());
  });
  if (!has_version) return false;
  const auto kinds = Call({"GET", fmt::format("/apis/{}", resource.api_version()), "", "", ""});
  if (!kinds) return tl::unexpected(kinds.error());
  return Holds(ArrayAt(*kinds, "resources"), "name", resource.plural);
}

Answer<void> RestClient::Ping() {
  const auto done = Text({"GET", "/readyz", "", "", ""});
  if (!done) return tl::unexpected(done.error());
  return {};
}

Result<std::unique_ptr<HttpConnection>> RestClient::NewConnection(HttpConnection::Timeouts timeouts) const {
  return HttpConnection::Make(config_, timeouts);
}

Answer<Object> RestClient::Call(HttpCall call) {
  const std::string what = call.method + " " + call.path;
  const auto text = Text(std::move(call));
  if (!text) return tl::unexpected(text.error());
  auto object = ParseObject(*text);
  if (!object) return Unknown(what + ": " + object.error().message);
  return std::move(*object);
}

Answer<std::string> RestClient::Text(HttpCall call) {
  bool renewed = false;
  for (int attempt = 0;; ++attempt) {
    call.token = tokens_.Current();
    auto reply = Once(call);
    CountReply(call, reply);
    if (reply && reply->status / 100 == 2) return std::move(reply->body);
    if (reply && reply->status == 401 && !std::exchange(renewed, true) && tokens_.Renew(call.token)) continue;
    const auto wait = RetryIn(call, reply, attempt);
    if (!wait || *wait > options_.wait_between_max || attempt + 1 >= options_.attempts_max) {
      if (!reply) return Unknown(reply.error().message);
      ApiError error = ErrorOf(reply->status, reply->body);
      error.message = fmt::format("{} {}: {}", call.method, call.path, error.message);
      return tl::unexpected(std::move(error));
    }
    clock_->Sleep(*wait);
  }
}

tl::expected<HttpReply, HttpFailure> RestClient::Once(const HttpCall& call) {
  std::unique_ptr<HttpConnection> connection;
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      connection = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  if (!connection) {
    auto made = HttpConnection::Make(config_, options_.timeouts);
    if (!made) return tl::unexpected(HttpFailure{false, made.error().message});
    connection = std::move(*made);
  }
  auto reply = connection->Send(call);
  const std::lock_guard lock(mutex_);
  if (reply && idle_.size() < kIdleConnectionsMax) idle_.push_back(std::move(connection));
  return reply;
}

void RestClient::CountReply(const HttpCall& call, const tl::expected<HttpReply, HttpFailure>& reply) {
  if (metrics_ == nullptr) return;
  const std::string code = reply ? std::to_string(reply->status) : "<error>";
  metrics_
      ->counter("rest_client_requests_total", "Requests to the API server, by their answer.",
                {{"code", code}, {"method", call.method}})
      .Add();
}

}  // namespace dynamo::kube
