// What is left when the process ends by force. The process that ends is a death
// test's: this program, started again.
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>

#include <string>

#include "tests/contract/rocksdb_faulty_disk.h"
#include "tests/unit/adapter/rocksdb_fixture.h"

namespace dynamo {
namespace {

// The same folder in this process and in the one that it starts.
class SharedFolder {
 public:
  SharedFolder() {
    if (::getenv(kVariable) == nullptr) {
      own_ = std::make_unique<TemporaryFolder>();
      ::setenv(kVariable, own_->path().c_str(), 1);
    }
    path_ = ::getenv(kVariable);
  }
  ~SharedFolder() {
    if (own_) ::unsetenv(kVariable);
  }
  const std::string& path() const { return path_; }

 private:
  static constexpr const char* kVariable = "DYNAMO_CRASH_TEST_FOLDER";
  std::unique_ptr<TemporaryFolder> own_;
  std::string path_;
};

class RocksdbCrash : public ::testing::Test {
 protected:
  RocksdbCrash() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }

  SharedFolder folder_;
  Metrics metrics_;
};

std::string Key(int i) { return "key" + std::to_string(i); }

void WriteAndDie(const std::string& folder) {
  Metrics metrics;
  auto store = RocksdbStore::Open(SettingsFor(folder), Logger(), &metrics).value();
  TestShard shard(store.get());
  for (int i = 0; i < 300; ++i) {
    const WriteSequence written = shard.Put(ColumnFamily::kObjects, Key(i), std::string(10'000, 'v')).value();
    if (i % 100 == 50) (void)shard.Run(shard.storage().Sync(written));
  }
  ::raise(SIGKILL);
}

TEST_F(RocksdbCrash, AKilledProcessLosesNothingThatItWrote) {
  EXPECT_EXIT(WriteAndDie(folder_.path()), ::testing::KilledBySignal(SIGKILL), "");
  auto store = RocksdbStore::Open(SettingsFor(folder_.path()), Logger(), &metrics_);
  ASSERT_TRUE(store) << store.error().message;
  TestShard shard(store->get());
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(Text(shard.Get(ColumnFamily::kObjects, Key(i))), std::string(10'000, 'v')) << i;
  }
}

void SyncOnAFailingDisk(const std::string& folder) {
  const auto disk = std::make_shared<FaultyDisk>();
  const auto env = rocksdb::NewCompositeEnv(disk);
  Metrics metrics;
  StoreHooks hooks;
  hooks.env = env.get();
  const Logger log(LogLevel::kError, [](LogLevel, std::string_view line) {
    std::fprintf(stderr, "%.*s\n", static_cast<int>(line.size()), line.data());
  });
  auto store = RocksdbStore::Open(SettingsFor(folder), log, &metrics, hooks).value();
  TestShard shard(store.get());
  const WriteSequence written = shard.Put(ColumnFamily::kObjects, "k", "v").value();
  disk->fail_syncs = true;
  (void)shard.Run(shard.storage().Sync(written));
}

TEST_F(RocksdbCrash, AFailedSyncEndsTheProcessWithItsReason) {
  EXPECT_EXIT(SyncOnAFailingDisk(folder_.path()), ::testing::KilledBySignal(SIGABRT), "injected sync failure");
}

}  // namespace
}  // namespace dynamo
