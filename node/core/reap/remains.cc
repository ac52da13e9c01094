#include "node/core/reap/remains.h"

#include <algorithm>

namespace dynamo {
Object RemainsOf(const Object& object) {
  Object remains;
  remains.policy = object.policy;
  if (object.deleted()) return remains;
  if (object.policy == ConflictPolicy::kLastWriterWins) return object;
  remains.siblings = object.siblings;
  for (const Sibling& sibling : remains.siblings) {
    // The actor's whole entry: a vector claims every earlier dot too.
    remains.clock.Add({sibling.dot.actor, object.clock.Get(sibling.dot.actor)});
  }
  return remains;
}

bool IsWorthReaping(const Object& object, const ReapLimits& limits) {
  const bool young = std::any_of(object.siblings.begin(), object.siblings.end(),
                                 [&](const Sibling& sibling) { return sibling.last_modified_us > limits.written_by; });
  if (young) return false;
  if (object.deleted()) return true;
  return object.clock.size() > limits.clock_entries_max && RemainsOf(object).clock.size() < object.clock.size();
}

}  // namespace dynamo
