// Partitions on their way to other owners, to and from messages: whatever a peer
// sends is bounded and well-formed once it has passed here.
#ifndef DYNAMO_NODE_PROTOCOL_TRANSFER_MESSAGES_H_
#define DYNAMO_NODE_PROTOCOL_TRANSFER_MESSAGES_H_

#include <cstdint>
#include <vector>

#include "common/base/result.h"
#include "node/core/antientropy/leaf_range.h"
#include "node/core/antientropy/tree_diff.h"
#include "node/protocol/peer.pb.h"

namespace dynamo {

// The most that one answer carries, but for its first object; and how many.
inline constexpr size_t kChunkBytesMax = 4u << 20;
inline constexpr size_t kChunkObjectsMax = 4096;
// The most keys that one StrayProof asks for.
inline constexpr size_t kProofKeysMax = 1024;

struct ChunkObject {
  Bytes storage_key;
  Bytes object;  // Encoded.

  friend bool operator==(const ChunkObject&, const ChunkObject&) = default;
};

// Part of what a tree's leaves hold, keys ascending.
struct Chunk {
  std::vector<ChunkObject> objects;
  bool more = false;
  Bytes last;  // How far it went.

  friend bool operator==(const Chunk&, const Chunk&) = default;
};

// Where a chunk begins: after `after` within the leaves. kInvalidArgument: no such
// partition or leaves, or `after` lies outside of them.
Result<KeyRange> RangeAskedFor(const peer::TransferGet& get, uint32_t partitions);
// At least 1, at most kChunkBytesMax.
size_t BytesAskedFor(const peer::TransferGet& get);

void ToProto(const Chunk& chunk, peer::TransferChunk* out);
// kCorrupt: another checksum, too many, not ascending within `range`, a malformed
// key, an object that fails its checksum, or no progress.
Result<Chunk> ChunkOf(const peer::TransferChunk& chunk, const KeyRange& range);

// The entries asked for. kInvalidArgument: none, too many, not ascending within the
// tree's partition, or malformed.
Result<std::vector<LeafEntry>> EntriesToProve(const peer::StrayProof& proof, uint32_t partitions);
// Of `count` entries those that the peer lacks. kCorrupt: not ascending indices.
Result<std::vector<uint32_t>> LackingOf(const peer::StrayProved& proved, size_t count);

}  // namespace dynamo

#endif  // DYNAMO_NODE_PROTOCOL_TRANSFER_MESSAGES_H_
