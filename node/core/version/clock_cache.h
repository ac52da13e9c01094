// What a shard remembers of the states of its keys, so that most replica writes
// need no read: one whose clock dominates the remembered one is simply put.
//
// Bounded, two ways a set, the older of a full set gives way. It holds what the
// caller stored last or nothing, never another key's: the whole position is
// compared. Whoever writes a key must Store or Forget it in the same step.
#ifndef DYNAMO_NODE_CORE_VERSION_CLOCK_CACHE_H_
#define DYNAMO_NODE_CORE_VERSION_CLOCK_CACHE_H_

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "common/base/hash.h"
#include "node/core/version/object.h"

namespace dynamo {

struct CachedState {
  ObjectHeader header;
  Hash128 digest;  // DigestOf the encoding; zero: the key is known to be absent.

  friend bool operator==(const CachedState&, const CachedState&) = default;
};

class ClockCache {
 public:
  // Rounded up to a power of two; below two nothing is ever kept.
  explicit ClockCache(size_t entries);

  std::optional<CachedState> Lookup(const Hash128& position) const;
  // A clock of more than kActorsMax entries, or with a counter that does not fit
  // 32 bits, is forgotten instead.
  void Store(const Hash128& position, const CachedState& state);
  void Forget(const Hash128& position);
  void ForgetAll();

  static constexpr size_t kActorsMax = 4;

 private:
  enum class Kind : uint8_t { kFree, kSiblings, kLww };
  // 88 bytes, in place. Under kLww actors[0] and actors[1] are the dot, actors[2]
  // is the stamp.
  struct Entry {
    Hash128 position;
    Hash128 digest;
    std::array<uint64_t, kActorsMax> actors{};
    std::array<uint32_t, kActorsMax> counters{};  // Zero: unused.
    Kind kind = Kind::kFree;
  };
  static constexpr size_t kWays = 2;

  static std::optional<Entry> Pack(const Hash128& position, const CachedState& state);
  static CachedState Unpack(const Entry& entry);
  // The first entry of the position's set; the younger one comes first.
  size_t SetOf(const Hash128& position) const { return (position.low & mask_) * kWays; }
  static bool Holds(const Entry& entry, const Hash128& position) {
    return entry.kind != Kind::kFree && entry.position == position;
  }

  std::vector<Entry> entries_;
  uint64_t mask_ = 0;
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_CORE_VERSION_CLOCK_CACHE_H_
