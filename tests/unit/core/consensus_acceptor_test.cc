#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "common/base/random.h"
#include "node/core/consensus/acceptor.h"

namespace dynamo {
namespace {

constexpr TopologyVersion kAdopted{1, 4}, kNext{1, 5};

Ballot B(uint64_t round, uint64_t node = 1) { return {round, 1, NodeId{node}}; }

AcceptorState Promised(const Ballot& ballot) { return {kNext, ballot, {}, {}}; }

TEST(Acceptor, PromisesAndMustStoreThePromiseFirst) {
  const VoterStep step = OnPrepare({}, kAdopted, kNext, B(1));
  EXPECT_EQ(step.answer.kind, VoterAnswer::Kind::kPromised);
  EXPECT_FALSE(step.answer.accepted);
  ASSERT_TRUE(step.next.has_value());
  EXPECT_EQ(*step.next, Promised(B(1)));
}

TEST(Acceptor, RepeatsAPromiseWithoutStoringItAgain) {
  const VoterStep step = OnPrepare(Promised(B(2)), kAdopted, kNext, B(2));
  EXPECT_EQ(step.answer.kind, VoterAnswer::Kind::kPromised);
  EXPECT_FALSE(step.next.has_value());
}

TEST(Acceptor, RefusesWhatIsBelowItsPromiseAndNamesIt) {
  const VoterStep prepare = OnPrepare(Promised(B(3, 2)), kAdopted, kNext, B(3, 1));
  EXPECT_EQ(prepare.answer.kind, VoterAnswer::Kind::kOutbid);
  EXPECT_EQ(prepare.answer.highest, B(3, 2));
  EXPECT_FALSE(prepare.next.has_value());
  const VoterStep accept = OnAccept(Promised(B(3, 2)), kAdopted, kNext, B(3, 1), "value");
  EXPECT_EQ(accept.answer.kind, VoterAnswer::Kind::kOutbid);
}

TEST(Acceptor, TellsALaterProposerWhatItHasAccepted) {
  const VoterStep accepted = OnAccept(Promised(B(1)), kAdopted, kNext, B(1), "value");
  ASSERT_TRUE(accepted.next.has_value());
  const VoterStep promised = OnPrepare(*accepted.next, kAdopted, kNext, B(2));
  EXPECT_EQ(promised.answer.kind, VoterAnswer::Kind::kPromised);
  EXPECT_EQ(promised.answer.accepted, B(1));
  EXPECT_EQ(promised.answer.value, "value");
  EXPECT_EQ(promised.next->value, "value");
}

TEST(Acceptor, AcceptsWithoutAPromiseIfNobodyOutbidIt) {
  const VoterStep step = OnAccept({}, kAdopted, kNext, B(1), "value");
  EXPECT_EQ(step.answer.kind, VoterAnswer::Kind::kAccepted);
  EXPECT_EQ(step.next->promised, B(1));
}

TEST(Acceptor, RefusesASecondValueUnderOneBallot) {
  const AcceptorState state{kNext, B(1), B(1), "value"};
  EXPECT_EQ(OnAccept(state, kAdopted, kNext, B(1), "another").answer.kind, VoterAnswer::Kind::kOutbid);
  EXPECT_EQ(OnAccept(state, kAdopted, kNext, B(1), "value").answer.kind, VoterAnswer::Kind::kAccepted);
}

TEST(Acceptor, TakesPartInTheDecisionAfterItsTopologyOnly) {
  EXPECT_EQ(OnPrepare({}, kAdopted, kAdopted, B(1)).answer.kind, VoterAnswer::Kind::kDecided);
  EXPECT_EQ(OnPrepare({}, kAdopted, {1, 6}, B(1)).answer.kind, VoterAnswer::Kind::kBehind);
  EXPECT_EQ(OnPrepare({}, kAdopted, {2, 5}, B(1)).answer.kind, VoterAnswer::Kind::kBehind);
  EXPECT_EQ(OnPrepare({}, {2, 1}, kNext, B(1)).answer.kind, VoterAnswer::Kind::kDecided);
  EXPECT_EQ(OnAccept({}, kAdopted, {1, 6}, B(1), "value").answer.kind, VoterAnswer::Kind::kBehind);
}

TEST(Acceptor, ForgetsADecisionOnceTheNextBegins) {
  const AcceptorState state{kAdopted, B(9), B(9), "old"};
  const VoterStep step = OnPrepare(state, kAdopted, kNext, B(1));
  EXPECT_EQ(step.answer.kind, VoterAnswer::Kind::kPromised);
  EXPECT_EQ(*step.next, Promised(B(1)));
}

TEST(Acceptor, RefusesARoundThatLeavesNoRoomAboveIt) {
  const Ballot forged = B(~uint64_t{0});
  EXPECT_EQ(OnPrepare({}, kAdopted, kNext, forged).answer.kind, VoterAnswer::Kind::kOutbid);
  EXPECT_EQ(OnAccept({}, kAdopted, kNext, forged, "value").answer.kind, VoterAnswer::Kind::kOutbid);
  EXPECT_EQ(OnPrepare({}, kAdopted, kNext, B(kRoundJumpMax)).answer.kind, VoterAnswer::Kind::kPromised);
}

RC_GTEST_PROP(Acceptor, StateSurvivesTheDisk, (uint64_t seed)) {
  Rng rng(seed);
  AcceptorState state{{rng.Below(9), rng.Next()}, B(1 + rng.Below(99), rng.Next()), {}, {}};
  if (rng.Chance(0.5)) {
    state.accepted = {1 + rng.Below(state.promised.round), 0, NodeId{}};
    state.value = Bytes(1 + rng.Below(99), 'x');
  }
  const auto decoded = DecodeAcceptorState(EncodeAcceptorState(state));
  RC_ASSERT(decoded.has_value());
  RC_ASSERT(*decoded == state);
}

TEST(Acceptor, RefusesAStateThatIsMalformed) {
  const Bytes sound = EncodeAcceptorState({kNext, B(2), B(1), "value"});
  ASSERT_TRUE(DecodeAcceptorState(sound).has_value());
  for (size_t cut = 0; cut < sound.size(); ++cut) EXPECT_FALSE(DecodeAcceptorState(sound.substr(0, cut))) << cut;
  EXPECT_FALSE(DecodeAcceptorState(sound + "x"));
  EXPECT_FALSE(DecodeAcceptorState(EncodeAcceptorState({kNext, B(1), B(2), "value"})));
  EXPECT_FALSE(DecodeAcceptorState(EncodeAcceptorState({kNext, B(2), B(1), ""})));
  EXPECT_FALSE(DecodeAcceptorState(EncodeAcceptorState({kNext, B(2), {}, "value"})));
}

}  // namespace
}  // namespace dynamo
