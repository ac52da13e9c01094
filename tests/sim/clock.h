// A node's clocks over virtual time: a steady one that drifts, and a wall clock
// that may be wrong and jump.
#ifndef DYNAMO_TESTS_SIM_CLOCK_H_
#define DYNAMO_TESTS_SIM_CLOCK_H_

#include "node/env/clock.h"
#include "tests/sim/world.h"

namespace dynamo::sim {

// 2026-01-01, so that stamps look like stamps.
inline constexpr WallMicros kWallEpoch = 1'767'225'600'000'000;

// One for each process, shared by its shards.
class SimClock : public Clock {
 public:
  // `drift_ppm`: how much faster than true time both clocks run; above -1,000,000.
  SimClock(SimWorld* world, ProcessId process, TimePoint steady_start, int64_t drift_ppm);

  TimePoint Now() const override;
  WallMicros WallNow() const override;
  TimerId At(TimePoint when, std::function<void()> fire) override;
  void Cancel(TimerId timer) override { world_->Cancel(timer); }

  // How far the wall clock is ahead of the truth (the steady clock's drift apart); may
  // jump either way.
  void SetSkew(Duration skew);
  // The wall clock alone runs that much faster from now on, as one that is slewed.
  void SetWallDrift(int64_t ppm);

 private:
  Duration Elapsed() const;
  Duration Slewed() const;

  SimWorld* world_;
  ProcessId process_;
  TimePoint born_;
  TimePoint steady_start_;
  int64_t drift_ppm_;
  Duration skew_{0};
  int64_t wall_drift_ppm_ = 0;
  TimePoint slewed_from_{};
  Duration slewed_before_{0};  // By drifts that ended.
};

}  // namespace dynamo::sim

#endif  // DYNAMO_TESTS_SIM_CLOCK_H_
