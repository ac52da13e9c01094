// One attempt to decide the next topology: what to ask of the voters, and what
// their answers come to.
#ifndef DYNAMO_NODE_CORE_CONSENSUS_PROPOSER_H_
#define DYNAMO_NODE_CORE_CONSENSUS_PROPOSER_H_

#include <cstddef>
#include <cstdint>
#include <set>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/random.h"
#include "common/base/time.h"
#include "node/core/consensus/acceptor.h"
#include "node/core/consensus/ballot.h"

namespace dynamo {

// First every voter is asked to promise, then every voter to accept: the proposal
// that any of a majority has accepted under the highest ballot, or else our own. So
// a decision that somebody has taken, or may have, is taken again and not another.
class Proposer {
 public:
  enum class Phase : uint8_t {
    kPreparing,
    kAccepting,
    // The end:
    kChosen,       // value() is decided, for good.
    kDecided,      // A voter holds that decision already: adopt it from there.
    kOutbid,       // Somebody else is at it: try again above highest(), after a while.
    kUnreachable,  // Too few voters answer.
  };

  // `voters` as the topology before the decision names them.
  Proposer(std::vector<NodeId> voters, Ballot ballot, Bytes proposal);

  // The answer to the request of phase `asked_in` (kPreparing, kAccepting). What is
  // late, repeated, of another ballot or of no voter changes nothing.
  Phase OnAnswer(NodeId from, Phase asked_in, const VoterAnswer& answer);
  // No answer, or a refusal, to that request.
  Phase OnFailure(NodeId from, Phase asked_in);

  Phase phase() const { return phase_; }
  const Ballot& ballot() const { return ballot_; }
  // From kAccepting on: what is, or was to be, accepted.
  const Bytes& value() const { return value_; }
  bool is_own() const { return value_ == proposal_; }
  // The proposal has been sent, so that it may be decided even if this attempt
  // was not seen to succeed.
  bool asked_to_accept() const { return asked_to_accept_; }
  const Ballot& highest() const { return highest_; }
  size_t majority() const { return voters_.size() / 2 + 1; }
  // Voters that answered at all, in either phase, or too late for it.
  size_t answered() const { return answered_.size(); }

 private:
  void Judge();

  std::set<NodeId> voters_;
  Ballot ballot_;
  Bytes proposal_;
  Phase phase_ = Phase::kPreparing;
  std::set<NodeId> agreed_, refused_;  // In this phase.
  std::set<NodeId> answered_;
  bool outbid_ = false;
  bool asked_to_accept_ = false;
  Ballot highest_;
  Ballot best_accepted_;
  Bytes value_;
};

// How long to wait before attempt number `attempt` (from 1): at random around a
// mean that doubles, so that of two proposers one soon gets through undisturbed.
Duration RetryDelay(uint32_t attempt, Duration base, Duration max, Rng& rng);

}  // namespace dynamo

#endif  // DYNAMO_NODE_CORE_CONSENSUS_PROPOSER_H_
