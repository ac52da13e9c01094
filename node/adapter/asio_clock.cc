#include "node/adapter/asio_clock.h"

#include <boost/asio/basic_waitable_timer.hpp>
#include <chrono>
#include <utility>

#include "node/adapter/timer_wheel.h"

namespace dynamo {
namespace {

using SteadyTimer =
    asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, Executor>;

TimePoint SteadyNow() {
  return TimePoint(std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch()));
}

}  // namespace

struct AsioClock::State : std::enable_shared_from_this<State> {
  explicit State(Executor executor) : timer(executor), wheel(SteadyNow()) {}

  // Only an earlier timer moves the alarm: most are later than what waits, and an
  // alarm that finds its timers cancelled costs one idle wake-up.
  void Arm() {
    const auto next = wheel.Next();
    if (!next || (armed && alarm <= *next)) return;
    armed = true;
    alarm = *next;
    timer.expires_at(std::chrono::steady_clock::time_point(next->time_since_epoch()));
    timer.async_wait([weak = weak_from_this(), when = *next](const boost::system::error_code& error) {
      const auto state = weak.lock();
      if (!state || error || when != state->alarm) return;
      state->armed = false;
      state->wheel.Advance(SteadyNow());
      state->Arm();
    });
  }

  SteadyTimer timer;
  TimerWheel wheel;
  TimePoint alarm;
  bool armed = false;
};

AsioClock::AsioClock(Executor executor) : state_(std::make_shared<State>(executor)) {}

AsioClock::~AsioClock() = default;

TimePoint AsioClock::Now() const { return SteadyNow(); }

WallMicros AsioClock::WallNow() const {
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<WallMicros>(std::chrono::duration_cast<Duration>(since_epoch).count());
}

TimerId AsioClock::At(TimePoint when, std::function<void()> fire) {
  // An idle wheel stands where its last timer left it.
  if (state_->wheel.size() == 0) state_->wheel.Advance(SteadyNow());
  const TimerId id = state_->wheel.Add(when, std::move(fire));
  state_->Arm();
  return id;
}

void AsioClock::Cancel(TimerId timer) { state_->wheel.Cancel(timer); }

}  // namespace dynamo
