// How other threads hand work to a shard that may go away meanwhile.
#ifndef DYNAMO_NODE_ADAPTER_SHARD_MAILBOX_H_
#define DYNAMO_NODE_ADAPTER_SHARD_MAILBOX_H_

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "node/env/async.h"

namespace dynamo {

// Shared by the shard, which opens and closes it, and those who post. While
// answers are expected, the shard's io_context does not run out of work.
class ShardMailbox : public std::enable_shared_from_this<ShardMailbox> {
 public:
  explicit ShardMailbox(Executor executor) : executor_(executor) {}

  // On the shard's thread, before work is given to another thread that answers by
  // one Post.
  void Expect() {
    if (expected_++ == 0) guard_.emplace(executor_);
  }

  // From any thread: runs `work` on the shard's thread, unless it was closed.
  template <class Work>
  void Post(Work work) {
    std::lock_guard lock(mutex_);
    if (closed_) return;
    asio::post(executor_, [self = shared_from_this(), work = std::move(work)]() mutable {
      if (self->closed_) return;
      if (--self->expected_ == 0) self->guard_.reset();
      work();
    });
  }

  // On the shard's thread; nothing that was posted runs after it.
  void Close() {
    std::lock_guard lock(mutex_);
    closed_ = true;
    guard_.reset();
  }

 private:
  Executor executor_;
  std::mutex mutex_;
  bool closed_ = false;  // Written under mutex_ on the shard's thread, which reads it freely.
  size_t expected_ = 0;  // Only on the shard's thread, as the guard.
  std::optional<asio::executor_work_guard<Executor>> guard_;
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_ADAPTER_SHARD_MAILBOX_H_
