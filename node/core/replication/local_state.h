// What a node makes of its own state of one key: the join of its replica and of its
// hints, which it reads, mints on and joins incoming states with. Dynamo section 4.4.
#ifndef DYNAMO_NODE_CORE_REPLICATION_LOCAL_STATE_H_
#define DYNAMO_NODE_CORE_REPLICATION_LOCAL_STATE_H_

#include <cstdint>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "node/core/version/object.h"

namespace dynamo {

// As JoinEncoded; empty is the bottom: nothing. kCorrupt: one does not decode.
Result<Bytes> JoinStates(Bytes a, const Bytes& b);

// How an incoming state stands to the one that is known.
enum class Standing : uint8_t {
  kNewer,    // It is the join: put it as it is.
  kCovered,  // The known one is the join: nothing to write.
  kUnknown,  // Headers alone do not tell: read and join.
};
Standing StandingOf(const ObjectHeader& known, const ObjectHeader& incoming);

// A write with this context supersedes all there is, so that it can be minted on
// the header alone.
bool SupersedesAll(const ObjectHeader& known, ConflictPolicy policy, const CausalContext& context);

}  // namespace dynamo

#endif  // DYNAMO_NODE_CORE_REPLICATION_LOCAL_STATE_H_
