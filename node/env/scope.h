// The owner of every suspended coroutine of one shard of a node.
//
// A coroutine frame must not own its own resumption, or a killed node leaks: each
// port and primitive therefore leaves the resumption of whoever waits with the
// Scope and keeps only a ticket. Killing the Scope drops the resumptions, which
// destroys the frames, and with them everything they own.
#ifndef DYNAMO_NODE_ENV_SCOPE_H_
#define DYNAMO_NODE_ENV_SCOPE_H_

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "node/env/async.h"

namespace dynamo {

// Single-threaded: every call comes from the shard's thread.
//
// To kill a node: Kill() its scopes, then poll() the io_context (frames are
// unwound through it), then destroy the node. No resumption may be queued on the
// io_context at that moment: kill from between two handlers after poll() found
// nothing more to do, as the simulator does.
class Scope {
 public:
  // Names one suspension; never reused while anybody may still hold it.
  struct Ticket {
    uint32_t slot = 0;
    uint32_t generation = 0;
  };

  explicit Scope(Executor executor) : executor_(executor) {}
  ~Scope() { Kill(); }
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

  Executor executor() const { return executor_; }

  // Runs `work` on the executor, detached. An exception out of it is a bug and
  // ends the process. After Kill nothing is started.
  void Spawn(Async<> work);

  // Suspends the calling coroutine until Resume(ticket); `store` is called with
  // the ticket before anything else can happen.
  //   co_await scope.Suspend([&](Scope::Ticket ticket) { waiter_ = ticket; });
  template <class Store>
  auto Suspend(Store store) {
    return asio::async_initiate<const UseAwaitable, void()>(
        [this](auto handler, Store keep) { keep(Hold(std::move(handler))); }, kUseAwaitable, std::move(store));
  }

  // Posts the resumption; a ticket that was resumed before, or killed, is ignored.
  void Resume(Ticket ticket);

  void Kill();
  bool killed() const { return killed_; }
  size_t suspended() const { return live_; }

 private:
  using Resumption = asio::async_result<UseAwaitable, void()>::handler_type;
  struct Slot {
    uint32_t generation = 0;
    std::optional<Resumption> resumption;
  };
  Ticket Hold(Resumption resumption);

  Executor executor_;
  std::vector<Slot> slots_;
  std::vector<uint32_t> free_;
  size_t live_ = 0;
  bool killed_ = false;
};

// One waiter, any number of Sets; stays set.
class Event {
 public:
  explicit Event(Scope& scope) : scope_(&scope) {}

  void Set();
  bool is_set() const { return set_; }
  Async<> Wait();

 private:
  Scope* scope_;
  bool set_ = false;
  std::optional<Scope::Ticket> waiter_;
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_ENV_SCOPE_H_
