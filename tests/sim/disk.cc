#include "tests/sim/disk.h"

#include <utility>

#include "node/core/version/object.h"

namespace dynamo::sim {

Result<Bytes> MergeObjects(std::string_view existing, std::string_view operand) {
  return JoinEncoded(existing, operand);
}

SimDisk::SimDisk(SimWorld* world, Rng rng, SimDiskConfig config, MergeFunction merge)
    : world_(world), rng_(rng), config_(config), merge_(std::move(merge)) {}

void SimDisk::ApplyTo(Families& families, const WriteOps& ops) const {
  for (const WriteOp& op : ops) {
    Family& family = families[static_cast<size_t>(op.family)];
    switch (op.kind) {
      case WriteOp::Kind::kPut: family[op.key] = op.value; break;
      case WriteOp::Kind::kDelete: family.erase(op.key); break;
      case WriteOp::Kind::kMerge: {
        DYNAMO_CHECK(op.family == ColumnFamily::kObjects);
        const auto [place, fresh] = family.try_emplace(op.key, op.value);
        if (fresh) break;
        Result<Bytes> joined = merge_(place->second, op.value);
        // As RocksDB, which a failing merge operator stops: operands are validated first.
        DYNAMO_CHECK(joined.has_value());
        place->second = std::move(*joined);
        break;
      }
    }
  }
}

SimDisk::LogIndex SimDisk::Apply(const WriteOps& ops) {
  ApplyTo(applied_, ops);
  log_.push_back(ops);
  if (watch_.visible) watch_.visible(ops);
  return log_end();
}

void SimDisk::MakeDurable(const WriteOps& ops) {
  ApplyTo(durable_, ops);
  if (watch_.durable) watch_.durable(ops);
}

void SimDisk::Sync(std::function<void()> done) {
  waiting_.push_back(std::move(done));
  if (!syncing_) StartSync();
}

void SimDisk::StartSync() {
  syncing_ = true;
  served_ = std::exchange(waiting_, {});
  const Duration latency(rng_.Between(config_.sync_min.count(), config_.sync_max.count()));
  world_->At(process_, world_->now() + latency, [this, end = log_end()] { FinishSync(end); });
}

void SimDisk::FinishSync(LogIndex end) {
  for (; log_begin_ < end; ++log_begin_) {
    MakeDurable(log_.front());
    log_.pop_front();
  }
  syncing_ = false;
  for (auto& done : std::exchange(served_, {})) done();
  if (!waiting_.empty() && !syncing_) StartSync();
}

void SimDisk::Crash() {
  DYNAMO_CHECK(!world_->alive(process_));
  syncing_ = false;
  served_.clear();
  waiting_.clear();
  // Mostly all or nothing (the machine lost its power, or only the process died),
  // else somewhere in between.
  const uint64_t draw = rng_.Below(4);
  const size_t survive = draw == 0 ? log_.size() : draw == 1 ? rng_.Below(log_.size() + 1) : 0;
  for (size_t i = 0; i < survive; ++i) MakeDurable(log_[i]);
  lost_batches_ += log_.size() - survive;
  log_begin_ = log_end();
  log_.clear();
  applied_ = durable_;
}

}  // namespace dynamo::sim
