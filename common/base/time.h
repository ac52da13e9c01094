// The two kinds of time: instants of a steady clock, for deadlines, and the
// wall clock, for people and for last-writer-wins.
#ifndef DYNAMO_COMMON_BASE_TIME_H_
#define DYNAMO_COMMON_BASE_TIME_H_

#include <chrono>
#include <cstdint>

namespace dynamo {

using Duration = std::chrono::microseconds;

// Never goes backwards; comparable within one process only.
struct SteadyClockTag {
  using rep = Duration::rep;
  using period = Duration::period;
  using duration = Duration;
  static constexpr bool is_steady = true;
};
using TimePoint = std::chrono::time_point<SteadyClockTag, Duration>;

// Microseconds since 1970-01-01 UTC by the machine's clock: may jump either way.
using WallMicros = uint64_t;

}  // namespace dynamo

#endif  // DYNAMO_COMMON_BASE_TIME_H_
