// The parts of one shard that a replicated operation works with; all outlive it.
#ifndef DYNAMO_NODE_SERVICE_DATA_PATH_H_
#define DYNAMO_NODE_SERVICE_DATA_PATH_H_

#include "node/core/replication/roles.h"
#include "node/service/peers.h"
#include "node/service/replica.h"
#include "node/service/shard_context.h"

namespace dynamo {

// An encoded object with the reap generation of its partition here, as it was before
// the object was read.
struct Stamped {
  const Bytes& object;
  ReapGeneration stamp = 0;
};

struct DataPath {
  ShardContext* shard = nullptr;
  Replica* replica = nullptr;
  Peers* peers = nullptr;
};

// As PlanReplicas over the nodes that are up, except for those in `away`, which
// this request found unreachable.
Roles PlanRoles(const ShardContext& shard, const PreferenceList& list, bool sloppy, const std::set<NodeId>& away);

// The bodies of requests to replicas, each made once for all it goes to.
SharedBytes ReplicaGetBody(const ShardContext& shard, const PlacedKey& key, bool digest_only);
// `hint_for`: none if the receiver is an owner.
SharedBytes ReplicaPutBody(const ShardContext& shard, const PlacedKey& key, const Stamped& object, NodeId hint_for,
                           bool sync);

}  // namespace dynamo

#endif  // DYNAMO_NODE_SERVICE_DATA_PATH_H_
