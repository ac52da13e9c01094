// Timers as a hierarchical wheel (Varghese and Lauck 1987): adding and cancelling
// cost the same however many wait, and almost all timers are cancelled.
#ifndef DYNAMO_NODE_ADAPTER_TIMER_WHEEL_H_
#define DYNAMO_NODE_ADAPTER_TIMER_WHEEL_H_

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "common/base/time.h"

namespace dynamo {

// Knows no clock: it is told the time. Single-threaded.
class TimerWheel {
 public:
  using Id = uint64_t;  // Never zero; not reused while anybody may still hold it.
  static constexpr Duration kTick{1024};

  explicit TimerWheel(TimePoint now) : current_(FloorTick(now)) {}
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;

  // Due at the first Advance at or after `when`, rounded up to a tick; never
  // before the next tick.
  Id Add(TimePoint when, std::function<void()> fire);
  // A timer that fired or was cancelled is ignored.
  void Cancel(Id id);

  // Fires what is due, in the order of ticks. What is fired may add and cancel.
  void Advance(TimePoint now);

  // When Advance has something to do next, never later than the first timer is
  // due; nullopt: nothing waits.
  std::optional<TimePoint> Next() const;

  size_t size() const { return size_; }

 private:
  static constexpr int kLevels = 4;
  static constexpr int kSlotBits = 6;
  static constexpr uint64_t kSlots = 1 << kSlotBits;
  static constexpr uint64_t kHorizon = uint64_t{1} << (kLevels * kSlotBits);
  static constexpr uint32_t kNone = UINT32_MAX;

  struct Timer {
    std::function<void()> fire;
    uint64_t due = 0;  // In ticks.
    uint32_t generation = 0;
    uint32_t previous = kNone;
    uint32_t next = kNone;
    uint8_t level = 0;
    uint8_t slot = 0;
    bool live = false;
  };
  struct Level {
    std::array<uint32_t, kSlots> first;
    uint64_t occupied = 0;  // A bit a slot.
    Level() { first.fill(kNone); }
  };

  static uint64_t FloorTick(TimePoint time) {
    return static_cast<uint64_t>(time.time_since_epoch().count()) / kTick.count();
  }
  void Place(uint32_t index);
  void Unlink(uint32_t index);
  std::function<void()> Release(uint32_t index);
  std::optional<uint64_t> NextTick() const;
  void Cascade();
  void FireCurrent();

  uint64_t current_;
  std::array<Level, kLevels> levels_;
  std::vector<Timer> timers_;
  std::vector<uint32_t> free_;
  size_t size_ = 0;
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_ADAPTER_TIMER_WHEEL_H_
