// SIGTERM under load: requests under way are answered. What a peer sends in the very
// moment in which the process ends is cut, and its sender cannot tell its fate: a few
// in ten thousand.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <iostream>

#include "tests/cluster/load.h"
#include "tests/cluster/real_cluster.h"

namespace dynamo::cluster {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(Drain, AStoppedNodeFailsHardlyARequestOfClientsThatAskAnotherWhenRefused) {
  RealCluster cluster(23, 4);
  cluster.StartAll();
  const Status created = cluster.Create();
  ASSERT_TRUE(created.has_value()) << created.error().message;

  Load load(cluster.http(), {.seed = 20260101, .client = {.avoid = milliseconds(1000)}});
  load.Start();
  constexpr int kStops = 8;
  for (int stop = 0; stop < kStops; ++stop) {
    ASSERT_TRUE(load.AwaitWrites(200));
    NodeProcess& node = cluster.node(static_cast<size_t>(stop) % cluster.size());
    const auto began = std::chrono::steady_clock::now();
    EXPECT_EQ(node.Terminate(), 0) << node.Log();
    const auto took = std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - began);
    EXPECT_NE(node.Log().find("event=node_drained"), std::string::npos);
    std::cout << fmt::format("stop {} took {} ms\n", stop, took.count());
    ASSERT_TRUE(load.AwaitWrites(200));
    node.Start();
    ASSERT_TRUE(Eventually(seconds(60), [&] { return cluster.IsWhole(); }));
  }
  load.Stop();
  ExpectHardlyAFailure(load);
  ExpectNothingLost(load);
}

}  // namespace
}  // namespace dynamo::cluster
