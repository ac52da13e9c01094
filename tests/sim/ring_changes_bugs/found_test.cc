// Tests that cannot fail prove nothing: writes that do not go to pending owners, and
// owners that take what was sent at an older epoch, are found.
#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "tests/sim/ring_changes/fixture.h"

namespace dynamo::sim {
namespace {

// Of ten seeds.
size_t ViolatedWith(PlantedBug bug) {
  size_t violated = 0;
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    SimClusterConfig config;
    config.service.planted.active = bug;
    const std::string violation = WriteWhileAJoinIsHeardOf(seed, config);
    if (violation.empty()) continue;
    EXPECT_NE(violation.find("was not sent to a pending owner"), std::string::npos) << violation;
    ++violated;
  }
  return violated;
}

TEST(RingChangesBugs, PendingOwnersThatAreSentNothingAreFound) {
  EXPECT_GT(ViolatedWith(PlantedBug::kPendingNotWritten), 0u);
}

TEST(RingChangesBugs, AnEpochThatIsNotCheckedIsFound) { EXPECT_GT(ViolatedWith(PlantedBug::kEpochUnchecked), 0u); }

TEST(RingChangesBugs, WithNoneOfThemAllIsWell) { EXPECT_EQ(ViolatedWith(PlantedBug::kNone), 0u); }

}  // namespace
}  // namespace dynamo::sim
