#include "node/core/antientropy/leaf_range.h"

#include <bit>

namespace dynamo {
namespace {

constexpr int kLeafBits = std::countr_zero(kTreeLeaves);

// The leaf's number on the whole ring is the top bits of its positions.
Bytes FirstKeyOfLeaf(uint64_t leaf_of_ring, uint32_t partitions) {
  const int bits = std::countr_zero(partitions) + kLeafBits;
  if (leaf_of_ring >> bits != 0) return {};
  return ToBytes(Hash128{leaf_of_ring << (64 - bits), 0});
}

}  // namespace

uint32_t NodesOfLevel(uint32_t level) {
  uint32_t nodes = 1;
  for (uint32_t above = 0; above < level; ++above) nodes *= kTreeFanOut;
  return nodes;
}

LeafIndex LeafOf(const Hash128& position, uint32_t partitions) {
  const int bits = std::countr_zero(partitions) + kLeafBits;
  return static_cast<LeafIndex>(position.high >> (64 - bits)) & (kTreeLeaves - 1);
}

KeyRange LeafKeyRange(PartitionId partition, uint32_t partitions, LeafIndex first, LeafIndex last) {
  const uint64_t base = uint64_t{partition} * kTreeLeaves;
  return {FirstKeyOfLeaf(base + first, partitions), FirstKeyOfLeaf(base + last + 1, partitions)};
}

}  // namespace dynamo
