// The thread of one shard and its io_context.
#ifndef DYNAMO_NODE_ADAPTER_SHARD_LOOP_H_
#define DYNAMO_NODE_ADAPTER_SHARD_LOOP_H_

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <functional>
#include <future>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "node/env/async.h"

namespace dynamo {

// Each wake-up handles all that is ready, then runs the end-of-wake-up hooks, and
// sleeps only when these have made nothing ready. So what arrived together leaves
// together: one write to each peer and one batch to the disk. Registered in the
// order "flush the frames to peers, commit the batch", a put's replica messages
// are under way before its own write is made, and what the commit resumes is
// handled and flushed in the round that follows at once.
class ShardLoop {
 public:
  ShardLoop();
  ~ShardLoop();
  ShardLoop(const ShardLoop&) = delete;
  ShardLoop& operator=(const ShardLoop&) = delete;

  asio::io_context& io() { return io_; }
  Executor executor() { return io_.get_executor(); }

  // Before Start; hooks run in the order registered and must not block.
  void AtEndOfWakeUp(std::function<void()> hook) { hooks_.push_back(std::move(hook)); }

  // `name` shows in top and gdb: 15 characters at most.
  void Start(const std::string& name);

  // From any thread: runs `work` on the loop's, in the order posted.
  template <class Work>
  void Post(Work work) {
    asio::post(io_, std::move(work));
  }

  // From another thread, between Start and Stop: runs `work` on the loop's thread
  // and waits for what it returns.
  template <class Work>
  auto Call(Work work) -> std::invoke_result_t<Work> {
    std::packaged_task<std::invoke_result_t<Work>()> task(std::move(work));
    auto result = task.get_future();
    Post(std::move(task));
    return result.get();
  }

  // From another thread: ends the loop's after its wake-up. What is ready but not
  // handled stays so until Drain.
  void Stop();

  // After Stop, on the calling thread: wake-ups until nothing is ready. For taking
  // things apart in order once all threads have ended.
  void Drain();

 private:
  // Handlers in one wake-up: a steady stream of arrivals must not keep the hooks waiting.
  static constexpr int kHandlersMax = 1024;

  void Run();
  int RunReady();
  void RunHooks();

  asio::io_context io_{1};
  asio::executor_work_guard<Executor> work_;
  std::vector<std::function<void()>> hooks_;
  std::thread thread_;
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_ADAPTER_SHARD_LOOP_H_
