// What a door needs of the node it belongs to.
#ifndef DYNAMO_NODE_API_DOOR_ENV_H_
#define DYNAMO_NODE_API_DOOR_ENV_H_

#include <string>

#include "common/base/metrics.h"
#include "common/tls/keeper.h"
#include "node/api/limits.h"
#include "node/env/random.h"
#include "node/env/request_handler.h"
#include "node/env/scope.h"

namespace dynamo {

class ClientGuard;

// Of one shard; all outlive the door.
struct DoorEnv {
  RequestHandler* handler = nullptr;
  Random* random = nullptr;
  Metrics* metrics = nullptr;
  DoorLimits limits;
  std::string node_name;
  TlsKeeper* tls = nullptr;      // Of clients; nullptr: plaintext only.
  ClientGuard* guard = nullptr;  // nullptr: whoever comes may do everything.
  Scope* scope = nullptr;        // For waiting, where there is a guard.
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_API_DOOR_ENV_H_
