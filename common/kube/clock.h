// Time for the Kubernetes client: real in programs, moved by hand in tests.
#ifndef DYNAMO_COMMON_KUBE_CLOCK_H_
#define DYNAMO_COMMON_KUBE_CLOCK_H_

#include <condition_variable>
#include <mutex>

#include "common/base/time.h"

namespace dynamo::kube {

// Safe to call from any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimePoint Now() const = 0;
  virtual WallMicros Wall() const = 0;
  // Returns when `wake` is notified or `deadline` has come, and sometimes for no
  // reason: the caller looks at its condition again. `lock` is held before and after.
  virtual void WaitUntil(std::unique_lock<std::mutex>& lock, std::condition_variable& wake, TimePoint deadline) = 0;

  // Comes back after `duration`.
  void Sleep(Duration duration);
};

class SystemClock final : public Clock {
 public:
  TimePoint Now() const override;
  WallMicros Wall() const override;
  void WaitUntil(std::unique_lock<std::mutex>& lock, std::condition_variable& wake, TimePoint deadline) override;
};

// A flag that ends waits: set once, from any thread.
class StopFlag {
 public:
  explicit StopFlag(Clock* clock) : clock_(clock) {}
  StopFlag(const StopFlag&) = delete;
  StopFlag& operator=(const StopFlag&) = delete;

  void Set();
  bool is_set() const;
  // True: stopped. False: `duration` has passed.
  bool WaitFor(Duration duration);

 private:
  Clock* clock_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool set_ = false;
};

}  // namespace dynamo::kube

#endif  // DYNAMO_COMMON_KUBE_CLOCK_H_
