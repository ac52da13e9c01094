#include "node/service/departure.h"

namespace dynamo {
namespace {

constexpr Duration kDecideAgain{1'000'000};
constexpr int kAttempts = 30;  // Then shards have to say so again.

}  // namespace

void Departure::OnDrained(NodeId self, uint64_t epoch, ShardIndex shard, ShardIndex shards) {
  if (epoch < epoch_) return;
  if (epoch > epoch_) drained_.clear();
  epoch_ = epoch;
  shards_ = shards;
  drained_.insert(shard);
  if (Drained() && !std::exchange(asking_, true)) scope_->Spawn(Run(this, self));
}

Async<> Departure::Run(Departure* self, NodeId node) {
  uint64_t asked = 0;
  // Shards may have said it again, at a newer epoch, while this was waiting.
  while (self->Drained() && self->epoch_ > asked) {
    asked = self->epoch_;
    if (co_await Ask(self, node, asked)) break;
  }
  self->asking_ = false;
}

Async<bool> Departure::Ask(Departure* self, NodeId node, uint64_t epoch) {
  self->log_.Info("departing epoch={}", epoch);
  co_await SleepUntil(*self->scope_, *self->clock_, self->clock_->Now() + self->grace_);
  for (int attempt = 0; attempt < kAttempts && epoch == self->epoch_; ++attempt) {
    TopologyChange change;
    change.what = Depart{node};
    const auto decided = co_await self->decide_(std::move(change));
    if (decided) {
      self->log_.Info("departed epoch={}", *decided);
      co_return true;
    }
    self->log_.Debug("not_departed error={}", decided.error().message);
    co_await SleepUntil(*self->scope_, *self->clock_, self->clock_->Now() + kDecideAgain);
  }
  co_return false;
}

}  // namespace dynamo
