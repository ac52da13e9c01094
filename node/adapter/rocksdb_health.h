// What the disk has told RocksDB, and what follows from it.
#ifndef DYNAMO_NODE_ADAPTER_ROCKSDB_HEALTH_H_
#define DYNAMO_NODE_ADAPTER_ROCKSDB_HEALTH_H_

#include <rocksdb/listener.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <string>

#include "common/base/log.h"
#include "common/base/metrics.h"

namespace dynamo {

// Classifies errors at their source:
//  - no space: the store is read-only until MarkRecovered;
//  - any other failed write or sync: `stop` is called, once. After a failed fsync
//    the kernel may have dropped the pages, and a second fsync would say that all
//    is well: only a new start, which reads what is really there, is honest;
//  - corruption or a failed read in a compaction: RocksDB refuses writes from now
//    on, reads go on.
// Everything may be called from any thread.
class StoreHealth final : public rocksdb::EventListener {
 public:
  // `stop` ends the process; if it returns, as in tests, the store stays as it is
  // and answers nobody that waits for a sync.
  StoreHealth(Logger log, Metrics* metrics, std::function<void(const std::string& why)> stop);

  bool read_only() const { return read_only_.load(std::memory_order_acquire); }
  bool stopped() const { return stopped_.load(std::memory_order_acquire); }

  // Called when the store becomes read-only; not called any more once it is replaced.
  void set_on_read_only(std::function<void()> call);
  void MarkReadOnly(const std::string& why);
  void MarkRecovered();
  void Stop(const std::string& why);

  bool ShouldBeNotifiedOnFileIO() override { return true; }
  void OnIOError(const rocksdb::IOErrorInfo& info) override;
  void OnBackgroundError(rocksdb::BackgroundErrorReason reason, rocksdb::Status* error) override;
  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason reason, rocksdb::Status error, bool* automatic) override;

 private:
  const Logger log_;
  const std::function<void(const std::string&)> stop_;
  std::mutex mutex_;
  std::function<void()> on_read_only_;  // Guarded by mutex_.
  std::atomic<bool> read_only_{false};
  std::atomic<bool> stopped_{false};
  Gauge* read_only_gauge_;
  Gauge* failed_gauge_;
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_ADAPTER_ROCKSDB_HEALTH_H_
