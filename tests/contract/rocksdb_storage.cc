// RocksDB under the storage contract; a crash is a loss of power.
#include "node/adapter/rocksdb_storage.h"

#include <chrono>
#include <string>
#include <vector>

#include "node/adapter/rocksdb_store.h"
#include "tests/contract/rocksdb_faulty_disk.h"
#include "tests/contract/storage_contract.h"
#include "tests/lib/temporary_folder.h"

namespace dynamo {
namespace {

class RocksdbHarness : public StorageHarness {
 public:
  RocksdbHarness() : disk_(std::make_shared<FaultyDisk>()), env_(rocksdb::NewCompositeEnv(disk_)) { Open(); }
  ~RocksdbHarness() override { Close(); }

  Storage& storage(ShardIndex shard) override { return shards_[shard]->storage; }
  Scope& scope(ShardIndex shard) override { return shards_[shard]->scope; }

  void RunUntil(const std::function<bool()>& done) override {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    for (EndWakeUp(); !done(); EndWakeUp()) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline);
      io_.restart();
      io_.run_one_until(deadline);
    }
  }

  void CrashAndReopen() override {
    disk_->Freeze();
    Close();
    disk_->LosePower(&rng_);
    Open();
  }
  void SetFull(bool full) override { disk_->full = full; }
  void FailReads(bool fail) override {
    // What is in memory is read from there.
    if (fail) ASSERT_TRUE(store_->db().Flush({}, store_->family(ColumnFamily::kMeta)).ok());
    disk_->fail_reads = fail;
  }

 private:
  struct Shard {
    Shard(asio::io_context* io, RocksdbStore* store) : scope(io->get_executor()), storage(&scope, store) {}
    Scope scope;
    RocksdbStorage storage;
  };

  void Open() {
    StoreSettings settings;
    settings.folder = folder_.path();
    StoreHooks hooks;
    hooks.env = env_.get();
    hooks.stop = [](const std::string&) {};  // The crash is on its way.
    Result<std::unique_ptr<RocksdbStore>> opened = RocksdbStore::Open(settings, Logger(), &metrics_, hooks);
    if (!opened) {
      ADD_FAILURE() << opened.error().message;
      ::abort();
    }
    store_ = std::move(*opened);
    for (int i = 0; i < 2; ++i) shards_.push_back(std::make_unique<Shard>(&io_, store_.get()));
  }

  void Close() {
    for (auto& shard : shards_) shard->scope.Kill();
    io_.restart();
    io_.poll();
    shards_.clear();
    store_.reset();
  }

  // All that is ready, and the writes of both shards, until nothing moves.
  void EndWakeUp() {
    for (bool moved = true; moved;) {
      io_.restart();
      moved = io_.poll() > 0;
      for (auto& shard : shards_) moved |= shard->storage.Commit();
    }
  }

  TemporaryFolder folder_;
  std::shared_ptr<FaultyDisk> disk_;
  std::unique_ptr<rocksdb::Env> env_;
  Rng rng_{1};
  Metrics metrics_;
  asio::io_context io_{1};
  std::unique_ptr<RocksdbStore> store_;
  std::vector<std::unique_ptr<Shard>> shards_;
};

std::unique_ptr<StorageHarness> MakeRocksdbHarness() { return std::make_unique<RocksdbHarness>(); }

INSTANTIATE_TEST_SUITE_P(RocksDb, StorageContract, ::testing::Values(&MakeRocksdbHarness));

}  // namespace
}  // namespace dynamo
