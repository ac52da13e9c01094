// Seeded randomness for one process: a new stream at every start, as a kernel's is.
#ifndef DYNAMO_TESTS_SIM_RANDOM_H_
#define DYNAMO_TESTS_SIM_RANDOM_H_

#include <utility>

#include "node/env/random.h"

namespace dynamo::sim {

class SimRandom : public Random {
 public:
  explicit SimRandom(Rng rng) : secrets_(rng.Fork()), rng_(rng) {}

  uint64_t Secret() override { return secrets_.Next(); }
  Rng& rng() override { return rng_; }

 private:
  Rng secrets_;
  Rng rng_;
};

}  // namespace dynamo::sim

#endif  // DYNAMO_TESTS_SIM_RANDOM_H_
