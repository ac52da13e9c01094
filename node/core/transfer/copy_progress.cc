#include "node/core/transfer/copy_progress.h"

#include <algorithm>
#include <cmath>

namespace dynamo {
namespace {

constexpr int64_t kMicros = 1'000'000;

int64_t SecondOf(TimePoint now) { return now.time_since_epoch().count() / kMicros; }

}  // namespace

CopyShare& CopyShare::operator+=(const CopyShare& other) {
  to_copy += other.to_copy;
  copied += other.copied;
  bytes += other.bytes;
  return *this;
}

CopyEstimate EstimateOf(const CopyShares& shares, uint64_t bytes_per_second) {
  CopyEstimate estimate;
  double left = 0;
  bool known = true;
  for (const auto& [n_val, share] : shares) {
    estimate.bytes += share.bytes;
    const double rest = std::max(0.0, share.to_copy - share.copied);
    if (rest == 0) continue;
    if (share.copied <= 0) {
      known = false;
    } else {
      left += rest * static_cast<double>(share.bytes) / share.copied;
    }
  }
  if (!known) return estimate;
  estimate.bytes_in_all = estimate.bytes + static_cast<uint64_t>(std::llround(left));
  if (left == 0) {
    estimate.time_left = Duration(0);
  } else if (bytes_per_second > 0) {
    const double micros = left / static_cast<double>(bytes_per_second) * static_cast<double>(kMicros);
    estimate.time_left = Duration(std::llround(micros));
  }
  return estimate;
}

void RateMeter::Add(TimePoint now, uint64_t bytes) {
  const int64_t number = SecondOf(now);
  if (!first_) first_ = number;
  Second& second = seconds_[static_cast<size_t>(number % kSeconds)];
  if (second.number != number) second = {number, 0};
  second.bytes += bytes;
}

uint64_t RateMeter::PerSecond(TimePoint now) const {
  if (!first_) return 0;
  const int64_t number = SecondOf(now);
  uint64_t bytes = 0;
  for (const Second& second : seconds_) {
    if (second.number > number - kSeconds && second.number <= number) bytes += second.bytes;
  }
  return bytes / static_cast<uint64_t>(std::clamp<int64_t>(number - *first_ + 1, 1, kSeconds));
}

}  // namespace dynamo
