// A small deterministic random generator (xoshiro256**, Blackman and Vigna 2018).
//
// The same seed gives the same sequence on every platform. Not for secrets.
#ifndef DYNAMO_COMMON_BASE_RANDOM_H_
#define DYNAMO_COMMON_BASE_RANDOM_H_

#include <array>
#include <cstdint>
#include <limits>

namespace dynamo {

class Rng {
 public:
  using result_type = uint64_t;

  explicit Rng(uint64_t seed);

  uint64_t operator()() { return Next(); }
  uint64_t Next();
  // Uniform in [0, bound); bound must be at least 1.
  uint64_t Below(uint64_t bound);
  // Uniform in [low, high].
  int64_t Between(int64_t low, int64_t high);
  // Uniform in [0, 1).
  double Fraction();
  bool Chance(double probability) { return Fraction() < probability; }
  // An independent generator, for a part that must not disturb this one's sequence.
  Rng Fork() { return Rng(Next()); }

  static constexpr uint64_t min() { return 0; }
  static constexpr uint64_t max() { return std::numeric_limits<uint64_t>::max(); }

 private:
  std::array<uint64_t, 4> state_;
};

}  // namespace dynamo

#endif  // DYNAMO_COMMON_BASE_RANDOM_H_
