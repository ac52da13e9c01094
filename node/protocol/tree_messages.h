// Merkle trees and what is under their leaves, to and from messages: whatever a
// peer sends is bounded and well-formed once it has passed here.
#ifndef DYNAMO_NODE_PROTOCOL_TREE_MESSAGES_H_
#define DYNAMO_NODE_PROTOCOL_TREE_MESSAGES_H_

#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "node/core/antientropy/leaf_range.h"
#include "node/core/antientropy/tree_diff.h"
#include "node/protocol/peer.pb.h"

namespace dynamo {

// The most that one LeafKeys carries.
inline constexpr size_t kLeafKeysMax = 1024;

// Keys under one leaf, ascending.
struct LeafPage {
  std::vector<LeafEntry> entries;
  bool more = false;
};

// The nodes asked for. kInvalidArgument: no such nodes, not in order, not of the tree.
Result<std::vector<uint32_t>> NodesAskedFor(const peer::TreeGet& get);

void ToProto(const std::vector<Hash128>& hashes, peer::TreeNodes* out);
// kCorrupt: not exactly `count` hashes.
Result<std::vector<Hash128>> HashesOf(const peer::TreeNodes& nodes, size_t count);

// Where a page begins: after `after` within the leaf. kInvalidArgument: no such
// partition or leaf, or `after` lies outside of it.
Result<KeyRange> RangeAskedFor(const peer::LeafGet& get, uint32_t partitions);

void ToProto(const LeafPage& page, peer::LeafKeys* out);
// kCorrupt: too many, not ascending within `range` (exclusive of its begin's page
// before), a malformed key or digest, or no progress.
Result<LeafPage> PageOf(const peer::LeafKeys& keys, const KeyRange& range);

}  // namespace dynamo

#endif  // DYNAMO_NODE_PROTOCOL_TREE_MESSAGES_H_
