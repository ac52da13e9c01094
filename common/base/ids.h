// The identities of clusters and nodes.
#ifndef DYNAMO_COMMON_BASE_IDS_H_
#define DYNAMO_COMMON_BASE_IDS_H_

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "common/base/hash.h"
#include "common/base/result.h"

namespace dynamo {

// A node is its id, drawn at random at first start and kept on its volume.
// Names and addresses may change under it. Zero is "none".
struct NodeId {
  uint64_t value = 0;

  explicit operator bool() const { return value != 0; }
  friend auto operator<=>(const NodeId&, const NodeId&) = default;
};

// Drawn at random when the cluster is created. Zero is "none".
struct ClusterId {
  Hash128 value;

  explicit operator bool() const { return value != Hash128{}; }
  friend auto operator<=>(const ClusterId&, const ClusterId&) = default;
};

// 16 hexadecimal digits.
std::string ToString(NodeId id);
Result<NodeId> ParseNodeId(std::string_view text);

// 8-4-4-4-12 hexadecimal digits.
std::string ToString(const ClusterId& id);
Result<ClusterId> ParseClusterId(std::string_view text);

}  // namespace dynamo

template <>
struct std::hash<dynamo::NodeId> {
  size_t operator()(dynamo::NodeId id) const noexcept { return std::hash<uint64_t>()(id.value); }
};

#endif  // DYNAMO_COMMON_BASE_IDS_H_
