#include "tests/sim/world.h"

#include <algorithm>

#include "common/base/hash.h"

namespace dynamo::sim {

SimWorld::SimWorld(uint64_t seed) : seed_(seed), guard_(io_.get_executor()), processes_(1) {}

SimWorld::~SimWorld() = default;

Rng SimWorld::MakeRng(std::string_view concern) const { return Rng(HashOf(concern, seed_).low); }

ProcessId SimWorld::StartProcess() {
  processes_.emplace_back();
  return static_cast<ProcessId>(processes_.size() - 1);
}

void SimWorld::KillProcess(ProcessId process) {
  DYNAMO_CHECK(process != kNobody);
  processes_[process].alive = false;
  // What the events own may cancel other events as it goes.
  std::vector<std::function<void()>> doomed;
  for (uint32_t slot = 0; slot < slots_.size(); ++slot) {
    if (slots_[slot].process != process || !slots_[slot].work) continue;
    doomed.push_back(std::move(slots_[slot].work));
    Free(slot);
  }
  for (auto& [owner, work] : end_of_wake_up_) {
    if (owner == process) doomed.push_back(std::move(work));
  }
  std::erase_if(end_of_wake_up_, [process](const auto& entry) { return entry.first == process; });
}

void SimWorld::Pause(ProcessId process) { processes_[process].paused = true; }

void SimWorld::Resume(ProcessId process) {
  processes_[process].paused = false;
  for (Due due : std::exchange(processes_[process].held, {})) {
    due.when = now_;
    due.sequence = ++sequence_;
    due_.push(due);
  }
}

EventId SimWorld::At(ProcessId process, TimePoint when, std::function<void()> work) {
  if (!processes_[process].alive) return 0;
  if (free_slots_.empty()) {
    free_slots_.push_back(static_cast<uint32_t>(slots_.size()));
    slots_.emplace_back();
  }
  const uint32_t index = free_slots_.back();
  free_slots_.pop_back();
  Slot& slot = slots_[index];
  ++slot.generation;
  slot.process = process;
  slot.work = std::move(work);
  due_.push({std::max(when, now_), ++sequence_, index, slot.generation});
  return uint64_t{slot.generation} << 32 | index;
}

void SimWorld::Cancel(EventId event) {
  const auto index = static_cast<uint32_t>(event);
  if (event == 0 || slots_[index].generation != event >> 32 || !slots_[index].work) return;
  const auto doomed = std::move(slots_[index].work);
  Free(index);
}

void SimWorld::Free(uint32_t slot) {
  slots_[slot].work = nullptr;
  ++slots_[slot].generation;
  free_slots_.push_back(slot);
}

void SimWorld::AtEndOfWakeUp(ProcessId process, std::function<void()> work) {
  end_of_wake_up_.emplace_back(process, std::move(work));
}

void SimWorld::Settle() {
  for (;;) {
    while (io_.poll() > 0) {
    }
    if (end_of_wake_up_.empty()) return;
    for (auto& [process, work] : std::exchange(end_of_wake_up_, {})) {
      if (processes_[process].alive) work();
    }
  }
}

bool SimWorld::PutOff(Process& process, Due event) {
  // After the lag has ended, what comes still queues behind what is late.
  if (event.lagged || (process.lag == Duration(0) && process.lagged_until <= now_)) return false;
  process.lagged_until = std::max(process.lagged_until, now_ + process.lag);
  event.when = process.lagged_until;
  event.sequence = ++sequence_;
  event.lagged = true;
  due_.push(event);
  return true;
}

bool SimWorld::Step(TimePoint until) {
  while (!due_.empty() && due_.top().when <= until) {
    const Due next = due_.top();
    due_.pop();
    Slot& slot = slots_[next.slot];
    if (slot.generation != next.generation) continue;
    const ProcessId process = slot.process;
    now_ = next.when;
    if (processes_[process].paused) {
      processes_[process].held.push_back(next);
      continue;
    }
    if (PutOff(processes_[process], next)) continue;
    std::function<void()> work = std::move(slot.work);
    Free(next.slot);
    ++events_;
    Trace(static_cast<uint64_t>(now_.time_since_epoch().count()));
    Trace(process);
    work();
    work = nullptr;
    Settle();
    return true;
  }
  return false;
}

void SimWorld::RunUntil(TimePoint until) {
  Settle();
  while (Step(until)) {
  }
  now_ = std::max(now_, until);
}

bool SimWorld::RunUntil(const std::function<bool()>& done, TimePoint limit) {
  Settle();
  while (!done()) {
    if (!Step(limit)) {
      now_ = std::max(now_, limit);
      return false;
    }
  }
  return true;
}

}  // namespace dynamo::sim
