// How many tokens each node gets: the capped ideal in whole numbers.
#ifndef DYNAMO_NODE_CORE_RING_TOKEN_COUNTS_H_
#define DYNAMO_NODE_CORE_RING_TOKEN_COUNTS_H_

#include <cstdint>
#include <vector>

namespace dynamo {

// One who shares: a node, or a zone made of nodes.
struct TokenShare {
  double ideal = 0;       // In tokens.
  uint32_t today = 0;     // What it holds now.
  uint32_t slack = 1;     // How far it may be from its ideal: one for each node in it.
  uint32_t soft_max = 0;  // More cannot be kept apart on the ring.
};

// A zone's share: the sum of its nodes'.
TokenShare SumOf(const std::vector<TokenShare>& shares);

// Whole numbers that sum to `total` (as the ideals do, give or take the slack):
// floors or ceilings of the ideals, else within the slack, and at most `soft_max`
// as far as the sum allows. What that leaves open follows today, then the
// fractions. Nobody goes empty-handed while another can spare a token.
std::vector<uint32_t> RoundShares(const std::vector<TokenShare>& shares, uint32_t total);

// The floor or the ceiling of an ideal that may be off by a rounding error.
uint32_t Floor(double ideal);
uint32_t Ceiling(double ideal);

}  // namespace dynamo

#endif  // DYNAMO_NODE_CORE_RING_TOKEN_COUNTS_H_
