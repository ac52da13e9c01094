// Brings replicas that a read found behind up to date. Dynamo section 5.
#ifndef DYNAMO_NODE_SERVICE_READ_REPAIR_H_
#define DYNAMO_NODE_SERVICE_READ_REPAIR_H_

#include <vector>

#include "node/service/data_path.h"

namespace dynamo {

// Sends the join to each, as a hint to those that stand in for an owner. Nobody
// waits for it, and what fails is left to the next read, hint or anti-entropy.
void RepairReplicas(const DataPath& parts, const KeyPtr& key, const Stamped& joined, std::vector<ReplicaTarget> behind);

}  // namespace dynamo

#endif  // DYNAMO_NODE_SERVICE_READ_REPAIR_H_
