// Reap generations: before which barrier something was read. See docs/reaping.md.
//
// Each partition has one number at each member. Whatever carries an object from node
// to node is stamped with the sender's number as it was before the object was read.
#ifndef DYNAMO_NODE_CORE_REAP_GENERATION_H_
#define DYNAMO_NODE_CORE_REAP_GENERATION_H_

#include <cstdint>

namespace dynamo {

using ReapGeneration = uint64_t;

// How a stamp, or a generation that somebody speaks of, stands to one's own.
enum class GenerationStanding : uint8_t {
  kPresent,
  kBehind,        // What was read then is refused.
  kAhead,         // To be adopted, before anything of it is taken.
  kOneIsOldDisk,  // Two apart or more, which no two members ever are: see below.
};

// A member goes on from a generation only when all have adopted it. So who is two
// behind has not been asked, or has forgotten: its disk is an old copy.
inline GenerationStanding StandingOf(ReapGeneration own, ReapGeneration other) {
  if (other == own) return GenerationStanding::kPresent;
  const ReapGeneration apart = other > own ? other - own : own - other;
  if (apart > 1) return GenerationStanding::kOneIsOldDisk;
  return other < own ? GenerationStanding::kBehind : GenerationStanding::kAhead;
}

}  // namespace dynamo

#endif  // DYNAMO_NODE_CORE_REAP_GENERATION_H_
