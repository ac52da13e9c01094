// The name of an object and its place on the ring.
#ifndef DYNAMO_NODE_CORE_VERSION_OBJECT_KEY_H_
#define DYNAMO_NODE_CORE_VERSION_OBJECT_KEY_H_

#include <compare>
#include <string>
#include <string_view>

#include "common/base/bytes.h"
#include "common/base/hash.h"
#include "common/base/result.h"

namespace dynamo {

// An object lives at (bucket type, bucket, key); all three are byte strings.
struct ObjectKey {
  std::string type;
  std::string bucket;
  std::string key;

  friend auto operator<=>(const ObjectKey&, const ObjectKey&) = default;
};

// Where the key sits on the ring: XXH3-128, seeded per cluster, of the length-
// prefixed parts (so that no two keys share an image by moving a boundary).
Hash128 PositionOf(const ObjectKey& key, uint64_t ring_seed);

// hash128 | varint length + type | varint length + bucket | key. The store's key
// order is the ring's order, so a partition is one contiguous range.
Bytes StorageKeyOf(const ObjectKey& key, uint64_t ring_seed);
// Without hashing again. kCorrupt if malformed.
Result<ObjectKey> ParseStorageKey(std::string_view storage_key);
// The first 16 bytes.
Hash128 PositionOfStorageKey(std::string_view storage_key);

// "type/bucket/key" with unprintable bytes escaped, for logs and messages.
std::string ToString(const ObjectKey& key);

}  // namespace dynamo

#endif  // DYNAMO_NODE_CORE_VERSION_OBJECT_KEY_H_
