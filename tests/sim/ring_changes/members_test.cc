// What administrators of members are promised, in a quiet cluster.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/sim/ring_changes/fixture.h"

namespace dynamo::sim {
namespace {

TEST(RingChanges, AStrangerTakesPartOnceTheAdministratorSaysSo) {
  RingCluster cluster(1, WithSpares(3, 1));
  cluster.world().RunFor(std::chrono::seconds(30));
  EXPECT_EQ(cluster.node(3).admin().Identity().state, "empty") << "nobody joins by himself";
  const auto epoch = cluster.Change(1, ChangeTo(cluster.Join(3), "join-4"));
  ASSERT_TRUE(epoch.has_value()) << epoch.error().message;
  ASSERT_TRUE(cluster.AwaitAgreedAt({0, 1, 2, 3}));
  EXPECT_NE(cluster.StateOf(3), MemberState{});
  EXPECT_TRUE(cluster.world().RunUntil([&] { return cluster.node(3).admin().Ready(); },
                                       cluster.world().now() + std::chrono::seconds(10)));
  EXPECT_TRUE(cluster.Put(3, "key", "by a node that joins").has_value());
}

TEST(RingChanges, OfTwoAdministratorsAtOnceOneWinsAndTheOtherIsToldWhatIsUnderWay) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    SCOPED_TRACE(seed);
    RingCluster cluster(seed, WithSpares(5, 1));
    const auto one = cluster.Ask(0, ChangeTo(cluster.Join(5), "join"));
    const auto other = cluster.Ask(4, ChangeTo(cluster.Leave(1), "leave"));
    ASSERT_TRUE(cluster.world().RunUntil([&] { return one->has_value() && other->has_value(); },
                                         cluster.world().now() + std::chrono::seconds(60)));
    ASSERT_NE((*one)->has_value(), (*other)->has_value());
    const Error& told = (*one)->has_value() ? (*other)->error() : (*one)->error();
    EXPECT_EQ(told.code, Errc::kConflict) << told.message;
    EXPECT_NE(told.message.find((*one)->has_value() ? "'join'" : "'leave'"), std::string::npos) << told.message;
  }
}

TEST(RingChanges, NoWriteFailsWhileNodesHearOfAChangeOneAfterAnother) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    SCOPED_TRACE(seed);
    RingCluster cluster(seed, WithSpares(4, 2, /*shards=*/1 + seed % 3));
    const auto joined =
        cluster.Ask(0, ChangeTo(ChangeMembers{{cluster.Newcomer(4), cluster.Newcomer(5)}, {}, {}}, "join"));
    for (int i = 0; i < 60; ++i) {
      const std::string key = "key" + std::to_string(i);
      const size_t at = static_cast<size_t>(i) % 4;
      const auto put = cluster.Put(at, key, "value", /*w=*/3);
      EXPECT_TRUE(put.has_value()) << key << ": " << put.error().message;
      EXPECT_TRUE(cluster.Has((at + 1) % 4, key, "value")) << key;
    }
    ASSERT_TRUE(joined->has_value() && (*joined)->has_value());
    ASSERT_TRUE(cluster.AwaitAgreedAt({0, 1, 2, 3, 4, 5}));
  }
}

TEST(RingChanges, WhatIsAcknowledgedHasGoneToAllWhoAreAboutToOwnIt) {
  for (uint64_t seed = 1; seed <= 10; ++seed) EXPECT_EQ(WriteWhileAJoinIsHeardOf(seed, {}), "") << "seed " << seed;
}

TEST(RingChanges, AJoinThatIsCancelledBeforeAnythingMovedChangesNoOwner) {
  RingCluster cluster(3, WithSpares(3, 1));
  const auto before = cluster.TopologyAt(0);
  ASSERT_TRUE(cluster.Change(0, ChangeTo(cluster.Join(3), "join")).has_value());
  ASSERT_TRUE(cluster.AwaitAgreedAt({0, 1, 2, 3}));
  const auto cancelled = cluster.Change(2, ChangeTo(CancelChange{}, "cancel"));
  ASSERT_TRUE(cancelled.has_value()) << cancelled.error().message;
  ASSERT_TRUE(cluster.AwaitAgreedAt({0, 1, 2}));
  EXPECT_EQ(cluster.TopologyAt(0)->current, before->current);
  EXPECT_TRUE(cluster.TopologyAt(0)->pending.empty());
  EXPECT_TRUE(cluster.Put(0, "key", "value", 3).has_value());
}

TEST(RingChanges, ADiskThatHasLeftIsRefusedAndSaysWhy) {
  RingCluster cluster(6, WithSpares(3, 1));
  ASSERT_TRUE(cluster.Change(0, ChangeTo(cluster.Join(3), "join")).has_value());
  ASSERT_TRUE(cluster.AwaitAgreedAt({0, 1, 2, 3}));
  const Member newcomer = cluster.Newcomer(3);
  ASSERT_TRUE(cluster.Change(0, ChangeTo(CancelChange{}, "cancel")).has_value());
  // It owns nothing and keeps nothing: it leaves for good by itself, but not before clients
  // were led elsewhere. Until then they are served.
  EXPECT_TRUE(cluster.world().RunUntil([&] { return cluster.node(3).admin().Identity().state == "leaving"; },
                                       cluster.world().now() + std::chrono::minutes(1)));
  EXPECT_FALSE(cluster.node(3).admin().Ready());
  EXPECT_TRUE(cluster.Put(3, "key", "by one that leaves").has_value());
  const auto all_know = [&] {
    return cluster.node(3).admin().Identity().state == "removed" && cluster.TopologyAt(0)->change_since == 0;
  };
  EXPECT_TRUE(cluster.world().RunUntil(all_know, cluster.world().now() + std::chrono::minutes(1)));
  EXPECT_FALSE(cluster.Put(3, "key", "value"));
  const auto again = cluster.Change(0, ChangeTo(ChangeMembers{{newcomer}, {}, {}}, "again"));
  ASSERT_FALSE(again);
  EXPECT_NE(again.error().message.find("empty its volume"), std::string::npos) << again.error().message;
}

TEST(RingChanges, TheVoterThatLeavesIsFollowedByOneThatStays) {
  RingCluster cluster(4, WithSpares(4, 0));
  const auto before = cluster.TopologyAt(0);
  size_t voter = 0;
  while (!std::ranges::binary_search(before->voters, cluster.IdOf(voter))) ++voter;
  ASSERT_TRUE(cluster.Change(0, ChangeTo(cluster.Leave(voter), "leave")).has_value());
  ASSERT_TRUE(cluster.AwaitAgreedAt({0, 1, 2, 3}));
  const auto after = cluster.TopologyAt(0);
  EXPECT_EQ(after->voters.size(), 3u);
  EXPECT_FALSE(std::ranges::binary_search(after->voters, cluster.IdOf(voter)));
  // Without it the others decide.
  cluster.node(voter).Crash();
  const size_t asked = voter == 0 ? 1 : 0;
  const auto changed = cluster.Change(asked, ChangeTo(CancelChange{}, "cancel"));
  EXPECT_TRUE(changed.has_value()) << changed.error().message;
}

TEST(RingChanges, WhoIsReplacedIsRefusedFromThenOn) {
  RingCluster cluster(5, WithSpares(4, 1));
  ASSERT_TRUE(cluster.Put(0, "key", "value", 3).has_value());
  const NodeId lost = cluster.IdOf(2);
  cluster.node(2).Crash();
  cluster.world().RunFor(std::chrono::seconds(30));
  Member with = cluster.Newcomer(4);
  with.name = "node3";
  ASSERT_TRUE(cluster.Change(0, ChangeTo(ReplaceMember{lost, with}, "replace")).has_value());
  ASSERT_TRUE(cluster.AwaitAgreedAt({0, 1, 3, 4}));
  EXPECT_EQ(cluster.TopologyAt(0)->StandingOf(lost), MemberStanding::kRemoved);
  EXPECT_TRUE(cluster.Put(1, "key", "more").has_value()) << "its place is held by a stand-in";
  // It was not lost after all, and hears that it is no member any more.
  cluster.node(2).Start();
  EXPECT_TRUE(cluster.world().RunUntil(
      [&] { return cluster.node(2).started() && cluster.node(2).admin().Identity().state == "removed"; },
      cluster.world().now() + std::chrono::minutes(1)));
  EXPECT_FALSE(cluster.Put(2, "key", "too late"));
}

}  // namespace
}  // namespace dynamo::sim
