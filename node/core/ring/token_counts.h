// How many tokens each node gets: the capped ideal in whole numbers.
#ifndef DYNAMO_NODE_CORE_RING_TOKEN_COUNTS_H_
#define DYNAMO_NODE_CORE_RING_TOKEN_COUNTS_H_

#include <cstdint>
#include <vector>

namespace dynamo {

// One who shares: a node, or a zone made of nodes.
struct TokenShare {
  double ideal = 0;    // In tokens.
  uint32_t today = 0;  // What it holds now.
};

// Whole numbers that sum to `total` (as the ideals do, give or take one for each
// share), each within one of its ideal: its floor or ceiling, and at most
// `soft_max`, as far as the sum allows. What that leaves open follows today, then
// the fractions. Nobody goes empty-handed while another can spare a token.
std::vector<uint32_t> RoundShares(const std::vector<TokenShare>& shares, uint32_t total, uint32_t soft_max);

}  // namespace dynamo

#endif  // DYNAMO_NODE_CORE_RING_TOKEN_COUNTS_H_
