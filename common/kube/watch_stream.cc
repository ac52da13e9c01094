#include "common/kube/watch_stream.h"

#include <fmt/format.h>

#include <boost/json/serialize.hpp>
#include <chrono>
#include <optional>
#include <utility>

namespace dynamo::kube {
namespace {

constexpr size_t kLineBytesMax = size_t{16} << 20;

std::optional<WatchEvent::Type> TypeOf(std::string_view name) {
  if (name == "ADDED") return WatchEvent::Type::kAdded;
  if (name == "MODIFIED") return WatchEvent::Type::kModified;
  if (name == "DELETED") return WatchEvent::Type::kDeleted;
  if (name == "BOOKMARK") return WatchEvent::Type::kBookmark;
  return std::nullopt;
}

// One line of the stream.
Answer<WatchEvent> ParseEvent(std::string_view line) {
  auto parsed = ParseObject(line);
  if (!parsed) return Unknown("watch: " + parsed.error().message);
  json::value* object = parsed->if_contains("object");
  if (object == nullptr || !object->is_object()) return Unknown("watch: an event without an object");
  const std::string type = StringAt(*parsed, "type");
  if (type == "ERROR") {
    return tl::unexpected(
        ErrorOf(static_cast<int>(IntAt(object->get_object(), "code")), json::serialize(object->get_object())));
  }
  const auto known = TypeOf(type);
  if (!known) return Unknown(fmt::format("watch: an event of unknown type \"{}\"", type));
  return WatchEvent{*known, std::move(object->get_object())};
}

}  // namespace

Answer<void> WatchStream::Run(const Resource& resource, const std::string& namespace_, const ListOptions& list,
                              const std::string& resource_version, const std::function<void(WatchEvent)>& on_event) {
  std::string path = resource.Path(namespace_) +
                     fmt::format("?watch=true&allowWatchBookmarks=true&timeoutSeconds={}&resourceVersion={}",
                                 std::chrono::duration_cast<std::chrono::seconds>(options_.server_timeout).count(),
                                 PercentEncoded(resource_version));
  if (!list.label_selector.empty()) path += "&labelSelector=" + PercentEncoded(list.label_selector);
  if (!list.field_selector.empty()) path += "&fieldSelector=" + PercentEncoded(list.field_selector);

  HttpConnection::Timeouts timeouts;
  timeouts.read = options_.silence_max;
  auto connection = client_->NewConnection(timeouts);
  if (!connection) return Unknown(connection.error().message);
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) return Unknown("watch: stopped");
    running_ = connection->get();
  }
  Answer<void> end = Read(**connection, {"GET", path, "", "", client_->tokens().Current()}, on_event);
  const std::lock_guard lock(mutex_);
  running_ = nullptr;
  ended_.notify_all();
  return end;
}

Answer<void> WatchStream::Read(HttpConnection& connection, const HttpCall& call,
                               const std::function<void(WatchEvent)>& on_event) {
  std::string rest;
  std::optional<ApiError> error;
  const auto on_piece = [&](std::string_view piece) {
    rest.append(piece);
    size_t begin = 0;
    for (size_t end = rest.find('\n'); end != std::string::npos; end = rest.find('\n', begin)) {
      auto event = ParseEvent(std::string_view(rest).substr(begin, end - begin));
      begin = end + 1;
      if (!event) {
        error = event.error();
        return false;
      }
      on_event(std::move(*event));
    }
    rest.erase(0, begin);
    return rest.size() <= kLineBytesMax;
  };
  const auto reply = connection.Stream(call, on_piece);
  if (error) return tl::unexpected(std::move(*error));
  if (!reply) return Unknown("watch: " + reply.error().message);
  if (reply->status == 401) client_->tokens().Renew(call.token);
  if (reply->status / 100 != 2) return tl::unexpected(ErrorOf(reply->status, reply->body));
  if (!rest.empty()) return Unknown("watch: the stream was cut in the middle of an event");
  return {};
}

void WatchStream::Stop() {
  std::unique_lock lock(mutex_);
  stopped_ = true;
  // A connection that is just being opened cannot be stopped yet: ask again.
  while (running_ != nullptr) {
    running_->Stop();
    ended_.wait_for(lock, std::chrono::milliseconds(20));
  }
}

}  // namespace dynamo::kube
