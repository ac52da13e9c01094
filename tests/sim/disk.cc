#include "tests/sim/disk.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "node/core/version/object.h"

namespace dynamo::sim {
namespace {

void FlipBit(Bytes& bytes, uint64_t bit) { bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8))); }

}  // namespace

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
  if (!syncing_ && !full_) StartSync();
}

void SimDisk::SetFull(bool full) {
  full_ = full;
  if (!full_ && !syncing_ && !waiting_.empty()) StartSync();
}

Duration SimDisk::Occupy(uint64_t bytes) {
  if (config_.bytes_per_second == 0) return {};
  constexpr uint64_t kMicros = 1'000'000;
  busy_until_ = std::max(busy_until_, world_->now()) +
                Duration(static_cast<int64_t>(bytes * kMicros / config_.bytes_per_second)) * slowness_;
  return busy_until_ - world_->now();
}

void SimDisk::StartSync() {
  syncing_ = true;
  served_ = std::exchange(waiting_, {});
  if (std::exchange(fail_next_sync_, false)) {
    // Nobody who waits is called: no write may be acknowledged on its account.
    ++failed_syncs_;
    if (sync_failed_) sync_failed_();
    return;
  }
  uint64_t bytes = 0;
  if (config_.bytes_per_second > 0) {
    for (const WriteOps& ops : log_) {
      for (const WriteOp& op : ops) bytes += op.key.size() + op.value.size();
    }
  }
  const Duration latency = DrawLatency(config_.sync_min, config_.sync_max) + Occupy(bytes);
  world_->At(process_, world_->now() + latency, [this, end = log_end()] { FinishSync(end); });
}

void SimDisk::FinishSync(LogIndex end) {
  for (; log_begin_ < end; ++log_begin_) {
    MakeDurable(log_.front());
    log_.pop_front();
  }
  syncing_ = false;
  for (auto& done : std::exchange(served_, {})) done();
  if (!waiting_.empty() && !syncing_ && !full_) StartSync();
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
  // The one after the last that survived was being written: it is there in part.
  if (survive < log_.size() && rng_.Chance(0.5)) ++torn_batches_;
  lost_batches_ += log_.size() - survive;
  log_begin_ = log_end();
  log_.clear();
  applied_ = durable_;
}

bool SimDisk::DrawReadError() {
  if (read_errors_ == 0 || !rng_.Chance(read_errors_)) return false;
  ++failed_reads_;
  return true;
}

void SimDisk::Wipe() {
  DYNAMO_CHECK(!world_->alive(process_));
  applied_ = durable_ = {};
  contents_ = {};
  contents_.lost = true;
  if (watch_.replaced) watch_.replaced();
}

void SimDisk::Renew() {
  DYNAMO_CHECK(!world_->alive(process_));
  applied_ = durable_ = {};
  contents_ = {};
  if (watch_.replaced) watch_.replaced();
}

void SimDisk::RestoreSnapshot() {
  DYNAMO_CHECK(!world_->alive(process_) && contents_.snapshot);
  applied_ = durable_ = *contents_.snapshot;
  contents_.flipped.clear();
  contents_.lost = true;
  if (watch_.replaced) watch_.replaced();
}

void SimDisk::SwapContents(SimDisk& other) {
  DYNAMO_CHECK(!world_->alive(process_) && !world_->alive(other.process_));
  std::swap(applied_, other.applied_);
  std::swap(durable_, other.durable_);
  std::swap(contents_, other.contents_);
  if (watch_.replaced) watch_.replaced();
  if (other.watch_.replaced) other.watch_.replaced();
}

bool SimDisk::SpoilOne() {
  Family& objects = applied_[static_cast<size_t>(ColumnFamily::kObjects)];
  if (objects.empty()) return false;
  const auto victim = std::next(objects.begin(), static_cast<ptrdiff_t>(rng_.Below(objects.size())));
  if (contents_.flipped.contains(victim->first)) return false;
  const uint64_t bit = rng_.Below(victim->second.size() * 8);
  Family& platter = durable_[static_cast<size_t>(ColumnFamily::kObjects)];
  const auto twin = platter.find(victim->first);
  if (twin != platter.end() && twin->second == victim->second) FlipBit(twin->second, bit);
  FlipBit(victim->second, bit);
  contents_.flipped[victim->first] = {bit, rng_.Chance(0.5)};
  contents_.spoiled = true;
  if (watch_.spoiled) watch_.spoiled(ColumnFamily::kObjects, victim->first);
  return true;
}

bool SimDisk::EngineRefuses(ColumnFamily family, const Bytes& key) const {
  if (contents_.flipped.empty() || family != ColumnFamily::kObjects) return false;
  const auto flip = contents_.flipped.find(key);
  if (flip == contents_.flipped.end() || !flip->second.engine_finds) return false;
  const auto stored = applied(family).find(key);
  return stored != applied(family).end() && !DecodeObjectHeader(stored->second);
}

void SimDisk::Mend() {
  for (const auto& [key, flip] : std::exchange(contents_.flipped, {})) {
    for (Families* families : {&applied_, &durable_}) {
      Family& objects = (*families)[static_cast<size_t>(ColumnFamily::kObjects)];
      const auto found = objects.find(key);
      // Bytes that decode were written over the bad ones.
      if (found != objects.end() && !DecodeObjectHeader(found->second)) FlipBit(found->second, flip.bit);
    }
  }
}

}  // namespace dynamo::sim
