// Reaping, to and from messages: whatever a peer sends is bounded and well-formed once
// it has passed here.
#ifndef DYNAMO_NODE_PROTOCOL_REAP_MESSAGES_H_
#define DYNAMO_NODE_PROTOCOL_REAP_MESSAGES_H_

#include <cstdint>
#include <vector>

#include "common/base/result.h"
#include "node/core/antientropy/tree_diff.h"
#include "node/core/reap/round.h"
#include "node/protocol/peer.pb.h"

namespace dynamo {

// The most objects of one round.
inline constexpr size_t kReapKeysMax = 1024;

using LeafKeysProto = google::protobuf::RepeatedPtrField<peer::LeafKey>;

void ToProto(const std::vector<LeafEntry>& entries, LeafKeysProto* out);
// kInvalidArgument: too many, not ascending within the partition, or malformed.
Result<std::vector<LeafEntry>> EntriesToReap(const LeafKeysProto& keys, uint32_t partition, uint32_t partitions);

void ToProto(const ReapAnswer& answer, peer::ReapState* out);
// kCorrupt: indices not ascending below `count`.
Result<ReapAnswer> AnswerOf(const peer::ReapState& state, size_t count);

}  // namespace dynamo

#endif  // DYNAMO_NODE_PROTOCOL_REAP_MESSAGES_H_
