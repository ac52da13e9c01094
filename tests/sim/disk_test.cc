#include "tests/sim/disk.h"

#include <gtest/gtest.h>

#include "node/core/version/object.h"
#include "tests/sim/storage.h"

namespace dynamo::sim {
namespace {

constexpr ColumnFamily kMeta = ColumnFamily::kMeta;

WriteOps Put(const Bytes& key, const Bytes& value) { return {{WriteOp::Kind::kPut, kMeta, key, value}}; }

class SimDiskTest : public ::testing::Test {
 protected:
  SimDiskTest() { disk_.Attach(process_); }
  void Crash() {
    world_.KillProcess(process_);
    disk_.Crash();
    process_ = world_.StartProcess();
    disk_.Attach(process_);
  }

  SimWorld world_{3};
  ProcessId process_ = world_.StartProcess();
  SimDisk disk_{&world_, world_.MakeRng("disk"), SimDiskConfig{}};
};

TEST_F(SimDiskTest, ASyncCoversWhatWasInTheLogWhenItBegan) {
  disk_.Apply(Put("a", "1"));
  int done = 0;
  disk_.Sync([&] { ++done; });
  disk_.Apply(Put("b", "2"));
  world_.RunFor(disk_.config().sync_max);
  EXPECT_EQ(done, 1);
  EXPECT_EQ(disk_.durable(kMeta).size(), 1u);
  EXPECT_EQ(disk_.applied(kMeta).size(), 2u);
}

TEST_F(SimDiskTest, ADeviceOfSomeSpeedServesOneAfterTheOther) {
  SimDiskConfig config;
  config.bytes_per_second = 1'000'000;
  SimDisk disk(&world_, world_.MakeRng("slow"), config);
  EXPECT_EQ(disk.Occupy(1'000), Duration(1'000));
  EXPECT_EQ(disk.Occupy(2'000), Duration(3'000));
  world_.RunFor(Duration(2'500));
  EXPECT_EQ(disk.Occupy(100), Duration(600));
  world_.RunFor(Duration(10'000));
  EXPECT_EQ(disk.Occupy(100), Duration(100));      // It has been idle, and saves nothing up.
  EXPECT_EQ(disk_.Occupy(1u << 30), Duration(0));  // Without a speed: at once.
}

TEST_F(SimDiskTest, ASyncOfMuchTakesItsTime) {
  SimDiskConfig config;
  config.bytes_per_second = 1'000'000;
  SimDisk disk(&world_, world_.MakeRng("slow"), config);
  disk.Attach(process_);
  disk.Apply(Put("a", Bytes(500'000, 'x')));
  bool done = false;
  disk.Sync([&] { done = true; });
  world_.RunFor(Duration(499'000));
  EXPECT_FALSE(done);
  world_.RunFor(Duration(10'000));
  EXPECT_TRUE(done);
}

TEST_F(SimDiskTest, AllWhoComeDuringASyncShareTheNext) {
  int done = 0;
  for (int i = 0; i < 10; ++i) {
    disk_.Apply(Put(std::to_string(i), "x"));
    disk_.Sync([&] { ++done; });
  }
  world_.RunFor(2 * disk_.config().sync_max);
  EXPECT_EQ(done, 10);
  EXPECT_EQ(disk_.durable(kMeta).size(), 10u);
}

TEST_F(SimDiskTest, ACrashSometimesKeepsSometimesLosesAndSometimesCutsTheLog) {
  bool kept = false, lost = false, cut = false;
  for (int round = 0; round < 50; ++round) {
    const size_t before = disk_.durable(kMeta).size();
    for (int i = 0; i < 4; ++i) disk_.Apply(Put(std::to_string(round * 10 + i), "x"));
    Crash();
    const size_t survived = disk_.applied(kMeta).size() - before;
    kept |= survived == 4;
    lost |= survived == 0;
    cut |= survived > 0 && survived < 4;
  }
  EXPECT_TRUE(kept && lost && cut);
  EXPECT_GT(disk_.lost_batches(), 0u);
}

TEST_F(SimDiskTest, NobodyWhoWaitedForASyncIsCalledAfterACrash) {
  int done = 0;
  disk_.Apply(Put("a", "1"));
  disk_.Sync([&] { ++done; });
  disk_.Sync([&] { ++done; });
  Crash();
  world_.RunFor(std::chrono::seconds(1));
  EXPECT_EQ(done, 0);
}

TEST_F(SimDiskTest, AFullDiskRefusesWritesAndServesReads) {
  Scope scope(world_.executor());
  SimStorage storage(&world_, process_, &scope, &disk_);
  EXPECT_TRUE(world_.Await(scope, storage.Write(Put("a", "1"))).has_value());
  disk_.SetFull(true);
  EXPECT_EQ(world_.Await(scope, storage.Write(Put("a", "2"))).error().code, Errc::kReadOnly);
  EXPECT_EQ(world_.Await(scope, storage.Get(kMeta, "a")).value(), "1");
  disk_.SetFull(false);
  EXPECT_TRUE(world_.Await(scope, storage.Write(Put("a", "3"))).has_value());
}

TEST_F(SimDiskTest, AFailedSyncCallsNobodyWhoWaitsButSaysSo) {
  int done = 0, failed = 0;
  disk_.OnSyncFailed([&] { ++failed; });
  disk_.Apply(Put("a", "1"));
  disk_.FailNextSync(true);
  disk_.Sync([&] { ++done; });
  disk_.Sync([&] { ++done; });
  world_.RunFor(std::chrono::seconds(1));
  EXPECT_EQ(failed, 1);
  EXPECT_EQ(done, 0);
  EXPECT_TRUE(disk_.durable(kMeta).empty());
  Crash();
  disk_.Apply(Put("a", "2"));
  disk_.Sync([&] { ++done; });
  world_.RunFor(std::chrono::seconds(1));
  EXPECT_EQ(done, 1);
  EXPECT_EQ(disk_.failed_syncs(), 1u);
}

TEST_F(SimDiskTest, AReadErrorIsAnErrorOfGetAndScanAndNeverNothing) {
  Scope scope(world_.executor());
  SimStorage storage(&world_, process_, &scope, &disk_);
  disk_.SetReadErrors(1);
  EXPECT_EQ(world_.Await(scope, storage.Get(kMeta, "a")).error().code, Errc::kStorage);
  EXPECT_EQ(world_.Await(scope, storage.Scan(kMeta, "", "", 10, 10)).error().code, Errc::kStorage);
  EXPECT_TRUE(world_.Await(scope, storage.Write(Put("a", "1"))).has_value());
  disk_.SetReadErrors(0);
  EXPECT_EQ(world_.Await(scope, storage.Get(kMeta, "a")).value(), "1");
  EXPECT_EQ(disk_.failed_reads(), 2u);
}

TEST_F(SimDiskTest, ASlowDiskTakesLongerForEverything) {
  disk_.SetSlowness(100);
  int done = 0;
  disk_.Apply(Put("a", "1"));
  disk_.Sync([&] { ++done; });
  world_.RunFor(100 * disk_.config().sync_min - Duration(1));
  EXPECT_EQ(done, 0);
  world_.RunFor(100 * disk_.config().sync_max);
  EXPECT_EQ(done, 1);
}

TEST_F(SimDiskTest, ABatchThatIsTornIsDroppedWhole) {
  for (int round = 0; round < 50; ++round) {
    WriteOps ops = Put("a", std::to_string(round));
    ops.push_back({WriteOp::Kind::kPut, kMeta, "b", std::to_string(round)});
    disk_.Apply(ops);
    Crash();
    EXPECT_EQ(disk_.applied(kMeta).contains("a"), disk_.applied(kMeta).contains("b"));
    if (!disk_.applied(kMeta).empty()) {
      EXPECT_EQ(disk_.applied(kMeta).at("a"), disk_.applied(kMeta).at("b"));
    }
  }
  EXPECT_GT(disk_.torn_batches(), 0u);
  EXPECT_LE(disk_.torn_batches(), disk_.lost_batches());
}

class SimDiskContents : public SimDiskTest {
 protected:
  void Store(const Bytes& key, const Bytes& value, ColumnFamily family = kMeta) {
    disk_.Apply({{WriteOp::Kind::kPut, family, key, value}});
    disk_.Sync([] {});
    world_.RunFor(std::chrono::seconds(1));
  }
  // As Crash, with nobody attached afterwards.
  void Unplug() { world_.KillProcess(process_), disk_.Crash(); }
};

TEST_F(SimDiskContents, AWipeLeavesNothing) {
  Store("a", "1");
  Unplug();
  disk_.Wipe();
  EXPECT_TRUE(disk_.applied(kMeta).empty());
  EXPECT_TRUE(disk_.durable(kMeta).empty());
  EXPECT_TRUE(disk_.lost());
}

TEST_F(SimDiskContents, ASnapshotIsWhatWasDurableThen) {
  Store("a", "1");
  disk_.Apply(Put("a", "not durable"));
  disk_.TakeSnapshot();
  Store("a", "2");
  Unplug();
  EXPECT_FALSE(disk_.lost());
  disk_.RestoreSnapshot();
  EXPECT_EQ(disk_.applied(kMeta).at("a"), "1");
  EXPECT_EQ(disk_.durable(kMeta).at("a"), "1");
  EXPECT_TRUE(disk_.lost());
}

TEST_F(SimDiskContents, ASwapMovesAllThatTheContentsAreAndNothingOfTheDevice) {
  Store("a", "1");
  disk_.TakeSnapshot();
  Unplug();
  disk_.SetFull(true);
  SimDisk other(&world_, world_.MakeRng("other"), SimDiskConfig{});
  other.Attach(process_);
  other.Wipe();
  int replaced = 0;
  DiskWatch watch;
  watch.replaced = [&] { ++replaced; };
  disk_.Watch(watch);
  other.Watch(watch);
  disk_.SwapContents(other);
  EXPECT_EQ(replaced, 2);
  EXPECT_TRUE(disk_.applied(kMeta).empty());
  EXPECT_EQ(other.applied(kMeta).at("a"), "1");
  EXPECT_TRUE(disk_.lost() && other.has_snapshot());
  EXPECT_FALSE(other.lost() || disk_.has_snapshot());
  EXPECT_TRUE(disk_.full());
  EXPECT_FALSE(other.full());
}

Bytes StoredObject(const std::string& value) {
  Write write;
  write.actor = {1};
  write.content.value = value;
  return EncodeObject(Mint(Object{}, CausalContext{}, std::move(write)));
}

TEST_F(SimDiskContents, ASpoiledObjectDoesNotDecodeUntilItIsMended) {
  const Bytes object = StoredObject("value");
  EXPECT_FALSE(disk_.SpoilOne());
  Store("key", object, ColumnFamily::kObjects);
  ASSERT_TRUE(disk_.SpoilOne());
  EXPECT_TRUE(disk_.spoiled());
  for (const Bytes& stored :
       {disk_.applied(ColumnFamily::kObjects).at("key"), disk_.durable(ColumnFamily::kObjects).at("key")}) {
    EXPECT_FALSE(DecodeObject(stored).has_value());
  }
  Crash();
  disk_.Mend();
  EXPECT_EQ(disk_.applied(ColumnFamily::kObjects).at("key"), object);
  EXPECT_EQ(disk_.durable(ColumnFamily::kObjects).at("key"), object);
}

TEST_F(SimDiskContents, TheEngineFindsSomeOfWhatIsSpoiledAndTheObjectsChecksumTheRest) {
  Scope scope(world_.executor());
  SimStorage storage(&world_, process_, &scope, &disk_);
  int refused = 0, bad = 0;
  for (int i = 0; i < 40; ++i) {
    const Bytes object = StoredObject(std::to_string(i));
    Store("key", object, ColumnFamily::kObjects);
    ASSERT_TRUE(disk_.SpoilOne());
    const auto read = world_.Await(scope, storage.Get(ColumnFamily::kObjects, "key"));
    if (read) {
      ASSERT_TRUE(read->has_value());
      EXPECT_FALSE(DecodeObject(**read).has_value());
      ++bad;
    } else {
      EXPECT_EQ(read.error().code, Errc::kCorrupt);
      ++refused;
    }
    disk_.Mend();
    EXPECT_EQ(world_.Await(scope, storage.Get(ColumnFamily::kObjects, "key")), object);
  }
  EXPECT_GT(refused, 5);
  EXPECT_GT(bad, 5);
}

TEST_F(SimDiskContents, MendingLeavesAloneWhatWasWrittenOverTheDamage) {
  Store("key", StoredObject("old"), ColumnFamily::kObjects);
  ASSERT_TRUE(disk_.SpoilOne());
  const Bytes newer = StoredObject("new");
  Store("key", newer, ColumnFamily::kObjects);
  disk_.Mend();
  EXPECT_EQ(disk_.applied(ColumnFamily::kObjects).at("key"), newer);
  EXPECT_EQ(disk_.durable(ColumnFamily::kObjects).at("key"), newer);
}

TEST_F(SimDiskTest, MemorySometimesCannotTell) {
  Scope scope(world_.executor());
  SimStorage storage(&world_, process_, &scope, &disk_);
  int told = 0;
  for (int i = 0; i < 100; ++i) told += storage.TryGet(kMeta, "a").has_value();
  EXPECT_GT(told, 50);
  EXPECT_LT(told, 100);
}

}  // namespace
}  // namespace dynamo::sim
