// Dots and version vectors: who wrote what, and what a state has seen.
//
// Preguica, Baquero, Almeida, Fonte, Goncalves: "Dotted Version Vectors: Logical
// Clocks for Optimistic Replication"; Dynamo section 4.4.
#ifndef DYNAMO_NODE_CORE_VERSION_CLOCK_H_
#define DYNAMO_NODE_CORE_VERSION_CLOCK_H_

#include <compare>
#include <cstdint>
#include <vector>

#include "common/base/bytes.h"

namespace dynamo {

// Who mints dots: random, drawn anew at every process start and for every tenure
// of a partition (see service/actors.h), never stored for reuse. Zero is "none".
struct ActorId {
  uint64_t value = 0;

  friend auto operator<=>(const ActorId&, const ActorId&) = default;
};

// One write event. A vector that has (actor, counter) claims every earlier dot of
// that actor on the key too.
struct Dot {
  ActorId actor;
  uint64_t counter = 0;

  friend auto operator<=>(const Dot&, const Dot&) = default;
};

// Larger counters are refused on decoding, so that a forged one can never make the
// next overflow. A key is not written that often.
inline constexpr uint64_t kCounterMax = (uint64_t{1} << 63) - 1;

// The highest counter seen of each actor, kept sorted by actor with no zero
// counters, so that equal vectors are equal bytes.
class VersionVector {
 public:
  // Zero for an actor that is not there.
  uint64_t Get(ActorId actor) const;
  bool Covers(const Dot& dot) const { return Get(dot.actor) >= dot.counter; }
  // Raises the actor's counter to at least the dot's. The actor must not be zero,
  // the counter at most kCounterMax.
  void Add(const Dot& dot);
  // The least vector that covers both.
  void Join(const VersionVector& other);
  // Every dot of `other` is covered by this one; equal vectors dominate each other.
  bool Dominates(const VersionVector& other) const;

  bool empty() const { return entries_.empty(); }
  size_t size() const { return entries_.size(); }
  const std::vector<Dot>& entries() const { return entries_; }

  void EncodeTo(ByteWriter& out) const;
  // Invalidates `in` unless the encoding is canonical: sorted, no duplicates, no
  // zero actor, counters in [1, kCounterMax].
  static VersionVector DecodeFrom(ByteReader& in);

  friend bool operator==(const VersionVector&, const VersionVector&) = default;

 private:
  std::vector<Dot> entries_;
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_CORE_VERSION_CLOCK_H_
