#include <gtest/gtest.h>

#include "node/core/consensus/proposer.h"

namespace dynamo {
namespace {

using Phase = Proposer::Phase;
using Kind = VoterAnswer::Kind;

constexpr NodeId kOne{1}, kTwo{2}, kThree{3};

Ballot B(uint64_t round, uint64_t node = 9) { return {round, 1, NodeId{node}}; }

Proposer Of3() { return Proposer({kOne, kTwo, kThree}, B(5), "ours"); }

VoterAnswer Says(Kind kind) {
  VoterAnswer answer;
  answer.kind = kind;
  answer.ballot = B(5);
  return answer;
}
VoterAnswer HasAccepted(uint64_t round, const Bytes& value) {
  VoterAnswer answer = Says(Kind::kPromised);
  answer.accepted = B(round, 8);
  answer.value = value;
  return answer;
}
VoterAnswer OutbidBy(uint64_t round) {
  VoterAnswer answer = Says(Kind::kOutbid);
  answer.highest = B(round, 8);
  return answer;
}

TEST(Proposer, ProposesItsOwnWhereNothingWasAccepted) {
  Proposer proposer = Of3();
  EXPECT_EQ(proposer.OnAnswer(kOne, Phase::kPreparing, Says(Kind::kPromised)), Phase::kPreparing);
  EXPECT_FALSE(proposer.asked_to_accept());
  EXPECT_EQ(proposer.OnAnswer(kTwo, Phase::kPreparing, Says(Kind::kPromised)), Phase::kAccepting);
  EXPECT_TRUE(proposer.asked_to_accept());
  EXPECT_EQ(proposer.value(), "ours");
  EXPECT_EQ(proposer.OnAnswer(kThree, Phase::kAccepting, Says(Kind::kAccepted)), Phase::kAccepting);
  EXPECT_EQ(proposer.OnAnswer(kTwo, Phase::kAccepting, Says(Kind::kAccepted)), Phase::kChosen);
  EXPECT_TRUE(proposer.is_own());
}

TEST(Proposer, ProposesAgainWhatTheHighestBallotHasAccepted) {
  Proposer proposer = Of3();
  proposer.OnAnswer(kOne, Phase::kPreparing, HasAccepted(3, "newer"));
  EXPECT_EQ(proposer.OnAnswer(kTwo, Phase::kPreparing, HasAccepted(2, "older")), Phase::kAccepting);
  EXPECT_EQ(proposer.value(), "newer");
  EXPECT_FALSE(proposer.is_own());
}

TEST(Proposer, CountsAVoterOnce) {
  Proposer proposer = Of3();
  proposer.OnAnswer(kOne, Phase::kPreparing, Says(Kind::kPromised));
  EXPECT_EQ(proposer.OnAnswer(kOne, Phase::kPreparing, Says(Kind::kPromised)), Phase::kPreparing);
  EXPECT_EQ(proposer.answered(), 1u);
}

TEST(Proposer, PassesOverStrangersAndOtherBallots) {
  Proposer proposer = Of3();
  proposer.OnAnswer(kOne, Phase::kPreparing, Says(Kind::kPromised));
  EXPECT_EQ(proposer.OnAnswer(NodeId{7}, Phase::kPreparing, Says(Kind::kPromised)), Phase::kPreparing);
  VoterAnswer earlier = Says(Kind::kPromised);
  earlier.ballot = B(4);
  EXPECT_EQ(proposer.OnAnswer(kTwo, Phase::kPreparing, earlier), Phase::kPreparing);
  EXPECT_EQ(proposer.answered(), 1u);
}

TEST(Proposer, PassesOverAnswersOfThePhaseBefore) {
  Proposer proposer = Of3();
  proposer.OnAnswer(kOne, Phase::kPreparing, Says(Kind::kPromised));
  proposer.OnAnswer(kTwo, Phase::kPreparing, Says(Kind::kPromised));
  EXPECT_EQ(proposer.OnAnswer(kThree, Phase::kPreparing, HasAccepted(4, "late")), Phase::kAccepting);
  EXPECT_EQ(proposer.value(), "ours");
  EXPECT_EQ(proposer.OnFailure(kThree, Phase::kPreparing), Phase::kAccepting);
  EXPECT_EQ(proposer.OnFailure(kTwo, Phase::kPreparing), Phase::kAccepting);
}

TEST(Proposer, GivesUpAsSoonAsAMajorityIsOutOfReach) {
  Proposer proposer = Of3();
  EXPECT_EQ(proposer.OnFailure(kOne, Phase::kPreparing), Phase::kPreparing);
  EXPECT_EQ(proposer.OnFailure(kOne, Phase::kPreparing), Phase::kPreparing);
  EXPECT_EQ(proposer.OnFailure(kTwo, Phase::kPreparing), Phase::kUnreachable);
  EXPECT_EQ(proposer.OnAnswer(kThree, Phase::kPreparing, Says(Kind::kPromised)), Phase::kUnreachable);
  EXPECT_EQ(proposer.answered(), 1u);
}

TEST(Proposer, KnowsWhomItHasToOutbid) {
  Proposer proposer = Of3();
  proposer.OnAnswer(kOne, Phase::kPreparing, OutbidBy(7));
  EXPECT_EQ(proposer.OnAnswer(kTwo, Phase::kPreparing, OutbidBy(6)), Phase::kOutbid);
  EXPECT_EQ(proposer.highest(), B(7, 8));
  EXPECT_GT(Outbid(proposer.ballot(), proposer.highest()), B(7, 8));
}

TEST(Proposer, IsOutbidWhileItAsksToAcceptToo) {
  Proposer proposer = Of3();
  proposer.OnAnswer(kOne, Phase::kPreparing, Says(Kind::kPromised));
  proposer.OnAnswer(kTwo, Phase::kPreparing, Says(Kind::kPromised));
  proposer.OnAnswer(kOne, Phase::kAccepting, OutbidBy(7));
  EXPECT_EQ(proposer.OnFailure(kTwo, Phase::kAccepting), Phase::kOutbid);
  EXPECT_TRUE(proposer.asked_to_accept());
}

TEST(Proposer, StopsWhereTheDecisionHasFallen) {
  Proposer proposer = Of3();
  EXPECT_EQ(proposer.OnAnswer(kOne, Phase::kPreparing, Says(Kind::kDecided)), Phase::kDecided);
}

TEST(Proposer, CountsAVoterThatIsBehindAsOneThatFails) {
  Proposer proposer = Of3();
  proposer.OnAnswer(kOne, Phase::kPreparing, Says(Kind::kBehind));
  EXPECT_EQ(proposer.OnAnswer(kTwo, Phase::kPreparing, Says(Kind::kBehind)), Phase::kUnreachable);
}

TEST(Proposer, DecidesAloneWhereItIsTheOnlyVoter) {
  Proposer proposer({kOne}, B(5), "ours");
  EXPECT_EQ(proposer.OnAnswer(kOne, Phase::kPreparing, Says(Kind::kPromised)), Phase::kAccepting);
  EXPECT_EQ(proposer.OnAnswer(kOne, Phase::kAccepting, Says(Kind::kAccepted)), Phase::kChosen);
}

TEST(Proposer, DecidesNothingWithoutVoters) { EXPECT_EQ(Proposer({}, B(5), "ours").phase(), Phase::kUnreachable); }

TEST(RetryDelay, DoublesAroundItsMeanUpToItsMaximum) {
  Rng rng(1);
  for (uint32_t attempt = 1; attempt < 100; ++attempt) {
    const Duration delay = RetryDelay(attempt, Duration(10), Duration(1000), rng);
    const int64_t mean = attempt < 7 ? 10 << attempt : 1000;
    EXPECT_GE(delay.count(), mean / 2);
    EXPECT_LE(delay.count(), mean + mean / 2);
  }
}

TEST(Ballot, OutbidsBothAndKeepsItsMaker) {
  const Ballot own{3, 2, NodeId{1}}, heard{8, 1, NodeId{5}};
  const Ballot next = Outbid(own, heard);
  EXPECT_GT(next, own);
  EXPECT_GT(next, heard);
  EXPECT_EQ(next.node, own.node);
  EXPECT_EQ(next.boot, own.boot);
}

TEST(Ballot, IsNotTheSameAfterARestart) {
  const Ballot before = Outbid({0, 4, NodeId{1}}, {}), after = Outbid({0, 5, NodeId{1}}, {});
  EXPECT_NE(before, after);
}

}  // namespace
}  // namespace dynamo
