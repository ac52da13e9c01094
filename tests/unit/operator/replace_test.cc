// Lost volumes and machines through the whole operator, against an acted Kubernetes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/operator/world.h"

namespace dynamo::op {
namespace {

using kube::Object;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ReplaceWorld : public ::testing::Test {
 protected:
  ReplaceWorld() {
    world_.Apply({{"replacement", {{"failureDetectionDelay", "40s"}}}});
    EXPECT_TRUE(world_.RunUntilReady());
    // What is lost is known by what was written down when all was well.
    old_id_ = world_.NodeIdAt("demo-b-0");
    old_volume_ = world_.VolumeAt("demo-b-0");
  }
  ~ReplaceWorld() override { EXPECT_THAT(world_.violations(), IsEmpty()); }

  // Passes until Degraded has that reason; false: it never has.
  bool RunUntilDegraded(const std::string& reason) {
    for (int i = 0; i < 30 && world_.Said("Degraded").reason != reason; ++i) world_.Pass(), world_.Act();
    return world_.Said("Degraded").reason == reason;
  }
  // `lost`: how often the loss was told of.
  void ExpectReplaced(int lost = 1) {
    EXPECT_NE(world_.NodeIdAt("demo-b-0"), old_id_);
    EXPECT_EQ(world_.StateOf("demo-b-0"), "normal");
    for (const char* event :
         {"ReplacementStarted", "AntiEntropyStarted", "AntiEntropyCompleted", "ReplacementCompleted"}) {
      EXPECT_EQ(world_.EventsOf(event), 1) << event;
    }
    EXPECT_EQ(world_.EventsOf("VolumeLost"), lost);
    const Object compared = *kube::Find(world_.Cluster(), "status.antiEntropy")->if_object();
    EXPECT_EQ(kube::StringAt(compared, "lastReplacement.nodeID"), world_.NodeIdAt("demo-b-0"));
    EXPECT_EQ(kube::IntAt(compared, "lastReplacement.keysRepaired"), 17);
    EXPECT_EQ(kube::StringAt(compared, "lastCompleted"), "") << "one node's comparison is not that of all";
    EXPECT_EQ(world_.OperationStep(), "");
    EXPECT_EQ(kube::StringAt(world_.Cluster(), "status.suspicion.node"), "");
  }

  World world_;
  std::string old_id_, old_volume_;
};

TEST_F(ReplaceWorld, AVolumeThatIsDeletedComesBackAsAnotherNodeWithoutAHuman) {
  world_.LoseVolume("demo-b-0");
  world_.Act();
  ASSERT_TRUE(world_.RunUntilReady());
  ExpectReplaced();
}

TEST_F(ReplaceWorld, APodThatComesBackOnItsVolumeIsTheSameNode) {
  world_.api.Do("DELETE", "/api/v1/namespaces/shop/pods/demo-b-0");
  world_.Turn(10);
  EXPECT_TRUE(world_.RunUntilReady());
  EXPECT_EQ(world_.NodeIdAt("demo-b-0"), old_id_);
  EXPECT_EQ(world_.EventsOf("VolumeLost"), 0);
}

TEST_F(ReplaceWorld, AMachineThatIsGoneTakesItsVolumeAlongAndThePodComesUpElsewhere) {
  world_.RemoveMachine("demo-b-0");
  world_.Act();
  for (int i = 0; i < 40 && world_.EventsOf("ReplacementCompleted") == 0; ++i) world_.Pass(), world_.Act();
  ASSERT_TRUE(world_.RunUntilReady());
  EXPECT_NE(world_.VolumeAt("demo-b-0"), old_volume_);
  ExpectReplaced();
}

TEST_F(ReplaceWorld, AMachineThatIsOnlyAwayLosesNothing) {
  world_.PowerOff("demo-b-0");
  ASSERT_TRUE(RunUntilDegraded("MachineAway"));
  EXPECT_THAT(world_.Said("Degraded").message, HasSubstr("kubectl delete node machine-of-" + old_volume_));
  world_.Turn(5);
  EXPECT_EQ(world_.VolumeAt("demo-b-0"), old_volume_);
  world_.PowerOn("demo-b-0");
  world_.Act();
  ASSERT_TRUE(world_.RunUntilReady());
  EXPECT_EQ(world_.NodeIdAt("demo-b-0"), old_id_);
  EXPECT_EQ(world_.EventsOf("VolumeLost"), 0);
}

TEST_F(ReplaceWorld, AMachineThatComesBackBeforeItsTimeLosesNothing) {
  world_.PowerOff("demo-b-0");
  world_.Turn(3);
  EXPECT_EQ(world_.Said("Progressing").reason, "MachineAway");
  EXPECT_EQ(world_.Said("Degraded").status, "False");
  world_.PowerOn("demo-b-0");
  world_.Act();
  EXPECT_TRUE(world_.RunUntilReady());
  EXPECT_EQ(world_.VolumeAt("demo-b-0"), old_volume_);
}

TEST_F(ReplaceWorld, ThePolicyManualSaysWhatToDoAndDoesNothing) {
  world_.Apply({{"replacement", {{"policy", "Manual"}}}});
  world_.LoseVolume("demo-b-0");
  world_.Act();
  ASSERT_TRUE(RunUntilDegraded("VolumeLost"));
  EXPECT_THAT(world_.Said("Degraded").message, HasSubstr("dynamoctl cluster replace " + old_id_));
  EXPECT_EQ(world_.OperationStep(), "");
  EXPECT_EQ(world_.StateOf("demo-b-0"), "");
  world_.Apply({{"replacement", {{"policy", "Automatic"}}}});
  EXPECT_TRUE(world_.RunUntilReady());
  ExpectReplaced(/*lost=*/2);
}

TEST_F(ReplaceWorld, TwoLostVolumesOfThreeAreLeftToAHumanWithTheCommandsAndNothingIsDeleted) {
  const std::string other = world_.NodeIdAt("demo-c-0");
  world_.LoseVolume("demo-b-0");
  world_.LoseVolume("demo-c-0");
  world_.Act();
  ASSERT_TRUE(RunUntilDegraded("DataAtRisk"));
  EXPECT_THAT(world_.Said("Degraded").message, HasSubstr("force-topology"));
  EXPECT_THAT(world_.Said("Degraded").message, HasSubstr(old_id_ + "," + other));
  const int writes = world_.writes();
  world_.Turn(6);
  EXPECT_LE(world_.writes() - writes, 2) << "status alone";
  EXPECT_EQ(world_.OperationStep(), "");
}

TEST_F(ReplaceWorld, TwoMachinesOfThreeThatAreGoneAreLeftToAHuman) {
  const std::string other = world_.VolumeAt("demo-c-0");
  world_.RemoveMachine("demo-b-0");
  world_.RemoveMachine("demo-c-0");
  world_.Turn(20);
  EXPECT_EQ(world_.VolumeAt("demo-b-0"), old_volume_);
  EXPECT_EQ(world_.VolumeAt("demo-c-0"), other);
  EXPECT_EQ(world_.Said("Ready").status, "False");
}

TEST_F(ReplaceWorld, OneAfterTheOtherIsReplacedWhereEnoughIsLeft) {
  world_.LoseVolume("demo-b-0");
  world_.Act();
  ASSERT_TRUE(world_.RunUntilReady());
  world_.LoseVolume("demo-c-0");
  world_.Act();
  ASSERT_TRUE(world_.RunUntilReady());
  EXPECT_EQ(world_.EventsOf("ReplacementCompleted"), 2);
  EXPECT_EQ(world_.StateOf("demo-c-0"), "normal");
}

TEST_F(ReplaceWorld, AVolumeThatIsLostBeforeANodeHasBegunToLeaveGoesFirst) {
  world_.ScaleTo(4);
  ASSERT_TRUE(world_.RunUntilReady());
  world_.set_ready_without(1);
  world_.ScaleTo(3);
  world_.Turn(5);
  ASSERT_EQ(world_.OperationStep(), "ScaleDown/Leave");
  world_.LoseVolume("demo-b-0");
  world_.Act();
  world_.set_ready_without(2);
  ASSERT_TRUE(world_.RunUntilReady(90));
  EXPECT_EQ(world_.EventsOf("DecommissionPostponed"), 1);
  ExpectReplaced();
  EXPECT_EQ(world_.EventsOf("Decommissioned"), 1);
}

TEST_F(ReplaceWorld, WhatWasLostTwiceWhileNobodyLookedIsReplacedOnce) {
  world_.LoseVolume("demo-b-0");
  world_.Act();
  world_.LoseVolume("demo-b-0");
  world_.Act();
  ASSERT_TRUE(world_.RunUntilReady());
  ExpectReplaced();
}

TEST_F(ReplaceWorld, AVolumeThatIsLostAgainWhileItIsSuspectedIsSeenTwiceAnew) {
  world_.LoseVolume("demo-b-0");
  world_.Act(), world_.Pass();
  const std::string first = kube::StringAt(world_.Cluster(), "status.suspicion.since");
  world_.Act(), world_.Act();
  world_.LoseVolume("demo-b-0");
  world_.Act(), world_.Pass();
  EXPECT_GT(*kube::ParseTime(kube::StringAt(world_.Cluster(), "status.suspicion.since")), *kube::ParseTime(first));
  ASSERT_TRUE(world_.RunUntilReady());
  ExpectReplaced();
}

TEST_F(ReplaceWorld, ARestartedOperatorGoesOnFromWhatItHasSuspected) {
  world_.LoseVolume("demo-b-0");
  world_.Act();
  world_.Pass();
  const std::string since = kube::StringAt(world_.Cluster(), "status.suspicion.since");
  ASSERT_NE(since, "");
  for (int i = 0; i < 30 && world_.OperationStep().empty(); ++i) {
    world_.StartOperator();
    world_.Pass();
    world_.clock.Advance(std::chrono::seconds(7));
  }
  EXPECT_EQ(world_.OperationStep().substr(0, 8), "Replace/");
  const auto begun = kube::ParseTime(kube::StringAt(world_.Cluster(), "status.operation.startedAt"));
  EXPECT_GE(*begun, *kube::ParseTime(since) + 30'000'000);
  EXPECT_LE(*begun, *kube::ParseTime(since) + 40'000'000);
}

TEST_F(ReplaceWorld, WhoStoodThereStaysWrittenDownUntilAnotherHasThePlace) {
  world_.LoseVolume("demo-b-0");
  world_.Act(), world_.Pass();
  const Object cluster = world_.Cluster();
  const Object& b = kube::Find(cluster, "status.nodes")->get_array().at(1).get_object();
  EXPECT_EQ(kube::StringAt(b, "nodeID"), old_id_);
  EXPECT_EQ(kube::StringAt(b, "volumeUID"), old_volume_);
  EXPECT_EQ(kube::StringAt(b, "state"), "Lost");
  ASSERT_TRUE(world_.RunUntilReady());
  const Object after = world_.Cluster();
  const Object& now = kube::Find(after, "status.nodes")->get_array().at(1).get_object();
  EXPECT_EQ(kube::StringAt(now, "nodeID"), world_.NodeIdAt("demo-b-0"));
  EXPECT_EQ(kube::StringAt(now, "volumeUID"), world_.VolumeAt("demo-b-0"));
}

TEST_F(ReplaceWorld, MachinesThatMayNotBeLookedAtAreNamedAsAMissingPermission) {
  world_.api.set_intercept([](const testing::FakeRequest& request) -> std::optional<testing::FakeReply> {
    if (request.path.find("/api/v1/nodes") == std::string::npos) return std::nullopt;
    return testing::FakeReply{
        403, "{\"kind\":\"Status\",\"reason\":\"Forbidden\",\"message\":\"cannot list resource nodes\"}", {}};
  });
  world_.set_node_silent("demo-b-0", true);
  world_.Pass();
  EXPECT_EQ(world_.Said("Degraded").reason, "PermissionMissing");
  EXPECT_THAT(world_.Said("Degraded").message, HasSubstr("cannot list resource nodes"));
}

// Planted: takes a machine that is away for one that is gone. The last look, past all that
// the plan has seen, still refuses.
Action TakesAwayForGone(const ClusterSpec& spec, const ClusterStatus& status, const Observed& observed) {
  Observed believed = observed;
  for (NodeView& node : believed.nodes) {
    if (node.machine.state == MachineView::State::kAway) node.machine.state = MachineView::State::kGone;
  }
  return Plan(spec, status, believed);
}

TEST_F(ReplaceWorld, APlannerThatIsWrongAboutAMachineDeletesNoVolume) {
  world_.StartOperator(TakesAwayForGone);
  world_.PowerOff("demo-b-0");
  world_.Turn(15);
  EXPECT_EQ(world_.OperationStep(), "Replace/DropVolume");
  EXPECT_EQ(world_.VolumeAt("demo-b-0"), old_volume_);
  EXPECT_EQ(world_.Said("Degraded").reason, "MachineBack");
}

}  // namespace
}  // namespace dynamo::op
