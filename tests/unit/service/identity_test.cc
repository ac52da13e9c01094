#include "node/service/identity.h"

#include <gtest/gtest.h>

#include <set>

#include "node/service/membership_volume.h"
#include "tests/unit/service/membership_cluster.h"

namespace dynamo {
namespace {

// A node's volume and one process after another over it.
class IdentityTest : public testing::Test {
 protected:
  struct Process {
    Process(sim::SimWorld* owner, sim::SimDisk* disk, uint64_t start)
        : world(owner),
          process(owner->StartProcess()),
          scope(owner->executor()),
          random(owner->MakeRng("node " + std::to_string(start))),
          storage(owner, process, &scope, disk) {
      disk->Attach(process);
      env.scope = &scope;
      env.random = &random;
      env.storage = &storage;
    }
    ~Process() {
      scope.Kill();
      world->KillProcess(process);
      world->Settle();
    }
    sim::SimWorld* world;
    sim::ProcessId process;
    Scope scope;
    sim::SimRandom random;
    sim::SimStorage storage;
    ShardEnv env;
  };

  // One start, then a crash that loses what was not synced.
  Result<StoredIdentity> LoadOnce() {
    Result<StoredIdentity> loaded;
    {
      Process process(&world, &disk, ++starts);
      loaded = world.Await(process.scope, LoadIdentity(process.env));
    }
    disk.Crash();
    return loaded;
  }
  void Put(ColumnFamily family, Bytes key, Bytes value) {
    Process process(&world, &disk, ++starts);
    WriteOps ops(1);
    ops[0] = {WriteOp::Kind::kPut, family, std::move(key), std::move(value)};
    const auto written = world.Await(process.scope, process.storage.Write(ops));
    ASSERT_TRUE(written);
    ASSERT_TRUE(world.Await(process.scope, process.storage.Sync(*written)));
  }

  sim::SimWorld world{1};
  sim::SimDisk disk{&world, world.MakeRng("disk"), sim::SimDiskConfig{}};
  uint64_t starts = 0;
};

TEST_F(IdentityTest, IsDrawnAtTheFirstStartAndKeptForGood) {
  const auto first = LoadOnce();
  ASSERT_TRUE(first);
  EXPECT_TRUE(first->node);
  EXPECT_TRUE(first->first_start);
  for (int i = 0; i < 3; ++i) {
    const auto again = LoadOnce();
    ASSERT_TRUE(again);
    EXPECT_EQ(again->node, first->node);
    EXPECT_FALSE(again->first_start);
  }
}

TEST_F(IdentityTest, NoTwoStartsShareABootNumberThoughEachCrashesAtOnce) {
  std::set<uint64_t> boots;
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(boots.insert(LoadOnce()->boot_number).second);
  EXPECT_EQ(*boots.begin(), 1u);
  EXPECT_EQ(*boots.rbegin(), 20u);
}

TEST_F(IdentityTest, AVolumeThatWasRolledBackSaysSoAtEveryLaterStart) {
  EXPECT_FALSE(LoadOnce()->rolled_back);
  {
    Process process(&world, &disk, ++starts);
    ASSERT_TRUE(world.Await(process.scope, MarkRolledBack(process.env)));
  }
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(LoadOnce()->rolled_back);
}

TEST_F(IdentityTest, MalformedIsCorruptAndStaysAsItIs) {
  LoadOnce();
  const Bytes good = disk.durable(ColumnFamily::kMeta).at("identity");
  for (const Bytes& bad : {Bytes(), good.substr(1), good + "x", "\x02" + good.substr(1), "\x01" + Bytes(16, '\0')}) {
    Put(ColumnFamily::kMeta, "identity", bad);
    const auto loaded = LoadOnce();
    ASSERT_FALSE(loaded);
    EXPECT_EQ(loaded.error().code, Errc::kCorrupt);
    EXPECT_EQ(disk.durable(ColumnFamily::kMeta).at("identity"), bad);
  }
}

TEST_F(IdentityTest, IsNotDrawnForAVolumeThatHoldsData) {
  Put(ColumnFamily::kObjects, "key", "value");
  const auto loaded = LoadOnce();
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, Errc::kCorrupt);
  EXPECT_TRUE(disk.durable(ColumnFamily::kMeta).empty());
}

TEST_F(IdentityTest, AVolumeIsEmptyUntilItHoldsATopologyAnObjectOrAHint) {
  for (const auto& [family, key] : {std::pair(ColumnFamily::kMeta, "topology"), std::pair(ColumnFamily::kObjects, "k"),
                                    std::pair(ColumnFamily::kHints, "h")}) {
    sim::SimDisk other(&world, world.MakeRng("other"), sim::SimDiskConfig{});
    Process process(&world, &other, ++starts);
    EXPECT_TRUE(*world.Await(process.scope, IsEmptyVolume(process.env)));
    ASSERT_TRUE(world.Await(process.scope, StoreMeta(process.env, "something", "else")));
    EXPECT_TRUE(*world.Await(process.scope, IsEmptyVolume(process.env)));
    WriteOps ops(1);
    ops[0] = {WriteOp::Kind::kPut, family, key, "v"};
    ASSERT_TRUE(world.Await(process.scope, process.storage.Write(ops)));
    EXPECT_FALSE(*world.Await(process.scope, IsEmptyVolume(process.env)));
  }
}

TEST_F(IdentityTest, PeerAddressesThatCannotBeReadCountAsNone) {
  Put(ColumnFamily::kMeta, "peers", "\x01\x05garbage");
  Process process(&world, &disk, ++starts);
  EXPECT_TRUE(world.Await(process.scope, LoadPeerAddresses(process.env)).empty());
  Put(ColumnFamily::kMeta, "peers", "\x09");
  EXPECT_TRUE(world.Await(process.scope, LoadPeerAddresses(process.env)).empty());
}

}  // namespace
}  // namespace dynamo
