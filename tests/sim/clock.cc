#include "tests/sim/clock.h"

#include <algorithm>

namespace dynamo::sim {
namespace {

constexpr int64_t kMillion = 1'000'000;

}  // namespace

SimClock::SimClock(SimWorld* world, ProcessId process, TimePoint steady_start, int64_t drift_ppm)
    : world_(world), process_(process), born_(world->now()), steady_start_(steady_start), drift_ppm_(drift_ppm) {
  DYNAMO_CHECK(drift_ppm > -kMillion);
}

Duration SimClock::Elapsed() const {
  const int64_t truth = (world_->now() - born_).count();
  return Duration(truth + truth * drift_ppm_ / kMillion);
}

TimePoint SimClock::Now() const { return steady_start_ + Elapsed(); }

WallMicros SimClock::WallNow() const {
  const auto at_birth = static_cast<int64_t>(kWallEpoch) + born_.time_since_epoch().count();
  return static_cast<WallMicros>(at_birth + (Elapsed() + Slewed() + skew_).count());
}

Duration SimClock::Slewed() const {
  return slewed_before_ + Duration((world_->now() - slewed_from_).count() * wall_drift_ppm_ / kMillion);
}

void SimClock::SetSkew(Duration skew) {
  skew_ = skew;
  slewed_before_ = Duration(0);
  slewed_from_ = world_->now();
}

void SimClock::SetWallDrift(int64_t ppm) {
  slewed_before_ = Slewed();
  slewed_from_ = world_->now();
  wall_drift_ppm_ = ppm;
}

TimerId SimClock::At(TimePoint when, std::function<void()> fire) {
  const int64_t wait = std::max<int64_t>(0, (when - Now()).count());
  // Rounded up by two, so that the clock shows at least `when` as the timer fires.
  const auto truth = Duration(wait == 0 ? 0 : wait * kMillion / (kMillion + drift_ppm_) + 2);
  return world_->At(process_, world_->now() + (drift_ppm_ == 0 ? Duration(wait) : truth), std::move(fire));
}

}  // namespace dynamo::sim
