// Tests that cannot fail prove nothing: a voter that answers before its state is on
// stable storage makes two topologies of one epoch.
#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "tests/sim/register/fixture.h"

namespace dynamo::sim {
namespace {

// Not every loss of power loses what was not synced.
size_t Violated(const SimClusterConfig& config) {
  size_t violated = 0;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    const std::string violation = AgreeAndLosePower(seed, config);
    if (violation.empty()) continue;
    EXPECT_EQ(violation, "two topologies of epoch 2");
    ++violated;
  }
  return violated;
}

TEST(RegisterBugs, AVoterThatAnswersBeforeItSyncsIsFound) {
  SimClusterConfig config;
  config.service.planted.active = PlantedBug::kVoterAnswersBeforeSync;
  EXPECT_GT(Violated(config), 0u);
}

TEST(RegisterBugs, WithNoneOfThemAllIsWell) { EXPECT_EQ(Violated({}), 0u); }

}  // namespace
}  // namespace dynamo::sim
