// Events: what happened to an object, for people (kubectl describe).
#ifndef DYNAMO_COMMON_KUBE_EVENT_RECORDER_H_
#define DYNAMO_COMMON_KUBE_EVENT_RECORDER_H_

#include <map>
#include <mutex>
#include <string>

#include "common/base/log.h"
#include "common/kube/rest_client.h"

namespace dynamo::kube {

enum class EventType { kNormal, kWarning };

// Safe to call from any thread.
class EventRecorder {
 public:
  EventRecorder(RestClient* client, Logger log, std::string component);

  // Best effort: a failure is logged, nothing depends on events. The same reason and
  // message again raises the count of the event that is there.
  void Record(const Object& about, EventType type, const std::string& reason, const std::string& message);

 private:
  RestClient* const client_;
  const Logger log_;
  const std::string component_;
  std::mutex mutex_;
  std::map<std::string, int64_t> counts_;  // By the event's name; at most kRemembered.
};

}  // namespace dynamo::kube

#endif  // DYNAMO_COMMON_KUBE_EVENT_RECORDER_H_
