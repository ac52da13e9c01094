// A voter's part in deciding the next topology: Paxos for one decision at a time
// (Lamport 2001; as a register that is read and changed: CASPaxos, Rystsov 2018).
//
// Each epoch is one decision, taken by a majority of the voters that the topology
// before it names. A voter takes part in the decision that follows the topology it
// has adopted, and in no other: so epochs step by one, and the voters of each are
// known to all who take part.
#ifndef DYNAMO_NODE_CORE_CONSENSUS_ACCEPTOR_H_
#define DYNAMO_NODE_CORE_CONSENSUS_ACCEPTOR_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "node/core/consensus/ballot.h"
#include "node/core/ring/topology.h"

namespace dynamo {

// What a voter must never forget: on stable storage before any answer made from it
// leaves.
struct AcceptorState {
  TopologyVersion decision;  // The one that the rest is about; epoch 0: none so far.
  Ballot promised;           // Lower ballots are refused,
  Ballot accepted;           // the highest that was accepted,
  Bytes value;               // and what it proposed: an encoded topology.

  friend bool operator==(const AcceptorState&, const AcceptorState&) = default;
};

// The decision that follows a topology.
inline TopologyVersion NextDecision(const TopologyVersion& adopted) { return {adopted.generation, adopted.epoch + 1}; }

struct VoterAnswer {
  enum class Kind : uint8_t {
    kPromised = 1,  // With what it has accepted, if anything.
    kAccepted = 2,
    kOutbid = 3,   // It promised `highest`, which is above.
    kDecided = 4,  // It has adopted that decision, or a later one.
    kBehind = 5,   // It has not adopted the topology before.
  };
  Kind kind = Kind::kBehind;
  Ballot ballot;    // Of the request.
  Ballot highest;   // kOutbid.
  Ballot accepted;  // kPromised; none: nothing was accepted.
  Bytes value;      // kPromised with `accepted`: that proposal.
};

// The answer, and the state that has to be stored first if it changes.
struct VoterStep {
  VoterAnswer answer;
  std::optional<AcceptorState> next;
};

// `adopted`: the topology that the voter holds durably. `ballot` is one.
VoterStep OnPrepare(const AcceptorState& state, const TopologyVersion& adopted, const TopologyVersion& decision,
                    const Ballot& ballot);
VoterStep OnAccept(const AcceptorState& state, const TopologyVersion& adopted, const TopologyVersion& decision,
                   const Ballot& ballot, const Bytes& value);

Bytes EncodeAcceptorState(const AcceptorState& state);
// kCorrupt: malformed.
Result<AcceptorState> DecodeAcceptorState(std::string_view encoded);

}  // namespace dynamo

#endif  // DYNAMO_NODE_CORE_CONSENSUS_ACCEPTOR_H_
