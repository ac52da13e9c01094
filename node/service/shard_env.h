// The ports of one shard, as the service sees the world.
#ifndef DYNAMO_NODE_SERVICE_SHARD_ENV_H_
#define DYNAMO_NODE_SERVICE_SHARD_ENV_H_

#include "common/base/log.h"
#include "common/base/metrics.h"
#include "node/env/clock.h"
#include "node/env/random.h"
#include "node/env/scope.h"
#include "node/env/shard_link.h"
#include "node/env/storage.h"
#include "node/env/transport.h"

namespace dynamo {

// All outlive the service; everything is called on the shard's own thread, except
// that Metrics and the log may be used from any.
struct ShardEnv {
  Scope* scope = nullptr;
  Clock* clock = nullptr;
  Random* random = nullptr;
  Transport* transport = nullptr;
  Storage* storage = nullptr;
  ShardLink* link = nullptr;
  Metrics* metrics = nullptr;
  Logger log;
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_SERVICE_SHARD_ENV_H_
