// What is said when too few replicas answered: honest, and in the words that
// clients match.
#ifndef DYNAMO_NODE_SERVICE_QUORUM_ERRORS_H_
#define DYNAMO_NODE_SERVICE_QUORUM_ERRORS_H_

#include <optional>

#include "common/base/result.h"
#include "node/core/replication/quorum.h"
#include "node/core/version/object_key.h"

namespace dynamo {

// What an operation that failed may have left behind.
enum class Effect : uint8_t {
  kNone,      // A read, or a write that was refused before anything was sent.
  kPossible,  // The write may still appear.
};

// kQuorumUnmet: "{w_val_unsatisfied,2,1} ...".
Error QuorumUnmet(const std::optional<QuorumShortfall>& shortfall, const ObjectKey& key, Effect effect);
// kTimeout: how many of how many answered.
Error QuorumTimeout(const std::optional<QuorumShortfall>& shortfall, const ObjectKey& key, Effect effect);

}  // namespace dynamo

#endif  // DYNAMO_NODE_SERVICE_QUORUM_ERRORS_H_
