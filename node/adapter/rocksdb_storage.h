// The Storage of one shard, over the node's RocksDB.
#ifndef DYNAMO_NODE_ADAPTER_ROCKSDB_STORAGE_H_
#define DYNAMO_NODE_ADAPTER_ROCKSDB_STORAGE_H_

#include <rocksdb/write_batch.h>

#include <memory>
#include <optional>
#include <vector>

#include "node/adapter/rocksdb_store.h"
#include "node/adapter/shard_mailbox.h"
#include "node/env/scope.h"
#include "node/env/storage.h"

namespace dynamo {

// Everything is called on the shard's thread. The shard's loop ends each wake-up
// with Commit:
//   io.run_one(); io.poll(); while (storage.Commit()) io.poll();
//
// As the scope's other ports it goes after the scope was killed and before the
// io_context; reads that are under way then find nobody.
class RocksdbStorage final : public Storage {
 public:
  // Both outlive it.
  RocksdbStorage(Scope* scope, RocksdbStore* store);
  ~RocksdbStorage() override;

  std::optional<Result<std::optional<Bytes>>> TryGet(ColumnFamily family, const Bytes& key) override;
  Async<Result<std::optional<Bytes>>> Get(ColumnFamily family, Bytes key) override;
  Async<Result<std::vector<KeyValue>>> Scan(ColumnFamily family, Bytes begin, Bytes end, size_t max_items,
                                            size_t max_bytes) override;
  Async<Result<WriteSequence>> Write(WriteOps ops) override;
  Async<Status> Sync(WriteSequence sequence) override;

  // Writes what has come together since the last call as one batch, and hands the
  // shard's waits for the disk to the syncing thread. True if somebody was resumed,
  // who may have more to write.
  bool Commit();

 private:
  // The writes of one wake-up share their fate.
  struct Batch {
    std::vector<Scope::Ticket> waiters;
    std::optional<Error> failure;
  };
  struct SyncWait {
    Scope::Ticket ticket;
    WriteSequence sequence = 0;
  };

  template <class T, class Read>
  Async<Result<T>> OnReaders(Read read);
  Status Append(const WriteOps& ops);
  bool WritePending();
  bool StartSync();
  void OnSynced(WriteSequence through);

  Scope* const scope_;
  RocksdbStore* const store_;
  std::shared_ptr<ShardMailbox> mailbox_;

  rocksdb::WriteBatch operations_;
  std::shared_ptr<Batch> batch_ = std::make_shared<Batch>();
  WriteSequence last_ = 0;       // Given to the latest Write.
  WriteSequence committed_ = 0;  // Up to here visible.
  WriteSequence requested_ = 0;  // Up to here a sync is under way, or done.
  WriteSequence synced_ = 0;     // Up to here on stable storage.
  std::vector<SyncWait> sync_waits_;
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_ADAPTER_ROCKSDB_STORAGE_H_
