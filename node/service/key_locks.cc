#include "node/service/key_locks.h"

namespace dynamo {

KeyLocks::Guard& KeyLocks::Guard::operator=(Guard&& other) noexcept {
  if (this == &other) return *this;
  Release();
  locks_ = std::exchange(other.locks_, nullptr);
  position_ = other.position_;
  return *this;
}

void KeyLocks::Guard::Release() {
  if (locks_ != nullptr) std::exchange(locks_, nullptr)->Release(position_);
}

Async<Result<KeyLocks::Guard>> KeyLocks::Acquire(Hash128 position) {
  auto [held, free] = held_.try_emplace(position);
  if (free) co_return Guard(this, position);
  if (held->second.size() >= waiters_max_) {
    co_return Fail(Errc::kOverloaded, "too many writers wait for this key: try again later");
  }
  std::deque<Scope::Ticket>* waiters = &held->second;
  co_await scope_->Suspend([waiters](Scope::Ticket ticket) { waiters->push_back(ticket); });
  // The one before handed the lock over: it was never free in between.
  co_return Guard(this, position);
}

void KeyLocks::Release(const Hash128& position) {
  const auto held = held_.find(position);
  if (held == held_.end()) return;
  if (held->second.empty()) {
    held_.erase(held);
    return;
  }
  const Scope::Ticket next = held->second.front();
  held->second.pop_front();
  scope_->Resume(next);
}

}  // namespace dynamo
