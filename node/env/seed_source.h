// Where to find the first peers. Seeds only start the gossip (Dynamo section 4.8.2).
#ifndef DYNAMO_NODE_ENV_SEED_SOURCE_H_
#define DYNAMO_NODE_ENV_SEED_SOURCE_H_

#include <string>
#include <vector>

#include "common/base/result.h"
#include "node/env/async.h"

namespace dynamo {

class SeedSource {
 public:
  virtual ~SeedSource() = default;
  // Peer addresses, "host:port"; this node's own may be among them. Asked again,
  // with back-off, while the node knows nobody.
  virtual Async<Result<std::vector<std::string>>> Resolve() = 0;
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_ENV_SEED_SOURCE_H_
