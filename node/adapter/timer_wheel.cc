#include "node/adapter/timer_wheel.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace dynamo {

TimerWheel::Id TimerWheel::Add(TimePoint when, std::function<void()> fire) {
  if (free_.empty()) {
    free_.push_back(static_cast<uint32_t>(timers_.size()));
    timers_.emplace_back();
  }
  const uint32_t index = free_.back();
  free_.pop_back();
  Timer& timer = timers_[index];
  timer.fire = std::move(fire);
  timer.due = std::max(FloorTick(when + kTick - Duration(1)), current_ + 1);
  timer.live = true;
  ++timer.generation;
  ++size_;
  Place(index);
  return (uint64_t{timer.generation} << 32) | (index + 1);
}

void TimerWheel::Cancel(Id id) {
  const uint32_t index = static_cast<uint32_t>(id) - 1;
  if (index >= timers_.size() || !timers_[index].live || timers_[index].generation != id >> 32) return;
  Unlink(index);
  Release(index);  // What it captured dies last: its end may call back in here.
}

void TimerWheel::Advance(TimePoint now) {
  const uint64_t target = FloorTick(now);
  while (current_ < target) {
    const auto next = NextTick();
    if (!next || *next > target) break;
    current_ = *next;
    Cascade();
    FireCurrent();
  }
  current_ = std::max(current_, target);
}

std::optional<TimePoint> TimerWheel::Next() const {
  const auto tick = NextTick();
  if (!tick) return std::nullopt;
  return TimePoint(kTick * static_cast<int64_t>(*tick));
}

// The level is the coarsest whose slot still tells this tick from others; what
// lies beyond the horizon waits in the last slot and is placed again from there.
void TimerWheel::Place(uint32_t index) {
  Timer& timer = timers_[index];
  const uint64_t distance = std::min(timer.due - current_, kHorizon - 1);
  const uint64_t position = current_ + distance;
  int level = 0;
  while (distance >> ((level + 1) * kSlotBits)) ++level;
  timer.level = static_cast<uint8_t>(level);
  timer.slot = static_cast<uint8_t>((position >> (level * kSlotBits)) % kSlots);
  uint32_t& first = levels_[level].first[timer.slot];
  timer.previous = kNone;
  timer.next = first;
  if (first != kNone) timers_[first].previous = index;
  first = index;
  levels_[level].occupied |= uint64_t{1} << timer.slot;
}

void TimerWheel::Unlink(uint32_t index) {
  Timer& timer = timers_[index];
  Level& level = levels_[timer.level];
  if (timer.next != kNone) timers_[timer.next].previous = timer.previous;
  if (timer.previous != kNone) {
    timers_[timer.previous].next = timer.next;
  } else {
    level.first[timer.slot] = timer.next;
    if (timer.next == kNone) level.occupied &= ~(uint64_t{1} << timer.slot);
  }
}

std::function<void()> TimerWheel::Release(uint32_t index) {
  Timer& timer = timers_[index];
  timer.live = false;
  --size_;
  free_.push_back(index);
  return std::exchange(timer.fire, nullptr);
}

std::optional<uint64_t> TimerWheel::NextTick() const {
  std::optional<uint64_t> earliest;
  for (int level = 0; level < kLevels; ++level) {
    if (levels_[level].occupied == 0) continue;
    const uint64_t position = current_ >> (level * kSlotBits);
    // Bit 0 is the slot after the current one; the current one comes round last.
    const uint64_t ahead = std::rotr(levels_[level].occupied, static_cast<int>((position + 1) % kSlots));
    const uint64_t tick = (position + 1 + std::countr_zero(ahead)) << (level * kSlotBits);
    earliest = std::min(earliest.value_or(tick), tick);
  }
  return earliest;
}

// At the first tick of a coarse slot its timers move to finer ones.
void TimerWheel::Cascade() {
  for (int level = kLevels - 1; level > 0; --level) {
    if (current_ % (uint64_t{1} << (level * kSlotBits)) != 0) continue;
    const uint64_t slot = (current_ >> (level * kSlotBits)) % kSlots;
    levels_[level].occupied &= ~(uint64_t{1} << slot);
    uint32_t index = std::exchange(levels_[level].first[slot], kNone);
    while (index != kNone) {
      const uint32_t next = timers_[index].next;
      Place(index);
      index = next;
    }
  }
}

void TimerWheel::FireCurrent() {
  const uint32_t& first = levels_[0].first[current_ % kSlots];
  while (first != kNone) {
    const uint32_t index = first;
    Unlink(index);
    Release(index)();
  }
}

}  // namespace dynamo
