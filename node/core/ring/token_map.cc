#include "node/core/ring/token_map.h"

#include <algorithm>
#include <bit>

namespace dynamo {

bool IsValidPartitionCount(uint32_t partitions) {
  return std::has_single_bit(partitions) && partitions >= kPartitionsMin && partitions <= kPartitionsMax;
}

PartitionId PartitionOf(const Hash128& position, uint32_t partitions) {
  const int bits = std::countr_zero(partitions);
  return static_cast<PartitionId>(position.high >> (64 - bits));
}

std::pair<Hash128, Hash128> PartitionRange(PartitionId partition, uint32_t partitions) {
  const int bits = std::countr_zero(partitions);
  const uint64_t first = uint64_t{partition} << (64 - bits);
  return {{first, 0}, {first | (~uint64_t{0} >> bits), ~uint64_t{0}}};
}

uint32_t TokenMap::TokensOf(NodeId node) const {
  return static_cast<uint32_t>(std::count(owners_.begin(), owners_.end(), node));
}

}  // namespace dynamo
