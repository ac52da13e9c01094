#include "common/kube/work_queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "common/kube/controller.h"
#include "tests/lib/kube/manual_clock.h"

namespace dynamo::kube {
namespace {

using ::dynamo::testing::ManualClock;

TEST(WorkQueue, GivesAKeyOnceHoweverOftenItIsAdded) {
  ManualClock clock;
  WorkQueue queue(&clock, nullptr, {});
  queue.Add("a");
  queue.Add("a");
  EXPECT_EQ(queue.Get(), "a");
  EXPECT_EQ(queue.size(), 0u);
}

TEST(WorkQueue, HoldsBackAKeyThatIsInWork) {
  ManualClock clock;
  WorkQueue queue(&clock, nullptr, {});
  queue.Add("a");
  EXPECT_EQ(queue.Get(), "a");
  queue.Add("a");
  queue.AddAfter("b", std::chrono::seconds(1));
  EXPECT_EQ(queue.Get(), "b");
  queue.Done("a");
  EXPECT_EQ(queue.Get(), "a");
}

TEST(WorkQueue, WaitsForADelayAndKeepsTheEarlierWish) {
  ManualClock clock;
  WorkQueue queue(&clock, nullptr, {});
  queue.AddAfter("a", std::chrono::seconds(5));
  queue.AddAfter("a", std::chrono::seconds(50));
  const TimePoint before = clock.Now();
  EXPECT_EQ(queue.Get(), "a");
  EXPECT_EQ(clock.Now() - before, std::chrono::seconds(5));
}

TEST(WorkQueue, BacksOffTwiceAsLongWithEachFailureUpToALimit) {
  ManualClock clock;
  WorkQueue queue(&clock, nullptr, {});
  const auto wait = [&] {
    queue.AddRateLimited("a");
    const TimePoint before = clock.Now();
    queue.Get();
    queue.Done("a");
    return clock.Now() - before;
  };
  EXPECT_EQ(wait(), std::chrono::milliseconds(5));
  EXPECT_EQ(wait(), std::chrono::milliseconds(10));
  for (int i = 0; i < 60; ++i) wait();
  EXPECT_EQ(wait(), std::chrono::seconds(1000));
  queue.Forget("a");
  EXPECT_EQ(wait(), std::chrono::milliseconds(5));
}

TEST(WorkQueue, StopWakesWhoeverWaits) {
  SystemClock clock;
  WorkQueue queue(&clock, nullptr, {});
  std::thread waiter([&] { EXPECT_EQ(queue.Get(), std::nullopt); });
  queue.Stop();
  waiter.join();
}

struct CountingReconciler final : Reconciler {
  ReconcileResult Reconcile(const std::string& key) override {
    const std::lock_guard lock(mutex);
    keys.push_back(key);
    wake.notify_all();
    if (keys.size() == 1) return {true, std::nullopt};
    if (keys.size() == 2) return {false, std::chrono::seconds(30)};
    return {};
  }
  std::mutex mutex;
  std::condition_variable wake;
  std::vector<std::string> keys;
};

TEST(Controller, AsksAgainAfterAFailureAndWhenItIsToldTo) {
  ManualClock clock;
  Metrics metrics;
  WorkQueue queue(&clock, &metrics, {"clusters"});
  CountingReconciler reconciler;
  Controller controller(&reconciler, &queue, Logger(), &metrics, {"clusters"});
  queue.Add("ns/demo");
  controller.Start();
  {
    std::unique_lock lock(reconciler.mutex);
    EXPECT_TRUE(reconciler.wake.wait_for(lock, std::chrono::seconds(10), [&] { return reconciler.keys.size() >= 3; }));
  }
  controller.Stop();
  const auto count = [&](const char* result) {
    return metrics.counter("controller_runtime_reconcile_total", "", {{"controller", "clusters"}, {"result", result}})
        .value();
  };
  EXPECT_EQ(count("error"), 1u);
  EXPECT_EQ(count("requeue_after"), 1u);
  EXPECT_EQ(metrics.counter("workqueue_retries_total", "", {{"name", "clusters"}}).value(), 1u);
}

}  // namespace
}  // namespace dynamo::kube
