// Time as a port: the steady clock, the wall clock and timers of one shard.
#ifndef DYNAMO_NODE_ENV_CLOCK_H_
#define DYNAMO_NODE_ENV_CLOCK_H_

#include <cstdint>
#include <functional>

#include "common/base/time.h"
#include "node/env/async.h"
#include "node/env/scope.h"

namespace dynamo {

// Zero is no timer.
using TimerId = uint64_t;

class Clock {
 public:
  virtual ~Clock() = default;

  virtual TimePoint Now() const = 0;
  virtual WallMicros WallNow() const = 0;

  // Calls `fire` on the shard's thread, once, at `when` or soon after; never
  // within this call.
  virtual TimerId At(TimePoint when, std::function<void()> fire) = 0;
  // A timer that fired or was cancelled is ignored.
  virtual void Cancel(TimerId timer) = 0;
};

Async<> SleepUntil(Scope& scope, Clock& clock, TimePoint when);

// True if the event was set, false if `deadline` came first.
Async<bool> WaitUntil(Event& event, Clock& clock, TimePoint deadline);

}  // namespace dynamo

#endif  // DYNAMO_NODE_ENV_CLOCK_H_
