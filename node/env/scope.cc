#include "node/env/scope.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <exception>

namespace dynamo {

void Scope::Spawn(Async<> work) {
  if (killed_) return;
  asio::co_spawn(executor_, std::move(work), [](std::exception_ptr failure) {
    if (failure) std::terminate();
  });
}

Scope::Ticket Scope::Hold(Resumption resumption) {
  // After Kill the resumption dies here, and its frame with it.
  if (killed_) return {};
  if (free_.empty()) {
    free_.push_back(static_cast<uint32_t>(slots_.size()));
    slots_.emplace_back();
  }
  const uint32_t index = free_.back();
  free_.pop_back();
  Slot& slot = slots_[index];
  slot.resumption.emplace(std::move(resumption));
  ++slot.generation;
  ++live_;
  return {index, slot.generation};
}

void Scope::Resume(Ticket ticket) {
  if (ticket.generation == 0 || ticket.slot >= slots_.size()) return;
  Slot& slot = slots_[ticket.slot];
  if (slot.generation != ticket.generation || !slot.resumption) return;
  Resumption resumption = std::move(*slot.resumption);
  slot.resumption.reset();
  free_.push_back(ticket.slot);
  --live_;
  asio::post(executor_, std::move(resumption));
}

void Scope::Kill() {
  killed_ = true;
  live_ = 0;
  free_.clear();
  // Frames may resume others as they unwind: these find nothing here.
  std::vector<Slot> doomed = std::move(slots_);
  slots_.clear();
}

void Event::Set() {
  set_ = true;
  if (waiter_) scope_->Resume(*std::exchange(waiter_, std::nullopt));
}

Async<> Event::Wait() {
  if (set_) co_return;
  co_await scope_->Suspend([this](Scope::Ticket ticket) { waiter_ = ticket; });
}

}  // namespace dynamo
