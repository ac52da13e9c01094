// One critical section for each key: read, join or mint, write happen inside it,
// until the write is visible. Two writers that interleave there lose data.
#ifndef DYNAMO_NODE_SERVICE_KEY_LOCKS_H_
#define DYNAMO_NODE_SERVICE_KEY_LOCKS_H_

#include <deque>
#include <unordered_map>

#include "common/base/hash.h"
#include "common/base/result.h"
#include "node/env/async.h"
#include "node/env/scope.h"

namespace dynamo {

// Keyed by the key's position: two keys on one position share a lock, which harms
// nobody. First come, first served.
class KeyLocks {
 public:
  // Holds the lock until it is released or destroyed.
  class Guard {
   public:
    Guard() = default;
    Guard(Guard&& other) noexcept : locks_(std::exchange(other.locks_, nullptr)), position_(other.position_) {}
    Guard& operator=(Guard&& other) noexcept;
    ~Guard() { Release(); }
    void Release();

   private:
    friend class KeyLocks;
    Guard(KeyLocks* locks, const Hash128& position) : locks_(locks), position_(position) {}
    KeyLocks* locks_ = nullptr;
    Hash128 position_;
  };

  KeyLocks(Scope* scope, size_t waiters_max) : scope_(scope), waiters_max_(waiters_max) {}

  // kOverloaded: too many wait for this key already.
  Async<Result<Guard>> Acquire(Hash128 position);
  bool IsHeld(const Hash128& position) const { return held_.contains(position); }

 private:
  void Release(const Hash128& position);

  Scope* scope_;
  size_t waiters_max_;
  std::unordered_map<Hash128, std::deque<Scope::Ticket>> held_;  // tidy: lookup only
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_SERVICE_KEY_LOCKS_H_
