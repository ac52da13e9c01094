// A rolling upgrade: nodes of two builds that speak different versions of the protocol
// in one cluster, and back again.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <httplib.h>

#include <chrono>
#include <iostream>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "tests/cluster/load.h"
#include "tests/cluster/real_cluster.h"

namespace dynamo::cluster {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// How many connections with the version of the protocol others have made to a node; 0
// if it cannot be asked.
uint64_t ConnectionsAccepted(const NodeProcess& node, int version) {
  httplib::Client client("http://" + node.admin());
  const auto answer = client.Get("/metrics");
  if (!answer || answer->status != 200) return 0;
  const std::string wanted = fmt::format("dynamo_peer_connections_accepted_total{{version=\"{}\"}} ", version);
  std::istringstream lines(answer->body);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(wanted)) return std::stoull(line.substr(wanted.size()));
  }
  return 0;
}

class UpgradeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    cluster_.StartAll();
    const Status created = cluster_.Create();
    ASSERT_TRUE(created.has_value()) << created.error().message;
  }

  void BeginLoad(std::vector<std::string> nodes) {
    load_.emplace(std::move(nodes), LoadSettings{.seed = 20260202, .client = {.avoid = milliseconds(1000)}});
    load_->Start();
  }

  // Drained, as every planned restart is, and started with another build.
  void RestartWith(size_t index, const std::string& binary) {
    NodeProcess& node = cluster_.node(index);
    ASSERT_TRUE(load_->AwaitWrites(100));
    ASSERT_EQ(node.Terminate(), 0) << node.Log();
    ASSERT_TRUE(load_->AwaitWrites(100));
    node.set_binary(binary);
    node.Start();
  }
  void ExpectHardlyAFailureAndNothingLost() {
    load_->Stop();
    ExpectHardlyAFailure(*load_);
    ExpectNothingLost(*load_);
  }

  RealCluster cluster_{24, 4};
  std::optional<Load> load_;
};

TEST_F(UpgradeTest, NodesOfTwoReleasesServeTogetherUpAndDown) {
  BeginLoad(cluster_.http());
  for (size_t i = 0; i < cluster_.size(); ++i) {
    ASSERT_NO_FATAL_FAILURE(RestartWith(i, DYNAMO_NEXT_NODE_BINARY));
    ASSERT_TRUE(Eventually(seconds(60), [&] { return cluster_.IsWhole(); }));
    std::cout << fmt::format("{} of 4 nodes speak versions 1 to 2\n", i + 1);
    // The first new one finds nobody to speak version 2 with.
    if (i == 0) EXPECT_EQ(ConnectionsAccepted(cluster_.node(0), 2), 0u);
  }
  EXPECT_GT(ConnectionsAccepted(cluster_.node(0), 2), 0u);
  EXPECT_EQ(ConnectionsAccepted(cluster_.node(3), 1), 0u);
  ASSERT_NO_FATAL_FAILURE(RestartWith(1, DYNAMO_NODE_BINARY));
  ASSERT_TRUE(Eventually(seconds(60), [&] { return cluster_.IsWhole(); }));
  EXPECT_GT(ConnectionsAccepted(cluster_.node(3), 1), 0u);
  EXPECT_EQ(ConnectionsAccepted(cluster_.node(1), 2), 0u);
  ExpectHardlyAFailureAndNothingLost();
}

TEST_F(UpgradeTest, ANodeOfAReleaseTooFarAwayIsKeptOutByNameAndHarmsNobody) {
  // Who asks the node that is kept out is refused, and rightly so.
  std::vector<std::string> others = cluster_.http();
  others.erase(others.begin() + 2);
  BeginLoad(std::move(others));
  ASSERT_NO_FATAL_FAILURE(RestartWith(2, DYNAMO_FAR_NODE_BINARY));
  const auto said = [&](size_t node, const std::string& text) {
    return Eventually(seconds(30), [&] { return cluster_.node(node).Log().find(text) != std::string::npos; });
  };
  EXPECT_TRUE(said(0, "the peer speaks the protocol's versions 3 to 4, this node 1 to 1"));
  EXPECT_TRUE(said(2, "the peer speaks the protocol's versions 1 to 1, this node 3 to 4"));
  EXPECT_FALSE(cluster_.IsWhole());
  ASSERT_NO_FATAL_FAILURE(RestartWith(2, DYNAMO_NODE_BINARY));
  ASSERT_TRUE(Eventually(seconds(60), [&] { return cluster_.IsWhole(); }));
  load_->Stop();
  EXPECT_EQ(load_->counts().puts_failed, 0u);
  ExpectNothingLost(*load_);
}

}  // namespace
}  // namespace dynamo::cluster
