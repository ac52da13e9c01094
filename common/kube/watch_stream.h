// A watch: changes of a collection's objects as they happen.
#ifndef DYNAMO_COMMON_KUBE_WATCH_STREAM_H_
#define DYNAMO_COMMON_KUBE_WATCH_STREAM_H_

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "common/kube/rest_client.h"

namespace dynamo::kube {

struct WatchEvent {
  enum class Type { kAdded, kModified, kDeleted, kBookmark };
  Type type = Type::kBookmark;
  Object object;
};

class WatchStream {
 public:
  struct Options {
    Duration server_timeout = std::chrono::minutes(5);  // The server ends the watch then; no error.
    // Bookmarks come about once a minute: longer silence is a dead connection.
    Duration silence_max = std::chrono::seconds(90);
  };

  WatchStream(RestClient* client, Options options) : client_(client), options_(options) {}

  // Blocks until the watch ends. Success: the server ended it in order. kGone: the
  // version has expired (also as an event within HTTP 200). All else, a line cut in
  // the middle among it: kUnknown, to be resumed from the last version seen.
  Answer<void> Run(const Resource& resource, const std::string& namespace_, const ListOptions& list,
                   const std::string& resource_version, const std::function<void(WatchEvent)>& on_event);

  // From any thread: ends Run, now and in future; returns when it has ended.
  void Stop();

 private:
  Answer<void> Read(HttpConnection& connection, const HttpCall& call, const std::function<void(WatchEvent)>& on_event);

  RestClient* const client_;
  const Options options_;
  std::mutex mutex_;
  std::condition_variable ended_;
  HttpConnection* running_ = nullptr;
  bool stopped_ = false;
};

}  // namespace dynamo::kube

#endif  // DYNAMO_COMMON_KUBE_WATCH_STREAM_H_
