#include "node/service/departure.h"

namespace dynamo {
namespace {

constexpr Duration kAskAgain{1'000'000};
constexpr int kAttempts = 30;  // Then shards have to say so again.

}  // namespace

void Departure::OnDrained(NodeId self, uint64_t epoch, ShardIndex shard, ShardIndex shards) {
  if (epoch < epoch_) return;
  if (epoch > epoch_) drained_.clear();
  epoch_ = epoch;
  drained_.insert(shard);
  if (drained_.size() == shards && !std::exchange(asking_, true)) scope_->Spawn(Ask(this, self));
}

Async<> Departure::Ask(Departure* self, NodeId node) {
  const uint64_t epoch = self->epoch_;
  for (int attempt = 0; attempt < kAttempts && epoch == self->epoch_; ++attempt) {
    TopologyChange change;
    change.what = Depart{node};
    const auto decided = co_await self->decide_(std::move(change));
    if (decided) {
      self->log_.Info("departed epoch={}", *decided);
      break;
    }
    self->log_.Debug("not_departed error={}", decided.error().message);
    co_await SleepUntil(*self->scope_, *self->clock_, self->clock_->Now() + kAskAgain);
  }
  self->asking_ = false;
}

}  // namespace dynamo
