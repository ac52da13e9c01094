// The 128-bit hash that places keys on the ring and names states of objects.
#ifndef DYNAMO_COMMON_BASE_HASH_H_
#define DYNAMO_COMMON_BASE_HASH_H_

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace dynamo {

// Ordered as the unsigned 128-bit number high * 2^64 + low.
struct Hash128 {
  uint64_t high = 0;
  uint64_t low = 0;

  friend auto operator<=>(const Hash128&, const Hash128&) = default;
};

// XXH3-128 of `data` under `seed`.
Hash128 HashOf(std::string_view data, uint64_t seed = 0);

// XXH3-64 of `data`; for checksums.
uint64_t Checksum64(std::string_view data);

// 16 bytes, most significant first, so that byte order is number order.
std::string ToBytes(const Hash128& hash);

// 32 lower-case hexadecimal digits.
std::string ToHex(const Hash128& hash);

}  // namespace dynamo

template <>
struct std::hash<dynamo::Hash128> {
  size_t operator()(const dynamo::Hash128& hash) const noexcept { return hash.low; }
};

#endif  // DYNAMO_COMMON_BASE_HASH_H_
