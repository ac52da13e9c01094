// The numbers that proposers of one decision outbid each other with.
#ifndef DYNAMO_NODE_CORE_CONSENSUS_BALLOT_H_
#define DYNAMO_NODE_CORE_CONSENSUS_BALLOT_H_

#include <algorithm>
#include <compare>
#include <cstdint>

#include "common/base/ids.h"

namespace dynamo {

// Ordered by round first. No two attempts share one: a node names itself and its
// boot number, which no two of its starts share, and raises the round within one.
struct Ballot {
  uint64_t round = 0;  // 0: no ballot at all.
  uint64_t boot = 0;
  NodeId node;

  explicit operator bool() const { return round != 0; }
  friend auto operator<=>(const Ballot&, const Ballot&) = default;
};

// Rounds rise by one for each attempt: a jump beyond this is a forgery that would
// leave no room to outbid it.
inline constexpr uint64_t kRoundJumpMax = uint64_t{1} << 20;

// The next ballot of who made `own`, above it and above what it has heard of.
inline Ballot Outbid(const Ballot& own, const Ballot& heard) {
  return {std::max(own.round, heard.round) + 1, own.boot, own.node};
}

}  // namespace dynamo

#endif  // DYNAMO_NODE_CORE_CONSENSUS_BALLOT_H_
