// How the store is set up. Where the figures come from: performance figures are
// measured (tests/bench), see docs/decisions.
#ifndef DYNAMO_NODE_ADAPTER_ROCKSDB_OPTIONS_H_
#define DYNAMO_NODE_ADAPTER_ROCKSDB_OPTIONS_H_

#include <rocksdb/db.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "common/base/log.h"

namespace dynamo {

// The memory that the engine may take, in bytes.
struct StoreMemory {
  uint64_t write_buffer_bytes = 32 << 20;  // One; up to three are in use at a time.
  uint64_t block_cache_bytes = 32 << 20;

  // Within `budget_bytes`, what the process may use as a whole (the container's
  // limit): small write buffers in a small one, a larger cache in a large one.
  static StoreMemory FitInto(uint64_t budget_bytes);
};

constexpr int kWriteBuffersMax = 3;

// Column families in the order of env/storage.h's ColumnFamily, after RocksDB's
// own "default", which stays empty.
std::vector<rocksdb::ColumnFamilyDescriptor> ColumnFamilies(const StoreMemory& memory);

// Lowers the priority of the environment's compaction threads: compactions run in
// what the foreground leaves idle.
rocksdb::DBOptions DatabaseOptions(const StoreMemory& memory, rocksdb::Env* env,
                                   std::shared_ptr<rocksdb::EventListener> listener, const Logger& log);

}  // namespace dynamo

#endif  // DYNAMO_NODE_ADAPTER_ROCKSDB_OPTIONS_H_
