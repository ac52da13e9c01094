#include "tests/sim/world.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/sim/clock.h"
#include "tests/sim/shard_link.h"

namespace dynamo::sim {
namespace {

TimePoint Us(int64_t us) { return TimePoint(Duration(us)); }

TEST(SimWorld, RunsEventsInOrderOfTimeThenOfMaking) {
  SimWorld world(1);
  std::string order;
  world.At(kNobody, Us(20), [&] { order += "c"; });
  world.At(kNobody, Us(10), [&] { order += "a"; });
  world.At(kNobody, Us(10), [&] { order += "b"; });
  world.At(kNobody, Us(30), [&] { order += "d"; });
  world.RunUntil(Us(20));
  EXPECT_EQ(order, "abc");
  EXPECT_EQ(world.now(), Us(20));
}

TEST(SimWorld, ACancelledEventNeverRunsAndItsIdIsNeverAnothers) {
  SimWorld world(1);
  int ran = 0;
  const EventId first = world.At(kNobody, Us(10), [&] { ran += 1; });
  world.Cancel(first);
  const EventId second = world.At(kNobody, Us(10), [&] { ran += 10; });
  EXPECT_NE(first, second);
  world.Cancel(first);
  world.RunUntil(Us(10));
  EXPECT_EQ(ran, 10);
}

TEST(SimWorld, AKilledProcessSeesNoFurtherEvent) {
  SimWorld world(1);
  const ProcessId process = world.StartProcess();
  int ran = 0;
  world.At(process, Us(10), [&] { ++ran; });
  world.At(kNobody, Us(5), [&] { world.KillProcess(process); });
  world.RunUntil(Us(20));
  EXPECT_EQ(world.At(process, Us(30), [&] { ++ran; }), 0u);
  world.RunUntil(Us(40));
  EXPECT_EQ(ran, 0);
}

TEST(SimWorld, APausedProcessGetsItsEventsInOrderWhenItGoesOn) {
  SimWorld world(1);
  const ProcessId process = world.StartProcess();
  std::string order;
  world.At(process, Us(10), [&] { order += "a"; });
  world.At(process, Us(20), [&] { order += "b"; });
  world.At(kNobody, Us(5), [&] { world.Pause(process); });
  world.At(kNobody, Us(50), [&] { world.Resume(process); });
  world.RunUntil(Us(49));
  EXPECT_EQ(order, "");
  world.RunUntil(Us(50));
  EXPECT_EQ(order, "ab");
}

TEST(SimWorld, WhatCameDueDuringAPauseCanStillBeCancelled) {
  SimWorld world(1);
  const ProcessId process = world.StartProcess();
  std::string order;
  EventId second = 0;
  world.At(process, Us(10), [&] {
    order += "a";
    world.Cancel(second);
  });
  second = world.At(process, Us(20), [&] { order += "b"; });
  world.Pause(process);
  world.RunUntil(Us(30));
  world.Resume(process);
  world.RunUntil(Us(40));
  EXPECT_EQ(order, "a");
}

TEST(SimWorld, APausedProcessCanBeKilled) {
  SimWorld world(1);
  const ProcessId process = world.StartProcess();
  auto owned = std::make_shared<int>(0);
  world.At(process, Us(10), [owned] { ++*owned; });
  world.Pause(process);
  world.RunUntil(Us(20));
  world.KillProcess(process);
  EXPECT_EQ(owned.use_count(), 1);
  world.RunUntil(Us(30));
  EXPECT_EQ(*owned, 0);
}

TEST(SimWorld, EndOfWakeUpComesWhenNoCoroutineIsReady) {
  SimWorld world(1);
  Scope scope(world.executor());
  std::string order;
  auto work = [](Scope* own, std::string* out) -> Async<> {
    Event event(*own);
    event.Set();
    co_await event.Wait();
    *out += "coroutine ";
  };
  world.At(kNobody, Us(1), [&] {
    world.AtEndOfWakeUp(kNobody, [&] { order += "end"; });
    scope.Spawn(work(&scope, &order));
  });
  world.RunUntil(Us(1));
  EXPECT_EQ(order, "coroutine end");
}

TEST(SimWorld, EqualSeedsTraceEqual) {
  auto run = [](uint64_t seed) {
    SimWorld world(seed);
    Rng rng = world.MakeRng("test");
    for (int i = 0; i < 100; ++i) world.At(kNobody, Us(static_cast<int64_t>(rng.Below(1000))), [] {});
    world.RunUntil(Us(1000));
    return world.trace_hash();
  };
  EXPECT_EQ(run(7), run(7));
  EXPECT_NE(run(7), run(8));
}

TEST(SimWorld, ConcernsDrawIndependently) {
  const SimWorld world(1);
  EXPECT_EQ(world.MakeRng("network").Next(), world.MakeRng("network").Next());
  EXPECT_NE(world.MakeRng("network").Next(), world.MakeRng("disk").Next());
}

TEST(SimClock, ATimerFiresWhenTheNodesClockSaysSo) {
  for (const int64_t drift_ppm : {0, 500, -500, 100'000, -100'000}) {
    SimWorld world(1);
    const ProcessId process = world.StartProcess();
    SimClock clock(&world, process, Us(1'000'000), drift_ppm);
    EXPECT_EQ(clock.Now(), Us(1'000'000));
    TimePoint fired{};
    clock.At(Us(3'000'000), [&] { fired = clock.Now(); });
    world.RunFor(std::chrono::seconds(5));
    EXPECT_GE(fired, Us(3'000'000)) << drift_ppm;
    EXPECT_LE(fired, Us(3'000'010)) << drift_ppm;
  }
}

TEST(SimClock, TheWallClockJumpsAndTheSteadyOneDoesNot) {
  SimWorld world(1);
  SimClock clock(&world, world.StartProcess(), Us(0), 0);
  world.RunFor(std::chrono::seconds(1));
  clock.SetSkew(std::chrono::hours(-1));
  EXPECT_EQ(clock.WallNow(), kWallEpoch + 1'000'000 - 3'600'000'000);
  EXPECT_EQ(clock.Now(), Us(1'000'000));
}

TEST(SimClock, ASlewedWallClockRunsAwayFromTheSteadyOneAndAStepEndsThat) {
  SimWorld world(1);
  SimClock clock(&world, world.StartProcess(), Us(0), 0);
  clock.SetWallDrift(50'000);
  world.RunFor(std::chrono::seconds(10));
  EXPECT_EQ(clock.WallNow(), kWallEpoch + 10'500'000);
  EXPECT_EQ(clock.Now(), Us(10'000'000));
  clock.SetWallDrift(-50'000);
  world.RunFor(std::chrono::seconds(20));
  EXPECT_EQ(clock.WallNow(), kWallEpoch + 29'500'000);
  clock.SetWallDrift(0);
  clock.SetSkew(Duration(0));
  EXPECT_EQ(clock.WallNow(), kWallEpoch + 30'000'000);
}

TEST(SimWorld, EachEventOfASlowProcessIsLateAndTheirOrderStays) {
  SimWorld world(1);
  const ProcessId slow = world.StartProcess(), other = world.StartProcess();
  std::string order;
  world.SetLag(slow, Duration(100));
  world.At(slow, Us(10), [&] { order += 'a'; });
  world.At(other, Us(20), [&] { order += 'x'; });
  world.At(slow, Us(20), [&] { order += 'b'; });
  world.RunUntil(Us(109));
  EXPECT_EQ(order, "x");
  world.RunUntil(Us(110));
  EXPECT_EQ(order, "xa");
  // What comes after the lag has ended queues behind what is still late.
  world.SetLag(slow, Duration(0));
  world.At(slow, Us(112), [&] { order += 'c'; });
  world.RunUntil(Us(119));
  EXPECT_EQ(order, "xa");
  world.RunUntil(Us(120));
  EXPECT_EQ(order, "xabc");
  world.At(slow, Us(121), [&] { order += 'd'; });
  world.RunUntil(Us(121));
  EXPECT_EQ(order, "xabcd");
}

TEST(SimWorld, ALateEventCanBeCancelledAndDiesWithItsProcess) {
  SimWorld world(1);
  const ProcessId slow = world.StartProcess();
  int ran = 0;
  world.SetLag(slow, Duration(100));
  const EventId cancelled = world.At(slow, Us(10), [&] { ++ran; });
  world.At(slow, Us(10), [&] { ++ran; });
  world.RunUntil(Us(50));
  world.Cancel(cancelled);
  world.KillProcess(slow);
  world.RunUntil(Us(1000));
  EXPECT_EQ(ran, 0);
}

TEST(SimShardLink, PostsArriveInOrderAndLater) {
  SimWorld world(1);
  const ProcessId process = world.StartProcess();
  SimShardLink link(&world, process, world.MakeRng("link"), 0, 2);
  std::string order;
  for (const char letter : {'a', 'b', 'c', 'd'}) link.Post(1, [&order, letter] { order += letter; });
  EXPECT_EQ(order, "");
  world.RunFor(std::chrono::milliseconds(1));
  EXPECT_EQ(order, "abcd");
}

}  // namespace
}  // namespace dynamo::sim
