#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "node/core/consensus/acceptor.h"
#include "node/core/ring/disaster.h"
#include "node/core/ring/preference_list.h"
#include "node/core/ring/topology_change.h"
#include "tests/unit/core/ring_testing.h"

namespace dynamo {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const ClusterId kCluster{{1, 2}};

Topology ClusterOf(size_t members, uint32_t n_val = 3) {
  ClusterSpec spec;
  spec.cluster = kCluster;
  spec.context_secret = "secret";
  spec.members = MakeMembers(members);
  spec.partitions = 32;
  spec.ring_seed = 1;
  spec.n_val = n_val;
  return *CreateTopology(spec);
}

DeclaredLoss Of(std::vector<uint64_t> ids, uint64_t at_ms = 1000) {
  DeclaredLoss loss{kCluster, {}, "ada", at_ms};
  for (const uint64_t id : ids) loss.nodes.push_back(NodeId{id});
  return loss;
}

template <class What>
Result<ChangedTopology> Ask(const Topology& topology, What what, const std::string& id) {
  TopologyChange change;
  if constexpr (!std::is_same_v<What, TakeOver>) change.operation_id = id;
  change.what = std::move(what);
  return ApplyChange(topology, change);
}
template <class What>
Topology After(const Topology& topology, What what, const std::string& id = "operation") {
  auto changed = Ask(topology, std::move(what), id);
  EXPECT_TRUE(changed.has_value()) << (changed ? "" : changed.error().message);
  return changed && changed->next ? *changed->next : topology;
}
template <class What>
Error ErrorOf(const Topology& topology, What what) {
  const auto changed = Ask(topology, std::move(what), "refused");
  return changed ? Error{} : changed.error();
}
Topology AllTakenOver(const Topology& topology) {
  TakeOver all{topology.change_since, {}};
  for (PartitionId p = 0; p < topology.partitions; ++p) all.partitions.push_back(p);
  return After(topology, all);
}
Member Newcomer(uint64_t id, const std::string& name) { return {.id = NodeId{id}, .name = name, .zone = "zone-0"}; }

auto UpBut(std::set<NodeId> away) {
  return [away](NodeId node) { return !away.contains(node); };
}

// ---- force-topology

TEST(ForceTopology, BeginsAGenerationWhoseVotersAreAmongTheSurvivors) {
  const Topology before = ClusterOf(5);
  const Topology forced = After(before, ForceTopology{Of({1, 2, 3})}, "force");
  EXPECT_EQ(forced.version, (TopologyVersion{2, 2}));
  EXPECT_EQ(forced.voters.size(), 1u) << "an odd number of two";
  for (const NodeId voter : forced.voters) EXPECT_THAT((std::vector{NodeId{4}, NodeId{5}}), testing::Contains(voter));
  EXPECT_EQ(forced.StandingOf(NodeId{2}), MemberStanding::kRemoved) << "fenced: its disk never takes part again";
  EXPECT_EQ(forced.current, before.current) << "nothing is owned by anybody else";
  ASSERT_EQ(forced.losses.size(), 1u);
  const LossRecord& loss = forced.losses.front();
  EXPECT_EQ(loss.kind, LossRecord::Kind::kForcedTopology);
  EXPECT_EQ(loss.version, forced.version);
  EXPECT_EQ(loss.operation_id, "force");
  EXPECT_EQ(loss.by, "ada");
  EXPECT_EQ(loss.at_ms, 1000u);
  EXPECT_THAT(loss.nodes, ElementsAre(NodeId{1}, NodeId{2}, NodeId{3}));
  EXPECT_EQ(DecodeTopology(EncodeTopology(forced)).value(), forced);
}

TEST(ForceTopology, NamesThePartitionsOfWhichEveryCopyIsLost) {
  const Topology before = ClusterOf(5, /*n_val=*/2);
  const Topology forced = After(before, ForceTopology{Of({1, 2, 3})});
  const std::vector<PartitionId>& lost = forced.losses.front().partitions;
  for (PartitionId p = 0; p < before.partitions; ++p) {
    const std::vector<NodeId> owners = WalkRing(before, p, 2).owners;
    const bool none_left = std::ranges::all_of(owners, [](NodeId owner) { return owner.value <= 3; });
    EXPECT_EQ(std::ranges::binary_search(lost, p), none_left) << p;
  }
  EXPECT_THAT(lost, Not(IsEmpty()));
  EXPECT_THAT(After(ClusterOf(3), ForceTopology{Of({1, 2})}).losses.front().partitions, IsEmpty()) << "3 has all";
}

TEST(ForceTopology, IsRefusedWhileTheVotersCanDecide) {
  const Error two = ErrorOf(ClusterOf(5), ForceTopology{Of({1, 2})});
  EXPECT_EQ(two.code, Errc::kConflict);
  EXPECT_THAT(two.message, HasSubstr("3 of 5 voters"));
}

TEST(ForceTopology, IsDoneToNoOtherClusterAndForNamedMembersOnly) {
  ForceTopology other{Of({1, 2})};
  other.loss.cluster = ClusterId{{9, 9}};
  EXPECT_EQ(ErrorOf(ClusterOf(3), other).code, Errc::kInvalidArgument);
  EXPECT_EQ(ErrorOf(ClusterOf(3), ForceTopology{Of({})}).code, Errc::kInvalidArgument);
  EXPECT_EQ(ErrorOf(ClusterOf(3), ForceTopology{Of({1, 9})}).code, Errc::kInvalidArgument);
  EXPECT_EQ(ErrorOf(ClusterOf(3), ForceTopology{Of({1, 2, 3})}).code, Errc::kConflict) << "nobody would be left";
  ForceTopology wordy{Of({1, 2})};
  wordy.loss.by = std::string(LossRecord::kByBytesMax + 1, 'x');
  EXPECT_EQ(ErrorOf(ClusterOf(3), wordy).code, Errc::kInvalidArgument);
}

TEST(ForceTopology, TheSameOperationAgainIsDoneAndAnotherFindsNothingToDo) {
  const Topology forced = After(ClusterOf(3), ForceTopology{Of({1, 2})}, "force");
  const auto again = Ask(forced, ForceTopology{Of({2, 1}, /*at_ms=*/9999)}, "force");
  ASSERT_TRUE(again.has_value()) << again.error().message;
  EXPECT_FALSE(again->next.has_value());
  EXPECT_EQ(again->epoch, forced.version.epoch);
  EXPECT_EQ(ErrorOf(forced, ForceTopology{Of({1, 2})}).code, Errc::kConflict);
}

TEST(ForceTopology, TheLostAreReplacedUnderTheirNamesOrTheirTokensPlacedAnewThenForgotten) {
  const Topology forced = After(ClusterOf(3), ForceTopology{Of({1, 2})});
  EXPECT_THAT(ErrorOf(forced, ForgetMember{NodeId{1}}).message, HasSubstr("replace it, or rebalance"));
  const Topology replaced = AllTakenOver(After(forced, ReplaceMember{NodeId{1}, Newcomer(8, "node-1")}, "replace"));
  EXPECT_EQ(replaced.current.TokensOf(NodeId{8}), forced.current.TokensOf(NodeId{1}));
  EXPECT_EQ(After(replaced, ForgetMember{NodeId{1}}, "forget").Find(NodeId{1}), nullptr);
  EXPECT_EQ(replaced.Find(NodeId{2})->state, MemberState::kLost);

  Topology alone = After(forced, ChangeMembers{}, "rebalance");
  if (!alone.pending.empty()) alone = AllTakenOver(alone);
  EXPECT_EQ(alone.current.TokensOf(NodeId{3}), alone.partitions);
  EXPECT_EQ(alone.Find(NodeId{2})->state, MemberState::kReplaced);
}

TEST(ForceTopology, AChangeUnderWayGoesOnWithoutWaitingForTheLost) {
  const Topology joining = After(ClusterOf(3), ChangeMembers{{Newcomer(4, "node-4"), Newcomer(5, "node-5")}, {}, {}});
  const Topology forced = After(joining, ForceTopology{Of({1, 2, 5})}, "force");
  EXPECT_EQ(forced.change_since, joining.change_since);
  EXPECT_EQ(forced.pending, joining.pending);
  for (const PartitionWait& wait : WaitsOf(forced, UpBut({NodeId{1}, NodeId{2}, NodeId{5}}))) {
    EXPECT_THAT(wait.receivers, IsEmpty()) << "5 gets nothing any more";
  }
  const Topology done = AllTakenOver(forced);
  EXPECT_EQ(done.change_since, 0u);
  EXPECT_EQ(done.Find(NodeId{4})->state, MemberState::kNormal);
  EXPECT_EQ(done.Find(NodeId{5})->state, MemberState::kLost) << "it holds tokens";
  EXPECT_EQ(DecodeTopology(EncodeTopology(done)).value(), done);
}

TEST(ForceTopology, VotersAreThoseWhoJoinOrLeaveWhereNobodyElseIsLeft) {
  const Topology joining = After(ClusterOf(3), ChangeMembers{{Newcomer(4, "node-4")}, {}, {}});
  EXPECT_THAT(After(joining, ForceTopology{Of({1, 2, 3})}, "force").voters, ElementsAre(NodeId{4}));
}

// Whatever epoch the old generation reaches, the new one is above, and no decision of
// the one is a decision of the other.
RC_GTEST_PROP(ForceTopology, TheOldGenerationNeverWins, (uint64_t seed)) {
  Rng rng(seed);
  const size_t members = 3 + rng.Below(6);
  const Topology before = ClusterOf(members);
  std::vector<uint64_t> lost;
  for (uint64_t id = 1; id <= members; ++id) {
    if (rng.Chance(0.7)) lost.push_back(id);
  }
  const auto changed = Ask(before, ForceTopology{Of(lost)}, "force");
  const auto voters_left = std::ranges::count_if(
      before.voters, [&](NodeId voter) { return std::ranges::find(lost, voter.value) == lost.end(); });
  const bool possible =
      !lost.empty() && lost.size() < members && static_cast<size_t>(voters_left) < before.voters.size() / 2 + 1;
  RC_ASSERT(changed.has_value() == possible);
  if (!changed) return;
  const Topology& forced = *changed->next;
  Topology old = before;
  for (uint64_t epochs = rng.Below(40); epochs > 0; --epochs) {
    old = After(old, CreateBucketType{"t" + std::to_string(epochs), {}}, "type-" + std::to_string(epochs));
  }
  RC_ASSERT(old.version < forced.version);
  RC_ASSERT(NextDecision(old.version) < forced.version);
  for (const NodeId voter : forced.voters) RC_ASSERT(forced.StandingOf(voter) == MemberStanding::kMember);
  RC_ASSERT(forced.voters.size() % 2 == 1);
  RC_ASSERT(DecodeTopology(EncodeTopology(forced)).value() == forced);
}

// Two that share no survivor: each removes all of the other's, so that neither side ever
// hears the other, however far it gets.
RC_GTEST_PROP(ForceTopology, OfTwoForcedGenerationsNeitherListensToTheOther, (uint64_t seed)) {
  Rng rng(seed);
  const Topology before = ClusterOf(6);  // Five voters.
  std::vector<uint64_t> ids{1, 2, 3, 4, 5, 6};
  for (size_t i = ids.size(); i > 1; --i) std::swap(ids[i - 1], ids[rng.Below(i)]);
  const std::vector<uint64_t> one(ids.begin(), ids.begin() + 2), other(ids.begin() + 2, ids.begin() + 4);
  const auto without = [&ids](const std::vector<uint64_t>& side) {
    std::vector<uint64_t> lost;
    std::ranges::copy_if(ids, std::back_inserter(lost),
                         [&](uint64_t id) { return std::ranges::find(side, id) == side.end(); });
    return Of(lost);
  };
  const Topology first = After(before, ForceTopology{without(one)}, "one");
  const Topology second = After(before, ForceTopology{without(other)}, "other");
  for (const uint64_t id : other) RC_ASSERT(first.StandingOf(NodeId{id}) == MemberStanding::kRemoved);
  for (const uint64_t id : one) RC_ASSERT(second.StandingOf(NodeId{id}) == MemberStanding::kRemoved);
}

// ---- accept-loss

// 1 is being replaced by 8, and 2 is away, too.
class AcceptLossTest : public testing::Test {
 protected:
  const Topology replacing_ = After(ClusterOf(3), ReplaceMember{NodeId{1}, Newcomer(8, "node-1")}, "replace");
};

TEST_F(AcceptLossTest, AReceiverWhoseOwnersAreAwayWaitsUntilTheyAreGivenUp) {
  const std::vector<PartitionWait> waits = WaitsOf(replacing_, UpBut({NodeId{1}, NodeId{2}}));
  ASSERT_EQ(waits.size(), replacing_.partitions);
  EXPECT_THAT(waits[0].owners, ElementsAre(NodeId{2}));
  EXPECT_THAT(waits[0].receivers, IsEmpty());
  EXPECT_THAT(WaitsOf(replacing_, UpBut({NodeId{1}})), IsEmpty());
  const Topology accepted = After(replacing_, AcceptLoss{Of({2}), {0, 5}}, "accept");
  EXPECT_THAT(GivenUp(accepted, 5), ElementsAre(NodeId{2}));
  EXPECT_THAT(GivenUp(accepted, 6), IsEmpty());
  EXPECT_EQ(WaitsOf(accepted, UpBut({NodeId{1}, NodeId{2}})).size(), replacing_.partitions - 2);
  EXPECT_EQ(WaitsOf(accepted, UpBut({NodeId{1}, NodeId{2}, NodeId{3}})).size(), replacing_.partitions)
      << "only who is named is given up";
}

TEST(OnlyOwners, AreWaitedForUnlessTheyWereReplaced) {
  const Topology leaving = After(ClusterOf(3, /*n_val=*/1), ChangeMembers{{}, {NodeId{1}}, {}}, "leave");
  const std::vector<PartitionWait> waits = WaitsOf(leaving, UpBut({NodeId{1}}));
  EXPECT_EQ(waits.size(), leaving.current.TokensOf(NodeId{1}));
  for (const PartitionWait& wait : waits) EXPECT_THAT(wait.owners, ElementsAre(NodeId{1}));
  EXPECT_THAT(WaitsOf(leaving, UpBut({})), IsEmpty());
  const Topology replacing =
      After(ClusterOf(3, /*n_val=*/1), ReplaceMember{NodeId{1}, Newcomer(8, "node-1")}, "replace");
  EXPECT_THAT(WaitsOf(replacing, UpBut({NodeId{1}})), IsEmpty()) << "its disk is lost";
  EXPECT_THAT(NotWaitedFor(replacing, 0), ElementsAre(NodeId{1}));
  EXPECT_THAT(GivenUp(replacing, 0), IsEmpty()) << "nobody accepted anything";
}

TEST_F(AcceptLossTest, IsRecordedWithWhoWhenAndWhat) {
  const Topology accepted = After(replacing_, AcceptLoss{Of({2}, 77), {5, 0}}, "accept");
  ASSERT_EQ(accepted.losses.size(), 1u);
  const LossRecord& loss = accepted.losses.front();
  EXPECT_EQ(loss.kind, LossRecord::Kind::kAcceptedLoss);
  EXPECT_EQ(loss.version, accepted.version);
  EXPECT_EQ(loss.since, replacing_.change_since);
  EXPECT_EQ(loss.operation_id, "accept");
  EXPECT_EQ(loss.at_ms, 77u);
  EXPECT_THAT(loss.partitions, ElementsAre(0u, 5u));
  EXPECT_EQ(DecodeTopology(EncodeTopology(accepted)).value(), accepted);
  EXPECT_EQ(AllTakenOver(accepted).losses, accepted.losses) << "it is remembered when the change is over";
}

TEST_F(AcceptLossTest, IsForTheChangeUnderWayAlone) {
  const Topology accepted = After(replacing_, AcceptLoss{Of({2}), {0, 1, 2}}, "accept");
  const Topology next = After(AllTakenOver(accepted), ReplaceMember{NodeId{2}, Newcomer(9, "node-2")}, "second");
  EXPECT_THAT(GivenUp(next, 0), IsEmpty());
  EXPECT_EQ(ErrorOf(ClusterOf(3), AcceptLoss{Of({2}), {0}}).code, Errc::kConflict) << "nothing waits";
}

TEST_F(AcceptLossTest, ChangesNothingWhereItIsSoAlready) {
  const Topology accepted = After(replacing_, AcceptLoss{Of({2}), {0, 1}}, "accept");
  EXPECT_FALSE(Ask(accepted, AcceptLoss{Of({2}), {1}}, "again")->next.has_value());
  const Topology more = After(accepted, AcceptLoss{Of({2}), {1, 2}}, "more");
  EXPECT_THAT(more.losses.back().partitions, ElementsAre(2u)) << "what is given up already is on record";
  const Topology moved = After(replacing_, TakeOver{replacing_.change_since, {4}});
  EXPECT_FALSE(Ask(moved, AcceptLoss{Of({2}), {4}}, "late")->next.has_value()) << "it has changed hands";
}

TEST_F(AcceptLossTest, IsRefusedForWhatIsNotThere) {
  EXPECT_EQ(ErrorOf(replacing_, AcceptLoss{Of({2}), {}}).code, Errc::kInvalidArgument);
  EXPECT_EQ(ErrorOf(replacing_, AcceptLoss{Of({2}), {32}}).code, Errc::kInvalidArgument);
  EXPECT_EQ(ErrorOf(replacing_, AcceptLoss{Of({7}), {0}}).code, Errc::kInvalidArgument);
  AcceptLoss other{Of({2}), {0}};
  other.loss.cluster = ClusterId{};
  EXPECT_EQ(ErrorOf(replacing_, other).code, Errc::kInvalidArgument);
}

TEST(LossRecords, TheLatestAreRemembered) {
  Topology topology = After(ClusterOf(3), ReplaceMember{NodeId{1}, Newcomer(8, "node-1")}, "replace");
  for (uint64_t i = 0; i < 2 * LossRecord::kRemembered; ++i) {
    const auto partition = static_cast<PartitionId>(i % topology.partitions);
    topology = After(topology,
                     AcceptLoss{Of({i < topology.partitions ? 2u
                                    : i < 64                ? 3u
                                    : i < 96                ? 1u
                                                            : 8u}),
                                {partition}},
                     "accept-" + std::to_string(i));
  }
  EXPECT_EQ(topology.losses.size(), LossRecord::kRemembered);
  EXPECT_EQ(topology.losses.back().operation_id, "accept-127");
  EXPECT_EQ(DecodeTopology(EncodeTopology(topology)).value(), topology);
}

TEST(LossRecords, NoneIsOfALaterTopologyThanItIsIn) {
  Topology topology = After(ClusterOf(3), ForceTopology{Of({1, 2})});
  topology.losses.back().version.epoch += 1;
  EXPECT_FALSE(DecodeTopology(EncodeTopology(topology)).has_value());
  topology.losses.back().version.epoch -= 1;
  topology.losses.push_back(topology.losses.back());
  EXPECT_FALSE(DecodeTopology(EncodeTopology(topology)).has_value()) << "versions rise";
  topology.losses.resize(1);
  topology.losses.back().partitions = {3, 3};
  EXPECT_FALSE(DecodeTopology(EncodeTopology(topology)).has_value());
}

}  // namespace
}  // namespace dynamo
