#include "node/adapter/rocksdb_storage.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "node/core/version/object.h"
#include "tests/unit/adapter/rocksdb_fixture.h"

namespace dynamo {
namespace {

class RocksdbStorageTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(fixture_.Open()); }

  TestShard& shard() { return fixture_.shard(); }
  RocksdbStorage& storage() { return fixture_.shard().storage(); }
  std::vector<std::string> KeysOf(const Result<std::vector<KeyValue>>& scanned) {
    std::vector<std::string> keys;
    for (const KeyValue& item : scanned.value()) keys.push_back(item.key);
    return keys;
  }

  StoreFixture fixture_;
};

Async<> WriteInto(Storage* storage, WriteOps ops, std::optional<Result<WriteSequence>>* result) {
  *result = co_await storage->Write(std::move(ops));
}

Async<> GetInto(Storage* storage, Bytes key, std::optional<Result<std::optional<Bytes>>>* result) {
  *result = co_await storage->Get(ColumnFamily::kObjects, std::move(key));
}

WriteOps OnePut(Bytes key, Bytes value) {
  return {{WriteOp::Kind::kPut, ColumnFamily::kObjects, std::move(key), std::move(value)}};
}

TEST_F(RocksdbStorageTest, WhatWasNeverWrittenIsNotThereAndThatIsNoError) {
  const auto known = storage().TryGet(ColumnFamily::kObjects, "k");
  ASSERT_TRUE(known.has_value());
  ASSERT_TRUE(known->has_value());
  EXPECT_FALSE(known->value().has_value());
  EXPECT_EQ(Text(shard().Get(ColumnFamily::kObjects, "k")), "<none>");
}

TEST_F(RocksdbStorageTest, FamiliesAreApart) {
  ASSERT_TRUE(shard().Put(ColumnFamily::kHints, "k", "hint"));
  ASSERT_TRUE(shard().Put(ColumnFamily::kMeta, "k", "meta"));
  EXPECT_EQ(Text(shard().Get(ColumnFamily::kObjects, "k")), "<none>");
  EXPECT_EQ(Text(shard().Get(ColumnFamily::kHints, "k")), "hint");
  EXPECT_EQ(Text(shard().Get(ColumnFamily::kMeta, "k")), "meta");
}

TEST_F(RocksdbStorageTest, AWriteIsNotSeenBeforeTheEndOfTheWakeUp) {
  std::optional<Result<WriteSequence>> written;
  shard().scope().Spawn(WriteInto(&storage(), OnePut("k", "v"), &written));
  shard().io().poll();
  EXPECT_FALSE(written.has_value());
  EXPECT_EQ(Text(storage().TryGet(ColumnFamily::kObjects, "k")), "<none>");

  EXPECT_TRUE(storage().Commit());
  shard().Settle();
  ASSERT_TRUE(written.has_value());
  EXPECT_TRUE(written->has_value());
  EXPECT_EQ(Text(storage().TryGet(ColumnFamily::kObjects, "k")), "v");
}

TEST_F(RocksdbStorageTest, AllWritesOfAWakeUpGoDownAsOneBatch) {
  const auto before = fixture_.store().db().GetLatestSequenceNumber();
  std::vector<std::optional<Result<WriteSequence>>> written(3);
  for (int i = 0; i < 3; ++i) {
    shard().scope().Spawn(WriteInto(&storage(), OnePut("k", std::to_string(i)), &written[i]));
  }
  shard().Settle();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(written[i]->value(), WriteSequence(i + 1));
  std::unique_ptr<rocksdb::TransactionLogIterator> log;
  ASSERT_TRUE(fixture_.store().db().GetUpdatesSince(before + 1, &log).ok());
  EXPECT_EQ(log->GetBatch().writeBatchPtr->Count(), 3u);
  // In the order in which they were made.
  EXPECT_EQ(Text(storage().TryGet(ColumnFamily::kObjects, "k")), "2");
  EXPECT_FALSE(storage().Commit());
}

TEST_F(RocksdbStorageTest, ADeletedKeyIsGone) {
  ASSERT_TRUE(shard().Put(ColumnFamily::kHints, "k", "v"));
  ASSERT_TRUE(shard().Delete(ColumnFamily::kHints, "k"));
  EXPECT_EQ(Text(shard().Get(ColumnFamily::kHints, "k")), "<none>");
}

TEST_F(RocksdbStorageTest, MergesJoinWithWhatIsThere) {
  const Bytes first = EncodedSibling(1, 1, "a"), second = EncodedSibling(2, 1, "b"), third = EncodedSibling(3, 1, "c");
  ASSERT_TRUE(shard().Merge("k", first));
  ASSERT_TRUE(shard().Merge("k", second));
  ASSERT_TRUE(shard().Merge("k", first));
  const Bytes two = JoinEncoded(first, second).value();
  EXPECT_EQ(Text(shard().Get(ColumnFamily::kObjects, "k")), two);
  fixture_.Flush();
  ASSERT_TRUE(shard().Merge("k", third));
  EXPECT_EQ(Text(shard().Get(ColumnFamily::kObjects, "k")), JoinEncoded(two, third).value());
}

TEST_F(RocksdbStorageTest, AMergeThatCouldNotBeJoinedIsRefusedWithTheWholeWrite) {
  WriteOps ops = OnePut("other", "v");
  ops.push_back({WriteOp::Kind::kMerge, ColumnFamily::kObjects, "k", "no object"});
  const Result<WriteSequence> written = shard().Run(storage().Write(std::move(ops)));
  ASSERT_FALSE(written.has_value());
  EXPECT_EQ(written.error().code, Errc::kCorrupt);
  EXPECT_EQ(Text(shard().Get(ColumnFamily::kObjects, "other")), "<none>");

  const Result<WriteSequence> elsewhere =
      shard().Run(storage().Write({{WriteOp::Kind::kMerge, ColumnFamily::kMeta, "k", EncodedSibling(1, 1, "a")}}));
  ASSERT_FALSE(elsewhere.has_value());
  EXPECT_EQ(elsewhere.error().code, Errc::kInvalidArgument);
}

TEST_F(RocksdbStorageTest, ARefusedWriteLeavesTheOthersOfItsWakeUpAlone) {
  std::optional<Result<WriteSequence>> good, bad;
  shard().scope().Spawn(WriteInto(&storage(), OnePut("good", "v"), &good));
  shard().scope().Spawn(
      WriteInto(&storage(), {{WriteOp::Kind::kMerge, ColumnFamily::kObjects, "bad", "no object"}}, &bad));
  shard().Settle();
  EXPECT_TRUE(good->has_value());
  EXPECT_FALSE(bad->has_value());
  EXPECT_EQ(Text(storage().TryGet(ColumnFamily::kObjects, "good")), "v");
}

TEST_F(RocksdbStorageTest, MemoryAnswersUntilTheDiskIsNeeded) {
  ASSERT_TRUE(shard().Put(ColumnFamily::kObjects, "k", "v"));
  fixture_.Flush();
  EXPECT_FALSE(storage().TryGet(ColumnFamily::kObjects, "k").has_value());
  EXPECT_EQ(Text(shard().Get(ColumnFamily::kObjects, "k")), "v");
  // Now it is in the block cache.
  ASSERT_TRUE(storage().TryGet(ColumnFamily::kObjects, "k").has_value());
  EXPECT_EQ(Text(storage().TryGet(ColumnFamily::kObjects, "k")), "v");
}

TEST_F(RocksdbStorageTest, TheFilterSaysWithoutTheDiskThatAKeyIsNotThere) {
  ASSERT_TRUE(shard().Put(ColumnFamily::kObjects, "a", "v"));
  ASSERT_TRUE(shard().Put(ColumnFamily::kObjects, "z", "v"));
  fixture_.Flush();
  EXPECT_EQ(Text(storage().TryGet(ColumnFamily::kObjects, "nowhere")), "<none>");
}

TEST_F(RocksdbStorageTest, AScanGivesTheKeysOfTheRangeInOrder) {
  for (const char* key : {"b", "d", "a", "c", "e"}) ASSERT_TRUE(shard().Put(ColumnFamily::kHints, key, "v"));
  auto scan = [&](Bytes begin, Bytes end) {
    return KeysOf(shard().Run(storage().Scan(ColumnFamily::kHints, begin, end, 100, 1 << 20)));
  };
  EXPECT_EQ(scan("b", "d"), (std::vector<std::string>{"b", "c"}));
  EXPECT_EQ(scan("c", ""), (std::vector<std::string>{"c", "d", "e"}));
  EXPECT_EQ(scan("", ""), (std::vector<std::string>{"a", "b", "c", "d", "e"}));
  EXPECT_TRUE(scan("x", "").empty());
  EXPECT_TRUE(scan("d", "b").empty());
}

TEST_F(RocksdbStorageTest, AScanStopsAtItsLimitsButAfterOneItem) {
  for (const char* key : {"a", "b", "c"}) ASSERT_TRUE(shard().Put(ColumnFamily::kHints, key, std::string(100, 'v')));
  auto scan = [&](size_t items, size_t bytes) {
    return KeysOf(shard().Run(storage().Scan(ColumnFamily::kHints, "", "", items, bytes)));
  };
  EXPECT_EQ(scan(2, 1 << 20), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(scan(100, 1), (std::vector<std::string>{"a"}));
  EXPECT_EQ(scan(100, 150), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(KeysOf(shard().Run(storage().Scan(ColumnFamily::kHints, std::string("a\0", 2), "", 1, 1))),
            (std::vector<std::string>{"b"}));
}

TEST_F(RocksdbStorageTest, OneSyncServesAllThatWait) {
  std::vector<std::optional<Result<WriteSequence>>> written(3);
  for (auto& result : written) shard().scope().Spawn(WriteInto(&storage(), OnePut("k", "v"), &result));
  shard().Settle();
  bool done[3] = {};
  for (int i = 0; i < 3; ++i) shard().scope().Spawn(SyncInto(&storage(), written[i]->value(), &done[i]));
  shard().Settle();
  while (!done[2]) shard().WakeUp();
  EXPECT_TRUE(done[0] && done[1]);
  EXPECT_EQ(fixture_.metrics().histogram("dynamo_storage_sync_seconds", "").count(), 1u);
}

TEST_F(RocksdbStorageTest, WhatIsSyncedAlreadyIsNotSyncedAgain) {
  const WriteSequence first = shard().Put(ColumnFamily::kObjects, "k", "1").value();
  const WriteSequence second = shard().Put(ColumnFamily::kObjects, "k", "2").value();
  EXPECT_TRUE(shard().Run(storage().Sync(second)));
  EXPECT_TRUE(shard().Run(storage().Sync(first)));
  EXPECT_EQ(fixture_.metrics().histogram("dynamo_storage_sync_seconds", "").count(), 1u);
}

TEST_F(RocksdbStorageTest, WrittenDataIsThereAfterACleanRestart) {
  ASSERT_TRUE(shard().Put(ColumnFamily::kObjects, "k", "v"));
  ASSERT_TRUE(shard().Merge("merged", EncodedSibling(1, 1, "a")));
  ASSERT_TRUE(fixture_.Open());
  EXPECT_EQ(Text(shard().Get(ColumnFamily::kObjects, "k")), "v");
  EXPECT_EQ(Text(shard().Get(ColumnFamily::kObjects, "merged")), EncodedSibling(1, 1, "a"));
}

TEST_F(RocksdbStorageTest, AKilledShardLeavesNobodyWaiting) {
  ASSERT_TRUE(shard().Put(ColumnFamily::kObjects, "k", "v"));
  fixture_.Flush();
  const WriteSequence sequence = shard().Put(ColumnFamily::kObjects, "k2", "v").value();
  std::optional<Result<WriteSequence>> written;
  std::optional<Result<std::optional<Bytes>>> read;
  bool synced = false;
  shard().scope().Spawn(GetInto(&storage(), "k", &read));
  shard().scope().Spawn(SyncInto(&storage(), sequence, &synced));
  shard().io().restart();
  shard().io().poll();
  storage().Commit();  // The wait for the disk is under way.
  shard().scope().Spawn(WriteInto(&storage(), OnePut("k3", "v"), &written));
  shard().io().restart();
  shard().io().poll_one();
  shard().scope().Kill();
  fixture_.Close();  // Under ASan: frees what they held; neither thread finds anybody.
  EXPECT_FALSE(written.has_value());
}

TEST(RocksdbStorage, ShardsShareTheStoreAndNothingElse) {
  StoreFixture fixture;
  ASSERT_TRUE(fixture.Open());
  TestShard other(&fixture.store());
  ASSERT_TRUE(fixture.shard().Put(ColumnFamily::kObjects, "k", "v"));
  EXPECT_EQ(Text(other.Get(ColumnFamily::kObjects, "k")), "v");
  EXPECT_EQ(other.Put(ColumnFamily::kObjects, "k", "w"), WriteSequence(1));
  EXPECT_EQ(Text(fixture.shard().Get(ColumnFamily::kObjects, "k")), "w");
}

TEST(RocksdbStorage, ShardsWorkOnTheirOwnThreadsAtOnce) {
  StoreFixture fixture;
  ASSERT_TRUE(fixture.Open());
  auto work = [&](const std::string& name) {
    TestShard shard(&fixture.store());
    for (int i = 0; i < 100; ++i) {
      const Bytes key = name + std::to_string(i), value = std::string(5000, 'v');
      const WriteSequence written = shard.Put(ColumnFamily::kObjects, key, value).value();
      EXPECT_TRUE(shard.Merge("shared", EncodedSibling(1 + i % 3, 1, std::to_string(1 + i % 3))));
      if (i % 10 == 0) EXPECT_TRUE(shard.Run(shard.storage().Sync(written)));
      EXPECT_EQ(Text(shard.Get(ColumnFamily::kObjects, name + std::to_string(i / 2))), value);
      EXPECT_TRUE(shard.Run(shard.storage().Scan(ColumnFamily::kObjects, name, "", 10, 1 << 20)));
    }
  };
  std::vector<std::thread> threads;
  for (const char* name : {"a", "b", "c"}) threads.emplace_back(work, name);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(DecodeObject(Text(fixture.shard().Get(ColumnFamily::kObjects, "shared")))->siblings.size(), 3u);
}

TEST(RocksdbStorage, SyncsInlineWhenAloneAndAskedTo) {
  StoreFixture fixture;
  fixture.settings().sync_inline = true;
  ASSERT_TRUE(fixture.Open());
  const WriteSequence sequence = fixture.shard().Put(ColumnFamily::kObjects, "k", "v").value();
  bool synced = false;
  fixture.shard().scope().Spawn(SyncInto(&fixture.shard().storage(), sequence, &synced));
  fixture.shard().Settle();  // Waits for nobody.
  EXPECT_TRUE(synced);
}

}  // namespace
}  // namespace dynamo
