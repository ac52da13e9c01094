// Who this node is: made at first start on its volume, kept for good.
#ifndef DYNAMO_NODE_SERVICE_IDENTITY_H_
#define DYNAMO_NODE_SERVICE_IDENTITY_H_

#include <cstdint>

#include "common/base/ids.h"
#include "common/base/result.h"
#include "node/env/async.h"
#include "node/service/shard_env.h"

namespace dynamo {

struct StoredIdentity {
  NodeId node;
  uint64_t boot_number = 0;  // Counts process starts; durable before it is used.
  bool first_start = false;
  bool rolled_back = false;  // MarkRolledBack was called, once, on this volume.
};

// Reads the identity, or draws one; counts the boot up and syncs it, so that two
// starts never share a number. Under the key "identity" of kMeta. kCorrupt if
// what is there is malformed (changes nothing then).
Async<Result<StoredIdentity>> LoadIdentity(ShardEnv env);

// The volume is an old copy: no later start serves from it. Under "rolled_back".
Async<Status> MarkRolledBack(ShardEnv env);

}  // namespace dynamo

#endif  // DYNAMO_NODE_SERVICE_IDENTITY_H_
