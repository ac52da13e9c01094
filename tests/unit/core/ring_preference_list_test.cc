#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <set>

#include "node/core/ring/preference_list.h"
#include "tests/unit/core/ring_testing.h"

namespace dynamo {
namespace {

using Role = WalkStep::Role;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// A ring from the words: "a1" is node 1 in zone a.
Topology RingOf(const std::vector<std::string>& tokens, const std::vector<std::string>& tokenless = {}) {
  Topology topology;
  std::map<NodeId, Member> members;
  std::vector<NodeId> owners;
  const auto add = [&](const std::string& word) {
    const NodeId id{std::stoull(word.substr(1))};
    members[id] = {.id = id, .name = word, .zone = word.substr(0, 1)};
    return id;
  };
  for (const std::string& word : tokens) owners.push_back(add(word));
  for (const std::string& word : tokenless) add(word);
  for (const auto& [id, member] : members) topology.members.push_back(member);
  topology.partitions = static_cast<uint32_t>(owners.size());
  topology.current = TokenMap(std::move(owners));
  return topology;
}

std::vector<uint64_t> Ids(const std::vector<NodeId>& nodes) {
  std::vector<uint64_t> ids;
  for (NodeId node : nodes) ids.push_back(node.value);
  return ids;
}

TEST(WalkRing, TakesTheNextDistinctNodesClockwise) {
  const Topology ring = RingOf({"a1", "a2", "a1", "a3", "a4", "a4", "a2", "a1"});
  const PreferenceList list = WalkRing(ring, 1, 3);
  EXPECT_THAT(Ids(list.owners), ElementsAre(2, 1, 3));
  EXPECT_THAT(Ids(list.fallbacks), ElementsAre(4));
}

TEST(WalkRing, GoesOnAcrossTheEndOfTheRing) {
  const Topology ring = RingOf({"a1", "a2", "a1", "a3", "a4", "a4", "a2", "a1"});
  const PreferenceList list = WalkRing(ring, 6, 3);
  EXPECT_THAT(Ids(list.owners), ElementsAre(2, 1, 3));
}

TEST(WalkRing, PrefersZonesItHasNotSeen) {
  const Topology ring = RingOf({"a1", "a2", "b3", "b4", "c5", "c6", "a1", "a2"});
  const PreferenceList list = WalkRing(ring, 0, 3);
  EXPECT_THAT(Ids(list.owners), ElementsAre(1, 3, 5));
  // Passed over for their zones, they stand in first, in walk order.
  EXPECT_THAT(Ids(list.fallbacks), ElementsAre(2, 4, 6));
}

TEST(WalkRing, NodesPassedOverComeBackAsOwnersWhenTheZonesAreUsedUp) {
  const Topology ring = RingOf({"a1", "a2", "a3", "b4", "b5", "a1", "a2", "a3"});
  const PreferenceList list = WalkRing(ring, 0, 3);
  EXPECT_THAT(Ids(list.owners), ElementsAre(1, 4, 2));
  EXPECT_THAT(Ids(list.fallbacks), ElementsAre(3, 5));
}

TEST(WalkRing, EveryMemberOwnsWhenThereAreNoMoreThanN) {
  const Topology ring = RingOf({"a1", "a1", "a1", "a1", "a2", "a1", "a2", "a1"});
  const PreferenceList list = WalkRing(ring, 2, 3);
  EXPECT_THAT(Ids(list.owners), ElementsAre(1, 2));
  EXPECT_THAT(list.fallbacks, IsEmpty());
  EXPECT_TRUE(list.Owns(NodeId{2}));
  EXPECT_FALSE(list.Owns(NodeId{3}));
}

TEST(WalkRing, MembersWithoutTokensStandInLastAndThoseWhoComeOrGoNever) {
  Topology ring = RingOf({"a1", "a2", "a1", "a2", "a1", "a2", "a1", "a3"}, {"a4", "a5", "a6", "a7", "a8"});
  ring.members[3].state = MemberState::kJoining;
  ring.members[4].state = MemberState::kLeft;
  ring.members[5].state = MemberState::kReplaced;
  ring.members[7].state = MemberState::kLeaving;
  const PreferenceList list = WalkRing(ring, 0, 2);
  EXPECT_THAT(Ids(list.owners), ElementsAre(1, 2));
  EXPECT_THAT(Ids(list.fallbacks), ElementsAre(3, 7));
}

TEST(WalkRing, WhoJoinsOwnsWhatHasMovedAndStandsInForNobody) {
  Topology ring = RingOf({"a1", "a2", "a3", "a4", "a1", "a2", "a3", "a4"});
  ring.members[2].state = MemberState::kJoining;
  EXPECT_THAT(Ids(WalkRing(ring, 1, 2).owners), ElementsAre(2, 3));
  EXPECT_THAT(Ids(WalkRing(ring, 0, 2).fallbacks), ElementsAre(4));
}

TEST(WalkRing, AMemberWithoutTokensAddsNoZoneToWaitFor) {
  const Topology ring = RingOf({"a1", "a2", "a1", "a2", "a1", "a2", "a1", "a2"}, {"b3"});
  EXPECT_THAT(Ids(WalkRing(ring, 0, 2).owners), ElementsAre(1, 2));
}

TEST(ExplainWalk, NamesEveryStepAndWhyANodeWasSkipped) {
  const Topology ring = RingOf({"a1", "a2", "a1", "b3", "a4", "a4", "a2", "a1"}, {"c9"});
  const std::vector<WalkStep> steps = ExplainWalk(ring, 0, 2);
  ASSERT_EQ(steps.size(), 7u);
  const auto expect = [&](size_t i, PartitionId partition, uint64_t node, Role role) {
    EXPECT_EQ(steps[i].partition, partition) << i;
    EXPECT_EQ(steps[i].node, NodeId{node}) << i;
    EXPECT_EQ(steps[i].role, role) << i;
    EXPECT_EQ(steps[i].zone, ring.Find(NodeId{node})->zone) << i;
  };
  expect(0, 0, 1, Role::kOwner);
  expect(1, 1, 2, Role::kSkippedSameZone);
  expect(2, 2, 1, Role::kSkippedSameNode);
  expect(3, 3, 3, Role::kOwner);
  expect(4, 1, 2, Role::kFallback);
  expect(5, 4, 4, Role::kFallback);
  expect(6, 8, 9, Role::kFallback);
}

// What every walk keeps, on any map whatever: see preference_list.h.
void CheckWalk(const Topology& topology, PartitionId partition, uint32_t n_val, const PreferenceList& list) {
  const TokenMap& map = topology.MapOf(partition);
  const std::set<NodeId> holders(map.owners().begin(), map.owners().end());
  std::set<std::string> zones;
  for (NodeId holder : holders) zones.insert(topology.Find(holder)->zone);
  const size_t owners = std::min<size_t>(n_val, holders.size());
  RC_ASSERT(list.owners.size() == owners);

  std::set<std::string> owner_zones;
  for (NodeId owner : list.owners) owner_zones.insert(topology.Find(owner)->zone);
  RC_ASSERT(owner_zones.size() >= std::min(owners, zones.size()));
  if (n_val > 0) RC_ASSERT(list.owners.front() == map.owner(partition));

  std::set<NodeId> all(list.owners.begin(), list.owners.end());
  all.insert(list.fallbacks.begin(), list.fallbacks.end());
  RC_ASSERT(all.size() == list.owners.size() + list.fallbacks.size());
  for (const Member& member : topology.members) {
    const bool may_stand_in =
        holders.contains(member.id) ? member.state != MemberState::kJoining : member.state == MemberState::kNormal;
    RC_ASSERT(all.contains(member.id) == (list.Owns(member.id) || may_stand_in));
  }
}

RC_GTEST_PROP(WalkRing, FindsDistinctNodesAndZonesOnAnyMap, (uint64_t seed)) {
  Rng rng(seed);
  const Topology topology = RandomTopology(rng);
  const uint32_t n_val = static_cast<uint32_t>(rng.Below(8));
  const PartitionId partition = static_cast<PartitionId>(rng.Below(topology.partitions));
  CheckWalk(topology, partition, n_val, WalkRing(topology, partition, n_val));
}

RC_GTEST_PROP(ExplainWalk, TellsTheSameStoryAsTheList, (uint64_t seed)) {
  Rng rng(seed);
  const Topology topology = RandomTopology(rng);
  const PartitionId partition = static_cast<PartitionId>(rng.Below(topology.partitions));
  PreferenceList told;
  for (const WalkStep& step : ExplainWalk(topology, partition, 3)) {
    if (step.partition < topology.partitions) RC_ASSERT(topology.MapOf(partition).owner(step.partition) == step.node);
    if (step.role == Role::kOwner) told.owners.push_back(step.node);
    if (step.role == Role::kFallback) told.fallbacks.push_back(step.node);
  }
  const PreferenceList list = WalkRing(topology, partition, 3);
  RC_ASSERT(told.owners == list.owners);
  RC_ASSERT(told.fallbacks == list.fallbacks);
}

RC_GTEST_PROP(PreferenceLists, AreTheWalksOfAllPartitionsForEachN, (uint64_t seed)) {
  Rng rng(seed);
  const auto topology = std::make_shared<const Topology>(RandomTopology(rng));
  PreferenceLists lists(topology);
  for (uint32_t n_val : {3u, 1u, 3u}) {
    for (PartitionId partition = 0; partition < topology->partitions; ++partition) {
      const PreferenceList walked = WalkRing(*topology, partition, n_val);
      RC_ASSERT(lists.For(partition, n_val).owners == walked.owners);
      RC_ASSERT(lists.For(partition, n_val).fallbacks == walked.fallbacks);
    }
  }
}

// Nodes 1, 2, 3 own, 4 and 5 are fallbacks.
ReplicaPlan PlanWithout(const std::set<uint64_t>& down, bool sloppy) {
  const PreferenceList list{.owners = {NodeId{1}, NodeId{2}, NodeId{3}}, .fallbacks = {NodeId{4}, NodeId{5}}};
  return PlanReplicas(list, sloppy, [&](NodeId node) { return !down.contains(node.value); });
}

TEST(PlanReplicas, AsksTheOwnersWhenAllAreUp) {
  const ReplicaPlan plan = PlanWithout({}, true);
  EXPECT_THAT(plan.targets,
              ElementsAre(ReplicaTarget{NodeId{1}, {}}, ReplicaTarget{NodeId{2}, {}}, ReplicaTarget{NodeId{3}, {}}));
  EXPECT_THAT(plan.uncovered, IsEmpty());
  EXPECT_THAT(Ids(plan.spare), ElementsAre(4, 5));
}

TEST(PlanReplicas, TheNextFallbackThatIsUpStandsInForAnOwnerThatIsDown) {
  const ReplicaPlan plan = PlanWithout({1, 4}, true);
  EXPECT_THAT(plan.targets, ElementsAre(ReplicaTarget{NodeId{2}, {}}, ReplicaTarget{NodeId{3}, {}},
                                        ReplicaTarget{NodeId{5}, NodeId{1}}));
  EXPECT_THAT(plan.spare, IsEmpty());
}

TEST(PlanReplicas, OwnersForWhomNobodyIsLeftAreUncovered) {
  const ReplicaPlan plan = PlanWithout({1, 3, 4}, true);
  EXPECT_THAT(plan.targets, ElementsAre(ReplicaTarget{NodeId{2}, {}}, ReplicaTarget{NodeId{5}, NodeId{1}}));
  EXPECT_THAT(Ids(plan.uncovered), ElementsAre(3));
}

TEST(PlanReplicas, NobodyStandsInWhenTheQuorumIsStrict) {
  const ReplicaPlan plan = PlanWithout({2}, false);
  EXPECT_THAT(plan.targets, ElementsAre(ReplicaTarget{NodeId{1}, {}}, ReplicaTarget{NodeId{3}, {}}));
  EXPECT_THAT(Ids(plan.uncovered), ElementsAre(2));
  EXPECT_THAT(plan.spare, IsEmpty());
}

}  // namespace
}  // namespace dynamo
