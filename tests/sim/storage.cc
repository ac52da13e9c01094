#include "tests/sim/storage.h"

#include <algorithm>
#include <iterator>

namespace dynamo::sim {
namespace {

auto BadChecksum() { return Fail(Errc::kCorrupt, "the simulated engine finds a bad checksum"); }
auto ReadError() { return Fail(Errc::kStorage, "the simulated disk cannot be read"); }

}  // namespace

std::optional<Bytes> SimStorage::Look(ColumnFamily family, const Bytes& key) const {
  const SimDisk::Family& data = disk_->applied(family);
  const auto found = data.find(key);
  if (found == data.end()) return std::nullopt;
  return found->second;
}

std::optional<Result<std::optional<Bytes>>> SimStorage::TryGet(ColumnFamily family, const Bytes& key) {
  if (disk_->rng().Chance(disk_->config().memory_misses)) return std::nullopt;
  if (disk_->EngineRefuses(family, key)) return Result<std::optional<Bytes>>(BadChecksum());
  return Look(family, key);
}

Async<> SimStorage::WaitForDisk(uint64_t bytes) {
  const SimDiskConfig& config = disk_->config();
  const Duration latency = disk_->DrawLatency(config.read_min, config.read_max) + disk_->Occupy(bytes);
  auto resume_later = [this, latency](Scope::Ticket ticket) {
    world_->At(process_, world_->now() + latency, [scope = scope_, ticket] { scope->Resume(ticket); });
  };
  co_await scope_->Suspend(resume_later);
}

Async<Result<std::optional<Bytes>>> SimStorage::Get(ColumnFamily family, Bytes key) {
  // A read sees some instant between its call and its return.
  std::optional<Bytes> early = Look(family, key);
  const uint64_t bytes = key.size() + (early ? early->size() : 0);
  if (disk_->rng().Chance(0.5)) {
    co_await WaitForDisk(bytes);
    if (disk_->DrawReadError()) co_return ReadError();
    if (disk_->EngineRefuses(family, key)) co_return BadChecksum();
    co_return early;
  }
  co_await WaitForDisk(bytes);
  if (disk_->DrawReadError()) co_return ReadError();
  if (disk_->EngineRefuses(family, key)) co_return BadChecksum();
  co_return Look(family, key);
}

std::vector<KeyValue> SimStorage::Range(ColumnFamily family, const Bytes& begin, const Bytes& end, size_t max_items,
                                        size_t max_bytes) const {
  std::vector<KeyValue> items;
  size_t bytes = 0;
  const SimDisk::Family& data = disk_->applied(family);
  for (auto item = data.lower_bound(begin); item != data.end(); ++item) {
    if (!end.empty() && item->first >= end) break;
    if (!items.empty() && (items.size() >= max_items || bytes >= max_bytes)) break;
    bytes += item->first.size() + item->second.size();
    items.push_back({item->first, item->second});
  }
  return items;
}

Async<Result<std::vector<KeyValue>>> SimStorage::Scan(ColumnFamily family, Bytes begin, Bytes end, size_t max_items,
                                                      size_t max_bytes) {
  std::vector<KeyValue> items = Range(family, begin, end, max_items, max_bytes);
  uint64_t bytes = 0;
  for (const KeyValue& item : items) bytes += item.key.size() + item.value.size();
  co_await WaitForDisk(bytes);
  if (disk_->DrawReadError()) co_return ReadError();
  co_return items;
}

Async<Result<WriteSequence>> SimStorage::Write(WriteOps ops) {
  if (disk_->full()) co_return Fail(Errc::kReadOnly, "the simulated disk is full");
  if (gathering_.waiters.empty()) {
    world_->AtEndOfWakeUp(process_, [this] { HandDown(); });
  }
  gathering_.ops.insert(gathering_.ops.end(), std::make_move_iterator(ops.begin()), std::make_move_iterator(ops.end()));
  const WriteSequence sequence = gathering_.last = ++written_;
  co_await scope_->Suspend([this](Scope::Ticket ticket) { gathering_.waiters.push_back(ticket); });
  co_return sequence;
}

void SimStorage::HandDown() {
  on_the_way_.push_back(std::exchange(gathering_, {}));
  const SimDiskConfig& config = disk_->config();
  const Duration delay = disk_->DrawLatency(config.memtable_min, config.memtable_max);
  last_visible_ = std::max(last_visible_, world_->now() + delay);
  world_->At(process_, last_visible_, [this] { ApplyNext(); });
}

void SimStorage::ApplyNext() {
  const Batch batch = std::move(on_the_way_.front());
  on_the_way_.pop_front();
  disk_->Apply(batch.ops);
  visible_ = batch.last;
  for (Scope::Ticket waiter : batch.waiters) scope_->Resume(waiter);
}

Async<Status> SimStorage::Sync(WriteSequence sequence) {
  if (sequence <= durable_) co_return Status();
  // All that this shard has made visible is in the log before the sync begins.
  const WriteSequence covered = visible_;
  DYNAMO_CHECK(sequence <= covered);
  auto wait = [this](Scope::Ticket ticket) { disk_->Sync([scope = scope_, ticket] { scope->Resume(ticket); }); };
  co_await scope_->Suspend(wait);
  durable_ = std::max(durable_, covered);
  co_return Status();
}

}  // namespace dynamo::sim
