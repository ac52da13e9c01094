// Disks that fail, fill up, lie, are lost, old, or in the wrong machine.
#include "tests/sim/faults/fixture.h"

namespace dynamo::sim {
namespace {

using ::testing::ElementsAre;

using DiskFaults = FaultScenario;

TEST_F(DiskFaults, DisksThatWereSwappedTakeTheirNodesIdentityWithThemAndLoseNothing) {
  Make(WithoutMemory(3, 3));
  Write("value");
  const NodeId first = node(0).admin().Identity().node, second = node(1).admin().Identity().node;
  for (const size_t index : {0, 1}) node(index).Crash();
  node(0).disk().SwapContents(node(1).disk());
  for (const size_t index : {0, 1}) node(index).Start();
  AwaitWhole();
  EXPECT_EQ(node(0).admin().Identity().node, second);
  EXPECT_EQ(node(1).admin().Identity().node, first);
  for (size_t index = 0; index < 3; ++index) EXPECT_THAT(ValuesAt(index, {3, 3, 2}), ElementsAre("value"));
}

TEST_F(DiskFaults, AWipedDiskLosesNothingThatTwoNodesHave) {
  Make(WithoutMemory(3, 3));
  node(owner(2)).Crash();
  Write("on two disks");
  node(owner(1)).Crash();
  node(owner(1)).disk().Wipe();
  node(owner(1)).Start();
  node(owner(2)).Start();
  AwaitWhole();
  EXPECT_THAT(ValuesAt(owner(0)), ElementsAre("on two disks"));
  EXPECT_THAT(ValuesAt(owner(2)), ElementsAre("on two disks"));
}

TEST_F(DiskFaults, ANodeWithAWipedDiskIsAStrangerAndAnswersNobody) {
  Make(WithoutMemory(3, 3));
  Write("value");
  const NodeId before = node(owner(1)).admin().Identity().node;
  node(owner(1)).Crash();
  node(owner(1)).disk().Wipe();
  node(owner(1)).Start();
  RunFor(std::chrono::seconds(30));
  EXPECT_NE(node(owner(1)).admin().Identity().node, before);
  EXPECT_TRUE(node(owner(1)).admin().Identity().empty_volume);
  const auto reply = GetAt(owner(1));
  ASSERT_FALSE(reply.has_value());
  EXPECT_EQ(reply.error().code, Errc::kUnavailable);
}

TEST_F(DiskFaults, ADiskSetBackStopsServingOnceAPeerRemembersALaterBoot) {
  Make(WithoutMemory(3, 3));
  Write("old");
  SimNode& victim = node(owner(1));
  victim.disk().TakeSnapshot();
  for (int i = 0; i < 3; ++i) Restart(owner(1));
  Write("new");
  victim.Crash();
  victim.disk().RestoreSnapshot();
  victim.Start();
  EXPECT_TRUE(Await([&] { return victim.started() && !victim.admin().Ready(); }));
  RunFor(std::chrono::seconds(10));
  EXPECT_FALSE(victim.admin().Ready());
  EXPECT_EQ(victim.admin().Identity().state, "rolled back");
  const auto refused = GetAt(owner(1), {3, 1, 1});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::kUnavailable);
  EXPECT_THAT(ValuesAt(owner(0)), ElementsAre("new"));
  EXPECT_THAT(ValuesAt(owner(2)), ElementsAre("new"));
}

TEST_F(DiskFaults, ADiskSetBackIsNotForgivenByARestart) {
  Make(WithoutMemory(3, 3));
  Write("old");
  SimNode& victim = node(owner(1));
  victim.disk().TakeSnapshot();
  for (int i = 0; i < 3; ++i) Restart(owner(1));
  victim.Crash();
  victim.disk().RestoreSnapshot();
  victim.Start();
  ASSERT_TRUE(Await([&] { return victim.started() && !victim.admin().Ready(); }));
  RunFor(std::chrono::seconds(1));
  for (const size_t index : quiet_->owners()) node(index).Crash();
  for (const size_t index : quiet_->owners()) node(index).Start();
  AwaitWhole();
  RunFor(std::chrono::seconds(10));
  // Its peers have forgotten by now; it has not.
  EXPECT_FALSE(victim.admin().Ready());
  EXPECT_FALSE(GetAt(owner(1), {3, 1, 1}).has_value());
}

TEST_F(DiskFaults, AFailedSyncStopsTheProcessAndNothingIsAcknowledgedOnItsAccount) {
  Make(WithoutMemory(3, 1));
  SimNode& victim = node(owner(0));
  victim.disk().FailNextSync(true);
  const auto put = quiet_->Put(owner(0), {1, 1, 1}, /*sloppy=*/false, "value");
  EXPECT_FALSE(put.has_value());
  EXPECT_FALSE(victim.running());
  EXPECT_TRUE(victim.stopped_itself());
  EXPECT_EQ(victim.disk().failed_syncs(), 1u);
  Restart(owner(0));
  EXPECT_TRUE(quiet_->Put(owner(0), {1, 1, 1}, /*sloppy=*/false, "again").has_value());
}

TEST_F(DiskFaults, AWriteSurvivesTheOneNodeWhoseSyncFails) {
  Make(WithoutMemory(3, 3));
  node(owner(1)).disk().FailNextSync(true);
  Write("value");
  Restart(owner(1));
  EXPECT_THAT(ValuesAt(owner(1), {3, 3, 2}), ElementsAre("value"));
}

TEST_F(DiskFaults, AFullDiskRefusesWithoutEffectServesReadsAndRecovers) {
  Make(WithoutMemory(3, 3));
  Write("before");
  for (size_t i = 0; i < 3; ++i) node(i).disk().SetFull(true);
  const auto refused = PutAt(owner(0), "refused");
  EXPECT_FALSE(refused.has_value());
  EXPECT_THAT(ValuesAt(owner(0)), ElementsAre("before"));
  for (size_t i = 0; i < 3; ++i) node(i).disk().SetFull(false);
  Write("after");
  EXPECT_THAT(ValuesAt(owner(0)), ElementsAre("after"));
}

TEST_F(DiskFaults, OneFullDiskRefusesNobodysWrite) {
  Make(WithoutMemory(4, 3));
  node(owner(0)).disk().SetFull(true);
  EXPECT_TRUE(PutAt(owner(0), "first").has_value());
  EXPECT_TRUE(PutAt(owner(1), "second").has_value());
  node(owner(0)).disk().SetFull(false);
  EXPECT_TRUE(Await([this] { return cluster().HintsAtRest() == 0; }));
}

TEST_F(DiskFaults, ABadChecksumIsNeitherServedNorTakenForNotFound) {
  Make(WithoutMemory(3, 1));
  Write("value", {1, 1, 1});
  ASSERT_TRUE(node(owner(0)).disk().SpoilOne());
  for (size_t index = 0; index < 3; ++index) {
    const auto reply = GetAt(index, {1, 1, 1});
    EXPECT_FALSE(reply.has_value()) << "at " << index;
  }
  // Nor is it written over by one who could not read it.
  EXPECT_FALSE(quiet_->Put(owner(0), {1, 1, 1}, /*sloppy=*/false, "blind").has_value());
  node(owner(0)).disk().Mend();
  EXPECT_THAT(ValuesAt(owner(0), {1, 1, 1}), ElementsAre("value"));
}

TEST_F(DiskFaults, TheOtherReplicasAnswerForOneThatIsSpoiled) {
  Make(WithoutMemory(3, 3));
  Write("value", {3, 3, 3});
  ASSERT_TRUE(node(owner(1)).disk().SpoilOne());
  for (size_t index = 0; index < 3; ++index) EXPECT_THAT(ValuesAt(index), ElementsAre("value"));
}

TEST_F(DiskFaults, AReadErrorIsNotTakenForNotFound) {
  Make(WithoutMemory(3, 1));
  Write("value", {1, 1, 1});
  node(owner(0)).disk().SetReadErrors(1);
  EXPECT_FALSE(GetAt(owner(0), {1, 1, 1}).has_value());
  EXPECT_FALSE(GetAt(quiet_->others()[0], {1, 1, 1}).has_value());
  node(owner(0)).disk().SetReadErrors(0);
  EXPECT_THAT(ValuesAt(owner(0), {1, 1, 1}), ElementsAre("value"));
}

TEST_F(DiskFaults, ANodeThatCannotReadItsDiskDoesNotStart) {
  Make(WithoutMemory(3, 3));
  SimNode& victim = node(owner(0));
  victim.Crash();
  victim.disk().SetReadErrors(1);
  victim.Start();
  ASSERT_TRUE(Await([&] { return victim.started(); }));
  EXPECT_FALSE(victim.start_outcome().has_value());
  victim.disk().SetReadErrors(0);
  Restart(owner(0));
}

TEST_F(DiskFaults, ASlowDiskDoesNotHoldUpAWriteThatTwoOthersHave) {
  Make(WithoutMemory(3, 3));
  node(owner(2)).disk().SetSlowness(10'000);
  const TimePoint before = quiet_->world().now();
  EXPECT_TRUE(PutAt(owner(0), "value").has_value());
  EXPECT_LT(quiet_->world().now() - before, std::chrono::milliseconds(100));
}

}  // namespace
}  // namespace dynamo::sim
