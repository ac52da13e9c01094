#include "node/adapter/os_random.h"

#include <gtest/gtest.h>

#include <set>

namespace dynamo {
namespace {

TEST(OsRandom, NeitherSecretsNorGeneratorsRepeat) {
  std::set<uint64_t> seen;
  for (int i = 0; i < 1000; ++i) {
    OsRandom random;
    seen.insert(random.Secret());
    seen.insert(random.rng().Next());
  }
  EXPECT_EQ(seen.size(), 2000u);
}

TEST(OsRandom, SecretsUseEveryBit) {
  OsRandom random;
  uint64_t ones = 0, zeros = 0;
  for (int i = 0; i < 1000; ++i) {
    const uint64_t secret = random.Secret();
    ones |= secret;
    zeros |= ~secret;
  }
  EXPECT_EQ(ones, ~uint64_t{0});
  EXPECT_EQ(zeros, ~uint64_t{0});
}

}  // namespace
}  // namespace dynamo
