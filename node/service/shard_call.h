// Work on another shard, awaited here.
#ifndef DYNAMO_NODE_SERVICE_SHARD_CALL_H_
#define DYNAMO_NODE_SERVICE_SHARD_CALL_H_

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "node/service/shard_env.h"

namespace dynamo {

// Makes the coroutine; called on the other shard's thread, so that the frame lives
// and dies there.
template <class T>
using ShardWork = std::function<Async<T>()>;

namespace internal {

// Touched on the calling shard only; the other one carries the pointer back.
template <class T>
struct ShardAnswer {
  explicit ShardAnswer(Scope& scope) : done(scope) {}
  Event done;
  std::optional<T> value;
};

template <class T>
Async<> RunAndPostBack(ShardLink* link, ShardIndex back, std::shared_ptr<ShardAnswer<T>> answer, ShardWork<T> work) {
  auto value = std::make_shared<T>(co_await work());
  link->Post(back, [answer = std::move(answer), value = std::move(value)] {
    answer->value = std::move(*value);
    answer->done.Set();
  });
}

}  // namespace internal

// Runs `work` on the shard whose ports are `there` and gives its result here.
// kTimeout by `deadline`: the other shard hangs or is gone; this one does not. T is
// a Result. `there` is only touched on its own thread.
template <class T>
Async<T> CallShard(const ShardEnv& here, const ShardEnv& there, ShardIndex index, TimePoint deadline,
                   ShardWork<T> work) {
  auto answer = std::make_shared<internal::ShardAnswer<T>>(*here.scope);
  here.link->Post(index, [answer, back = here.link->self(), env = &there, work = std::move(work)]() mutable {
    env->scope->Spawn(internal::RunAndPostBack<T>(env->link, back, std::move(answer), std::move(work)));
  });
  if (!co_await WaitUntil(answer->done, *here.clock, deadline)) {
    co_return Fail(Errc::kTimeout, "timeout: another shard of this node did not answer; a write may still take effect");
  }
  co_return std::move(*answer->value);
}

}  // namespace dynamo

#endif  // DYNAMO_NODE_SERVICE_SHARD_CALL_H_
