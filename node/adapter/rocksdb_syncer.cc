#include "node/adapter/rocksdb_syncer.h"

#include <fmt/format.h>

#include <algorithm>
#include <future>
#include <utility>

#include "node/adapter/rocksdb_status.h"

namespace dynamo {
namespace {

constexpr std::chrono::milliseconds kSpaceCheckInterval(100);

}  // namespace

RocksdbSyncer::RocksdbSyncer(SyncerSettings settings, rocksdb::DB* db, StoreHealth* health, Metrics* metrics)
    : settings_(settings),
      db_(db),
      health_(health),
      sync_latency_(
          &metrics->histogram("dynamo_storage_sync_seconds", "Time that one sync of the write-ahead log takes")),
      thread_([this] { Run(); }) {}

RocksdbSyncer::~RocksdbSyncer() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void RocksdbSyncer::Request(std::function<void()> done) {
  {
    std::lock_guard lock(mutex_);
    requests_.push_back(std::move(done));
    if (busy_) return;  // The thread looks again when it is through.
  }
  wake_.notify_all();
}

bool RocksdbSyncer::TryInline() {
  {
    std::lock_guard lock(mutex_);
    if (busy_ || !requests_.empty() || health_->read_only()) return false;
    dirty_deadline_ = Clock::time_point::max();
    busy_ = true;
  }
  const bool synced = SyncNow();
  bool more = false;
  {
    std::lock_guard lock(mutex_);
    busy_ = false;
    more = !requests_.empty() || dirty_deadline_ != Clock::time_point::max() || health_->read_only();
  }
  if (more) wake_.notify_all();
  return synced;
}

void RocksdbSyncer::NoteWrite() {
  if (dirty_.exchange(true) || settings_.interval == Duration::zero()) return;
  {
    std::lock_guard lock(mutex_);
    dirty_deadline_ = Clock::now() + settings_.interval;
  }
  wake_.notify_all();
}

void RocksdbSyncer::Wake() {
  {
    std::lock_guard lock(mutex_);
  }
  wake_.notify_all();
}

bool RocksdbSyncer::HasWork(Clock::time_point now) const {
  if (busy_ || health_->stopped()) return false;
  if (health_->read_only()) return now >= next_recovery_;
  return !requests_.empty() || now >= dirty_deadline_;
}

void RocksdbSyncer::WaitForWork(std::unique_lock<std::mutex>& lock) {
  while (!stop_ && !HasWork(Clock::now())) {
    const auto until = health_->read_only() ? next_recovery_ : dirty_deadline_;
    if (busy_ || health_->stopped() || until == Clock::time_point::max()) {
      wake_.wait(lock);
    } else {
      wake_.wait_until(lock, until);
    }
  }
}

void RocksdbSyncer::Run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    WaitForWork(lock);
    if (stop_) return;
    if (!health_->read_only()) {
      SyncRound(lock);
      lock.unlock();
      CheckSpace();
      lock.lock();
      continue;
    }
    lock.unlock();
    TryRecover();
    lock.lock();
    next_recovery_ = Clock::now() + settings_.recovery_interval;
  }
}

void RocksdbSyncer::SyncRound(std::unique_lock<std::mutex>& lock) {
  std::vector<std::function<void()>> served = std::exchange(requests_, {});
  dirty_deadline_ = Clock::time_point::max();
  busy_ = true;
  lock.unlock();
  const bool synced = SyncNow();
  if (synced) {
    for (const auto& done : served) done();
  }
  lock.lock();
  busy_ = false;
  if (synced) return;
  // The disk is full: their writes are in memory and in the log up to where it
  // broke off; they wait until the store is writable again, and are synced then.
  served.insert(served.end(), std::make_move_iterator(requests_.begin()), std::make_move_iterator(requests_.end()));
  requests_ = std::move(served);
}

bool RocksdbSyncer::SyncNow() {
  dirty_.store(false);
  const auto start = Clock::now();
  const rocksdb::Status status = db_->SyncWAL();
  sync_latency_->Record(std::chrono::duration_cast<Duration>(Clock::now() - start));
  if (status.ok()) return true;
  if (!health_->read_only()) health_->Stop(ToError(status, "sync the write-ahead log").message);
  return false;
}

std::optional<uint64_t> RocksdbSyncer::FreeBytes() const {
  uint64_t bytes = 0;
  if (!db_->GetEnv()->GetFreeSpace(db_->GetName(), &bytes).ok()) return std::nullopt;
  return bytes;
}

void RocksdbSyncer::CheckSpace() {
  if (Clock::now() < next_space_check_) return;
  next_space_check_ = Clock::now() + kSpaceCheckInterval;
  const std::optional<uint64_t> free = FreeBytes();
  if (free && *free < settings_.free_bytes_min) {
    health_->MarkReadOnly(
        fmt::format("{} bytes are free on the disk, {} is the least", *free, settings_.free_bytes_min));
  }
}

void RocksdbSyncer::TryRecover() {
  const std::optional<uint64_t> free = FreeBytes();
  if (free && *free < 2 * settings_.free_bytes_min) return;
  // Flushes what memory holds and starts a new log: nothing rests on the torn one.
  std::future<rocksdb::Status> resumed = std::async(std::launch::async, [this] { return db_->Resume(); });
  if (resumed.wait_for(settings_.recovery_max) != std::future_status::ready) {
    // A flush that was about to begin when the disk filled up is given up by RocksDB 7
    // and never begun again, and to resume is to wait for it.
    health_->Stop(fmt::format("there is space again, and RocksDB does not resume within {} s",
                              std::chrono::duration_cast<std::chrono::seconds>(settings_.recovery_max).count()));
  }
  if (resumed.get().ok()) health_->MarkRecovered();
}

}  // namespace dynamo
