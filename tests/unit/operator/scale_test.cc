// Growing and shrinking through the whole operator, against an acted Kubernetes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/operator/world.h"

namespace dynamo::op {
namespace {

using kube::Object;
using ::testing::IsEmpty;

constexpr char kShopClaims[] = "/api/v1/namespaces/shop/persistentvolumeclaims";

class Scale : public ::testing::Test {
 protected:
  Scale() { EXPECT_TRUE(world_.RunUntilReady()); }
  ~Scale() override { EXPECT_THAT(world_.violations(), IsEmpty()); }

  // Passes until an operation is at this step; false: it never was.
  bool RunUntil(const std::string& step) {
    for (int i = 0; i < 60 && world_.OperationStep() != step; ++i) world_.Pass(), world_.Act();
    return world_.OperationStep() == step;
  }
  std::string ReasonOf(const char* type) {
    const auto conditions = kube::Conditions::FromStatus(world_.Cluster());
    return conditions.Get(type) == nullptr ? "" : conditions.Get(type)->reason;
  }
  size_t Claims() { return world_.api.List(kShopClaims).size(); }

  World world_;
};

TEST_F(Scale, UpFillsTheRacksAndDownEmptiesThemAgain) {
  world_.ScaleTo(5);
  ASSERT_TRUE(world_.RunUntilReady());
  EXPECT_EQ(world_.StateOf("demo-a-1"), "normal");
  EXPECT_EQ(world_.StateOf("demo-b-1"), "normal");
  EXPECT_EQ(kube::IntAt(world_.Cluster(), "status.replicas"), 5);
  world_.ScaleTo(3);
  ASSERT_TRUE(world_.RunUntilReady());
  EXPECT_EQ(Claims(), 3u);
  EXPECT_EQ(world_.OperationStep(), "");
}

TEST_F(Scale, AVolumeIsKeptIfThePolicySaysSo) {
  world_.ScaleTo(4);
  ASSERT_TRUE(world_.RunUntilReady());
  world_.Apply({{"replicas", 3}, {"storage", {{"retention", {{"whenScaled", "Retain"}}}}}});
  ASSERT_TRUE(world_.RunUntilReady());
  EXPECT_EQ(Claims(), 4u);
  // It has left for good: whoever comes to stand there waits for a human.
  world_.ScaleTo(4);
  EXPECT_FALSE(world_.RunUntilReady(20));
  EXPECT_EQ(ReasonOf("Degraded"), "VolumeHasLeft");
}

TEST_F(Scale, ANodeThatIsNotSaidToBeSafeIsNotAskedToLeave) {
  world_.ScaleTo(4);
  ASSERT_TRUE(world_.RunUntilReady());
  world_.set_ready_without(1);
  world_.ScaleTo(3);
  ASSERT_TRUE(RunUntil("ScaleDown/Leave"));
  for (int i = 0; i < 10; ++i) world_.Pass(), world_.Act();
  EXPECT_EQ(world_.StateOf("demo-a-1"), "normal");
  EXPECT_EQ(kube::IntAt(world_.Cluster(), "status.ring.underReplicated"), 1);
  EXPECT_FALSE(world_.RunUntilReady(3));
  world_.set_ready_without(2);
  EXPECT_TRUE(world_.RunUntilReady());
  EXPECT_EQ(Claims(), 3u);
}

TEST_F(Scale, ANodeThatLeavesIsAskedToStayIfTheSizeIsSetBack) {
  world_.ScaleTo(4);
  ASSERT_TRUE(world_.RunUntilReady());
  world_.set_nodes_slow(true);
  world_.ScaleTo(3);
  for (int i = 0; i < 10 && world_.StateOf("demo-a-1") != "leaving"; ++i) world_.Pass(), world_.Act();
  ASSERT_EQ(world_.StateOf("demo-a-1"), "leaving");
  world_.ScaleTo(4);
  world_.set_nodes_slow(false);
  ASSERT_TRUE(world_.RunUntilReady());
  EXPECT_EQ(world_.StateOf("demo-a-1"), "normal");
  EXPECT_EQ(Claims(), 4u);
}

TEST_F(Scale, NothingBeginsWhileANodeIsSilent) {
  world_.set_node_silent("demo-b-0", true);
  world_.ScaleTo(4);
  EXPECT_FALSE(world_.RunUntilReady(10));
  EXPECT_EQ(world_.OperationStep(), "");
  EXPECT_EQ(ReasonOf("Progressing"), "NodeDown");
  world_.set_node_silent("demo-b-0", false);
  EXPECT_TRUE(world_.RunUntilReady());
}

TEST_F(Scale, PausedInTheMiddleStaysWhereItIs) {
  world_.set_nodes_slow(true);
  world_.ScaleTo(4);
  ASSERT_TRUE(RunUntil("ScaleUp/Join"));
  world_.Apply({{"paused", true}});
  world_.set_nodes_slow(false);
  world_.Pass();
  const int writes = world_.writes();
  for (int i = 0; i < 5; ++i) world_.Pass();
  EXPECT_EQ(world_.OperationStep(), "ScaleUp/Join");
  EXPECT_EQ(world_.writes(), writes);
  world_.Apply({{"paused", false}});
  EXPECT_TRUE(world_.RunUntilReady());
}

}  // namespace
}  // namespace dynamo::op
