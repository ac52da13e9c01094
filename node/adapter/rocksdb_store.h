// The store of one node: RocksDB on the data folder, shared by the node's shards.
#ifndef DYNAMO_NODE_ADAPTER_ROCKSDB_STORE_H_
#define DYNAMO_NODE_ADAPTER_ROCKSDB_STORE_H_

#include <rocksdb/db.h>

#include <boost/asio/thread_pool.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/base/log.h"
#include "common/base/metrics.h"
#include "common/base/result.h"
#include "node/adapter/rocksdb_folder.h"
#include "node/adapter/rocksdb_health.h"
#include "node/adapter/rocksdb_options.h"
#include "node/adapter/rocksdb_syncer.h"
#include "node/env/storage.h"

namespace dynamo {

struct StoreSettings {
  std::string folder;
  StoreMemory memory;
  SyncerSettings syncer;
  int reader_threads = 4;
  // Sync on the shard's own thread when nobody else waits: saves two changes of
  // thread, blocks the shard meanwhile.
  bool sync_inline = false;
};

// What tests put in place of the real thing.
struct StoreHooks {
  // Ends the process; nullptr: abort().
  std::function<void(const std::string& why)> stop;
  // nullptr: RocksDB's default environment. Outlives the store.
  rocksdb::Env* env = nullptr;
};

class RocksdbStore {
 public:
  // Errors are those of DataFolder::Open, and
  //  kCorrupt  the database is damaged; it was left as it is
  //  kStorage  it cannot be read or written
  static Result<std::unique_ptr<RocksdbStore>> Open(StoreSettings settings, Logger log, Metrics* metrics,
                                                    StoreHooks hooks = {});
  // Every RocksdbStorage on it is gone before. What was written stays, synced or not.
  ~RocksdbStore();
  RocksdbStore(const RocksdbStore&) = delete;
  RocksdbStore& operator=(const RocksdbStore&) = delete;

  const StoreSettings& settings() const { return settings_; }
  rocksdb::DB& db() { return *db_; }
  rocksdb::ColumnFamilyHandle* family(ColumnFamily family) { return families_[static_cast<size_t>(family) + 1]; }
  const StoreHealth& health() const { return *health_; }
  RocksdbSyncer& syncer() { return *syncer_; }
  // For reads that may have to wait for the disk.
  asio::thread_pool& readers() { return *readers_; }

 private:
  RocksdbStore(StoreSettings settings, DataFolder folder)
      : settings_(std::move(settings)), folder_(std::move(folder)) {}
  Status OpenDatabase(Logger log, Metrics* metrics, StoreHooks hooks);

  StoreSettings settings_;
  DataFolder folder_;
  std::shared_ptr<StoreHealth> health_;  // Shared with RocksDB, whose listener it is.
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> families_;
  std::unique_ptr<RocksdbSyncer> syncer_;
  std::unique_ptr<asio::thread_pool> readers_;
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_ADAPTER_ROCKSDB_STORE_H_
