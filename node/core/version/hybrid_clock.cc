#include "node/core/version/hybrid_clock.h"

#include <algorithm>

namespace dynamo {

uint64_t HybridClock::Next(WallMicros now, uint64_t at_least) {
  last_ = std::max({now, last_ + 1, at_least + 1});
  return last_;
}

void HybridClock::Observe(uint64_t stamp) { last_ = std::max(last_, stamp); }

std::optional<uint64_t> HybridClock::MarkToWrite() const {
  if (last_ <= mark_) return std::nullopt;
  return last_ + kMarkAhead_us;
}

void HybridClock::OnMarkWritten(uint64_t mark) { mark_ = std::max(mark_, mark); }

}  // namespace dynamo
