// Where a key lies: the walk of the ring, and what every member holds of it.
#ifndef DYNAMO_NODE_SERVICE_LOCATE_H_
#define DYNAMO_NODE_SERVICE_LOCATE_H_

#include "node/env/admin_handler.h"
#include "node/service/shard.h"

namespace dynamo {

// On the shard that has the key. kNotFound: no such bucket type.
Async<Result<KeyLocation>> LocateKey(Shard* shard, KeyPtr key);

}  // namespace dynamo

#endif  // DYNAMO_NODE_SERVICE_LOCATE_H_
