#include "node/env/scope.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "node/env/clock.h"

namespace dynamo {
namespace {

// Counts live instances, and owns memory so that a leak shows under ASan too.
struct Probe {
  static inline int live = 0;
  std::string memory = std::string(64, 'x');
  Probe() { ++live; }
  Probe(const Probe&) = delete;
  ~Probe() { --live; }
};

class ManualClock : public Clock {
 public:
  TimePoint Now() const override { return now_; }
  WallMicros WallNow() const override { return 0; }
  TimerId At(TimePoint when, std::function<void()> fire) override {
    timers_.emplace(std::pair(when, ++next_), std::move(fire));
    return next_;
  }
  void Cancel(TimerId timer) override {
    std::erase_if(timers_, [timer](const auto& entry) { return entry.first.second == timer; });
  }

  void AdvanceTo(TimePoint until, asio::io_context& io) {
    for (;;) {
      io.restart();
      io.poll();
      if (timers_.empty() || timers_.begin()->first.first > until) break;
      auto first = timers_.extract(timers_.begin());
      now_ = first.key().first;
      first.mapped()();
    }
    now_ = until;
  }
  size_t timers() const { return timers_.size(); }

 private:
  TimePoint now_{};
  TimerId next_ = 0;
  std::map<std::pair<TimePoint, TimerId>, std::function<void()>> timers_;
};

// A node as small as can be: loops that sleep inside a nested coroutine.
class TinyNode {
 public:
  TinyNode(Executor executor, Clock* clock) : scope_(executor), clock_(clock) {}

  void Start() {
    for (int i = 0; i < 3; ++i) scope_.Spawn(Loop());
  }
  void Kill() { scope_.Kill(); }
  Scope& scope() { return scope_; }
  int rounds = 0;

 private:
  Async<> Inner() {
    const Probe local;
    for (;;) {
      co_await SleepUntil(scope_, *clock_, clock_->Now() + Duration(1000));
      ++rounds;
    }
  }
  Async<> Loop() {
    const Probe local;
    co_await Inner();
  }

  Probe member_;
  Scope scope_;
  Clock* clock_;
};

TEST(Scope, AKilledNodeLeavesNothingBehind) {
  asio::io_context io{1};
  ManualClock clock;
  auto node = std::make_unique<TinyNode>(io.get_executor(), &clock);
  node->Start();
  clock.AdvanceTo(TimePoint(Duration(10'500)), io);
  EXPECT_EQ(node->rounds, 30);
  EXPECT_EQ(node->scope().suspended(), 3u);
  EXPECT_EQ(Probe::live, 7);  // The node, three loops, three inner frames.

  node->Kill();
  io.restart();
  io.poll();
  EXPECT_EQ(Probe::live, 1);
  EXPECT_EQ(clock.timers(), 0u);
  node.reset();
  EXPECT_EQ(Probe::live, 0);
}

TEST(Scope, NothingIsStartedAfterItWasKilled) {
  asio::io_context io{1};
  ManualClock clock;
  TinyNode node(io.get_executor(), &clock);
  node.Kill();
  node.Start();
  clock.AdvanceTo(TimePoint(Duration(5000)), io);
  EXPECT_EQ(node.rounds, 0);
}

TEST(Scope, AStaleTicketResumesNobody) {
  asio::io_context io{1};
  Scope scope(io.get_executor());
  int resumed = 0;
  Scope::Ticket first, second;
  auto wait = [](Scope* owner, Scope::Ticket* ticket, int* count) -> Async<> {
    co_await owner->Suspend([ticket](Scope::Ticket given) { *ticket = given; });
    ++*count;
  };
  scope.Spawn(wait(&scope, &first, &resumed));
  io.poll();
  scope.Resume(first);
  io.restart();
  io.poll();
  ASSERT_EQ(resumed, 1);

  scope.Spawn(wait(&scope, &second, &resumed));
  io.restart();
  io.poll();
  EXPECT_EQ(first.slot, second.slot);
  scope.Resume(first);
  io.restart();
  io.poll();
  EXPECT_EQ(resumed, 1);
  scope.Resume(second);
  io.restart();
  io.poll();
  EXPECT_EQ(resumed, 2);
}

TEST(Event, WaitUntilSaysWhichCameFirst) {
  asio::io_context io{1};
  ManualClock clock;
  Scope scope(io.get_executor());
  Event set_in_time(scope), never_set(scope);
  std::map<std::string, bool> outcome;
  auto wait = [](Event* event, Clock* time, bool* out) -> Async<> {
    *out = co_await WaitUntil(*event, *time, TimePoint(Duration(100)));
  };
  outcome["late"] = true;
  scope.Spawn(wait(&set_in_time, &clock, &outcome["in time"]));
  scope.Spawn(wait(&never_set, &clock, &outcome["late"]));
  clock.AdvanceTo(TimePoint(Duration(50)), io);
  set_in_time.Set();
  clock.AdvanceTo(TimePoint(Duration(200)), io);
  EXPECT_TRUE(outcome["in time"]);
  EXPECT_FALSE(outcome["late"]);
  EXPECT_EQ(clock.timers(), 0u);
}

}  // namespace
}  // namespace dynamo
