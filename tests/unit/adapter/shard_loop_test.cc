#include "node/adapter/shard_loop.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "node/adapter/asio_clock.h"
#include "node/adapter/thread_shard_link.h"

namespace dynamo {
namespace {

TEST(ShardLoop, RunsWhatIsPostedInOrderOnItsOwnThread) {
  ShardLoop loop;
  loop.Start("shard");
  std::vector<int> order;
  std::thread::id ran_on;
  for (int i = 0; i < 100; ++i) loop.Post([&order, i] { order.push_back(i); });
  loop.Call([&ran_on] { ran_on = std::this_thread::get_id(); });
  EXPECT_NE(ran_on, std::this_thread::get_id());
  ASSERT_EQ(order.size(), 100u);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(order[i], i);
}

TEST(ShardLoop, WhatArrivesTogetherSharesOneEndOfWakeUp) {
  ShardLoop loop;
  std::string trace;
  loop.AtEndOfWakeUp([&trace] { trace += 'f'; });
  loop.AtEndOfWakeUp([&trace] { trace += 'c'; });
  for (int i = 0; i < 3; ++i) loop.Post([&trace] { trace += '.'; });
  std::promise<void> done;
  loop.Post([&] { done.set_value(); });
  loop.Start("shard");
  done.get_future().wait();
  loop.Stop();
  // The first round finds nothing; all that was posted is handled before the hooks run.
  EXPECT_EQ(trace.substr(0, 7), "fc...fc");
}

TEST(ShardLoop, WhatTheCommitResumesIsHandledAndFlushedBeforeItSleeps) {
  ShardLoop loop;
  std::string trace;
  bool committed = false;
  std::promise<void> flushed;
  loop.AtEndOfWakeUp([&] {
    trace += 'f';
    if (committed && trace.ends_with("rf")) flushed.set_value();
  });
  loop.AtEndOfWakeUp([&] {
    trace += 'c';
    if (trace.find('p') == std::string::npos || committed) return;
    committed = true;
    loop.Post([&trace] { trace += 'r'; });  // As Scope::Resume does.
  });
  loop.Post([&trace] { trace += 'p'; });
  loop.Start("shard");
  flushed.get_future().wait();
  loop.Stop();
  EXPECT_EQ(trace.substr(0, 7), "fcpfcrf");
}

TEST(ShardLoop, AStreamOfWorkDoesNotKeepTheHooksWaiting) {
  ShardLoop loop;
  int rounds = 0;
  std::promise<void> enough;
  loop.AtEndOfWakeUp([&] {
    if (++rounds == 5) enough.set_value();
  });
  std::function<void()> forever = [&] { loop.Post(forever); };
  loop.Post(forever);
  loop.Start("shard");
  enough.get_future().wait();
  loop.Stop();
}

TEST(ShardLoop, AfterStopTheRestIsDrainedByTheCaller) {
  ShardLoop loop;
  loop.Start("shard");
  loop.Stop();
  auto held = std::make_shared<int>();
  std::thread::id ran_on;
  loop.Post([&, held] { loop.Post([&, held] { ran_on = std::this_thread::get_id(); }); });
  EXPECT_EQ(held.use_count(), 2);
  loop.Drain();
  EXPECT_EQ(ran_on, std::this_thread::get_id());
  EXPECT_EQ(held.use_count(), 1);
}

TEST(ShardLoop, CallGivesBackAValue) {
  ShardLoop loop;
  loop.Start("shard");
  EXPECT_EQ(loop.Call([] { return std::string("value"); }), "value");
}

TEST(ThreadShardLink, CarriesMessagesBetweenShardsInOrder) {
  ShardLoop first, second;
  const std::vector<ShardLoop*> loops = {&first, &second};
  ThreadShardLink from_first(0, loops), from_second(1, loops);
  EXPECT_EQ(from_first.count(), 2u);
  EXPECT_EQ(from_second.self(), 1u);
  first.Start("shard-0");
  second.Start("shard-1");
  // A ball that each shard counts on its own thread.
  int bounces = 0;
  std::promise<void> done;
  std::function<void()> on_first, on_second;
  on_second = [&] { from_second.Post(0, on_first); };
  on_first = [&] { ++bounces < 100 ? from_first.Post(1, on_second) : done.set_value(); };
  from_second.Post(0, on_first);
  done.get_future().wait();
  second.Stop();
  first.Stop();
  EXPECT_EQ(bounces, 100);
}

}  // namespace
}  // namespace dynamo
