// Hints: objects kept for owners that were away, and which of them a new one or an
// acknowledgement replaces. Dynamo section 4.6.
#ifndef DYNAMO_NODE_CORE_REPLICATION_HINT_H_
#define DYNAMO_NODE_CORE_REPLICATION_HINT_H_

#include <vector>

#include "common/base/bytes.h"
#include "common/base/hash.h"
#include "common/base/ids.h"

namespace dynamo {

struct Hint {
  Bytes storage_key;
  NodeId owner;
  Hash128 digest;
  Bytes object;
};

// What keeping one more hint for `owner` does to those of the same key. Concurrent
// ones stay beside it; it joins nothing, so that each goes when its own delivery
// is acknowledged. Pointers are into `existing`.
struct HintAdmission {
  bool needed = true;  // False: an existing hint covers it, and nothing changes.
  std::vector<const Hint*> superseded;
};
HintAdmission AdmitHint(NodeId owner, const Bytes& object, const std::vector<Hint>& existing);

// Those that an acknowledged delivery of the hint named by `digest` deletes: it
// alone, if it is still there, and never what came since.
std::vector<const Hint*> HintsDelivered(NodeId owner, const Hash128& digest, const std::vector<Hint>& existing);

// Whether a node that has deleted a delivered hint may still mint as the same actor
// on that key: an owner keeps what it minted in its replica, a stand-in kept it in
// hints only.
inline bool KeepsActorAfterDelivery(bool owner) { return owner; }

}  // namespace dynamo

#endif  // DYNAMO_NODE_CORE_REPLICATION_HINT_H_
