// The ring: 2^k equal partitions of the space of 128-bit positions, each given to
// one node. Dynamo sections 4.2 and 6.2 (strategy 3).
#ifndef DYNAMO_NODE_CORE_RING_TOKEN_MAP_H_
#define DYNAMO_NODE_CORE_RING_TOKEN_MAP_H_

#include <cstdint>
#include <utility>
#include <vector>

#include "common/base/hash.h"
#include "common/base/ids.h"

namespace dynamo {

using PartitionId = uint32_t;

inline constexpr uint32_t kPartitionsMin = 8;
inline constexpr uint32_t kPartitionsMax = 4096;
inline constexpr uint32_t kPartitionsDefault = 256;

// A power of two in [kPartitionsMin, kPartitionsMax].
bool IsValidPartitionCount(uint32_t partitions);

// The top k bits of the position; `partitions` is valid.
PartitionId PartitionOf(const Hash128& position, uint32_t partitions);

// The positions of a partition: first and last, both inside.
std::pair<Hash128, Hash128> PartitionRange(PartitionId partition, uint32_t partitions);

// owners()[p] is the node that holds token p. Ring order is index order, closed
// at the end.
class TokenMap {
 public:
  TokenMap() = default;
  explicit TokenMap(std::vector<NodeId> owners) : owners_(std::move(owners)) {}

  uint32_t partitions() const { return static_cast<uint32_t>(owners_.size()); }
  bool empty() const { return owners_.empty(); }
  NodeId owner(PartitionId partition) const { return owners_[partition]; }
  const std::vector<NodeId>& owners() const { return owners_; }
  uint32_t TokensOf(NodeId node) const;

  friend bool operator==(const TokenMap&, const TokenMap&) = default;

 private:
  std::vector<NodeId> owners_;
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_CORE_RING_TOKEN_MAP_H_
