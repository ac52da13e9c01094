// A shard with a real store under a temporary folder, driven from the test's thread.
#ifndef DYNAMO_TESTS_UNIT_ADAPTER_ROCKSDB_FIXTURE_H_
#define DYNAMO_TESTS_UNIT_ADAPTER_ROCKSDB_FIXTURE_H_

#include <gtest/gtest.h>
#include <rocksdb/env.h>

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "node/adapter/rocksdb_storage.h"
#include "node/adapter/rocksdb_store.h"
#include "node/core/version/object.h"
#include "tests/lib/temporary_folder.h"

namespace dynamo {

// Names (relative) and contents of all files, to show that nothing was changed.
std::map<std::string, std::string> ContentsOf(const std::string& folder);

std::string ReadFile(const std::string& path);
void WriteFile(const std::string& path, const std::string& bytes);
// Paths of the files below `folder` that end in `suffix`.
std::vector<std::string> FilesIn(const std::string& folder, const std::string& suffix);

// Small buffers, so that tests reach the disk soon.
StoreSettings SettingsFor(const std::string& folder);

// One shard over a store that several may share.
class TestShard {
 public:
  explicit TestShard(RocksdbStore* store) : scope_(io_.get_executor()), storage_(&scope_, store) {}

  RocksdbStorage& storage() { return storage_; }
  Scope& scope() { return scope_; }
  asio::io_context& io() { return io_; }

  // Runs wake-ups until `work` is through.
  template <class T>
  T Run(Async<T> work) {
    std::optional<T> result;
    scope_.Spawn(Keep(std::move(work), &result));
    Settle();
    while (!result) WakeUp();
    return std::move(*result);
  }
  // Waits for something to do, does it and all that follows.
  void WakeUp();
  // Does what can be done at once.
  void Settle();

  Result<WriteSequence> Put(ColumnFamily family, Bytes key, Bytes value);
  Result<WriteSequence> Merge(Bytes key, Bytes value);
  Result<WriteSequence> Delete(ColumnFamily family, Bytes key);
  Result<std::optional<Bytes>> Get(ColumnFamily family, Bytes key) { return Run(storage_.Get(family, std::move(key))); }

 private:
  template <class T>
  static Async<> Keep(Async<T> work, std::optional<T>* result) {
    result->emplace(co_await std::move(work));
  }
  Result<WriteSequence> WriteOne(WriteOp op);

  asio::io_context io_{1};
  Scope scope_;
  RocksdbStorage storage_;
};

// A store with one shard; Reopen is a clean restart.
class StoreFixture {
 public:
  explicit StoreFixture(rocksdb::Env* env = nullptr) : env_(env), settings_(SettingsFor(folder_.path())) {}
  ~StoreFixture() { Close(); }

  Status Open();
  void Close() {
    shard_.reset();
    store_.reset();
  }
  // Everything in memory goes to tables.
  void Flush();

  const TemporaryFolder& folder() const { return folder_; }
  StoreSettings& settings() { return settings_; }
  RocksdbStore& store() { return *store_; }
  TestShard& shard() { return *shard_; }
  Metrics& metrics() { return metrics_; }
  // Why the process would have been stopped; empty: it was not.
  std::string stopped() const;

 private:
  TemporaryFolder folder_;
  rocksdb::Env* env_;
  StoreSettings settings_;
  Metrics metrics_;
  mutable std::mutex mutex_;
  std::string stopped_;
  std::unique_ptr<RocksdbStore> store_;
  std::unique_ptr<TestShard> shard_;
};

// `*done`: whether all up to `sequence` is on disk.
Async<> SyncInto(Storage* storage, WriteSequence sequence, bool* done);
// The value, "<none>", "<disk>" for an answer that memory does not have, or "<corrupt>"
// and the like for an error.
std::string Text(const std::optional<Result<std::optional<Bytes>>>& answer);
// An encoded object of one sibling.
Bytes EncodedSibling(uint64_t actor, uint64_t counter, std::string value);
// The same value of `figure` for as long as the metrics live.
int64_t GaugeValue(Metrics& metrics, const std::string& name);

}  // namespace dynamo

#endif  // DYNAMO_TESTS_UNIT_ADAPTER_ROCKSDB_FIXTURE_H_
