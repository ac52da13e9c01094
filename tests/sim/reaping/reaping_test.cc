// What was deleted goes for good, and neither an old hint nor a late message nor an old
// disk brings it back. Over the service with planted bugs the same scenarios find them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/sim/reaping/reaping_cluster.h"

namespace dynamo::sim {
namespace {

using ::testing::IsEmpty;

HostId HostOf(ReapingCluster& cluster, size_t index) { return cluster.node(index).config().host; }

// A stand-in keeps a write for an owner that it cannot reach; the owner, which the
// others can reach, has it from them, and then the key is deleted. Once the stand-in
// gets through, its hint arrives.
std::vector<std::string> DeliverAnOldHint(PlantedBug planted) {
  ReapingCluster cluster(planted);
  const ObjectKey key{"siblings", "b", "hinted"};
  const std::vector<size_t> walk = cluster.WalkOf(key);
  const size_t away = walk[1], stand_in = walk[3];
  cluster.node(away).Crash();
  cluster.RunFor(std::chrono::seconds(10));
  cluster.Put(walk[0], key, "old");
  const auto hints = [&] { return cluster.node(stand_in).disk().applied(ColumnFamily::kHints).size(); };
  EXPECT_TRUE(cluster.RunUntil([&] { return hints() == 1; }));
  cluster.cluster().network().Cut(HostOf(cluster, stand_in), HostOf(cluster, away));
  cluster.node(away).Start();
  EXPECT_TRUE(cluster.RunUntil([&] { return cluster.Stored(key) == 3; }));
  cluster.Delete(walk[0], key);
  cluster.RunFor(std::chrono::seconds(60));
  cluster.cluster().network().HealAll();
  cluster.RunFor(std::chrono::seconds(60));
  EXPECT_EQ(cluster.cluster().HintsAtRest(), 0u);
  return cluster.CameBack({key});
}

// Messages of writes arrive up to a minute late, when their keys are long deleted.
std::vector<std::string> DeliverLateMessages(PlantedBug planted) {
  ReapingCluster cluster(planted);
  const std::vector<ObjectKey> keys = ReapingCluster::Keys(20);
  NetworkConfig& network = cluster.cluster().network().config();
  network.reorder = 0.5;
  network.late_max = std::chrono::seconds(120);
  // At an owner: a write that is forwarded late is a new one, whatever was deleted before.
  for (const ObjectKey& key : keys) cluster.TryPut(cluster.WalkOf(key)[0], key, "old", std::chrono::seconds(2));
  network.reorder = 0;
  EXPECT_TRUE(cluster.AwaitWhole());
  EXPECT_TRUE(cluster.RunUntil([&] { return cluster.cluster().HintsAtRest() == 0; }));
  for (const ObjectKey& key : keys) cluster.Delete(1, key);
  cluster.RunFor(std::chrono::minutes(3));
  return cluster.CameBack(keys);
}

#if defined(DYNAMO_PLANTED_BUGS)

TEST(PlantedReapingBugs, TakingWhatWasReadBeforeTheBarrierIsFound) {
  EXPECT_THAT(DeliverLateMessages(PlantedBug::kReapWithoutGeneration), ::testing::Not(IsEmpty()));
}

TEST(PlantedReapingBugs, ReapingWithoutTheSecondCheckIsFound) {
  EXPECT_THAT(DeliverAnOldHint(PlantedBug::kReapWithoutSecondCheck), ::testing::Not(IsEmpty()));
}

TEST(PlantedReapingBugs, ReapingWithoutCountingHintsIsFound) {
  EXPECT_THAT(DeliverAnOldHint(PlantedBug::kReapHintsNotCounted), ::testing::Not(IsEmpty()));
}

#else

std::vector<ObjectKey> PutAndDelete(ReapingCluster& cluster, int count) {
  const std::vector<ObjectKey> keys = ReapingCluster::Keys(count);
  for (const ObjectKey& key : keys) cluster.Put(0, key, "to be deleted");
  for (const ObjectKey& key : keys) cluster.Delete(1, key);
  return keys;
}

TEST(Reaping, TombstonesOfAHealthyClusterAreGoneFromAllOwners) {
  ReapingCluster cluster;
  const ObjectKey kept{"siblings", "b", "kept"};
  cluster.Put(2, kept, "stays");
  const std::vector<ObjectKey> keys = PutAndDelete(cluster, 40);
  EXPECT_GT(cluster.Stored(keys.front()), 0u);
  EXPECT_TRUE(cluster.AwaitGone(keys));
  cluster.RunFor(std::chrono::seconds(30));
  EXPECT_TRUE(cluster.AllGone(keys));
  EXPECT_THAT(cluster.CameBack(keys), IsEmpty());
  EXPECT_EQ(cluster.Read(3, kept), "stays");
  EXPECT_GE(cluster.Figure("dynamo_tombstones_reaped_total"), 120u);
}

TEST(Reaping, AReapedKeyIsWrittenAndDeletedAgainAsANewOne) {
  ReapingCluster cluster;
  const std::vector<ObjectKey> keys = PutAndDelete(cluster, 10);
  for (int round = 0; round < 3; ++round) {
    ASSERT_TRUE(cluster.AwaitGone(keys));
    for (const ObjectKey& key : keys) cluster.Put(round, key, "again");
    for (const ObjectKey& key : keys) EXPECT_EQ(cluster.Read(4, key), "again");
    cluster.RunFor(std::chrono::seconds(20));
    for (const ObjectKey& key : keys) EXPECT_EQ(cluster.Read(3, key), "again");
    for (const ObjectKey& key : keys) cluster.Delete(2, key);
  }
  EXPECT_TRUE(cluster.AwaitGone(keys));
}

TEST(Reaping, AVectorOfAHundredRetiredActorsIsCut) {
  ReapingCluster cluster;
  const ObjectKey key{"siblings", "b", "long"};
  cluster.Put(0, key, "first");
  cluster.RunFor(std::chrono::seconds(5));
  Object object;
  for (uint64_t actor = 1; actor <= 100; ++actor) object.clock.Add({ActorId{actor << 40}, actor});
  object.siblings.push_back({{ActorId{uint64_t{100} << 40}, 100}, false, 1, {}});
  object.siblings.back().content.value = "last of a hundred";
  const Bytes storage_key = cluster.StorageKey(key);
  std::vector<size_t> owners = cluster.WalkOf(key);
  owners.resize(3);
  const auto clock_at = [&](size_t owner) {
    const auto& objects = cluster.node(owner).disk().applied(ColumnFamily::kObjects);
    return objects.contains(storage_key) ? DecodeObjectHeader(objects.at(storage_key))->clock.size() : 0;
  };
  for (const size_t owner : owners) {
    cluster.node(owner).Crash();
    WriteOps ops;
    ops.push_back({WriteOp::Kind::kPut, ColumnFamily::kObjects, storage_key, EncodeObject(object)});
    cluster.node(owner).disk().Apply(ops);
    EXPECT_EQ(clock_at(owner), 100u);
    cluster.node(owner).Start();
  }
  ASSERT_TRUE(cluster.AwaitWhole());
  const auto cut = [&] { return std::ranges::all_of(owners, [&](size_t owner) { return clock_at(owner) == 1; }); };
  EXPECT_TRUE(cluster.RunUntil(cut));
  cluster.RunFor(std::chrono::seconds(30));
  EXPECT_TRUE(cut());
  EXPECT_EQ(cluster.Read(4, key), "last of a hundred");
}

TEST(Reaping, WithoutAntiEntropyNothingIsReaped) {
  ReapingCluster cluster(PlantedBug::kNone, 1,
                         [](SimClusterConfig& config) { config.service.anti_entropy_interval = Duration(0); });
  const std::vector<ObjectKey> keys = PutAndDelete(cluster, 10);
  cluster.RunFor(std::chrono::seconds(60));
  EXPECT_EQ(cluster.Figure("dynamo_tombstones_reaped_total"), 0u);
}

TEST(Reaping, WithOneMemberAwayNothingIsReapedAndWithItBackEverythingIs) {
  ReapingCluster cluster;
  cluster.node(4).Crash();
  cluster.RunFor(std::chrono::seconds(10));
  const std::vector<ObjectKey> keys = PutAndDelete(cluster, 10);
  cluster.RunFor(std::chrono::seconds(60));
  EXPECT_EQ(cluster.Figure("dynamo_tombstones_reaped_total"), 0u);
  EXPECT_FALSE(cluster.AllGone(keys));
  cluster.node(4).Start();
  EXPECT_TRUE(cluster.AwaitGone(keys));
  EXPECT_THAT(cluster.CameBack(keys), IsEmpty());
}

TEST(Reaping, AMemberThatJoinsLaterBeginsWhereTheOthersStand) {
  ReapingCluster cluster(PlantedBug::kNone, 42, [](SimClusterConfig& config) { config.spares = 1; });
  ASSERT_TRUE(cluster.AwaitGone(PutAndDelete(cluster, 40)));
  ASSERT_TRUE(cluster.AwaitGone(PutAndDelete(cluster, 40)));
  cluster.Join(4);
  const std::vector<ObjectKey> keys = PutAndDelete(cluster, 40);
  EXPECT_TRUE(cluster.AwaitGone(keys));
  EXPECT_THAT(cluster.CameBack(keys), IsEmpty());
  EXPECT_TRUE(cluster.AwaitWhole());
  EXPECT_EQ(cluster.node(4).admin().Identity().state, cluster.node(0).admin().Identity().state);
}

TEST(Reaping, AnOldHintBringsNothingBack) { EXPECT_THAT(DeliverAnOldHint(PlantedBug::kNone), IsEmpty()); }

TEST(Reaping, MessagesThatWereReadBeforeTheBarrierBringNothingBack) {
  EXPECT_THAT(DeliverLateMessages(PlantedBug::kNone), IsEmpty());
}

TEST(Reaping, ASenderThatWasStoppedInTheMiddleOfAWriteBringsNothingBack) {
  ReapingCluster cluster;
  const std::vector<ObjectKey> keys = ReapingCluster::Keys(8);
  for (size_t i = 0; i < keys.size(); ++i) {
    const size_t sender = i % cluster.cluster().size();
    PutRequest request;
    request.key = keys[i];
    request.content.value = "old";
    cluster.cluster().clients().Spawn([](SimCluster* store, size_t at, PutRequest put) -> Async<> {
      static_cast<void>(co_await store->Put(at, std::move(put), std::chrono::seconds(5)));
    }(&cluster.cluster(), sender, std::move(request)));
    // Somewhere between the first message and the last answer.
    cluster.RunFor(std::chrono::milliseconds(i));
    cluster.node(sender).Pause();
    cluster.RunFor(std::chrono::seconds(20));
    cluster.node(sender).Resume();
    ASSERT_TRUE(cluster.AwaitWhole());
    cluster.Delete((sender + 1) % cluster.cluster().size(), keys[i]);
  }
  EXPECT_TRUE(cluster.AwaitGone(keys));
  cluster.RunFor(std::chrono::seconds(60));
  EXPECT_THAT(cluster.CameBack(keys), IsEmpty());
}

TEST(Reaping, ADiskFromBeforeTheReapingIsFoundOutAndBringsNothingBack) {
  ReapingCluster cluster;
  const std::vector<ObjectKey> keys = ReapingCluster::Keys(20);
  for (const ObjectKey& key : keys) cluster.Put(0, key, "to be deleted");
  cluster.RunFor(std::chrono::seconds(5));
  // Within one boot: nobody remembers a later one.
  cluster.node(2).disk().TakeSnapshot();
  for (const ObjectKey& key : keys) cluster.Delete(1, key);
  ASSERT_TRUE(cluster.AwaitGone(keys));
  cluster.node(2).Crash();
  cluster.node(2).disk().RestoreSnapshot();
  cluster.node(2).Start();
  cluster.RunFor(std::chrono::seconds(60));
  EXPECT_EQ(cluster.node(2).admin().Identity().state, "rolled back");
  EXPECT_THAT(cluster.CameBack(keys), IsEmpty());
}

// A stand-in that never saw the deletion writes by a clock of an hour ago. What clients
// acknowledged as the latest stays the latest, although its tombstone is gone.
TEST(Reaping, WhereTheLatestWinsAWriteAfterTheReapingIsLaterThanTheDeletionWhateverTheClock) {
  ReapingCluster cluster;
  const ObjectKey key{"lww", "b", "by a slow clock"};
  const std::vector<size_t> walk = cluster.WalkOf(key);
  cluster.node(walk[3]).SetSkew(-std::chrono::hours(1));
  cluster.Put(walk[0], key, "to be deleted");
  cluster.Delete(walk[0], key);
  const uint64_t deleted = cluster.StampOf(key);
  ASSERT_GT(deleted, 0u);
  ASSERT_TRUE(cluster.AwaitGone({key}));
  // Also after it has started again.
  cluster.node(walk[3]).Crash();
  cluster.RunFor(std::chrono::seconds(5));
  cluster.node(walk[3]).Start();
  ASSERT_TRUE(cluster.AwaitWhole());
  for (size_t owner = 0; owner < 3; ++owner) cluster.node(walk[owner]).Crash();
  cluster.RunFor(std::chrono::seconds(20));
  cluster.Put(walk[3], key, "again", QuorumValue::One());
  for (size_t owner = 0; owner < 3; ++owner) cluster.node(walk[owner]).Start();
  ASSERT_TRUE(cluster.AwaitWhole());
  ASSERT_TRUE(cluster.RunUntil([&] { return cluster.Stored(key) == 3; }));
  EXPECT_EQ(cluster.Read(walk[1], key), "again");
  EXPECT_GT(cluster.StampOf(key), deleted);
}

// All deleted, with the cluster whole in the end; nothing may be left or come back.
void ExpectGoneInTheEnd(ReapingCluster& cluster, const std::vector<ObjectKey>& keys) {
  ASSERT_TRUE(cluster.AwaitWhole());
  EXPECT_TRUE(cluster.AwaitGone(keys));
  cluster.RunFor(std::chrono::seconds(20));
  EXPECT_THAT(cluster.CameBack(keys), IsEmpty());
}

TEST(Reaping, ACrashAfterAnyStepDoesNoHarm) {
  for (int crash_at = 1; crash_at < 60; crash_at += 3) {
    ReapingCluster cluster(PlantedBug::kNone, 100 + static_cast<uint64_t>(crash_at));
    const std::vector<ObjectKey> keys = PutAndDelete(cluster, 4);
    int steps = 0;
    std::optional<size_t> crash;
    cluster.OnStep([&](size_t node) {
      if (++steps == crash_at) crash = node;
    });
    cluster.RunUntil([&] { return crash.has_value() || cluster.AllGone(keys); });
    cluster.OnStep(nullptr);
    if (!crash) break;
    cluster.node(*crash).Crash();
    cluster.RunFor(std::chrono::seconds(3));
    cluster.node(*crash).Start();
    ExpectGoneInTheEnd(cluster, keys);
    if (HasFailure()) FAIL() << "crash after step " << crash_at;
  }
}

TEST(Reaping, ACutAfterAnyStepDoesNoHarm) {
  for (int cut_at = 1; cut_at < 60; cut_at += 3) {
    ReapingCluster cluster(PlantedBug::kNone, 200 + static_cast<uint64_t>(cut_at));
    const std::vector<ObjectKey> keys = PutAndDelete(cluster, 4);
    int steps = 0;
    std::optional<size_t> cut;
    cluster.OnStep([&](size_t node) {
      if (++steps == cut_at) cut = node;
    });
    cluster.RunUntil([&] { return cut.has_value() || cluster.AllGone(keys); });
    cluster.OnStep(nullptr);
    if (!cut) break;
    for (size_t other = 0; other < cluster.cluster().size(); ++other) {
      if (other == *cut) continue;
      cluster.cluster().network().Cut(HostOf(cluster, *cut), HostOf(cluster, other));
      cluster.cluster().network().Cut(HostOf(cluster, other), HostOf(cluster, *cut));
    }
    cluster.RunFor(std::chrono::seconds(30));
    cluster.cluster().network().HealAll();
    ExpectGoneInTheEnd(cluster, keys);
    if (HasFailure()) FAIL() << "cut after step " << cut_at;
  }
}

TEST(Reaping, WritesGoOnWhileTheirPartitionIsReaped) {
  ReapingCluster cluster;
  std::vector<ObjectKey> deleted = ReapingCluster::Keys(10), live;
  for (int i = 0; i < 10; ++i) live.push_back({"siblings", "b", "live" + std::to_string(i)});
  for (int round = 0; round < 20; ++round) {
    for (const ObjectKey& key : deleted) cluster.Put(round % 5, key, "old");
    for (const ObjectKey& key : deleted) cluster.Delete((round + 1) % 5, key);
    for (const ObjectKey& key : live) {
      GetRequest get;
      get.key = key;
      const auto seen = cluster.world().Await(cluster.cluster().clients(),
                                              cluster.cluster().Get(2, std::move(get), std::chrono::seconds(30)));
      ASSERT_TRUE(seen.has_value());
      PutRequest put;
      put.key = key;
      put.content.value = std::to_string(round);
      put.context = seen->context;
      const auto written = cluster.world().Await(cluster.cluster().clients(),
                                                 cluster.cluster().Put(3, std::move(put), std::chrono::seconds(30)));
      ASSERT_TRUE(written.has_value()) << written.error().message;
    }
    cluster.RunFor(std::chrono::milliseconds(700));
  }
  EXPECT_GT(cluster.Figure("dynamo_tombstones_reaped_total"), 0u);
  EXPECT_TRUE(cluster.AwaitGone(deleted));
  EXPECT_THAT(cluster.CameBack(deleted), IsEmpty());
  for (const ObjectKey& key : live) EXPECT_EQ(cluster.Read(1, key), "19");
}

#endif

}  // namespace
}  // namespace dynamo::sim
