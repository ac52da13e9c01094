// The Clock port over the machine's clocks and one Asio timer.
#ifndef DYNAMO_NODE_ADAPTER_ASIO_CLOCK_H_
#define DYNAMO_NODE_ADAPTER_ASIO_CLOCK_H_

#include <memory>

#include "node/env/clock.h"

namespace dynamo {

// One a shard, used on its thread only. After its end nothing fires.
class AsioClock : public Clock {
 public:
  explicit AsioClock(Executor executor);
  ~AsioClock() override;

  TimePoint Now() const override;
  WallMicros WallNow() const override;
  // Fires within about two milliseconds of `when`.
  TimerId At(TimePoint when, std::function<void()> fire) override;
  void Cancel(TimerId timer) override;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_ADAPTER_ASIO_CLOCK_H_
