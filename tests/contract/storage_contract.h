// What every Storage must do, as tests over any implementation. To try one:
//   INSTANTIATE_TEST_SUITE_P(RocksDb, StorageContract, ::testing::Values(&MakeRocksDbHarness));
#ifndef DYNAMO_TESTS_CONTRACT_STORAGE_CONTRACT_H_
#define DYNAMO_TESTS_CONTRACT_STORAGE_CONTRACT_H_

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "node/env/scope.h"
#include "node/env/shard_link.h"
#include "node/env/storage.h"

namespace dynamo {

// Two shards over one store.
class StorageHarness {
 public:
  virtual ~StorageHarness() = default;

  // Of the present run: CrashAndReopen makes new ones.
  virtual Storage& storage(ShardIndex shard) = 0;
  virtual Scope& scope(ShardIndex shard) = 0;
  // Runs both shards until `done`, with the end of each wake-up; fails the test if
  // that takes unreasonably long.
  virtual void RunUntil(const std::function<bool()>& done) = 0;
  // Kills the scopes as a crash does, unwinds the frames, opens the store again.
  // What was not synced may be lost.
  virtual void CrashAndReopen() = 0;
  // Of the disk beneath: it has no space left; reads that reach it fail.
  virtual void SetFull(bool full) = 0;
  virtual void FailReads(bool fail) = 0;

  template <class T>
  T Await(Async<T> work, ShardIndex shard = 0) {
    std::optional<T> result;
    scope(shard).Spawn(Keep(std::move(work), &result));
    RunUntil([&result] { return result.has_value(); });
    return std::move(*result);
  }

 private:
  template <class T>
  static Async<> Keep(Async<T> work, std::optional<T>* result) {
    result->emplace(co_await std::move(work));
  }
};

using StorageHarnessFactory = std::unique_ptr<StorageHarness> (*)();

class StorageContract : public ::testing::TestWithParam<StorageHarnessFactory> {
 protected:
  StorageContract() : harness_(GetParam()()) {}

  Storage& storage(ShardIndex shard = 0) { return harness_->storage(shard); }
  WriteSequence Write(WriteOps ops, ShardIndex shard = 0);
  void Sync(WriteSequence sequence, ShardIndex shard = 0);
  // From memory if that can tell, else from the disk; both must agree.
  std::optional<Bytes> Read(ColumnFamily family, const Bytes& key, ShardIndex shard = 0);
  std::vector<KeyValue> Scan(ColumnFamily family, Bytes begin, Bytes end, size_t max_items = 1000,
                             size_t max_bytes = 1 << 20);

  std::unique_ptr<StorageHarness> harness_;
};

}  // namespace dynamo

#endif  // DYNAMO_TESTS_CONTRACT_STORAGE_CONTRACT_H_
