#include "common/kube/clock.h"

#include <chrono>

namespace dynamo::kube {

void Clock::Sleep(Duration duration) {
  StopFlag never(this);
  never.WaitFor(duration);
}

TimePoint SystemClock::Now() const {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return TimePoint(std::chrono::duration_cast<Duration>(now));
}

WallMicros SystemClock::Wall() const {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<WallMicros>(std::chrono::duration_cast<std::chrono::microseconds>(now).count());
}

void SystemClock::WaitUntil(std::unique_lock<std::mutex>& lock, std::condition_variable& wake, TimePoint deadline) {
  wake.wait_until(lock, std::chrono::steady_clock::time_point(deadline.time_since_epoch()));
}

void StopFlag::Set() {
  {
    const std::lock_guard lock(mutex_);
    set_ = true;
  }
  wake_.notify_all();
}

bool StopFlag::is_set() const {
  const std::lock_guard lock(mutex_);
  return set_;
}

bool StopFlag::WaitFor(Duration duration) {
  std::unique_lock lock(mutex_);
  const TimePoint deadline = clock_->Now() + duration;
  while (!set_ && clock_->Now() < deadline) clock_->WaitUntil(lock, wake_, deadline);
  return set_;
}

}  // namespace dynamo::kube
