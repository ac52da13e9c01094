// Which positions of the ring are under which leaf of a partition's Merkle tree.
//
// A partition is cut into kTreeLeaves equal ranges. The store's key order is the
// ring's order, so a leaf is one contiguous range of stored keys.
#ifndef DYNAMO_NODE_CORE_ANTIENTROPY_LEAF_RANGE_H_
#define DYNAMO_NODE_CORE_ANTIENTROPY_LEAF_RANGE_H_

#include <cstdint>

#include "common/base/bytes.h"
#include "common/base/hash.h"
#include "node/core/ring/token_map.h"

namespace dynamo {

// Level 0 is the root, kTreeLevels - 1 the leaves. All owners must agree on the
// shape: it is part of the protocol.
inline constexpr uint32_t kTreeFanOut = 32;
inline constexpr uint32_t kTreeLevels = 3;
inline constexpr uint32_t kTreeLeaves = kTreeFanOut * kTreeFanOut;

using LeafIndex = uint32_t;

// How many nodes a level has; `level` is below kTreeLevels.
uint32_t NodesOfLevel(uint32_t level);

// The leaf over a position, in the tree of the partition that the position is in.
LeafIndex LeafOf(const Hash128& position, uint32_t partitions);

// Stored keys in [begin, end); an empty `end` is the end of the store.
struct KeyRange {
  Bytes begin;
  Bytes end;

  friend bool operator==(const KeyRange&, const KeyRange&) = default;
};

// Of the leaves first to last, both included.
KeyRange LeafKeyRange(PartitionId partition, uint32_t partitions, LeafIndex first, LeafIndex last);

}  // namespace dynamo

#endif  // DYNAMO_NODE_CORE_ANTIENTROPY_LEAF_RANGE_H_
