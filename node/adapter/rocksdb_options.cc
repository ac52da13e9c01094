#include "node/adapter/rocksdb_options.h"

#include <rocksdb/cache.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <string>
#include <utility>

#include "node/adapter/rocksdb_join.h"

namespace dynamo {
namespace {

constexpr uint64_t kMiB = 1 << 20;

// RocksDB's own log lines, from warnings upwards.
class LogBridge final : public rocksdb::Logger {
 public:
  explicit LogBridge(dynamo::Logger log) : rocksdb::Logger(rocksdb::WARN_LEVEL), log_(std::move(log)) {}

  void Logv(const char* format, va_list arguments) override { Logv(rocksdb::WARN_LEVEL, format, arguments); }
  void Logv(const rocksdb::InfoLogLevel level, const char* format, va_list arguments) override {
    // Header lines, the options at every start, come above all levels.
    if (level < rocksdb::WARN_LEVEL || level == rocksdb::HEADER_LEVEL) return;
    char line[512];
    std::vsnprintf(line, sizeof(line), format, arguments);
    log_.Warn("rocksdb message=\"{}\"", line);
  }

 private:
  dynamo::Logger log_;
};

rocksdb::ColumnFamilyOptions FamilyOptions(uint64_t write_buffer_bytes, std::shared_ptr<rocksdb::Cache> cache) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = std::move(cache);
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  table.format_version = 5;
  table.data_block_index_type = rocksdb::BlockBasedTableOptions::kDataBlockBinaryAndHash;

  rocksdb::ColumnFamilyOptions options;
  options.write_buffer_size = write_buffer_bytes;
  options.max_write_buffer_number = kWriteBuffersMax;
  options.level0_file_num_compaction_trigger = 8;
  // Compactions run at idle priority: leave them room before writers are slowed.
  options.level0_slowdown_writes_trigger = 32;
  options.level0_stop_writes_trigger = 48;
  options.level_compaction_dynamic_level_bytes = true;
  options.compression = rocksdb::kLZ4Compression;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

rocksdb::ColumnFamilyOptions ObjectsOptions(uint64_t write_buffer_bytes, std::shared_ptr<rocksdb::Cache> cache) {
  rocksdb::ColumnFamilyOptions options = FamilyOptions(write_buffer_bytes, std::move(cache));
  options.merge_operator = std::make_shared<JoinOperator>();
  // Joined at insertion, so that no reader meets a longer chain.
  options.max_successive_merges = 8;
  return options;
}

}  // namespace

StoreMemory StoreMemory::FitInto(uint64_t budget_bytes) {
  StoreMemory memory;
  memory.write_buffer_bytes = std::clamp<uint64_t>(budget_bytes / 16, 2 * kMiB, memory.write_buffer_bytes);
  // The rest is left to indexes and filters (1.3 bytes a key), connections and the
  // kernel's page cache, which counts within the container too.
  memory.block_cache_bytes = std::clamp<uint64_t>(budget_bytes / 16, 2 * kMiB, 4096 * kMiB);
  return memory;
}

std::vector<rocksdb::ColumnFamilyDescriptor> ColumnFamilies(const StoreMemory& memory) {
  const auto cache = rocksdb::NewLRUCache(memory.block_cache_bytes);
  const uint64_t large = memory.write_buffer_bytes;
  const uint64_t small = std::max<uint64_t>(large / 8, kMiB);
  return {{rocksdb::kDefaultColumnFamilyName, FamilyOptions(small, cache)},
          {"objects", ObjectsOptions(large, cache)},
          {"hints", FamilyOptions(large, cache)},
          {"meta", FamilyOptions(small, cache)}};
}

rocksdb::DBOptions DatabaseOptions(const StoreMemory& memory, rocksdb::Env* env,
                                   std::shared_ptr<rocksdb::EventListener> listener, const Logger& log) {
  env->SetBackgroundThreads(1, rocksdb::Env::LOW);
  env->SetBackgroundThreads(1, rocksdb::Env::HIGH);
  env->LowerThreadPoolCPUPriority(rocksdb::Env::LOW, rocksdb::CpuPriority::kIdle);

  rocksdb::DBOptions options;
  options.env = env;
  options.info_log = std::make_shared<LogBridge>(log);
  options.listeners.push_back(std::move(listener));
  options.max_background_jobs = 2;
  options.db_write_buffer_size = memory.write_buffer_bytes * kWriteBuffersMax;
  // Bounds what a start replays, and what a family that is rarely written pins.
  options.max_total_wal_size = 2 * memory.write_buffer_bytes * kWriteBuffersMax;
  options.wal_bytes_per_sync = 512 << 10;
  options.bytes_per_sync = 512 << 10;
  // After a power loss the log's unsynced end may be torn anywhere: take what is
  // whole up to there.
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  options.paranoid_checks = true;
  options.allow_mmap_reads = false;
  options.allow_mmap_writes = false;
  // Errors are classified in StoreHealth, and resumed from by the syncer.
  options.max_bgerror_resume_count = 0;
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  return options;
}

}  // namespace dynamo
