// The world of a simulation: virtual time, one heap of events, one seed.
//
// Everything that happens is an event of some process (a run of a node) at some
// instant. Between two events all coroutines run until none is ready, so the order
// of everything is a function of the seed alone.
#ifndef DYNAMO_TESTS_SIM_WORLD_H_
#define DYNAMO_TESTS_SIM_WORLD_H_

#include <boost/asio/executor_work_guard.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <queue>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/check.h"
#include "common/base/random.h"
#include "common/base/time.h"
#include "node/env/async.h"
#include "node/env/scope.h"

namespace dynamo::sim {

// One run of a node, from start to crash; never reused. kNobody is the world
// itself (clients, faults), which never dies.
using ProcessId = uint32_t;
inline constexpr ProcessId kNobody = 0;

// Zero is no event.
using EventId = uint64_t;

class SimWorld {
 public:
  explicit SimWorld(uint64_t seed);
  ~SimWorld();
  SimWorld(const SimWorld&) = delete;
  SimWorld& operator=(const SimWorld&) = delete;

  Executor executor() { return io_.get_executor(); }
  // True time, from zero; nodes see it through their clocks only.
  TimePoint now() const { return now_; }
  uint64_t seed() const { return seed_; }
  // A generator for one concern: what others draw does not disturb it.
  Rng MakeRng(std::string_view concern) const;

  ProcessId StartProcess();
  // Drops all its events. From an event of another process, or between runs.
  void KillProcess(ProcessId process);
  bool alive(ProcessId process) const { return processes_[process].alive; }
  // Its events wait until Resume, as under SIGSTOP.
  void Pause(ProcessId process);
  void Resume(ProcessId process);
  // From now on each of its events comes this much late; they keep their order.
  void SetLag(ProcessId process, Duration lag) { processes_[process].lag = lag; }

  // `work` runs at `when` (at once if that is past), after events of that instant
  // that were made before.
  EventId At(ProcessId process, TimePoint when, std::function<void()> work);
  // An event that ran, or was cancelled or dropped, is ignored.
  void Cancel(EventId event);
  // `work` runs once no coroutine is ready any more, before time goes on.
  void AtEndOfWakeUp(ProcessId process, std::function<void()> work);

  // Runs all events up to `until`.
  void RunUntil(TimePoint until);
  void RunFor(Duration duration) { RunUntil(now_ + duration); }
  // Until `done` (asked after each event) or `limit`; whether it was done.
  bool RunUntil(const std::function<bool()>& done, TimePoint limit);
  // Runs what is ready, at this instant.
  void Settle();

  // Spawns `work` on the scope and runs the world until it has ended.
  template <class T>
  T Await(Scope& scope, Async<T> work, Duration limit = std::chrono::hours(1)) {
    std::optional<T> result;
    scope.Spawn(Keep(std::move(work), &result));
    DYNAMO_CHECK(RunUntil([&result] { return result.has_value(); }, now_ + limit));
    return std::move(*result);
  }

  // Mixes a fact into the trace; two runs of a seed have equal hashes.
  void Trace(uint64_t fact) { trace_hash_ = (trace_hash_ ^ fact) * 0x100000001b3u; }
  uint64_t trace_hash() const { return trace_hash_; }
  uint64_t events() const { return events_; }

 private:
  struct Slot {
    uint32_t generation = 0;
    ProcessId process = kNobody;
    std::function<void()> work;
  };
  struct Due {
    TimePoint when;
    uint64_t sequence;
    uint32_t slot;
    uint32_t generation;
    bool lagged = false;
    bool operator<(const Due& other) const {
      return when != other.when ? when > other.when : sequence > other.sequence;
    }
  };
  struct Process {
    bool alive = true;
    bool paused = false;
    Duration lag{0};
    TimePoint lagged_until{};  // When the last of its late events comes.
    std::vector<Due> held;     // Came due while it was paused; may still be cancelled.
  };

  template <class T>
  static Async<> Keep(Async<T> work, std::optional<T>* result) {
    result->emplace(co_await std::move(work));
  }

  // Runs the next event due by `until`; false if there is none.
  bool Step(TimePoint until);
  // Whether the event was put off, because its process lags.
  bool PutOff(Process& process, Due event);
  void Free(uint32_t slot);

  uint64_t seed_;
  asio::io_context io_{1};
  asio::executor_work_guard<Executor> guard_;
  TimePoint now_{};
  uint64_t sequence_ = 0;
  uint64_t events_ = 0;
  uint64_t trace_hash_ = 0xcbf29ce484222325u;
  std::vector<Process> processes_;
  std::vector<Slot> slots_;
  std::vector<uint32_t> free_slots_;
  std::priority_queue<Due> due_;
  std::vector<std::pair<ProcessId, std::function<void()>>> end_of_wake_up_;
};

}  // namespace dynamo::sim

#endif  // DYNAMO_TESTS_SIM_WORLD_H_
