// The operator is stopped after every single write it makes, and started again: it
// always ends where it would have ended, and nothing forbidden is seen on the way.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <functional>

#include "tests/lib/test_form.h"
#include "tests/unit/operator/world.h"

namespace dynamo::op {
namespace {

using ::testing::IsEmpty;
using ::testing::Not;

constexpr int kFlows = 17, kStopPointsLeast = 290;

// Under sanitizers one stop point in five: what they look for is found by any.
int StrideOfThisRun() { return FormOfThisRun() == TestForm::kSmoke ? 5 : 1; }

class CrashSweep : public ::testing::Test {
 protected:
  static void TearDownTestSuite() {
    std::printf("crash sweep: %d stop points in %d flows\n", stop_points_, flows_);
    if (flows_ == kFlows && StrideOfThisRun() == 1) EXPECT_GE(stop_points_, kStopPointsLeast);
  }
  static void Count(int stop_points) { ++flows_, stop_points_ += stop_points; }

 private:
  static inline int flows_ = 0, stop_points_ = 0;
};

// `prepare` brings the world to where the flow begins, which ends when the condition `end` is true.
int Sweep(const char* flow, const std::function<void(World&)>& prepare, const char* end = "Ready") {
  std::string expected;
  int writes = 0;
  {
    World world;
    prepare(world);
    const int before = world.writes();
    EXPECT_TRUE(world.RunUntilTrue(end));
    EXPECT_THAT(world.violations(), IsEmpty());
    expected = world.EndState();
    writes = world.writes() - before;
  }
  int stop_points = 0;
  for (int stop = 1; stop < writes; stop += StrideOfThisRun(), ++stop_points) {
    World world;
    prepare(world);
    world.StopAfterWrites(stop);
    EXPECT_FALSE(world.RunUntilTrue(end)) << "the operator was not stopped after write " << stop;
    world.StartOperator();
    EXPECT_TRUE(world.RunUntilTrue(end)) << "stopped after write " << stop << ", in " << world.OperationStep();
    EXPECT_EQ(world.EndState(), expected) << "stopped after write " << stop;
    EXPECT_THAT(world.violations(), IsEmpty()) << "stopped after write " << stop;
  }
  std::printf("crash sweep of %s: %d stop points, always %s\n", flow, stop_points, expected.c_str());
  return stop_points;
}

TEST_F(CrashSweep, OfCreate) {
  Count(Sweep("create", [](World&) {}));
}

TEST_F(CrashSweep, OfScaleUp) {
  Count(Sweep("scale up", [](World& world) {
    ASSERT_TRUE(world.RunUntilReady());
    world.ScaleTo(5);
  }));
}

TEST_F(CrashSweep, OfScaleDown) {
  Count(Sweep("scale down", [](World& world) {
    world.ScaleTo(5);
    ASSERT_TRUE(world.RunUntilReady());
    world.ScaleTo(3);
  }));
}

TEST_F(CrashSweep, OfScaleDownTakenBack) {
  Count(Sweep("scale down, taken back", [](World& world) {
    world.ScaleTo(5);
    ASSERT_TRUE(world.RunUntilReady());
    world.set_nodes_slow(true);
    world.ScaleTo(4);
    for (int i = 0; i < 4; ++i) world.Pass(), world.Act();
    ASSERT_EQ(world.StateOf("demo-b-1"), "leaving");
    world.set_nodes_slow(false);
    world.ScaleTo(5);
  }));
}

TEST_F(CrashSweep, OfALostVolume) {
  Count(Sweep("a lost volume", [](World& world) {
    ASSERT_TRUE(world.RunUntilReady());
    world.LoseVolume("demo-b-0");
    world.Act();
  }));
}

TEST_F(CrashSweep, OfALostMachine) {
  Count(Sweep("a lost machine", [](World& world) {
    world.Apply({{"replacement", {{"failureDetectionDelay", "40s"}}}});
    ASSERT_TRUE(world.RunUntilReady());
    world.RemoveMachine("demo-b-0");
    world.Act();
  }));
}

TEST_F(CrashSweep, OfARollout) {
  Count(Sweep("a rollout", [](World& world) {
    ASSERT_TRUE(world.RunUntilReady());
    world.Apply({{"version", "1.1.0"}});
  }));
}

TEST_F(CrashSweep, OfARolloutSetBack) {
  Count(Sweep("a rollout of a broken image, set back", [](World& world) {
    ASSERT_TRUE(world.RunUntilReady());
    world.Apply({{"image", "broken:1"}});
    for (int i = 0; i < 12; ++i) world.Pass(), world.Act();
    ASSERT_EQ(world.OperationStep(), "Rollout/AwaitReady");
    world.Apply({{"image", ""}, {"version", "1.1.0"}});
  }));
}

TEST_F(CrashSweep, OfAComparisonOfAllNodes) {
  Count(Sweep("a comparison of all nodes", [](World& world) {
    ASSERT_TRUE(world.RunUntilReady());
    world.Apply({{"antiEntropy", {{"requestToken", "today"}}}});
  }));
}

TEST_F(CrashSweep, OfHibernation) {
  const auto prepare = [](World& world) {
    world.ScaleTo(4);
    ASSERT_TRUE(world.RunUntilReady());
    world.Apply({{"hibernated", true}});
  };
  Count(Sweep("hibernation", prepare, "Hibernated"));
}

TEST_F(CrashSweep, OfWaking) {
  Count(Sweep("waking", [](World& world) {
    world.ScaleTo(4);
    ASSERT_TRUE(world.RunUntilReady());
    world.Apply({{"hibernated", true}});
    ASSERT_TRUE(world.RunUntilTrue("Hibernated"));
    world.Apply({{"hibernated", false}});
  }));
}

TEST_F(CrashSweep, OfAHibernationThatIsAskedForWhileANodeJoins) {
  const auto prepare = [](World& world) {
    ASSERT_TRUE(world.RunUntilReady());
    world.set_nodes_slow(true);
    world.ScaleTo(4);
    for (int i = 0; i < 10 && world.StateOf("demo-a-1") != "joining"; ++i) world.Pass(), world.Act();
    ASSERT_EQ(world.StateOf("demo-a-1"), "joining");
    world.set_nodes_slow(false);
    world.Apply({{"hibernated", true}});
  };
  Count(Sweep("hibernation while a node joins", prepare, "Hibernated"));
}

TEST_F(CrashSweep, OfLargerVolumes) {
  Count(Sweep("larger volumes", [](World& world) {
    world.Apply({{"storage", {{"retention", {{"whenDeleted", "Delete"}}}}}});
    ASSERT_TRUE(world.RunUntilReady());
    world.Act();
    world.Apply({{"storage", {{"size", "20Gi"}}}});
  }));
}

TEST_F(CrashSweep, OfLargerVolumesWhoseFileSystemsAskForARestart) {
  Count(Sweep("larger volumes, with restarts", [](World& world) {
    ASSERT_TRUE(world.RunUntilReady());
    world.set_file_systems_stiff(true);
    world.Apply({{"storage", {{"size", "20Gi"}}}});
  }));
}

TEST_F(CrashSweep, OfAnotherAuthority) {
  const auto prepare = [](World& world) {
    world.Apply({{"tls", {{"peers", "OperatorManaged"}, {"clients", "Optional"}}}});
    ASSERT_TRUE(world.RunUntilReady());
    ASSERT_TRUE(world.RunUntilTrue("CertificatesReady"));
    world.Apply({{"tls", {{"rotateToken", "now"}}}});
  };
  Count(Sweep("another authority", prepare, "CertificatesReady"));
}

TEST_F(CrashSweep, OfPlaintextThatIsGivenUp) {
  Count(Sweep("plaintext given up", [](World& world) {
    ASSERT_TRUE(world.RunUntilReady());
    world.Apply({{"tls", {{"peers", "OperatorManaged"}}}});
  }));
}

TEST_F(CrashSweep, OfCertificatesOfCertManager) {
  const auto prepare = [](World& world) {
    world.InstallCertManager();
    world.Apply({{"tls", {{"peers", "CertManager"}, {"clients", "Optional"}, {"issuerRef", {{"name", "shop-ca"}}}}}});
  };
  Count(Sweep("cert-manager's certificates", prepare));
}

// Planted: acts on what it has not written down.
Action ActsBeforeItRecords(const ClusterSpec& spec, const ClusterStatus& status, const Observed& observed) {
  Action action = Plan(spec, status, observed);
  const Record* record = std::get_if<Record>(&action);
  if (record == nullptr || record->operation.type != Operation::Type::kCreate || status.operation) return action;
  ClusterStatus pretended = status;
  pretended.operation = record->operation;
  return Plan(spec, pretended, observed);
}

TEST_F(CrashSweep, APlantedWriteBeforeItsRecordIsCaught) {
  World world;
  world.StartOperator(ActsBeforeItRecords);
  world.RunUntilReady(5);
  EXPECT_THAT(world.violations(), Not(IsEmpty()));
}

// Planted: the StatefulSet shrinks as soon as the node was asked to leave.
Action ShrinksBeforeItHasLeft(const ClusterSpec& spec, const ClusterStatus& status, const Observed& observed) {
  if (status.operation && status.operation->step == Operation::Step::kLeave) {
    Operation next = *status.operation;
    next.step = Operation::Step::kRemovePod;
    return Record{next, "", ""};
  }
  return Plan(spec, status, observed);
}

TEST_F(CrashSweep, APlantedShrinkBeforeTheNodeHasLeftIsCaught) {
  World world;
  world.ScaleTo(4);
  ASSERT_TRUE(world.RunUntilReady());
  world.ScaleTo(3);
  world.StartOperator(ShrinksBeforeItHasLeft);
  world.RunUntilReady(5);
  EXPECT_THAT(world.violations(), Not(IsEmpty()));
}

// Planted: sleeps at once, whatever goes on in the ring.
Action SleepsAtOnce(const ClusterSpec& spec, const ClusterStatus& status, const Observed& observed) {
  if (!spec.hibernated || !status.operation || status.operation->type != Operation::Type::kScaleUp) {
    return Plan(spec, status, observed);
  }
  ClusterStatus pretended = status;
  pretended.operation.reset();
  Observed blind = observed;
  for (NodeView& node : blind.nodes) {
    if (!node.topology) continue;
    for (admin::Member& member : node.topology->members) member.state = "normal";
  }
  return Plan(spec, pretended, blind);
}

TEST_F(CrashSweep, APlantedSleepInTheMiddleOfAJoinIsCaught) {
  World world;
  ASSERT_TRUE(world.RunUntilReady());
  world.set_nodes_slow(true);
  world.ScaleTo(4);
  for (int i = 0; i < 10 && world.StateOf("demo-a-1") != "joining"; ++i) world.Pass(), world.Act();
  world.Apply({{"hibernated", true}});
  world.StartOperator(SleepsAtOnce);
  for (int i = 0; i < 10; ++i) world.Pass(), world.Act();
  EXPECT_THAT(world.violations(), Not(IsEmpty()));
}

// Planted: a StatefulSet is deleted before its volumes are freed of it.
Action OrphansAtOnce(const ClusterSpec& spec, const ClusterStatus& status, const Observed& observed) {
  Observed blind = observed;
  for (NodeView& node : blind.nodes) node.volume_owned = false;
  blind.objects_current = true;
  return Plan(spec, status, blind);
}

TEST_F(CrashSweep, APlantedDeletionOfAStatefulSetThatOwnsVolumesIsCaught) {
  World world;
  world.Apply({{"storage", {{"retention", {{"whenDeleted", "Delete"}}}}}});
  ASSERT_TRUE(world.RunUntilReady());
  world.Act();
  world.Apply({{"storage", {{"size", "20Gi"}}}});
  world.StartOperator(OrphansAtOnce);
  for (int i = 0; i < 15; ++i) world.Pass(), world.Act();
  EXPECT_THAT(world.violations(), Not(IsEmpty()));
}

// Planted: nobody is waited for.
Action IssuesAtOnce(const ClusterSpec& spec, const ClusterStatus& status, const Observed& observed) {
  Observed blind = observed;
  if (!blind.certificates) return Plan(spec, status, observed);
  for (UseView& use : blind.certificates->uses) use.behind_with_trust = use.behind_with_leaf = "";
  return Plan(spec, status, blind);
}

TEST_F(CrashSweep, APlantedIssueBeforeAllNodesTrustItIsCaught) {
  World world;
  world.Apply({{"tls", {{"peers", "OperatorManaged"}}}});
  ASSERT_TRUE(world.RunUntilReady());
  world.Act();
  world.Apply({{"tls", {{"rotateToken", "now"}}}});
  world.StartOperator(IssuesAtOnce);
  for (int i = 0; i < 10; ++i) world.Pass(), world.Act();
  EXPECT_THAT(world.violations(), Not(IsEmpty()));
}

// Planted: one step of a replacement is passed over.
ClusterReconciler::Planner PassesOver(Operation::Step step, Operation::Step instead) {
  return [=](const ClusterSpec& spec, const ClusterStatus& status, const Observed& observed) -> Action {
    if (!status.operation || status.operation->step != step) return Plan(spec, status, observed);
    Operation next = *status.operation;
    next.step = instead;
    return Record{next, "", ""};
  };
}

TEST_F(CrashSweep, APlantedForgettingBeforeTheRebuildOrTheComparisonIsCaught) {
  for (const auto step : {Operation::Step::kRebuild, Operation::Step::kRepair}) {
    World world;
    ASSERT_TRUE(world.RunUntilReady());
    world.LoseVolume("demo-b-0");
    world.set_nodes_slow(true);
    world.StartOperator(PassesOver(step, Operation::Step::kForget));
    for (int i = 0; i < 20; ++i) world.Pass(), world.Act();
    world.set_nodes_slow(false);
    world.RunUntilReady(5);
    EXPECT_THAT(world.violations(), Not(IsEmpty())) << NameOf(step);
  }
}

// Planted: asks for the replacement at first sight, before anything is written down.
Action ReplacesAtOnce(const ClusterSpec& spec, const ClusterStatus& status, const Observed& observed) {
  Action action = Plan(spec, status, observed);
  const Suspect* suspect = std::get_if<Suspect>(&action);
  if (suspect == nullptr || !suspect->suspicion) return action;
  return DropVolume{suspect->suspicion->node, suspect->suspicion->volume_uid, suspect->suspicion->machine};
}

TEST_F(CrashSweep, APlantedDeletionBeforeItsRecordIsCaught) {
  World world;
  ASSERT_TRUE(world.RunUntilReady());
  world.RemoveMachine("demo-b-0");
  world.Act();
  world.StartOperator(ReplacesAtOnce);
  world.RunUntilReady(5);
  EXPECT_THAT(world.violations(), Not(IsEmpty()));
}

// Planted: the next pod does not wait for the one before it.
Action RestartsAllAtOnce(const ClusterSpec& spec, const ClusterStatus& status, const Observed& observed) {
  if (status.operation && status.operation->step == Operation::Step::kAwaitReady) return Finish{1, "", ""};
  Observed blind = observed;
  for (NodeView& node : blind.nodes) {
    if (!node.expected || node.identity) continue;
    node.pod_ready = true;
    node.identity = admin::Identity{status.FindNode(node.name)->node_id, status.cluster_id, 1, "normal", false};
  }
  if (blind.safety_without) blind.safety_without->partitions.clear();
  return Plan(spec, status, blind);
}

TEST_F(CrashSweep, APlantedRestartBelowAQuorumIsCaught) {
  World world;
  ASSERT_TRUE(world.RunUntilReady());
  world.Apply({{"image", "broken:1"}});
  world.StartOperator(RestartsAllAtOnce);
  for (int i = 0; i < 20; ++i) world.Pass(), world.Act();
  EXPECT_THAT(world.violations(), Not(IsEmpty()));
}

}  // namespace
}  // namespace dynamo::op
