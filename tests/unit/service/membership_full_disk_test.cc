// What a node with a full disk logs of the topology that it cannot store: gossip brings
// it again and again.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/unit/service/membership_cluster.h"

namespace dynamo {
namespace {

using namespace std::chrono_literals;

TEST(MembershipFullDisk, GossipThatCannotBeStoredIsLoggedOnceAMinuteAndOnceWhenItWorksAgain) {
  MembershipCluster cluster(3, 1);
  Topology next = **cluster.Create(0, MembershipCluster::Request({0, 1, 2}));
  cluster.Run(5s);
  next.version.epoch += 1;
  const auto lines_with = [&cluster](const std::string& event) {
    const auto& lines = *cluster[0].log_lines;
    return std::ranges::count_if(lines, [&event](const std::string& line) { return line.starts_with(event); });
  };
  cluster.disk(0).SetFull(true);
  peer::Request offer;
  offer.mutable_offer_topology()->set_topology(EncodeTopology(next));
  cluster[1].membership().OnRequest(cluster[2].id(), offer, [](const SharedBytes&) {});
  cluster.Run(10min);
  ASSERT_EQ(cluster[1].view().topology->version, next.version);
  ASSERT_NE(cluster[0].view().topology->version, next.version);
  EXPECT_EQ(lines_with("topology_not_stored "), 10);
  EXPECT_EQ(lines_with("peer_addresses_not_stored "), 10);
  EXPECT_TRUE(std::ranges::any_of(
      *cluster[0].log_lines, [](const std::string& line) { return line.find(" left_out=") != std::string::npos; }));
  cluster.disk(0).SetFull(false);
  cluster.Run(1min);
  ASSERT_EQ(cluster[0].view().topology->version, next.version);
  EXPECT_EQ(lines_with("topology_not_stored_over "), 1);
  EXPECT_EQ(lines_with("peer_addresses_not_stored_over "), 1);
}

}  // namespace
}  // namespace dynamo
