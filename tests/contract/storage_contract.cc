#include "tests/contract/storage_contract.h"

#include <gmock/gmock.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "node/core/version/object.h"

namespace dynamo {

WriteSequence StorageContract::Write(WriteOps ops, ShardIndex shard) {
  const Result<WriteSequence> written = harness_->Await(storage(shard).Write(std::move(ops)), shard);
  EXPECT_TRUE(written.has_value());
  return written.value_or(0);
}

void StorageContract::Sync(WriteSequence sequence, ShardIndex shard) {
  EXPECT_TRUE(harness_->Await(storage(shard).Sync(sequence), shard).has_value());
}

std::optional<Bytes> StorageContract::Read(ColumnFamily family, const Bytes& key, ShardIndex shard) {
  const auto quick = storage(shard).TryGet(family, key);
  const Result<std::optional<Bytes>> slow = harness_->Await(storage(shard).Get(family, key), shard);
  EXPECT_TRUE(slow.has_value());
  if (quick) {
    EXPECT_EQ(*quick, slow);
  }
  return slow.value_or(std::nullopt);
}

std::vector<KeyValue> StorageContract::Scan(ColumnFamily family, Bytes begin, Bytes end, size_t max_items,
                                            size_t max_bytes) {
  auto items = harness_->Await(storage().Scan(family, std::move(begin), std::move(end), max_items, max_bytes));
  EXPECT_TRUE(items.has_value());
  return items.value_or(std::vector<KeyValue>());
}

namespace {

using ::testing::ElementsAre;

constexpr ColumnFamily kObjects = ColumnFamily::kObjects;
constexpr ColumnFamily kMeta = ColumnFamily::kMeta;

WriteOp PutOp(Bytes key, Bytes value, ColumnFamily family = kMeta) {
  return {WriteOp::Kind::kPut, family, std::move(key), std::move(value)};
}
WriteOp DeleteOp(Bytes key) { return {WriteOp::Kind::kDelete, kMeta, std::move(key), {}}; }
WriteOp MergeOp(Bytes key, Bytes object) {
  return {WriteOp::Kind::kMerge, kObjects, std::move(key), std::move(object)};
}

std::vector<Bytes> Keys(const std::vector<KeyValue>& items) {
  std::vector<Bytes> keys;
  for (const KeyValue& item : items) keys.push_back(item.key);
  return keys;
}

Bytes ObjectBy(uint64_t actor, const std::string& value) {
  Write write;
  write.actor = {actor};
  write.content.value = value;
  return EncodeObject(Mint(Object{}, CausalContext{}, std::move(write)));
}

TEST_P(StorageContract, WhatWasNeverWrittenIsNotThere) { EXPECT_EQ(Read(kMeta, "key"), std::nullopt); }

TEST_P(StorageContract, AReadSeesEveryWriteThatHasResumed) {
  Write({PutOp("key", "one")});
  EXPECT_EQ(Read(kMeta, "key"), "one");
  Write({PutOp("key", "two")});
  EXPECT_EQ(Read(kMeta, "key"), "two");
  Write({DeleteOp("key")});
  EXPECT_EQ(Read(kMeta, "key"), std::nullopt);
}

Async<> WriteAndSay(Storage* storage, WriteOps ops, bool* resumed) {
  (void)co_await storage->Write(std::move(ops));
  *resumed = true;
}

Async<> LookMeanwhile(Storage* storage, const bool* resumed, std::vector<Bytes>* too_early) {
  const auto seen = storage->TryGet(kMeta, "key");
  if (!*resumed && seen && seen->has_value() && **seen) too_early->push_back(***seen);
  co_return;
}

TEST_P(StorageContract, MemoryShowsNoWriteThatHasNotResumed) {
  for (int round = 0; round < 10; ++round) {
    bool resumed = false;
    std::vector<Bytes> too_early;
    harness_->scope(0).Spawn(WriteAndSay(&storage(), {PutOp("key", "value")}, &resumed));
    harness_->scope(0).Spawn(LookMeanwhile(&storage(), &resumed, &too_early));
    harness_->RunUntil([&resumed] { return resumed; });
    EXPECT_THAT(too_early, ElementsAre());
    Write({DeleteOp("key")});
  }
}

TEST_P(StorageContract, ShardsSeeEachOthersWrites) {
  Write({PutOp("key", "of shard 1")}, /*shard=*/1);
  EXPECT_EQ(Read(kMeta, "key", /*shard=*/0), "of shard 1");
}

TEST_P(StorageContract, TheLaterOperationOfABatchWins) {
  Write({PutOp("a", "1"), DeleteOp("a"), PutOp("b", "1"), PutOp("b", "2")});
  EXPECT_EQ(Read(kMeta, "a"), std::nullopt);
  EXPECT_EQ(Read(kMeta, "b"), "2");
}

TEST_P(StorageContract, WritesOfOneWakeUpKeepTheirOrder) {
  bool first = false, second = false;
  harness_->scope(0).Spawn(WriteAndSay(&storage(), {PutOp("key", "first")}, &first));
  harness_->scope(0).Spawn(WriteAndSay(&storage(), {PutOp("key", "second")}, &second));
  harness_->RunUntil([&] { return first && second; });
  EXPECT_EQ(Read(kMeta, "key"), "second");
}

TEST_P(StorageContract, FamiliesAreApart) {
  Write({PutOp("key", "meta", kMeta), PutOp("key", "hint", ColumnFamily::kHints)});
  EXPECT_EQ(Read(kMeta, "key"), "meta");
  EXPECT_EQ(Read(ColumnFamily::kHints, "key"), "hint");
  EXPECT_EQ(Read(kObjects, "key"), std::nullopt);
}

TEST_P(StorageContract, AMergeJoinsWithWhatIsThere) {
  const Bytes a = ObjectBy(1, "a"), b = ObjectBy(2, "b"), c = ObjectBy(3, "c");
  const Bytes ab = JoinEncoded(a, b).value(), abc = JoinEncoded(ab, c).value();
  Write({MergeOp("key", a)});
  EXPECT_EQ(Read(kObjects, "key"), a);
  Write({MergeOp("key", b), MergeOp("key", b)});
  EXPECT_EQ(Read(kObjects, "key"), ab);
  Write({PutOp("put", ab, kObjects), MergeOp("put", c)});
  const WriteSequence last = Write({MergeOp("key", c)});
  const auto items = Scan(kObjects, "", "");
  ASSERT_EQ(items.size(), 2u);
  EXPECT_EQ(items[0].value, abc);
  EXPECT_EQ(items[1].value, abc);
  Sync(last);
  harness_->CrashAndReopen();
  EXPECT_EQ(Read(kObjects, "key"), abc);
}

TEST_P(StorageContract, AScanIsInByteOrderFromBeginToBeforeEnd) {
  const Bytes low("\x01\x00", 2), high("\xff\x01", 2);
  Write({PutOp(high, "5"), PutOp("b", "3"), PutOp("a", "2"), PutOp(low, "1"), PutOp("c", "4")});
  EXPECT_THAT(Keys(Scan(kMeta, "", "")), ElementsAre(low, "a", "b", "c", high));
  EXPECT_THAT(Keys(Scan(kMeta, "a", "c")), ElementsAre("a", "b"));
  EXPECT_THAT(Keys(Scan(kMeta, "aa", "")), ElementsAre("b", "c", high));
  EXPECT_THAT(Keys(Scan(kMeta, "d", "e")), ElementsAre());
  EXPECT_EQ(Scan(kMeta, "b", "c")[0].value, "3");
}

TEST_P(StorageContract, AScanStopsAtItsLimitsAndGoesOnAfterTheLastKey) {
  WriteOps ops;
  for (char letter = 'a'; letter < 'a' + 10; ++letter) ops.push_back(PutOp(Bytes(1, letter), Bytes(100, 'x')));
  Write(std::move(ops));
  EXPECT_THAT(Keys(Scan(kMeta, "", "", /*max_items=*/3)), ElementsAre("a", "b", "c"));
  EXPECT_THAT(Keys(Scan(kMeta, Bytes("c\0", 2), "", 2)), ElementsAre("d", "e"));
  EXPECT_THAT(Keys(Scan(kMeta, "", "", 1000, /*max_bytes=*/1)), ElementsAre("a"));
  const size_t some = Scan(kMeta, "", "", 1000, /*max_bytes=*/350).size();
  EXPECT_GE(some, 3u);
  EXPECT_LE(some, 4u);
}

Async<> ScanInto(Storage* storage, std::vector<KeyValue>* items, bool* done) {
  *items = (co_await storage->Scan(kMeta, "", "", 1000, 1 << 20)).value();
  *done = true;
}

TEST_P(StorageContract, AScanIsOfOneInstant) {
  Write({PutOp("a", "0"), PutOp("z", "0")});
  for (int round = 1; round <= 20; ++round) {
    bool scanned = false, written = false;
    std::vector<KeyValue> items;
    const Bytes value = std::to_string(round);
    harness_->scope(0).Spawn(ScanInto(&storage(), &items, &scanned));
    harness_->scope(0).Spawn(WriteAndSay(&storage(), {PutOp("a", value), PutOp("z", value)}, &written));
    harness_->RunUntil([&] { return scanned && written; });
    ASSERT_EQ(items.size(), 2u);
    EXPECT_EQ(items[0].value, items[1].value);
  }
}

TEST_P(StorageContract, SequencesGrow) {
  const WriteSequence first = Write({PutOp("a", "1")});
  EXPECT_LT(first, Write({PutOp("a", "2")}));
}

TEST_P(StorageContract, WhatWasSyncedSurvivesACrash) {
  const WriteSequence first = Write({PutOp("a", "1")});
  const WriteSequence second = Write({PutOp("b", "2"), PutOp("c", "3")});
  Sync(second);
  Sync(first);
  harness_->CrashAndReopen();
  EXPECT_EQ(Read(kMeta, "a"), "1");
  EXPECT_EQ(Read(kMeta, "b"), "2");
  EXPECT_EQ(Read(kMeta, "c"), "3");
}

Async<> SyncAndCount(Storage* storage, WriteSequence sequence, int* done) {
  EXPECT_TRUE((co_await storage->Sync(sequence)).has_value());
  ++*done;
}

TEST_P(StorageContract, AllWhoWaitForASyncGoOn) {
  int done = 0;
  WriteSequence last = 0;
  for (int i = 0; i < 20; ++i) {
    last = Write({PutOp(std::to_string(i), "x")});
    harness_->scope(0).Spawn(SyncAndCount(&storage(), last, &done));
  }
  harness_->RunUntil([&done] { return done == 20; });
  harness_->CrashAndReopen();
  EXPECT_EQ(Scan(kMeta, "", "").size(), 20u);
}

TEST_P(StorageContract, OfWhatWasNotSyncedAPrefixSurvivesACrash) {
  for (int round = 0; round < 10; ++round) {
    WriteSequence synced = 0;
    for (int i = 0; i < 20; ++i) {
      const Bytes value = std::to_string(round * 100 + i);
      const WriteSequence written = Write({PutOp("log", value), PutOp("copy", value), PutOp(Bytes(1, 'a' + i), value)});
      if (i == 7) synced = written;
    }
    Sync(synced);
    harness_->CrashAndReopen();
    const auto log = Read(kMeta, "log");
    ASSERT_TRUE(log.has_value());
    EXPECT_EQ(Read(kMeta, "copy"), log);
    const int last = std::stoi(*log) - round * 100;
    ASSERT_GE(last, 7);
    for (int i = 0; i < 20; ++i) {
      const auto value = Read(kMeta, Bytes(1, 'a' + i));
      EXPECT_EQ(value == std::to_string(round * 100 + i), i <= last) << i << " of " << last;
    }
  }
}

TEST_P(StorageContract, ABigValueComesBackWhole) {
  const Bytes big(5 << 20, 'v');
  const WriteSequence written = Write({PutOp("big", big)});
  EXPECT_EQ(Read(kMeta, "big"), big);
  Sync(written);
  harness_->CrashAndReopen();
  EXPECT_EQ(Read(kMeta, "big"), big);
}

TEST_P(StorageContract, AnEmptyValueIsNotAMissingOne) {
  Write({PutOp("key", "")});
  EXPECT_EQ(Read(kMeta, "key"), "");
}

TEST_P(StorageContract, AFullDiskRefusesWritesServesReadsAndRecovers) {
  Write({PutOp("before", "1")});
  harness_->SetFull(true);
  for (int i = 0; i < 3; ++i) {
    const auto refused = harness_->Await(storage().Write({PutOp("during", "2")}));
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, Errc::kReadOnly);
  }
  EXPECT_EQ(Read(kMeta, "before"), "1");
  EXPECT_EQ(Read(kMeta, "during"), std::nullopt);
  harness_->SetFull(false);
  // An engine looks for space from time to time.
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!harness_->Await(storage().Write({PutOp("after", "3")}))) {
    ASSERT_LT(std::chrono::steady_clock::now(), deadline);
    std::this_thread::yield();
  }
  Sync(Write({PutOp("last", "4")}));
  harness_->CrashAndReopen();
  EXPECT_EQ(Read(kMeta, "before"), "1");
  EXPECT_EQ(Read(kMeta, "after"), "3");
}

TEST_P(StorageContract, WhoWaitsForASyncWhileTheDiskIsFullIsServedWhenThereIsSpace) {
  const WriteSequence written = Write({PutOp("key", "1")});
  harness_->SetFull(true);
  EXPECT_FALSE(harness_->Await(storage().Write({PutOp("during", "2")})));
  int done = 0;
  harness_->scope(0).Spawn(SyncAndCount(&storage(), written, &done));
  harness_->SetFull(false);
  harness_->RunUntil([&done] { return done == 1; });
  harness_->CrashAndReopen();
  EXPECT_EQ(Read(kMeta, "key"), "1");
}

TEST_P(StorageContract, AReadThatFailsIsAnErrorAndNeverNotFound) {
  Write({PutOp("key", "1")});
  harness_->FailReads(true);
  const auto got = harness_->Await(storage().Get(kMeta, "key"));
  ASSERT_FALSE(got.has_value());
  EXPECT_EQ(got.error().code, Errc::kStorage);
  const auto scanned = harness_->Await(storage().Scan(kMeta, "", "", 10, 1000));
  ASSERT_FALSE(scanned.has_value());
  EXPECT_EQ(scanned.error().code, Errc::kStorage);
  harness_->FailReads(false);
  EXPECT_EQ(Read(kMeta, "key"), "1");
}

// Counts live instances.
struct Probe {
  static inline int live = 0;
  Probe() { ++live; }
  Probe(const Probe&) = delete;
  ~Probe() { --live; }
};

Async<> WriteForever(Storage* storage, int* rounds) {
  const Probe local;
  for (;; ++*rounds) {
    const auto written = co_await storage->Write({PutOp("key", std::to_string(*rounds))});
    (void)co_await storage->Sync(written.value());
    (void)co_await storage->Get(kMeta, "key");
    (void)co_await storage->Scan(kMeta, "", "", 10, 1000);
  }
}

TEST_P(StorageContract, AKilledScopeIsNotCalledBackAndLeavesNothing) {
  int rounds = 0;
  for (int i = 0; i < 7; ++i) harness_->scope(0).Spawn(WriteForever(&storage(), &rounds));
  harness_->RunUntil([&rounds] { return rounds >= 10; });
  EXPECT_EQ(Probe::live, 7);
  harness_->CrashAndReopen();
  EXPECT_EQ(Probe::live, 0);
  const int at_crash = rounds;
  Write({PutOp("after", "crash")});
  EXPECT_EQ(rounds, at_crash);
  EXPECT_EQ(Read(kMeta, "after"), "crash");
}

}  // namespace
}  // namespace dynamo
