#include "node/core/version/clock.h"

#include <algorithm>

#include "common/base/check.h"

namespace dynamo {
namespace {

constexpr size_t kEntryBytesMin = 9;  // Actor and a one-byte counter.

auto FindActor(auto& entries, ActorId actor) { return std::ranges::lower_bound(entries, actor, {}, &Dot::actor); }

}  // namespace

uint64_t VersionVector::Get(ActorId actor) const {
  const auto at = FindActor(entries_, actor);
  return at != entries_.end() && at->actor == actor ? at->counter : 0;
}

void VersionVector::Add(const Dot& dot) {
  DYNAMO_CHECK(dot.actor != ActorId{} && dot.counter <= kCounterMax);
  if (dot.counter == 0) return;
  const auto at = FindActor(entries_, dot.actor);
  if (at == entries_.end() || at->actor != dot.actor) {
    entries_.insert(at, dot);
  } else {
    at->counter = std::max(at->counter, dot.counter);
  }
}

void VersionVector::Join(const VersionVector& other) {
  for (const Dot& dot : other.entries_) Add(dot);
}

bool VersionVector::Dominates(const VersionVector& other) const {
  return std::ranges::all_of(other.entries_, [this](const Dot& dot) { return Covers(dot); });
}

void VersionVector::EncodeTo(ByteWriter& out) const {
  out.Varint(entries_.size());
  for (const Dot& dot : entries_) {
    out.U64(dot.actor.value);
    out.Varint(dot.counter);
  }
}

VersionVector VersionVector::DecodeFrom(ByteReader& in) {
  VersionVector vector;
  const size_t count = in.Count(kEntryBytesMin);
  vector.entries_.reserve(count);
  ActorId previous;  // No actor is zero, so the first must exceed this one too.
  for (size_t i = 0; i < count && in.ok(); ++i) {
    const Dot dot{{in.U64()}, in.Varint()};
    if (dot.actor <= previous || dot.counter == 0 || dot.counter > kCounterMax) in.Invalidate();
    previous = dot.actor;
    vector.entries_.push_back(dot);
  }
  return in.ok() ? vector : VersionVector();
}

}  // namespace dynamo
