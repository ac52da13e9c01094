// How fast background work may read and send: so many bytes a second, on average.
#ifndef DYNAMO_NODE_SERVICE_BACKGROUND_PACE_H_
#define DYNAMO_NODE_SERVICE_BACKGROUND_PACE_H_

#include <algorithm>
#include <cstdint>

#include "node/env/clock.h"
#include "node/env/scope.h"

namespace dynamo {

class BackgroundPace {
 public:
  // All outlive it. 0 bytes a second: as fast as it goes.
  BackgroundPace(Scope* scope, Clock* clock, uint64_t bytes_per_second)
      : scope_(scope), clock_(clock), bytes_per_second_(bytes_per_second) {}

  // After so many bytes were read or sent: waits until they are paid for.
  Async<> Spend(uint64_t bytes) {
    if (bytes_per_second_ == 0) co_return;
    const TimePoint now = clock_->Now();
    constexpr uint64_t kMicrosPerSecond = 1'000'000;
    paid_until_ =
        std::max(paid_until_, now) + Duration(static_cast<int64_t>(bytes * kMicrosPerSecond / bytes_per_second_));
    if (paid_until_ - now >= kWorthWaiting) co_await SleepUntil(*scope_, *clock_, paid_until_);
  }

 private:
  // Shorter debts add up first.
  static constexpr Duration kWorthWaiting{1'000};

  Scope* scope_;
  Clock* clock_;
  uint64_t bytes_per_second_;
  TimePoint paid_until_{};
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_SERVICE_BACKGROUND_PACE_H_
