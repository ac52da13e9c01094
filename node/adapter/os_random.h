// Random from the operating system.
#ifndef DYNAMO_NODE_ADAPTER_OS_RANDOM_H_
#define DYNAMO_NODE_ADAPTER_OS_RANDOM_H_

#include "node/env/random.h"

namespace dynamo {

// One for each shard: the generator is not shared between threads.
class OsRandom final : public Random {
 public:
  // Seeds the generator from the kernel.
  OsRandom();

  uint64_t Secret() override;
  Rng& rng() override { return rng_; }

 private:
  Rng rng_;
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_ADAPTER_OS_RANDOM_H_
