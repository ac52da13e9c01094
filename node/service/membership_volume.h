// What membership keeps on the node's volume, in the family kMeta: the topology,
// and where its peers were last seen.
#ifndef DYNAMO_NODE_SERVICE_MEMBERSHIP_VOLUME_H_
#define DYNAMO_NODE_SERVICE_MEMBERSHIP_VOLUME_H_

#include <memory>
#include <string>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "node/core/ring/topology.h"
#include "node/env/async.h"
#include "node/service/shard_env.h"

namespace dynamo {

using TopologyPtr = std::shared_ptr<const Topology>;

// Returns once it is on stable storage.
Async<Status> StoreMeta(ShardEnv env, Bytes key, Bytes value);

// No topology, no objects, no hints.
Async<Result<bool>> IsEmptyVolume(ShardEnv env);

// nullptr: there is none. kCorrupt, kStorage: it cannot be read.
Async<Result<TopologyPtr>> LoadTopology(ShardEnv env);
Async<Status> StoreTopology(ShardEnv env, TopologyPtr topology);

// Only a help for starting when no seed answers: not synced, and what cannot be
// read counts as nothing.
Async<std::vector<std::string>> LoadPeerAddresses(ShardEnv env);
Async<Status> StorePeerAddresses(ShardEnv env, std::vector<std::string> addresses);

}  // namespace dynamo

#endif  // DYNAMO_NODE_SERVICE_MEMBERSHIP_VOLUME_H_
