// What is declared lost, as the admin door takes and tells it.
#include "node/api/admin_loss.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>

#include "common/admin/ranges.h"
#include "node/core/ring/topology_change.h"

namespace dynamo {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const ClusterId kLossCluster{{1, 2}};

class AdminLossTest : public testing::Test {
 protected:
  AdminLossTest() {
    ClusterSpec spec;
    spec.cluster = kLossCluster;
    spec.context_secret = "secret";
    spec.partitions = 16;
    for (uint64_t id = 1; id <= 3; ++id) {
      spec.members.push_back({.id = NodeId{id}, .name = "n" + std::to_string(id), .zone = "z", .capacity = 1});
      Hear(id);
    }
    topology_ = *CreateTopology(spec);
  }
  void Hear(uint64_t id, Liveness liveness = Liveness::kAlive) {
    NodeInfo info;
    info.id = NodeId{id};
    info.liveness = liveness;
    nodes_.push_back(info);
  }
  KnownNodes known() const { return {&topology_, nodes_}; }
  admin::LossOperation Wanted(std::vector<std::string> nodes) const {
    return {ToString(kLossCluster), std::move(nodes), {4, 2}, "ada"};
  }
  void Apply(const TopologyChange& change) {
    auto changed = ApplyChange(topology_, change);
    ASSERT_TRUE(changed.has_value()) << changed.error().message;
    topology_ = *changed->next;
  }
  void ReplaceTheFirst() {
    Member with{.id = NodeId{8}, .name = "n1", .zone = "z"};
    TopologyChange change;
    change.operation_id = "replace";
    change.what = ReplaceMember{NodeId{1}, with};
    Apply(change);
    Hear(8);
  }

  Topology topology_;
  std::vector<NodeInfo> nodes_;
};

TEST_F(AdminLossTest, MembersAreNamedByIdOrName) {
  const auto change = FromAdmin(Wanted({"n1", "0000000000000002"}), "force-topology", "id", known());
  ASSERT_TRUE(change.has_value());
  const auto& force = std::get<ForceTopology>(change->what);
  EXPECT_THAT(force.loss.nodes, ElementsAre(NodeId{1}, NodeId{2}));
  EXPECT_EQ(force.loss.cluster, kLossCluster);
  EXPECT_EQ(force.loss.by, "ada");
  EXPECT_EQ(change->operation_id, "id");
  const auto accept = FromAdmin(Wanted({"n1"}), "accept-loss", "id", known());
  EXPECT_THAT(std::get<AcceptLoss>(accept->what).partitions, ElementsAre(4u, 2u));
}

TEST_F(AdminLossTest, TheClusterIsToBeNamed) {
  admin::LossOperation wanted = Wanted({"n1"});
  wanted.cluster_id = "";
  const auto change = FromAdmin(wanted, "force-topology", "id", known());
  ASSERT_FALSE(change.has_value());
  EXPECT_THAT(change.error().message, HasSubstr("clusterID"));
  EXPECT_FALSE(FromAdmin(Wanted({"nobody"}), "force-topology", "id", known()).has_value());
}

TEST_F(AdminLossTest, KnowsItsOperations) {
  EXPECT_TRUE(IsLossOperation("force-topology"));
  EXPECT_TRUE(IsLossOperation("accept-loss"));
  EXPECT_FALSE(IsLossOperation("replace"));
}

TEST_F(AdminLossTest, WhatWaitsIsToldWithTheCommandThatEndsIt) {
  ReplaceTheFirst();
  EXPECT_THAT(WaitsIn(known()), IsEmpty());
  nodes_[1].liveness = Liveness::kDead;
  const auto waits = WaitsIn(known());
  ASSERT_EQ(waits.size(), 1u) << "one cause";
  EXPECT_EQ(waits[0].partitions.size(), 16u);
  EXPECT_THAT(waits[0].owners, ElementsAre("0000000000000002"));
  const std::string text = DescribeWait(waits[0], topology_);
  EXPECT_THAT(text, HasSubstr("n2 (0000000000000002)"));
  EXPECT_THAT(text, HasSubstr("dynamoctl cluster accept-loss --cluster " + ToString(kLossCluster) +
                              " --lost 0000000000000002 --partitions 0-15"));
  nodes_[1].liveness = Liveness::kSuspect;
  EXPECT_THAT(WaitsIn(known()), IsEmpty()) << "it may well be there";
}

TEST_F(AdminLossTest, AReceiverThatIsAwayIsNamedToo) {
  ReplaceTheFirst();
  nodes_.back().liveness = Liveness::kDead;
  const auto waits = WaitsIn(known());
  ASSERT_EQ(waits.size(), 1u);
  EXPECT_THAT(waits[0].owners, IsEmpty());
  EXPECT_THAT(waits[0].receivers, ElementsAre("0000000000000008"));
  EXPECT_THAT(DescribeWait(waits[0], topology_), HasSubstr("is to get them"));
}

TEST_F(AdminLossTest, ProgressSaysWhatWaitsAndTheTopologyWhatWasLost) {
  ReplaceTheFirst();
  nodes_[1].liveness = Liveness::kDead;
  admin::Operation operation;
  operation.id = "replace";
  ASSERT_TRUE(Describe(known(), &operation));
  EXPECT_EQ(operation.state, "running");
  EXPECT_EQ(operation.waits.size(), 1u);
  EXPECT_THAT(operation.message, HasSubstr("accept-loss"));
  EXPECT_EQ(admin::OperationFromJson(boost::json::serialize(ToJson(operation))).value().waits.size(), 1u);
  Apply(*FromAdmin(Wanted({"n2"}), "accept-loss", "accept", known()));
  const auto losses = LossesOf(topology_);
  ASSERT_EQ(losses.size(), 1u);
  EXPECT_EQ(losses[0].kind, "accepted-loss");
  EXPECT_EQ(losses[0].by, "ada");
  EXPECT_EQ(losses[0].operation_id, "accept");
  EXPECT_THAT(losses[0].partitions, ElementsAre(2u, 4u));
  ASSERT_TRUE(Describe(known(), &operation));
  EXPECT_EQ(operation.waits.at(0).partitions.size(), 14u);
}

TEST(Ranges, AreWrittenShortAndReadBack) {
  EXPECT_EQ(admin::FormatRanges({}), "");
  EXPECT_EQ(admin::FormatRanges({0, 1, 2, 3, 7, 9, 10}), "0-3,7,9-10");
  EXPECT_THAT(admin::ParseRanges("9-10,7,0-3").value(), ElementsAre(0u, 1u, 2u, 3u, 7u, 9u, 10u));
  EXPECT_THAT(admin::ParseRanges("5").value(), ElementsAre(5u));
}

TEST(Ranges, OfAnotherShapeAreRefused) {
  for (const char* const text : {"", ",", "1,", "-1", "3-1", "x", "1-", "1--2", "4294967296", "0-4294967295"}) {
    EXPECT_FALSE(admin::ParseRanges(text).has_value()) << text;
  }
  EXPECT_FALSE(admin::ParseRanges("0-9,20-29", /*max=*/15).has_value());
}

}  // namespace
}  // namespace dynamo
