// Keys that want work: each at most once in the queue and at most once in work.
#ifndef DYNAMO_COMMON_KUBE_WORK_QUEUE_H_
#define DYNAMO_COMMON_KUBE_WORK_QUEUE_H_

#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "common/base/metrics.h"
#include "common/kube/clock.h"

namespace dynamo::kube {

// Safe to call from any thread.
class WorkQueue {
 public:
  struct Options {
    std::string name = "work";
    Duration backoff_min = std::chrono::milliseconds(5), backoff_max = std::chrono::seconds(1000);
  };

  // `metrics` may be null.
  WorkQueue(Clock* clock, Metrics* metrics, Options options);

  // Now; a key in work is taken up again when that is done.
  void Add(const std::string& key);
  // Not before `delay`; an earlier wish for the key stands.
  void AddAfter(const std::string& key, Duration delay);
  // After the failures-so-far's back-off: 5 ms * 2^n.
  void AddRateLimited(const std::string& key);
  void Forget(const std::string& key);  // It went well: the back-off starts anew.

  // Blocks; nullopt: the queue is stopped. Whoever gets a key calls Done.
  std::optional<std::string> Get();
  void Done(const std::string& key);
  void Stop();

  size_t size() const;

 private:
  void Schedule(const std::string& key, TimePoint at);
  void Report();

  Clock* const clock_;
  const Options options_;
  Gauge* depth_ = nullptr;
  Counter* adds_ = nullptr;
  Counter* retries_ = nullptr;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::map<std::string, TimePoint> due_;
  std::set<std::string> in_work_;
  std::map<std::string, int> failures_;
  bool stopped_ = false;
};

}  // namespace dynamo::kube

#endif  // DYNAMO_COMMON_KUBE_WORK_QUEUE_H_
