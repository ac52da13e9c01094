// Trees stay what the disk says while writes and scans meet. Over the service with
// planted bugs the same finds that a mark was forgotten.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/sim/cluster/trees.h"

namespace dynamo::sim {
namespace {

using ::testing::IsEmpty;
using ::testing::Not;

constexpr Duration kLimit = std::chrono::seconds(30);

Async<> WriteOften(SimCluster* cluster, uint64_t seed, TimePoint until) {
  Rng rng(seed);
  while (cluster->client_clock().Now() < until) {
    PutRequest request;
    request.key = {"lww", "b", "key" + std::to_string(rng.Below(20))};
    request.content.value = std::to_string(rng.Next());
    static_cast<void>(co_await cluster->Put(rng.Below(cluster->size()), std::move(request), kLimit));
  }
}

// Scans that take long, writes that never pause, and crashes: what the trees say
// once all is at rest.
std::vector<std::string> RunScenario(PlantedBug planted) {
  SimWorld world(7);
  SimClusterConfig config;
  config.partitions = 8;
  config.service.anti_entropy_interval = std::chrono::milliseconds(200);
  config.disk.read_min = std::chrono::milliseconds(5);
  config.disk.read_max = std::chrono::milliseconds(20);
#if defined(DYNAMO_PLANTED_BUGS)
  config.service.planted.active = planted;
#else
  EXPECT_EQ(planted, PlantedBug::kNone);
#endif
  SimCluster cluster(&world, std::move(config));
  EXPECT_TRUE(cluster.Create().has_value());
  for (int round = 0; round < 3; ++round) {
    const TimePoint until = cluster.client_clock().Now() + std::chrono::seconds(8);
    for (uint64_t client = 0; client < 4; ++client) {
      cluster.clients().Spawn(WriteOften(&cluster, 10 * static_cast<uint64_t>(round) + client, until));
    }
    world.RunFor(std::chrono::seconds(4));
    // Marks live in memory: after a start all are to be there again.
    cluster.node(static_cast<size_t>(round)).Crash();
    world.RunFor(std::chrono::seconds(2));
    cluster.node(static_cast<size_t>(round)).Start();
    world.RunFor(std::chrono::seconds(20));
  }
  EXPECT_TRUE(world.RunUntil([&] { return cluster.IsWhole() && cluster.HintsAtRest() == 0; },
                             world.now() + std::chrono::seconds(120)));
  world.RunFor(std::chrono::seconds(10));
  return CompareTrees(cluster);
}

#if defined(DYNAMO_PLANTED_BUGS)
TEST(PlantedMerkleBugs, AMarkForgottenThoughAWriteCameAfterTheSnapshotIsFound) {
  EXPECT_THAT(RunScenario(PlantedBug::kMerkleMarkForgotten), Not(IsEmpty()));
}
#else
TEST(MerkleMarks, NoneIsForgottenWhileWritesAndScansMeetAndNodesCrash) {
  EXPECT_THAT(RunScenario(PlantedBug::kNone), IsEmpty());
}
#endif

}  // namespace
}  // namespace dynamo::sim
