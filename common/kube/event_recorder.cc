#include "common/kube/event_recorder.h"

#include <fmt/format.h>

#include <utility>

#include "common/base/hash.h"

namespace dynamo::kube {
namespace {

constexpr size_t kRemembered = 1000;

}  // namespace

EventRecorder::EventRecorder(RestClient* client, Logger log, std::string component)
    : client_(client), log_(std::move(log)), component_(std::move(component)) {}

void EventRecorder::Record(const Object& about, EventType type, const std::string& reason, const std::string& message) {
  const std::string text = message.substr(0, 1000);  // The API takes 1024 bytes.
  const uint64_t digest = Checksum64(UidOf(about) + "\n" + reason + "\n" + text);
  const std::string name = fmt::format("{}.{:016x}", NameOf(about), digest);
  const std::string key = MakeKey(NamespaceOf(about), name);
  const std::string now = Time(client_->clock()->Wall());
  int64_t count = 0;
  {
    const std::lock_guard lock(mutex_);
    if (counts_.size() >= kRemembered && !counts_.contains(key)) counts_.erase(counts_.begin());
    count = ++counts_[key];
  }
  if (count > 1) {
    const auto raised =
        client_->MergePatch(Events(), NamespaceOf(about), name, Object{{"count", count}, {"lastTimestamp", now}});
    if (raised || raised.error().kind != ApiError::Kind::kNotFound) return;
    // The server drops events after an hour: write it anew.
  }
  const Object event{{"apiVersion", "v1"},
                     {"kind", "Event"},
                     {"metadata", {{"name", name}, {"namespace", NamespaceOf(about)}}},
                     {"involvedObject",
                      {{"apiVersion", StringAt(about, "apiVersion")},
                       {"kind", StringAt(about, "kind")},
                       {"name", NameOf(about)},
                       {"namespace", NamespaceOf(about)},
                       {"uid", UidOf(about)}}},
                     {"type", type == EventType::kNormal ? "Normal" : "Warning"},
                     {"reason", reason},
                     {"message", text},
                     {"source", {{"component", component_}}},
                     {"firstTimestamp", now},
                     {"lastTimestamp", now},
                     {"count", count}};
  const auto created = client_->Create(Events(), event);
  if (!created && created.error().kind != ApiError::Kind::kAlreadyExists) {
    log_.Warn("event_failed reason={} error=\"{}\"", reason, ToString(created.error()));
  }
}

}  // namespace dynamo::kube
