// One decision of the register, by the functions of node/core/consensus.
#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "node/core/consensus/acceptor.h"
#include "tests/checker/rings.h"

namespace dynamo::checker {
namespace {

constexpr TopologyVersion kAdopted{1, 1}, kDecision{1, 2};
constexpr int kMajority = 2;

Ballot BallotOf(uint8_t number) { return number == 0 ? Ballot{} : Ballot{number, 1, NodeId{number}}; }
uint8_t NumberOf(const Ballot& ballot) { return static_cast<uint8_t>(ballot.round); }
Bytes ValueOf(uint8_t value) { return value == 0 ? Bytes() : Bytes(1, static_cast<char>('0' + value)); }
uint8_t ValueIn(const Bytes& value) { return value.empty() ? uint8_t{0} : static_cast<uint8_t>(value[0] - '0'); }

AcceptorState StateOf(const VoterState::Voter& voter) {
  return {kDecision, BallotOf(voter.promised), BallotOf(voter.accepted), ValueOf(voter.value)};
}
void Store(const VoterStep& step, VoterState::Voter* voter) {
  if (!step.next) return;
  voter->promised = NumberOf(step.next->promised);
  voter->accepted = NumberOf(step.next->accepted);
  voter->value = ValueIn(step.next->value);
}

}  // namespace

VoterState VoterModel::Initial() const {
  VoterState state{};
  state.wipes = 1;
  return state;
}

void VoterModel::Prepare(const State& state, size_t proposer, size_t voter, bool with_text,
                         std::vector<Step>* steps) const {
  const auto number = static_cast<uint8_t>(proposer + 1);
  const VoterStep step = OnPrepare(StateOf(state.voters[voter]), kAdopted, kDecision, BallotOf(number));
  if (step.answer.kind != VoterAnswer::Kind::kPromised) return;
  State next = state;
  Store(step, &next.voters[voter]);
  VoterState::Asked& asked = next.proposers[proposer];
  asked.promises |= static_cast<uint8_t>(1u << voter);
  const uint8_t accepted = NumberOf(step.answer.accepted);
  if (accepted > asked.highest) {
    asked.highest = accepted;
    asked.value = ValueIn(step.answer.value);
  }
  if (std::popcount(asked.promises) >= kMajority && asked.value == 0) asked.value = number;
  steps->push_back({next, with_text ? fmt::format("voter {} promises ballot {}", voter + 1, number) : ""});
}

void VoterModel::Accept(const State& state, size_t proposer, size_t voter, bool with_text,
                        std::vector<Step>* steps) const {
  const auto number = static_cast<uint8_t>(proposer + 1);
  const uint8_t value = state.proposers[proposer].value;
  const VoterStep step = OnAccept(StateOf(state.voters[voter]), kAdopted, kDecision, BallotOf(number), ValueOf(value));
  if (step.answer.kind != VoterAnswer::Kind::kAccepted) return;
  State next = state;
  Store(step, &next.voters[voter]);
  next.proposers[proposer].accepts |= static_cast<uint8_t>(1u << voter);
  steps->push_back(
      {next, with_text ? fmt::format("voter {} accepts v{} under ballot {}", voter + 1, value, number) : ""});
}

void VoterModel::Steps(const State& state, bool with_text, std::vector<Step>* steps) const {
  steps->clear();
  for (size_t voter = 0; voter < state.voters.size(); ++voter) {
    const bool votes = state.voters[voter].wiped == 0 || off_ == RingRule::kWipedVoterNeverVotes;
    for (size_t proposer = 0; votes && proposer < state.proposers.size(); ++proposer) {
      const bool proposes = std::popcount(state.proposers[proposer].promises) >= kMajority;
      if (!proposes) Prepare(state, proposer, voter, with_text, steps);
      if (proposes) Accept(state, proposer, voter, with_text, steps);
    }
    if (state.wipes == 0) continue;
    State next = state;
    --next.wipes;
    next.voters[voter] = {.promised = 0, .accepted = 0, .value = 0, .wiped = 1};
    steps->push_back({next, with_text ? fmt::format("the disk of voter {} is wiped", voter + 1) : ""});
  }
}

std::string VoterModel::Check(const State& state) const {
  uint8_t chosen = 0;
  for (const VoterState::Asked& asked : state.proposers) {
    if (std::popcount(asked.accepts) < kMajority) continue;
    if (chosen != 0 && chosen != asked.value) return "P9 two topologies are decided for one epoch";
    chosen = asked.value;
  }
  return "";
}

}  // namespace dynamo::checker
