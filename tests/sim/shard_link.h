// Messages between the shards of a simulated node: events with a small delay.
#ifndef DYNAMO_TESTS_SIM_SHARD_LINK_H_
#define DYNAMO_TESTS_SIM_SHARD_LINK_H_

#include <vector>

#include "node/env/shard_link.h"
#include "tests/sim/world.h"

namespace dynamo::sim {

class SimShardLink : public ShardLink {
 public:
  SimShardLink(SimWorld* world, ProcessId process, Rng rng, ShardIndex self, ShardIndex count)
      : world_(world), process_(process), rng_(rng), self_(self), last_(count) {}

  ShardIndex self() const override { return self_; }
  ShardIndex count() const override { return static_cast<ShardIndex>(last_.size()); }
  void Post(ShardIndex shard, std::function<void()> work) override {
    const TimePoint arrival = world_->now() + Duration(rng_.Between(kDelayMin_us, kDelayMax_us));
    // In the order posted: never before the one ahead of it.
    last_[shard] = std::max(last_[shard], arrival);
    world_->At(process_, last_[shard], std::move(work));
  }

 private:
  static constexpr int64_t kDelayMin_us = 1;
  static constexpr int64_t kDelayMax_us = 20;

  SimWorld* world_;
  ProcessId process_;
  Rng rng_;
  ShardIndex self_;
  std::vector<TimePoint> last_;
};

}  // namespace dynamo::sim

#endif  // DYNAMO_TESTS_SIM_SHARD_LINK_H_
