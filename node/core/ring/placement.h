// Which node gets which token: one pure function. Dynamo section 6.2, strategy 3,
// with capacities and zones.
#ifndef DYNAMO_NODE_CORE_RING_PLACEMENT_H_
#define DYNAMO_NODE_CORE_RING_PLACEMENT_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "common/base/ids.h"
#include "common/base/result.h"
#include "node/core/ring/token_map.h"
#include "node/core/ring/topology.h"

namespace dynamo {

// Members that join are placed as if they were there; who leaves gets nothing.
inline bool TakesTokens(const Member& member) {
  return member.state == MemberState::kNormal || member.state == MemberState::kJoining;
}

// The capped ideal: shares of the ring in proportion to capacity, water-filled
// under caps of 1/min(N, members) a node and 1/min(N, zones) a zone. Where these
// caps leave a part of the ring to nobody (a zone with fewer nodes than its equal
// part of the copies needs), a zone may hold up to what still leaves one copy of
// each key in every zone.
struct IdealShares {
  std::map<NodeId, double> tokens;  // Sums to the number of partitions.
  // What the caps took from someone, in words, for the administrator; empty if nothing.
  std::vector<std::string> reductions;
};
IdealShares ComputeIdealShares(const std::vector<Member>& members, uint32_t partitions, uint32_t n_val);

struct Placement {
  TokenMap map;
  uint32_t moved = 0;  // Tokens that change their owner against `today`.
  // What cannot be had, in words: effective N below n_val, too few zones, a share
  // that caps cut. Never bent silently.
  std::vector<std::string> unsatisfied;
};

// Places `partitions` tokens on `members` (states kNormal and kJoining only).
// Promises, with n = min(n_val, members) and z = min(n, zones):
//  - every node has within one token of its capped ideal;
//  - any n tokens in a row, across the wrap-around, belong to n distinct nodes
//    in at least z distinct zones;
//  - few tokens move away from `today` (empty: there is none);
//  - deterministic in its arguments.
// What the numbers make impossible (3 members can never alternate evenly on 8
// tokens, across the wrap-around) is reported in `unsatisfied`, and the walk of
// preference_list.h still finds distinct nodes and zones by skipping.
// kInvalidArgument: no members, a bad number of partitions or N.
Result<Placement> PlaceTokens(const std::vector<Member>& members, uint32_t partitions, uint32_t n_val,
                              const TokenMap& today);

}  // namespace dynamo

#endif  // DYNAMO_NODE_CORE_RING_PLACEMENT_H_
