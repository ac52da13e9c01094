// One thread that syncs the write-ahead log for all that wait (group commit), and
// brings a full disk's store back when there is space again.
#ifndef DYNAMO_NODE_ADAPTER_ROCKSDB_SYNCER_H_
#define DYNAMO_NODE_ADAPTER_ROCKSDB_SYNCER_H_

#include <rocksdb/db.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "common/base/log.h"
#include "common/base/metrics.h"
#include "common/base/time.h"
#include "node/adapter/rocksdb_health.h"

namespace dynamo {

struct SyncerSettings {
  // At most this long after a write the log is synced though nobody waits for it;
  // zero: never.
  Duration interval = std::chrono::seconds(1);
  // How often a read-only store looks for space.
  Duration recovery_interval = std::chrono::seconds(1);
  // How long it may take to become writable once there is space; then the process is
  // stopped, and its next start reads the log.
  Duration recovery_max = std::chrono::minutes(1);
  // With less free space the store is read-only, so that flushes and compactions,
  // which can free some, have what they need; it comes back at twice that. Zero: as
  // much as one write buffer.
  uint64_t free_bytes_min = 0;
};

// All calls may come from any thread.
class RocksdbSyncer {
 public:
  // The database and the health outlive the syncer.
  RocksdbSyncer(SyncerSettings settings, rocksdb::DB* db, StoreHealth* health, Metrics* metrics);
  // Finishes the sync under way; requests that wait are dropped.
  ~RocksdbSyncer();
  RocksdbSyncer(const RocksdbSyncer&) = delete;
  RocksdbSyncer& operator=(const RocksdbSyncer&) = delete;

  // Calls `done` on the syncing thread once a sync that began after this call has
  // succeeded; never if it fails. `done` must be quick.
  void Request(std::function<void()> done);
  // Syncs on this thread if nobody else waits or syncs: true once that is done.
  bool TryInline();
  // There are writes that nobody may wait for.
  void NoteWrite();
  // The store became read-only.
  void Wake();

 private:
  using Clock = std::chrono::steady_clock;

  void Run();
  void WaitForWork(std::unique_lock<std::mutex>& lock);
  bool HasWork(Clock::time_point now) const;
  void SyncRound(std::unique_lock<std::mutex>& lock);
  bool SyncNow();
  // nullopt: the file system does not say.
  std::optional<uint64_t> FreeBytes() const;
  void CheckSpace();
  void TryRecover();

  const SyncerSettings settings_;
  rocksdb::DB* const db_;
  StoreHealth* const health_;
  Histogram* sync_latency_;
  std::atomic<bool> dirty_{false};

  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<std::function<void()>> requests_;  // Guarded by mutex_, as what follows.
  bool busy_ = false;
  bool stop_ = false;
  Clock::time_point dirty_deadline_ = Clock::time_point::max();
  Clock::time_point next_recovery_{};

  Clock::time_point next_space_check_{};  // Only on the thread.
  std::thread thread_;
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_ADAPTER_ROCKSDB_SYNCER_H_
