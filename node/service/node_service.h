// A whole node over its ports: S shards with the data path, membership on shard 0.
// Production (node/node.cc) and the simulator (tests/sim) make it the same way.
#ifndef DYNAMO_NODE_SERVICE_NODE_SERVICE_H_
#define DYNAMO_NODE_SERVICE_NODE_SERVICE_H_

#include <memory>
#include <string>
#include <vector>

#include "node/env/admin_handler.h"
#include "node/env/request_handler.h"
#include "node/env/seed_source.h"
#include "node/service/membership.h"
#include "node/service/shard_env.h"

namespace dynamo {

struct ServiceConfig {
  // What this node says of itself; id and incarnation are filled in at start.
  NodeInfo self;
  MembershipConfig membership;

  Duration request_timeout{5'000'000};  // When the client names none.
  Duration request_timeout_max{60'000'000};
  // A replica that has not answered by then is given up for this operation, and a
  // fallback is asked in its place.
  Duration replica_timeout{1'000'000};
  // The data read goes to a second replica after the recent p95, at least this.
  Duration hedge_after_min{5'000};
  size_t object_bytes_max = 50u << 20;
  uint32_t siblings_max = 100;
  size_t clock_cache_entries = 1u << 16;        // Per shard.
  uint64_t hint_bytes_max = uint64_t{1} << 30;  // Per node; above it new hints are refused.
  Duration hint_retry{1'000'000};
  uint32_t requests_in_flight_max = 4096;  // Per shard; above it requests are shed.
};

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
