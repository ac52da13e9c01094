// Randomness as a port.
#ifndef DYNAMO_NODE_ENV_RANDOM_H_
#define DYNAMO_NODE_ENV_RANDOM_H_

#include <cstdint>

#include "common/base/random.h"

namespace dynamo {

class Random {
 public:
  virtual ~Random() = default;

  // 64 bits fit for identities and secrets: in production from the kernel.
  virtual uint64_t Secret() = 0;
  // For jitter, choice and shuffling.
  virtual Rng& rng() = 0;
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_ENV_RANDOM_H_
