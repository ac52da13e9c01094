#include "node/adapter/rocksdb_health.h"

#include <fmt/format.h>

#include <utility>

#include "node/adapter/rocksdb_status.h"

namespace dynamo {
namespace {

bool Reads(rocksdb::FileOperationType operation) {
  return operation == rocksdb::FileOperationType::kRead || operation == rocksdb::FileOperationType::kOpen;
}

bool Syncs(rocksdb::FileOperationType operation) {
  return operation == rocksdb::FileOperationType::kSync || operation == rocksdb::FileOperationType::kFsync ||
         operation == rocksdb::FileOperationType::kRangeSync;
}

}  // namespace

StoreHealth::StoreHealth(Logger log, Metrics* metrics, std::function<void(const std::string&)> stop)
    : log_(std::move(log)),
      stop_(std::move(stop)),
      read_only_gauge_(&metrics->gauge("dynamo_storage_read_only", "1 while the disk is full and writes are refused")),
      failed_gauge_(&metrics->gauge("dynamo_storage_failed", "1 once the storage engine refuses writes for good")) {}

void StoreHealth::MarkReadOnly(const std::string& why) {
  if (read_only_.exchange(true)) return;
  read_only_gauge_->Set(1);
  log_.Error("storage_read_only reason=\"{}\"", why);
  std::lock_guard lock(mutex_);
  if (on_read_only_) on_read_only_();
}

void StoreHealth::set_on_read_only(std::function<void()> call) {
  std::lock_guard lock(mutex_);
  on_read_only_ = std::move(call);
}

void StoreHealth::MarkRecovered() {
  if (!read_only_.exchange(false)) return;
  read_only_gauge_->Set(0);
  log_.Warn("storage_writable_again");
}

void StoreHealth::Stop(const std::string& why) {
  if (stopped_.exchange(true)) return;
  failed_gauge_->Set(1);
  log_.Error("storage_stops_the_process reason=\"{}\"", why);
  stop_(why);
}

void StoreHealth::OnIOError(const rocksdb::IOErrorInfo& info) {
  if (Reads(info.operation)) return;  // Whoever reads is told.
  const std::string why = fmt::format("{}: {}", info.file_path, info.io_status.ToString());
  // No space at a sync means that what was written before may be gone.
  if (IsOutOfSpace(info.io_status) && !Syncs(info.operation)) return MarkReadOnly(why);
  Stop(why);
}

void StoreHealth::OnBackgroundError(rocksdb::BackgroundErrorReason reason, rocksdb::Status* error) {
  const std::string why = error->ToString();
  using Reason = rocksdb::BackgroundErrorReason;
  if (IsOutOfSpace(*error)) {
    // RocksDB calls it fatal when there is no space for the next log file, because
    // buffered records might be lost. Ours go to the kernel with every write.
    const bool harmless = reason == Reason::kMemTable && error->severity() == rocksdb::Status::kFatalError;
    if (harmless) *error = rocksdb::Status(*error, rocksdb::Status::kHardError);
    return MarkReadOnly(why);
  }
  // A compaction reads, too: a sector that cannot be read again and again must not
  // end the process again and again.
  if (error->IsIOError() && reason != Reason::kCompaction) return Stop(why);
  failed_gauge_->Set(1);
  log_.Error("storage_refuses_writes reason=\"{}\"", why);
}

void StoreHealth::OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason, rocksdb::Status, bool* automatic) {
  // The syncer tries to resume, at an interval that is ours.
  *automatic = false;
}

}  // namespace dynamo
