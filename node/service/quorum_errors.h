// What is said when too few replicas answered: honest, and in the words that
// clients match.
#ifndef DYNAMO_NODE_SERVICE_QUORUM_ERRORS_H_
#define DYNAMO_NODE_SERVICE_QUORUM_ERRORS_H_

#include <optional>

#include "common/base/result.h"
#include "node/core/replication/quorum.h"
#include "node/core/version/object_key.h"

namespace dynamo {

// kQuorumUnmet: "{w_val_unsatisfied,2,1} ...".
Error QuorumUnmet(const std::optional<QuorumShortfall>& shortfall, const ObjectKey& key);
// kTimeout: how many of how many answered; of a write, that it may still appear.
Error QuorumTimeout(const std::optional<QuorumShortfall>& shortfall, const ObjectKey& key, bool write);

}  // namespace dynamo

#endif  // DYNAMO_NODE_SERVICE_QUORUM_ERRORS_H_
