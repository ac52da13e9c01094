#include "node/env/clock.h"

#include <memory>

namespace dynamo {
namespace {

// Cancels when the frame that waits goes, however it goes.
struct TimerGuard {
  Clock* clock;
  TimerId timer;
  ~TimerGuard() { clock->Cancel(timer); }
};

}  // namespace

Async<> SleepUntil(Scope& scope, Clock& clock, TimePoint when) {
  Event event(scope);
  const TimerGuard guard{&clock, clock.At(when, [&event] { event.Set(); })};
  co_await event.Wait();
}

Async<bool> WaitUntil(Event& event, Clock& clock, TimePoint deadline) {
  if (event.is_set()) co_return true;
  bool late = false;
  const TimerGuard guard{&clock, clock.At(deadline, [&event, &late] {
                           late = !event.is_set();
                           event.Set();
                         })};
  co_await event.Wait();
  co_return !late;
}

}  // namespace dynamo
