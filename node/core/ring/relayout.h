// Changing a layout as little as its new token counts and its rules allow.
#ifndef DYNAMO_NODE_CORE_RING_RELAYOUT_H_
#define DYNAMO_NODE_CORE_RING_RELAYOUT_H_

#include <cstdint>
#include <vector>

#include "common/base/random.h"
#include "node/core/ring/ring_layout.h"

namespace dynamo {

// What a layout costs against the one of today: how many replicas move. A replica
// is a node in a window, so a token that moves next door moves few of them.
class MoveCost {
 public:
  // `today` has kNobody where the owner is gone; empty: nothing costs anything.
  MoveCost(std::vector<uint32_t> today, uint32_t window);

  // The replicas that `node` has to be given so that it can hold `token`: the
  // windows over the token that it had no part in.
  int64_t At(uint32_t token, uint32_t node) const;
  // The owner of today.
  uint32_t Home(uint32_t token) const { return today_.empty() ? kNobody : today_[token]; }
  bool AtHome(uint32_t token, uint32_t node) const { return today_.empty() || today_[token] == node; }
  int64_t Of(const RingLayout& layout) const;

 private:
  std::vector<uint32_t> today_;
  uint32_t window_;
  uint32_t mask_;
};

// Gives nodes below their count tokens of nodes above it, each where it strains
// least at that moment. Moves no token twice. `counts` sum to the partitions.
void HandOver(RingLayout& layout, const std::vector<uint32_t>& counts, Rng& rng);

// Swaps tokens, for the worse if need be, until the strain is at most `strain_max`
// or `swaps_max` swaps are done; leaves the layout with the least strain it has seen.
void Relieve(RingLayout& layout, const MoveCost& cost, int64_t strain_max, uint32_t swaps_max, Rng& rng);

// How many tokens each node may end with.
struct CountRange {
  std::vector<uint32_t> low;
  std::vector<uint32_t> high;
};

// Swaps tokens that are strained or away from home, or gives them to others within
// the range, never for the worse: first the strain counts, then the cost.
void Settle(RingLayout& layout, const MoveCost& cost, const CountRange& range, Rng& rng);

// Swaps tokens at random without adding strain, so that the neighbours of a node
// are many: what it held spreads over all when it fails (Dynamo section 4.2).
void Mix(RingLayout& layout, Rng& rng);

}  // namespace dynamo

#endif  // DYNAMO_NODE_CORE_RING_RELAYOUT_H_
