#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "node/core/ring/placement.h"
#include "node/core/ring/preference_list.h"
#include "node/core/ring/topology_change.h"
#include "node/core/ring/topology_plan.h"
#include "tests/unit/core/ring_testing.h"

namespace dynamo {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

Topology Cluster(size_t members, uint32_t partitions = 32, size_t zones = 1) {
  ClusterSpec spec;
  spec.cluster = ClusterId{{1, 2}};
  spec.context_secret = "secret";
  spec.members = MakeMembers(members, zones);
  spec.partitions = partitions;
  spec.ring_seed = 1;
  return *CreateTopology(spec);
}

Member Newcomer(uint64_t id, uint32_t capacity = 1) {
  return {.id = NodeId{id}, .name = "node-" + std::to_string(id), .zone = "zone-0", .capacity = capacity};
}

std::string NextId() {
  static int asked = 0;
  return "operation-" + std::to_string(++asked);
}

template <class What>
Result<ChangedTopology> Ask(const Topology& topology, What what, const std::string& id = "") {
  TopologyChange change;
  const bool of_nodes = std::is_same_v<What, TakeOver> || std::is_same_v<What, Depart>;
  if (!of_nodes) change.operation_id = id.empty() ? NextId() : id;
  change.what = std::move(what);
  return ApplyChange(topology, change);
}

template <class What>
Topology After(const Topology& topology, What what, const std::string& id = "") {
  auto changed = Ask(topology, std::move(what), id);
  EXPECT_TRUE(changed.has_value()) << (changed ? "" : changed.error().message);
  return changed && changed->next ? *changed->next : topology;
}

template <class What>
Errc CodeOf(const Topology& topology, What what) {
  const auto changed = Ask(topology, std::move(what));
  return changed ? Errc{} : changed.error().code;
}

std::vector<PartitionId> Unmoved(const Topology& topology) {
  std::vector<PartitionId> left;
  for (PartitionId p = 0; p < topology.pending.partitions(); ++p) {
    if (!topology.moved[p]) left.push_back(p);
  }
  return left;
}

Topology AllTakenOver(Topology topology) {
  if (!topology.pending.empty()) topology = After(topology, TakeOver{topology.change_since, Unmoved(topology)});
  return topology;
}

MemberState StateOf(const Topology& topology, uint64_t id) { return topology.Find(NodeId{id})->state; }

TEST(MemberChange, AJoinGivesNobodyAnythingBeforeItIsTakenOver) {
  const Topology before = Cluster(3);
  const Topology joining = After(before, ChangeMembers{{Newcomer(4)}, {}, {}}, "join-4");
  EXPECT_EQ(StateOf(joining, 4), MemberState::kJoining);
  EXPECT_EQ(joining.current, before.current);
  EXPECT_EQ(joining.change_since, joining.version.epoch);
  EXPECT_EQ(NameOfChange(joining), "the change 'join-4' of epoch 2");
  EXPECT_GT(joining.pending.TokensOf(NodeId{4}), 0u);
  for (PartitionId p = 0; p < before.partitions; ++p) {
    EXPECT_EQ(WalkRing(joining, p, 3).owners, WalkRing(before, p, 3).owners) << p;
    EXPECT_FALSE(WalkRing(joining, p, 2).Owns(NodeId{4}));
    const std::vector<NodeId> fallbacks = WalkRing(joining, p, 2).fallbacks;
    EXPECT_EQ(std::ranges::count(fallbacks, NodeId{4}), 0) << "it stands in before it owns anything";
  }
  EXPECT_THAT(joining.voters, testing::Not(testing::Contains(NodeId{4})));
}

TEST(MemberChange, APartitionThatMovedIsOwnedByTheNewListAndTheOthersByTheOld) {
  const Topology joining = After(Cluster(4), ChangeMembers{{Newcomer(5)}, {}, {}});
  const PartitionId moved = Unmoved(joining).front();
  const Topology later = After(joining, TakeOver{joining.change_since, {moved}});
  EXPECT_EQ(WalkRing(later, moved, 3), WalkTarget(joining, moved, 3));
  EXPECT_THAT(PendingOwners(later, moved, 3), IsEmpty());
  for (PartitionId p : Unmoved(later)) EXPECT_EQ(WalkRing(later, p, 3), WalkRing(joining, p, 3));
  EXPECT_THAT(PartitionsWithOtherOwners(joining, later), testing::ElementsAre(moved));
}

TEST(MemberChange, TheLastTakeOverEndsTheChange) {
  const Topology joining = After(Cluster(3), ChangeMembers{{Newcomer(4)}, {}, {}});
  const ChangeProgress before = ProgressOf(joining);
  EXPECT_EQ(before.moved, 0u);
  EXPECT_EQ(before.to_move, Unmoved(joining).size());
  const Topology done = AllTakenOver(joining);
  EXPECT_EQ(done.current, joining.pending);
  EXPECT_TRUE(done.pending.empty());
  EXPECT_THAT(done.moved, IsEmpty());
  EXPECT_EQ(done.change_since, 0u);
  EXPECT_EQ(StateOf(done, 4), MemberState::kNormal);
  EXPECT_EQ(ProgressOf(done), ChangeProgress{});
  EXPECT_EQ(DecodeTopology(EncodeTopology(done)).value(), done);
  const auto again = Ask(done, TakeOver{joining.change_since, Unmoved(joining)});
  ASSERT_TRUE(again.has_value()) << "who asked for the last step asks once more";
  EXPECT_FALSE(again->next.has_value());
}

TEST(MemberChange, OneChangeAtATimeAndTheOneUnderWayIsNamed) {
  const Topology joining = After(Cluster(3), ChangeMembers{{Newcomer(4)}, {}, {}}, "join-4");
  const auto second = Ask(joining, ChangeMembers{{}, {NodeId{1}}, {}});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::kConflict);
  EXPECT_THAT(second.error().message, HasSubstr("'join-4'"));
  EXPECT_EQ(CodeOf(joining, ReplaceMember{NodeId{1}, Newcomer(9)}), Errc::kConflict);
  EXPECT_EQ(CodeOf(AllTakenOver(joining), ChangeMembers{{}, {NodeId{1}}, {}}), Errc{});
}

TEST(MemberChange, WhoLeavesDecidesNoMoreAndHasLeftOnceItKeepsNothing) {
  const Topology leaving = After(Cluster(5), ChangeMembers{{}, {NodeId{2}}, {}});
  EXPECT_EQ(StateOf(leaving, 2), MemberState::kLeaving);
  EXPECT_THAT(leaving.voters, testing::Not(testing::Contains(NodeId{2})));
  EXPECT_EQ(CodeOf(leaving, Depart{NodeId{2}}), Errc::kConflict) << "it owns partitions";
  const Topology moved = AllTakenOver(leaving);
  EXPECT_TRUE(moved.pending.empty());
  EXPECT_NE(moved.change_since, 0u);
  EXPECT_EQ(moved.current.TokensOf(NodeId{2}), 0u);
  EXPECT_EQ(CodeOf(moved, ChangeMembers{{Newcomer(9)}, {}, {}}), Errc::kConflict) << "it has hints to hand over";
  for (PartitionId p = 0; p < moved.partitions; ++p) {
    EXPECT_EQ(std::ranges::count(WalkRing(moved, p, 3).fallbacks, NodeId{2}), 0) << "it would be given new hints";
  }
  const Topology left = After(moved, Depart{NodeId{2}});
  EXPECT_EQ(StateOf(left, 2), MemberState::kLeft);
  EXPECT_EQ(left.change_since, 0u);
  EXPECT_FALSE(Ask(left, Depart{NodeId{2}})->next.has_value());
  EXPECT_EQ(CodeOf(left, ChangeMembers{{Newcomer(2)}, {}, {}}), Errc::kInvalidArgument) << "its disk is of the past";
}

TEST(MemberChange, ACancelledLeaveGivesBackWhatHasMoved) {
  const Topology before = Cluster(5);
  const Topology leaving = After(before, ChangeMembers{{}, {NodeId{2}}, {}}, "leave-2");
  std::vector<PartitionId> some = Unmoved(leaving);
  some.resize(some.size() / 2);
  const Topology half = After(leaving, TakeOver{leaving.change_since, some});
  const Topology back = After(half, CancelChange{}, "cancel");
  EXPECT_EQ(StateOf(back, 2), MemberState::kNormal);
  EXPECT_EQ(Unmoved(back), some);
  for (PartitionId p = 0; p < before.partitions; ++p) {
    EXPECT_THAT(WalkRing(back, p, 3).owners, testing::UnorderedElementsAreArray(WalkRing(half, p, 3).owners))
        << "a cancel moves nothing by itself";
    EXPECT_EQ(WalkTarget(back, p, 3).owners, WalkRing(before, p, 3).owners);
  }
  EXPECT_TRUE(std::ranges::find(back.operations, "leave-2", &TopologyOperation::id)->cancelled);
  EXPECT_EQ(CodeOf(back, CancelChange{}), Errc::kConflict) << "once is enough";
  EXPECT_FALSE(Ask(back, TakeOver{leaving.change_since, some})->next.has_value()) << "the proof was of another change";
  const Topology done = AllTakenOver(back);
  EXPECT_EQ(done.current, before.current);
  EXPECT_EQ(done.change_since, 0u);
  EXPECT_FALSE(done.cancelling);
}

TEST(MemberChange, ACancelBeforeAnythingMovedIsDoneAtOnce) {
  const Topology before = Cluster(4);
  const Topology back = After(After(before, ChangeMembers{{}, {NodeId{2}}, {}}), CancelChange{});
  EXPECT_EQ(back.current, before.current);
  EXPECT_EQ(back.members, before.members);
  EXPECT_EQ(back.change_since, 0u);
  EXPECT_EQ(CodeOf(back, CancelChange{}), Errc::kConflict) << "there is nothing to cancel";
}

TEST(MemberChange, WhoseJoinIsCancelledLeaves) {
  const Topology before = Cluster(3);
  const Topology back = After(After(before, ChangeMembers{{Newcomer(4)}, {}, {}}), CancelChange{});
  EXPECT_EQ(back.current, before.current);
  EXPECT_EQ(StateOf(back, 4), MemberState::kLeaving) << "it was sent writes, and may keep some";
  EXPECT_EQ(StateOf(After(back, Depart{NodeId{4}}), 4), MemberState::kLeft);
}

TEST(MemberChange, AReplacementTakesTheTokensNameAndPlaceOfTheLostOne) {
  const Topology before = Cluster(4, 32, 2);
  Member with{.id = NodeId{9}, .name = "node-2", .zone = "", .capacity = 0};
  const Topology replacing = After(before, ReplaceMember{NodeId{2}, with});
  EXPECT_EQ(replacing.StandingOf(NodeId{2}), MemberStanding::kRemoved) << "refused from now on";
  EXPECT_EQ(replacing.FindByName("node-2")->id, NodeId{9});
  EXPECT_EQ(replacing.Find(NodeId{9})->zone, "zone-1");
  EXPECT_THAT(replacing.voters, testing::Not(testing::Contains(NodeId{2})));
  EXPECT_EQ(CodeOf(replacing, CancelChange{}), Errc::kConflict) << "there is no disk to go back to";
  EXPECT_EQ(CodeOf(replacing, ForgetMember{NodeId{2}}), Errc::kConflict) << "the old map names it";
  const Topology done = AllTakenOver(replacing);
  for (PartitionId p = 0; p < done.partitions; ++p) {
    const NodeId was = before.current.owner(p);
    EXPECT_EQ(done.current.owner(p), was == NodeId{2} ? NodeId{9} : was);
  }
  EXPECT_EQ(done.change_since, 0u);
  const Topology forgotten = After(done, ForgetMember{NodeId{2}});
  EXPECT_EQ(forgotten.Find(NodeId{2}), nullptr);
  EXPECT_EQ(DecodeTopology(EncodeTopology(forgotten)).value(), forgotten);
}

TEST(MemberChange, ForgetsWhoIsGoneAndGivesUpWhoWillNotComeBack) {
  const Topology moved = AllTakenOver(After(Cluster(4), ChangeMembers{{}, {NodeId{2}}, {}}));
  const Topology given_up = After(moved, ForgetMember{NodeId{2}});
  EXPECT_EQ(StateOf(given_up, 2), MemberState::kLeft);
  const Topology forgotten = After(given_up, ForgetMember{NodeId{2}});
  EXPECT_EQ(forgotten.Find(NodeId{2}), nullptr);
  EXPECT_FALSE(Ask(forgotten, ForgetMember{NodeId{2}})->next.has_value());
  EXPECT_EQ(CodeOf(forgotten, ForgetMember{NodeId{1}}), Errc::kInvalidArgument) << "it takes part";
}

TEST(MemberChange, CapacityMovesTokensAndRebalanceNothingWhereAllIsWell) {
  const Topology before = Cluster(4);
  const Topology done = AllTakenOver(After(before, ChangeMembers{{}, {}, {{NodeId{1}, 2}}}));
  EXPECT_GT(done.current.TokensOf(NodeId{1}), before.current.TokensOf(NodeId{1}));
  EXPECT_FALSE(Ask(before, ChangeMembers{})->next.has_value());
}

TEST(MemberChange, RefusesWhatCanNeverBe) {
  const Topology topology = Cluster(3, 8);
  const auto invalid = [&](ChangeMembers change) { return CodeOf(topology, change) == Errc::kInvalidArgument; };
  EXPECT_TRUE(invalid({{Newcomer(0)}, {}, {}}));
  EXPECT_TRUE(invalid({{Newcomer(4, 0)}, {}, {}}));
  Member namesake = Newcomer(4);
  namesake.name = "node-1";
  EXPECT_TRUE(invalid({{namesake}, {}, {}}));
  EXPECT_TRUE(invalid({{}, {NodeId{9}}, {}}));
  EXPECT_TRUE(invalid({{}, {NodeId{1}, NodeId{1}}, {}}));
  EXPECT_TRUE(invalid({{}, {NodeId{1}, NodeId{2}, NodeId{3}}, {}})) << "nobody would be left";
  EXPECT_TRUE(invalid({{}, {}, {{NodeId{1}, 0}}}));
  EXPECT_EQ(CodeOf(topology, ChangeMembers{{Newcomer(2)}, {}, {}}), Errc::kAlreadyExists);
  ChangeMembers crowd;
  for (uint64_t id = 4; id <= 9; ++id) crowd.join.push_back(Newcomer(id));
  EXPECT_TRUE(invalid(crowd)) << "9 members, 8 partitions";
  EXPECT_EQ(CodeOf(topology, TakeOver{1, {}}), Errc::kInvalidArgument);
}

TEST(MemberChange, NoTypeGetsALargerNWhilePartitionsMoveForASmallerOne) {
  const Topology joining = After(Cluster(3), ChangeMembers{{Newcomer(4)}, {}, {}});
  EXPECT_EQ(CodeOf(joining, CreateBucketType{"wide", {ConflictPolicy::kSiblings, 5}}), Errc::kConflict);
  EXPECT_EQ(CodeOf(joining, CreateBucketType{"narrow", {ConflictPolicy::kSiblings, 2}}), Errc{});
  EXPECT_EQ(CodeOf(AllTakenOver(joining), CreateBucketType{"wide", {ConflictPolicy::kSiblings, 5}}), Errc{});
}

TEST(MemberChange, OneMemberCanHandOverToAnother) {
  const Topology swapping = After(Cluster(1, 8), ChangeMembers{{Newcomer(2)}, {NodeId{1}}, {}});
  EXPECT_THAT(swapping.voters, testing::ElementsAre(NodeId{1})) << "somebody has to decide";
  const Topology moved = AllTakenOver(swapping);
  EXPECT_THAT(moved.voters, testing::ElementsAre(NodeId{2}));
  EXPECT_EQ(StateOf(After(moved, Depart{NodeId{1}}), 1), MemberState::kLeft);
}

// ---- Properties

ChangeMembers RandomChange(Rng& rng, const Topology& topology) {
  ChangeMembers change;
  for (uint64_t id = 50; id < 50 + rng.Below(3); ++id) {
    change.join.push_back(Newcomer(id, 1 + static_cast<uint32_t>(rng.Below(3))));
    change.join.back().zone = "zone-" + std::to_string(rng.Below(3));
  }
  for (const Member& member : topology.members) {
    if (rng.Chance(0.2)) {
      change.leave.push_back(member.id);
    } else if (rng.Chance(0.1)) {
      change.capacity[member.id] = 1 + static_cast<uint32_t>(rng.Below(4));
    }
  }
  if (change.leave.size() == topology.members.size()) change.leave.pop_back();
  return change;
}

// A change under way; its next partition to move is drawn.
struct UnderWay {
  Rng rng;
  Topology before, topology;

  explicit UnderWay(uint64_t seed)
      : rng(seed), before(Cluster(1 + rng.Below(8), uint32_t{16} << rng.Below(3), 1 + rng.Below(4))), topology(before) {
    const auto changed = Ask(before, RandomChange(rng, before));
    RC_ASSERT(changed.has_value());
    if (changed->next) topology = *changed->next;
  }
  void TakeSome() {
    std::vector<PartitionId> some;
    const std::vector<PartitionId> left = Unmoved(topology);
    for (uint64_t i = 1 + rng.Below(4); i > 0; --i) some.push_back(left[rng.Below(left.size())]);
    topology = After(topology, TakeOver{topology.change_since, some});
  }
};

RC_GTEST_PROP(MemberChange, EndsAtTheSameTopologyInWhateverOrderPartitionsMove, (uint64_t seed)) {
  UnderWay change(seed);
  const Topology all_at_once = AllTakenOver(change.topology);
  while (!change.topology.pending.empty()) change.TakeSome();
  Topology ended = change.topology;
  ended.version = all_at_once.version;  // As many epochs as steps.
  RC_ASSERT(ended == all_at_once);
}

RC_GTEST_PROP(MemberChange, OwnersAreAlwaysTheOldListOrTheNew, (uint64_t seed)) {
  UnderWay change(seed);
  const Topology ended = AllTakenOver(change.topology);
  while (!change.topology.pending.empty()) {
    PreferenceLists lists(std::make_shared<Topology>(change.topology));
    for (PartitionId p = 0; p < change.before.partitions; ++p) {
      const std::vector<NodeId> owners = WalkRing(change.topology, p, 3).owners;
      const std::vector<NodeId> was = WalkRing(change.before, p, 3).owners, will = WalkRing(ended, p, 3).owners;
      RC_ASSERT(owners == (change.topology.moved[p] ? will : was));
      RC_ASSERT(lists.For(p, 3).owners == owners);
      std::vector<NodeId> coming = lists.PendingFor(p, 3);
      RC_ASSERT(coming == PendingOwners(change.topology, p, 3));
      // Whoever will own it does, or is about to.
      coming.insert(coming.end(), owners.begin(), owners.end());
      for (NodeId owner : will) RC_ASSERT(std::ranges::find(coming, owner) != coming.end());
    }
    RC_ASSERT(DecodeTopology(EncodeTopology(change.topology)).value() == change.topology);
    change.TakeSome();
  }
}

RC_GTEST_PROP(MemberChange, GoesBackToWhereItCameFromWhenCancelledAnywhere, (uint64_t seed)) {
  UnderWay change(seed);
  for (uint64_t steps = change.rng.Below(12); steps > 0 && !change.topology.pending.empty(); --steps) change.TakeSome();
  if (change.topology.pending.empty()) return;
  const Topology at_cancel = change.topology;
  change.topology = After(change.topology, CancelChange{});
  for (PartitionId p = 0; p < at_cancel.partitions; ++p) {
    std::vector<NodeId> was = WalkRing(at_cancel, p, 3).owners, is = WalkRing(change.topology, p, 3).owners;
    std::ranges::sort(was);
    std::ranges::sort(is);
    RC_ASSERT(was == is);
  }
  while (!change.topology.pending.empty()) change.TakeSome();
  RC_ASSERT(change.topology.current == change.before.current);
}

RC_GTEST_PROP(MemberChange, LeavesEveryMemberWithinOneTokenOfItsCappedIdeal, (uint64_t seed)) {
  UnderWay change(seed);
  const Topology ended = AllTakenOver(change.topology);
  const IdealShares ideal = ComputeIdealShares(
      [&] {
        std::vector<Member> taking;
        std::ranges::copy_if(ended.members, std::back_inserter(taking), TakesTokens);
        return taking;
      }(),
      ended.partitions, ended.LargestN());
  const bool changed = change.topology.version != change.before.version;
  for (const auto& [node, tokens] : ideal.tokens) {
    if (changed) RC_ASSERT(std::abs(ended.current.TokensOf(node) - tokens) < 1 + 1e-6);
  }
}

RC_GTEST_PROP(MemberChange, MovesWhatThePlanSaid, (uint64_t seed)) {
  Rng rng(seed);
  const Topology before = Cluster(2 + rng.Below(6), 32, 1 + rng.Below(3));
  const ChangeMembers change = RandomChange(rng, before);
  StagedChanges staged{change.join, {}, {}};
  for (NodeId id : change.leave) staged.leave.push_back(before.Find(id)->name);
  for (const auto& [id, capacity] : change.capacity) staged.capacity[before.Find(id)->name] = capacity;
  if (staged.empty()) return;
  const auto plan = PlanChange(before, staged);
  RC_ASSERT(plan.has_value());
  const Topology ended = AllTakenOver(After(before, change));
  for (const PlannedMember& member : plan->members) {
    RC_ASSERT(ended.current.TokensOf(member.id) == member.tokens_after);
  }
  std::vector<NodeId> owners = before.current.owners();
  for (const PlannedMove& move : plan->moves) owners[move.partition] = move.to;
  RC_ASSERT(TokenMap(owners) == ended.current);
}

}  // namespace
}  // namespace dynamo
