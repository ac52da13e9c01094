// Changing a layout as little as its new token counts and its rules allow.
#ifndef DYNAMO_NODE_CORE_RING_RELAYOUT_H_
#define DYNAMO_NODE_CORE_RING_RELAYOUT_H_

#include <cstdint>
#include <vector>

#include "common/base/random.h"
#include "node/core/ring/ring_layout.h"

namespace dynamo {

// The tokens of `layout` whose owner is another one than in `today` (same size;
// kNobody: its owner is gone).
uint32_t Moved(const RingLayout& layout, const std::vector<uint32_t>& today);

// Gives nodes below their count tokens of nodes above it, with as little strain as
// can be had at each gift. Moves no token twice. `counts` sum to the partitions.
void HandOver(RingLayout& layout, const std::vector<uint32_t>& counts, Rng& rng);

// Swaps tokens until the strain is gone or `swaps_max` are done; prefers swaps that
// bring tokens back to their owner of `today`. Keeps the best it has seen.
void Relieve(RingLayout& layout, const std::vector<uint32_t>& today, uint32_t swaps_max, Rng& rng);

// Brings tokens back to their owner of `today` by swaps that add no strain.
void BringBack(RingLayout& layout, const std::vector<uint32_t>& today, Rng& rng);

// Swaps tokens at random without adding strain, so that the neighbours of a node
// are many: what it held spreads over all when it fails (Dynamo section 4.2).
void Mix(RingLayout& layout, Rng& rng);

}  // namespace dynamo

#endif  // DYNAMO_NODE_CORE_RING_RELAYOUT_H_
