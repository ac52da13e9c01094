// What the storage port costs: objects of 1 KiB on 100,000 keys, one shard.
#include <benchmark/benchmark.h>
#include <stdlib.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "common/base/random.h"
#include "node/adapter/rocksdb_storage.h"
#include "node/adapter/rocksdb_store.h"
#include "node/core/version/object.h"

namespace dynamo {
namespace {

constexpr int kKeys = 100'000;

class BenchShard {
 public:
  explicit BenchShard(bool sync_inline = false) {
    std::string pattern = (std::filesystem::temp_directory_path() / "dynamo-bench-XXXXXX").string();
    StoreSettings settings;
    settings.folder = folder_ = ::mkdtemp(pattern.data());
    settings.sync_inline = sync_inline;
    store_ = RocksdbStore::Open(settings, Logger(), &metrics_).value();
    storage_ = std::make_unique<RocksdbStorage>(&scope_, store_.get());
  }
  ~BenchShard() {
    storage_.reset();
    store_.reset();
    std::filesystem::remove_all(folder_);
  }

  RocksdbStorage& storage() { return *storage_; }
  RocksdbStore& store() { return *store_; }

  // A random key of ours: 16 bytes of position, then the name.
  Bytes RandomKey() {
    const std::string name = std::to_string(rng_.Below(kKeys));
    return ToBytes(HashOf(name)) + name;
  }
  void Fill() {
    for (int i = 0; i < kKeys; ++i) {
      const std::string name = std::to_string(i);
      StartWrite(WriteOp::Kind::kPut, ToBytes(HashOf(name)) + name, Object1KiB(1));
      if (i % 32 == 0) Settle();
    }
    Settle();
  }
  void Flush() { (void)store_->db().Flush({}, store_->family(ColumnFamily::kObjects)); }

  static Bytes Object1KiB(uint64_t counter) {
    Write write;
    write.actor = ActorId{7};
    write.content.value = std::string(1024, static_cast<char>('a' + counter % 26));
    return EncodeObject(Mint(Object{}, CausalContext{}, std::move(write)));
  }

  void StartWrite(WriteOp::Kind kind, Bytes key, Bytes value, bool sync = false) {
    WriteOps ops;
    ops.push_back({kind, ColumnFamily::kObjects, std::move(key), std::move(value)});
    ++running_;
    scope_.Spawn(WriteOne(std::move(ops), sync));
  }
  void StartGet(Bytes key) {
    ++running_;
    scope_.Spawn(GetOne(std::move(key)));
  }
  // Wake-ups until everything that was started is through.
  void Settle() {
    for (;;) {
      io_.restart();
      io_.poll();
      while (storage_->Commit()) {
        io_.restart();
        io_.poll();
      }
      if (running_ == 0) return;
      io_.restart();
      io_.run_one();
    }
  }

 private:
  Async<> WriteOne(WriteOps ops, bool sync) {
    const Result<WriteSequence> written = co_await storage_->Write(std::move(ops));
    if (sync && written) (void)co_await storage_->Sync(*written);
    --running_;
  }
  Async<> GetOne(Bytes key) {
    benchmark::DoNotOptimize(co_await storage_->Get(ColumnFamily::kObjects, std::move(key)));
    --running_;
  }

  std::string folder_;
  Rng rng_{1};
  Metrics metrics_;
  asio::io_context io_{1};
  Scope scope_{io_.get_executor()};
  std::unique_ptr<RocksdbStore> store_;
  std::unique_ptr<RocksdbStorage> storage_;
  int running_ = 0;
};

// Puts that arrive together, as one batch.
void BM_Put(benchmark::State& state) {
  BenchShard shard;
  const Bytes object = BenchShard::Object1KiB(1);
  for (auto _ : state) {
    for (int64_t i = 0; i < state.range(0); ++i) shard.StartWrite(WriteOp::Kind::kPut, shard.RandomKey(), object);
    shard.Settle();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_Put)->Arg(1)->Arg(8)->Arg(32);

void BM_Merge(benchmark::State& state) {
  BenchShard shard;
  const Bytes object = BenchShard::Object1KiB(1);
  for (auto _ : state) {
    for (int i = 0; i < 8; ++i) shard.StartWrite(WriteOp::Kind::kMerge, shard.RandomKey(), object);
    shard.Settle();
  }
  state.SetItemsProcessed(state.iterations() * 8);
}
BENCHMARK(BM_Merge);

// Waits for the disk that arrive together; the second argument: on the shard's own thread.
void BM_PutSynced(benchmark::State& state) {
  BenchShard shard(state.range(1) != 0);
  const Bytes object = BenchShard::Object1KiB(1);
  for (auto _ : state) {
    for (int64_t i = 0; i < state.range(0); ++i) {
      shard.StartWrite(WriteOp::Kind::kPut, shard.RandomKey(), object, /*sync=*/true);
    }
    shard.Settle();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_PutSynced)->Args({1, 0})->Args({1, 1})->Args({64, 0})->UseRealTime();

// From memory: half of it in tables, whose blocks the cache holds only in part.
void BM_TryGet(benchmark::State& state) {
  BenchShard shard;
  shard.Fill();
  int64_t misses = 0;
  for (auto _ : state) {
    const auto found = shard.storage().TryGet(ColumnFamily::kObjects, shard.RandomKey());
    misses += !found.has_value();
  }
  state.counters["needs_disk"] = benchmark::Counter(static_cast<double>(misses), benchmark::Counter::kAvgIterations);
}
BENCHMARK(BM_TryGet);

// Reads that arrive together, from the disk (the kernel's cache) where need be.
void BM_Get(benchmark::State& state) {
  BenchShard shard;
  shard.Fill();
  shard.Flush();
  for (auto _ : state) {
    for (int64_t i = 0; i < state.range(0); ++i) shard.StartGet(shard.RandomKey());
    shard.Settle();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_Get)->Arg(1)->Arg(32)->UseRealTime();

}  // namespace
}  // namespace dynamo
