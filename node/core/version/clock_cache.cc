#include "node/core/version/clock_cache.h"

#include <algorithm>
#include <bit>
#include <limits>

namespace dynamo {

ClockCache::ClockCache(size_t entries) {
  if (entries < kWays) return;
  entries_.resize(std::bit_ceil(entries));
  mask_ = entries_.size() / kWays - 1;
}

std::optional<CachedState> ClockCache::Lookup(const Hash128& position) const {
  if (entries_.empty()) return std::nullopt;
  const size_t set = SetOf(position);
  for (size_t i = set; i < set + kWays; ++i) {
    if (Holds(entries_[i], position)) return Unpack(entries_[i]);
  }
  return std::nullopt;
}

void ClockCache::Store(const Hash128& position, const CachedState& state) {
  if (entries_.empty()) return;
  const std::optional<Entry> packed = Pack(position, state);
  if (!packed) return Forget(position);
  Entry& younger = entries_[SetOf(position)];
  Entry& older = entries_[SetOf(position) + 1];
  const bool pushes = !Holds(younger, position) && younger.kind != Kind::kFree;
  if (pushes || Holds(older, position)) older = younger;
  younger = *packed;
}

void ClockCache::Forget(const Hash128& position) {
  if (entries_.empty()) return;
  const size_t set = SetOf(position);
  for (size_t i = set; i < set + kWays; ++i) {
    if (Holds(entries_[i], position)) entries_[i].kind = Kind::kFree;
  }
}

void ClockCache::ForgetAll() { std::ranges::fill(entries_, Entry{}); }

std::optional<ClockCache::Entry> ClockCache::Pack(const Hash128& position, const CachedState& state) {
  Entry entry{.position = position, .digest = state.digest};
  const ObjectHeader& header = state.header;
  if (header.policy == ConflictPolicy::kLastWriterWins) {
    entry.kind = Kind::kLww;
    entry.actors = {header.lww_dot.actor.value, header.lww_dot.counter, header.stamp, 0};
    return entry;
  }
  entry.kind = Kind::kSiblings;
  if (header.clock.size() > kActorsMax) return std::nullopt;
  size_t i = 0;
  for (const Dot& dot : header.clock.entries()) {
    if (dot.counter > std::numeric_limits<uint32_t>::max()) return std::nullopt;
    entry.actors[i] = dot.actor.value;
    entry.counters[i++] = static_cast<uint32_t>(dot.counter);
  }
  return entry;
}

CachedState ClockCache::Unpack(const Entry& entry) {
  CachedState state;
  state.digest = entry.digest;
  if (entry.kind == Kind::kLww) {
    state.header.policy = ConflictPolicy::kLastWriterWins;
    state.header.lww_dot = {{entry.actors[0]}, entry.actors[1]};
    state.header.stamp = entry.actors[2];
    return state;
  }
  for (size_t i = 0; i < kActorsMax && entry.counters[i] != 0; ++i) {
    state.header.clock.Add({{entry.actors[i]}, entry.counters[i]});
  }
  return state;
}

}  // namespace dynamo
