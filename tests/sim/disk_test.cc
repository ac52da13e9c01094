#include "tests/sim/disk.h"

#include <gtest/gtest.h>

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
