#include "common/base/random.h"

#include <bit>

#include "common/base/check.h"

namespace dynamo {

Rng::Rng(uint64_t seed) {
  // SplitMix64 spreads the seed over the state, as the authors advise.
  for (uint64_t& word : state_) {
    seed += 0x9e3779b97f4a7c15;
    uint64_t z = seed;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    word = z ^ (z >> 31);
  }
}

uint64_t Rng::Next() {
  const uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const uint64_t shifted = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

uint64_t Rng::Below(uint64_t bound) {
  DYNAMO_CHECK(bound >= 1);
  // Rejection keeps it exactly uniform: drop the values of the last, cut, round.
  const uint64_t cut = (0 - bound) % bound;
  for (;;) {
    const uint64_t value = Next();
    if (value >= cut) return value % bound;
  }
}

int64_t Rng::Between(int64_t low, int64_t high) {
  DYNAMO_CHECK(low <= high);
  const uint64_t span = static_cast<uint64_t>(high) - static_cast<uint64_t>(low) + 1;
  return static_cast<int64_t>(static_cast<uint64_t>(low) + (span == 0 ? Next() : Below(span)));
}

double Rng::Fraction() { return static_cast<double>(Next() >> 11) * 0x1p-53; }

}  // namespace dynamo
