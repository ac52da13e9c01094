// What a reaped object leaves behind: nothing if it is deleted; else its siblings, under
// a vector of their actors alone. (A tombstone beside other siblings stays: without it
// the vector could be the same, and equal vectors must mean equal siblings.)
//
// Not a join: the less comes after the more. It is right only where nothing exists any
// more that the object superseded, which a ReapRound proves.
#ifndef DYNAMO_NODE_CORE_REAP_REMAINS_H_
#define DYNAMO_NODE_CORE_REAP_REMAINS_H_

#include <cstddef>

#include "common/base/time.h"
#include "node/core/version/object.h"

namespace dynamo {

// Never written: nothing remains. Equal objects leave equal remains.
Object RemainsOf(const Object& object);

struct ReapLimits {
  size_t clock_entries_max = 50;  // Longer vectors are cut.
  // Only what was written by then: what is still on its way would end a round in vain.
  // Nothing rests on it.
  WallMicros written_by = 0;
};

// Something would go: it is deleted, or its vector is too long.
bool IsWorthReaping(const Object& object, const ReapLimits& limits);

}  // namespace dynamo

#endif  // DYNAMO_NODE_CORE_REAP_REMAINS_H_
