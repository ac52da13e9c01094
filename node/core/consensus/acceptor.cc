#include "node/core/consensus/acceptor.h"

#include <utility>

namespace dynamo {
namespace {

constexpr uint8_t kStateVersion = 1;

VoterStep Refuse(VoterAnswer::Kind kind, const Ballot& ballot, const Ballot& highest = {}) {
  VoterStep step;
  step.answer.kind = kind;
  step.answer.ballot = ballot;
  step.answer.highest = highest;
  return step;
}

// Whether the voter may take part: nullopt, or why not.
std::optional<VoterStep> CheckTurn(const TopologyVersion& adopted, const TopologyVersion& decision,
                                   const Ballot& ballot) {
  if (decision <= adopted) return Refuse(VoterAnswer::Kind::kDecided, ballot);
  if (decision != NextDecision(adopted)) return Refuse(VoterAnswer::Kind::kBehind, ballot);
  return std::nullopt;
}

// What was promised and accepted for an earlier decision is over: a later one only
// comes once that has been adopted.
AcceptorState About(const AcceptorState& state, const TopologyVersion& decision) {
  if (state.decision == decision) return state;
  AcceptorState fresh;
  fresh.decision = decision;
  return fresh;
}

void WriteBallot(ByteWriter& out, const Ballot& ballot) {
  out.Varint(ballot.round);
  out.Varint(ballot.boot);
  out.U64(ballot.node.value);
}

Ballot ReadBallot(ByteReader& in) {
  Ballot ballot;
  ballot.round = in.Varint();
  ballot.boot = in.Varint();
  ballot.node = NodeId{in.U64()};
  return ballot;
}

}  // namespace

VoterStep OnPrepare(const AcceptorState& state, const TopologyVersion& adopted, const TopologyVersion& decision,
                    const Ballot& ballot) {
  if (auto refusal = CheckTurn(adopted, decision, ballot)) return *refusal;
  AcceptorState now = About(state, decision);
  const bool forged = ballot.round > now.promised.round && ballot.round - now.promised.round > kRoundJumpMax;
  if (ballot < now.promised || forged) return Refuse(VoterAnswer::Kind::kOutbid, ballot, now.promised);

  VoterStep step;
  step.answer.kind = VoterAnswer::Kind::kPromised;
  step.answer.ballot = ballot;
  step.answer.accepted = now.accepted;
  step.answer.value = now.value;
  now.promised = ballot;
  if (now != state) step.next = std::move(now);
  return step;
}

VoterStep OnAccept(const AcceptorState& state, const TopologyVersion& adopted, const TopologyVersion& decision,
                   const Ballot& ballot, const Bytes& value) {
  if (auto refusal = CheckTurn(adopted, decision, ballot)) return *refusal;
  AcceptorState now = About(state, decision);
  const bool forged = ballot.round > now.promised.round && ballot.round - now.promised.round > kRoundJumpMax;
  // A ballot proposes one value only.
  const bool another = ballot == now.accepted && value != now.value;
  if (ballot < now.promised || forged || another) return Refuse(VoterAnswer::Kind::kOutbid, ballot, now.promised);

  VoterStep step;
  step.answer.kind = VoterAnswer::Kind::kAccepted;
  step.answer.ballot = ballot;
  now.promised = ballot;
  now.accepted = ballot;
  now.value = value;
  if (now != state) step.next = std::move(now);
  return step;
}

Bytes EncodeAcceptorState(const AcceptorState& state) {
  Bytes encoded;
  ByteWriter out(&encoded);
  out.U8(kStateVersion);
  out.Varint(state.decision.generation);
  out.Varint(state.decision.epoch);
  WriteBallot(out, state.promised);
  WriteBallot(out, state.accepted);
  out.String(state.value);
  return encoded;
}

Result<AcceptorState> DecodeAcceptorState(std::string_view encoded) {
  ByteReader in(encoded);
  const uint8_t version = in.U8();
  AcceptorState state;
  state.decision.generation = in.Varint();
  state.decision.epoch = in.Varint();
  state.promised = ReadBallot(in);
  state.accepted = ReadBallot(in);
  state.value = in.String();
  const bool sound = state.accepted <= state.promised && static_cast<bool>(state.accepted) != state.value.empty();
  if (!in.at_end() || version != kStateVersion || !sound) {
    return Fail(Errc::kCorrupt, "what this voter has promised cannot be read: restore the volume, or replace the node");
  }
  return state;
}

}  // namespace dynamo
