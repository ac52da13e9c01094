// A clock that a test moves.
#ifndef DYNAMO_TESTS_LIB_KUBE_MANUAL_CLOCK_H_
#define DYNAMO_TESTS_LIB_KUBE_MANUAL_CLOCK_H_

#include <algorithm>
#include <chrono>
#include <mutex>
#include <vector>

#include "common/kube/clock.h"

namespace dynamo::testing {

class ManualClock final : public kube::Clock {
 public:
  // kJumps: a wait moves time to its end at once, so that back-offs take none.
  enum class Waits { kBlock, kJump };
  explicit ManualClock(Waits waits = Waits::kJump) : waits_(waits) {}

  TimePoint Now() const override {
    const std::lock_guard lock(mutex_);
    return now_;
  }
  WallMicros Wall() const override {
    return 1'700'000'000'000'000 + static_cast<WallMicros>(Now().time_since_epoch().count());
  }
  void WaitUntil(std::unique_lock<std::mutex>& lock, std::condition_variable& wake, TimePoint deadline) override {
    if (waits_ == Waits::kJump) {
      // Whoever waits lets go of its lock: who would notify it has to get in.
      wake.wait_for(lock, std::chrono::microseconds(100));
      const std::lock_guard own(mutex_);
      waited_ += std::max(Duration(0), deadline - now_);
      now_ = std::max(now_, deadline);
      return;
    }
    // Whoever moved the clock meanwhile could not notify `wake`: look again soon.
    wake.wait_for(lock, std::chrono::milliseconds(1));
  }

  void Advance(Duration duration) {
    const std::lock_guard lock(mutex_);
    now_ += duration;
  }
  // Sum of all waits that were jumped over.
  Duration waited() const {
    const std::lock_guard lock(mutex_);
    return waited_;
  }

 private:
  const Waits waits_;
  mutable std::mutex mutex_;
  TimePoint now_{std::chrono::hours(1)};
  Duration waited_{0};
};

}  // namespace dynamo::testing

#endif  // DYNAMO_TESTS_LIB_KUBE_MANUAL_CLOCK_H_
