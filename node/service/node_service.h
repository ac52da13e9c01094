// A whole node over its ports: S shards with the data path, membership on shard 0.
// Production (node/node.cc) and the simulator (tests/sim) make it the same way.
#ifndef DYNAMO_NODE_SERVICE_NODE_SERVICE_H_
#define DYNAMO_NODE_SERVICE_NODE_SERVICE_H_

#include <memory>
#include <vector>

#include "node/env/admin_handler.h"
#include "node/env/request_handler.h"
#include "node/env/seed_source.h"
#include "node/service/cluster_view.h"
#include "node/service/service_config.h"
#include "node/service/shard_env.h"

namespace dynamo {

class NodeService {
 public:
  // One env a shard, in shard order; shard i's calls run on shard i's thread. The
  // constructor runs before any of them; `seeds` may be nullptr.
  NodeService(ServiceConfig config, std::vector<ShardEnv> shards, SeedSource* seeds);
  ~NodeService();

  // On shard 0: identity, topology, hints; then requests are served. Nothing is
  // answered before. Errors as LoadIdentity and Membership::Start: the node must
  // not go on.
  Async<Status> Start();

  // For the doors of that shard, on its thread.
  RequestHandler& requests(ShardIndex shard);
  // On shard 0's thread.
  AdminHandler& admin();
  ClusterViewPtr view() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_SERVICE_NODE_SERVICE_H_
