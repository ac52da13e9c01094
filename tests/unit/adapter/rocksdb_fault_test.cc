// What the store does when the disk fails, fills up or lies.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rocksdb/convenience.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <future>
#include <string>
#include <thread>

#include "tests/contract/rocksdb_faulty_disk.h"
#include "tests/unit/adapter/rocksdb_fixture.h"

namespace dynamo {
namespace {

using ::testing::HasSubstr;

class RocksdbFault : public ::testing::Test {
 protected:
  RocksdbFault() : disk_(std::make_shared<FaultyDisk>()), env_(rocksdb::NewCompositeEnv(disk_)), fixture_(env_.get()) {}
  void SetUp() override { ASSERT_TRUE(fixture_.Open()); }

  TestShard& shard() { return fixture_.shard(); }
  Result<WriteSequence> Put(Bytes key, Bytes value) { return shard().Put(ColumnFamily::kObjects, key, value); }
  std::string Read(Bytes key) { return Text(shard().Get(ColumnFamily::kObjects, key)); }
  // The state of RocksDB's own threads shows by itself, soon.
  void Await(const std::function<bool()>& holds) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!holds()) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline);
      shard().Settle();
      std::this_thread::yield();
    }
  }
  void FlipBitsInTables() {
    for (const std::string& table : FilesIn(fixture_.folder().path(), ".sst")) {
      std::string bytes = ReadFile(table);
      for (size_t i = 0; i < bytes.size() / 2; i += 16) bytes[i] ^= 1;
      WriteFile(table, bytes);
    }
  }

  std::shared_ptr<FaultyDisk> disk_;
  std::unique_ptr<rocksdb::Env> env_;
  StoreFixture fixture_;
};

TEST_F(RocksdbFault, AFailedSyncStopsTheProcessAndAnswersNobody) {
  const WriteSequence sequence = Put("k", "v").value();
  disk_->fail_syncs = true;
  bool synced = false;
  shard().scope().Spawn(SyncInto(&shard().storage(), sequence, &synced));
  Await([&] { return !fixture_.stopped().empty(); });
  EXPECT_THAT(fixture_.stopped(), HasSubstr("injected sync failure"));
  EXPECT_EQ(GaugeValue(fixture_.metrics(), "dynamo_storage_failed"), 1);

  // A second sync would succeed, and prove nothing.
  disk_->fail_syncs = false;
  const int syncs = disk_->syncs;
  EXPECT_FALSE(Put("k", "w").has_value());
  shard().Settle();
  EXPECT_FALSE(synced);
  EXPECT_EQ(disk_->syncs, syncs);
}

TEST_F(RocksdbFault, AFailedInlineSyncStopsTheProcessToo) {
  fixture_.settings().sync_inline = true;
  ASSERT_TRUE(fixture_.Open());
  const WriteSequence sequence = Put("k", "v").value();
  disk_->fail_syncs = true;
  bool synced = false;
  shard().scope().Spawn(SyncInto(&shard().storage(), sequence, &synced));
  shard().Settle();
  EXPECT_FALSE(fixture_.stopped().empty());
  EXPECT_FALSE(synced);
}

TEST_F(RocksdbFault, AFailedSyncOfATableStopsTheProcess) {
  ASSERT_TRUE(Put("k", "v"));
  disk_->fail_syncs = true;
  rocksdb::FlushOptions options;
  EXPECT_FALSE(fixture_.store().db().Flush(options, fixture_.store().family(ColumnFamily::kObjects)).ok());
  EXPECT_FALSE(fixture_.stopped().empty());
}

TEST_F(RocksdbFault, AFailedSyncOfTheFolderStopsTheProcess) {
  ASSERT_TRUE(Put("k", "v"));
  disk_->fail_folder_syncs = true;
  rocksdb::FlushOptions options;
  EXPECT_FALSE(fixture_.store().db().Flush(options, fixture_.store().family(ColumnFamily::kObjects)).ok());
  Await([&] { return !fixture_.stopped().empty(); });
}

TEST_F(RocksdbFault, AFailedWriteToTheLogStopsTheProcess) {
  disk_->fail_appends = true;
  const Result<WriteSequence> written = Put("k", "v");
  ASSERT_FALSE(written.has_value());
  EXPECT_EQ(written.error().code, Errc::kStorage);
  EXPECT_FALSE(fixture_.stopped().empty());
}

TEST_F(RocksdbFault, AFullDiskMakesTheStoreReadOnlyUntilThereIsSpaceAgain) {
  ASSERT_TRUE(Put("before", "v"));
  disk_->full = true;
  for (int attempt = 0; attempt < 3; ++attempt) {
    const Result<WriteSequence> refused = Put("during", "v");
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, Errc::kReadOnly) << refused.error().message;
  }
  EXPECT_EQ(GaugeValue(fixture_.metrics(), "dynamo_storage_read_only"), 1);
  EXPECT_EQ(Read("before"), "v");
  EXPECT_EQ(fixture_.stopped(), "");

  disk_->full = false;
  Await([&] { return Put("after", "v").has_value(); });
  EXPECT_EQ(GaugeValue(fixture_.metrics(), "dynamo_storage_read_only"), 0);
  EXPECT_EQ(Read("before"), "v");
  EXPECT_EQ(Read("after"), "v");
  EXPECT_TRUE(shard().Run(shard().storage().Sync(Put("last", "v").value())));
  ASSERT_TRUE(fixture_.Open());
  EXPECT_EQ(Read("before"), "v");
  EXPECT_EQ(Read("after"), "v");
  EXPECT_EQ(fixture_.stopped(), "");
}

// Waits in one of RocksDB's threads until it is told to go on.
struct Occupied {
  std::promise<void> release;
  static void Wait(void* occupied) { static_cast<Occupied*>(occupied)->release.get_future().wait(); }
};

TEST_F(RocksdbFault, AFlushThatWasAboutToBeginWhenTheDiskFilledUpLeavesNoStoreThatStandsStill) {
  fixture_.settings().syncer.recovery_interval = std::chrono::milliseconds(10);
  fixture_.settings().syncer.recovery_max = std::chrono::seconds(3);
  ASSERT_TRUE(fixture_.Open());
  ASSERT_TRUE(Put("k", "v"));
  rocksdb::DB& db = fixture_.store().db();
  Occupied flushing;
  db.GetEnv()->Schedule(&Occupied::Wait, &flushing, rocksdb::Env::HIGH);
  rocksdb::FlushOptions soon;
  soon.wait = false;
  ASSERT_TRUE(db.Flush(soon, fixture_.store().family(ColumnFamily::kObjects)).ok());
  disk_->full = true;
  ASSERT_FALSE(Put("during", "v").has_value());
  flushing.release.set_value();
  Await([&db] {
    uint64_t failed = 0;
    return db.GetIntProperty(rocksdb::DB::Properties::kBackgroundErrors, &failed) && failed > 0;
  });
  disk_->full = false;
  Await([&] { return !fixture_.stopped().empty() || Put("after", "v").has_value(); });
  if (!fixture_.stopped().empty()) {
    EXPECT_THAT(fixture_.stopped(), HasSubstr("does not resume"));
    rocksdb::CancelAllBackgroundWork(&db);  // Or this test would stand still as a process does not.
  }
  ASSERT_TRUE(fixture_.Open());
  EXPECT_EQ(Read("k"), "v");
  EXPECT_TRUE(Put("after", "v").has_value());
}

TEST_F(RocksdbFault, WhoWaitsForASyncWhenTheDiskFillsUpIsServedWhenThereIsSpace) {
  const WriteSequence sequence = Put("k", "v").value();
  disk_->full = true;
  ASSERT_FALSE(Put("during", "v").has_value());
  bool synced = false;
  shard().scope().Spawn(SyncInto(&shard().storage(), sequence, &synced));
  shard().Settle();
  EXPECT_FALSE(synced);
  disk_->full = false;
  Await([&] { return synced; });
  EXPECT_EQ(fixture_.stopped(), "");

  disk_->Freeze();
  fixture_.Close();
  Rng rng(1);
  disk_->LosePower(&rng);
  ASSERT_TRUE(fixture_.Open());
  EXPECT_EQ(Read("k"), "v");
}

TEST_F(RocksdbFault, ADiskThatIsNearlyFullIsLeftTheSpaceThatAFlushNeeds) {
  disk_->free_bytes = (1 << 20) - 1;
  ASSERT_TRUE(shard().Run(shard().storage().Sync(Put("k", "v").value())));
  Await([&] { return !Put("k", "v").has_value(); });
  EXPECT_EQ(Put("k", "v").error().code, Errc::kReadOnly);
  // Not before there is clearly more: no going back and forth.
  disk_->free_bytes = (1 << 20) + 1;
  const int checks = disk_->space_checks;
  Await([&] { return disk_->space_checks >= checks + 3; });
  EXPECT_EQ(Put("k", "v").error().code, Errc::kReadOnly);
  disk_->free_bytes = 2 << 20;
  Await([&] { return Put("k", "v").has_value(); });
  EXPECT_EQ(fixture_.stopped(), "");
}

TEST_F(RocksdbFault, ADiskThatFillsUpInAFlushDoesNotStopTheProcess) {
  ASSERT_TRUE(Put("k", std::string(100'000, 'v')));
  disk_->full = true;
  rocksdb::FlushOptions options;
  EXPECT_FALSE(fixture_.store().db().Flush(options, fixture_.store().family(ColumnFamily::kObjects)).ok());
  EXPECT_EQ(Put("k2", "v").error().code, Errc::kReadOnly);
  EXPECT_EQ(Read("k"), std::string(100'000, 'v'));
  disk_->full = false;
  Await([&] { return Put("k2", "v").has_value(); });
  EXPECT_EQ(fixture_.stopped(), "");
}

TEST_F(RocksdbFault, AnUnreadableDiskIsAnErrorAndNeverNotFound) {
  ASSERT_TRUE(Put("k", "v"));
  fixture_.Flush();
  disk_->fail_reads = true;
  EXPECT_EQ(Read("k"), "<storage>");
  const auto scanned = shard().Run(shard().storage().Scan(ColumnFamily::kObjects, "", "", 10, 1000));
  ASSERT_FALSE(scanned.has_value());
  EXPECT_EQ(scanned.error().code, Errc::kStorage);
  EXPECT_EQ(fixture_.stopped(), "");
  disk_->fail_reads = false;
  EXPECT_EQ(Read("k"), "v");
}

TEST_F(RocksdbFault, FlippedBitsInATableAreCorruptionAndNeverNotFound) {
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(Put("k" + std::to_string(1000 + i), std::string(1000, 'v')));
  fixture_.Flush();
  FlipBitsInTables();
  EXPECT_EQ(Read("k1000"), "<corrupt>");
  EXPECT_EQ(Read("k1010"), "<corrupt>");
  const auto scanned = shard().Run(shard().storage().Scan(ColumnFamily::kObjects, "", "", 10, 1 << 20));
  ASSERT_FALSE(scanned.has_value());
  EXPECT_EQ(scanned.error().code, Errc::kCorrupt);
  EXPECT_EQ(fixture_.stopped(), "");
}

TEST_F(RocksdbFault, ARottenTableThatACompactionMeetsLeavesReadsAlive) {
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(Put("k" + std::to_string(1000 + i), std::string(1000, 'v')));
  fixture_.Flush();
  FlipBitsInTables();
  ASSERT_TRUE(shard().Put(ColumnFamily::kMeta, "elsewhere", "v"));
  rocksdb::CompactRangeOptions options;
  options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
  auto* family = fixture_.store().family(ColumnFamily::kObjects);
  EXPECT_FALSE(fixture_.store().db().CompactRange(options, family, nullptr, nullptr).ok());
  EXPECT_EQ(Text(shard().Get(ColumnFamily::kMeta, "elsewhere")), "v");
  EXPECT_EQ(Read("k1000"), "<corrupt>");
  EXPECT_EQ(Put("new", "v").error().code, Errc::kCorrupt);
  EXPECT_EQ(GaugeValue(fixture_.metrics(), "dynamo_storage_failed"), 1);
  EXPECT_EQ(fixture_.stopped(), "");
}

TEST_F(RocksdbFault, TheLogIsSyncedAfterAWhileThoughNobodyWaits) {
  fixture_.settings().syncer.interval = std::chrono::milliseconds(5);
  ASSERT_TRUE(fixture_.Open());
  ASSERT_TRUE(Put("k", "v"));
  Histogram& latency = fixture_.metrics().histogram("dynamo_storage_sync_seconds", "");
  Await([&] { return latency.count() == 1; });
  ASSERT_TRUE(Put("k", "w"));
  Await([&] { return latency.count() == 2; });
  disk_->Freeze();
  fixture_.Close();
  Rng rng(1);
  disk_->LosePower(&rng);
  ASSERT_TRUE(fixture_.Open());
  EXPECT_EQ(Read("k"), "w");
}

TEST_F(RocksdbFault, ALossOfPowerLosesOnlyWhatWasNotSynced) {
  Rng rng(7);
  bool lost_some = false;
  for (int round = 0; round < 10; ++round) {
    const Bytes synced = "synced" + std::to_string(round), loose = "loose" + std::to_string(round);
    ASSERT_TRUE(shard().Run(shard().storage().Sync(Put(synced, "v").value())));
    ASSERT_TRUE(Put(loose, "v"));
    disk_->Freeze();
    fixture_.Close();
    disk_->LosePower(&rng);
    ASSERT_TRUE(fixture_.Open());
    EXPECT_EQ(Read(synced), "v");
    lost_some |= Read(loose) == "<none>";
  }
  EXPECT_TRUE(lost_some);
}

}  // namespace
}  // namespace dynamo
