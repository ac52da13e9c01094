// Sleeping and waking: by table, and through the whole operator.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/cluster/report.h"
#include "tests/unit/operator/lost_scene.h"
#include "tests/unit/operator/world.h"

namespace dynamo::op {
namespace {

using kube::Object;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Step = Operation::Step;
using Type = Operation::Type;

void Wished(LostScene& s) { s.spec.hibernated = true; }
void WrittenDown(LostScene& s) { s.status.hibernation.emplace().replicas = {{"a", 1}, {"b", 1}, {"c", 1}}; }
void Stopped(LostScene& s) {
  for (RackView& rack : s.observed.racks) rack.replicas = 0, rack.ready = 0;
  for (NodeView& node : s.observed.nodes) {
    node.expected = node.pod_exists = node.pod_ready = false;
    node.identity.reset(), node.topology.reset();
  }
}
void Asleep(LostScene& s) { Wished(s), WrittenDown(s), Stopped(s); }
void FallingAsleep(LostScene& s) {
  Wished(s), WrittenDown(s);
  s.status.operation = Operation{"op", Type::kHibernate, Step::kStopPods, "", "", "", "", "", 5, SecondsAgo(9), ""};
}
void WakingUp(LostScene& s) {
  WrittenDown(s);
  s.status.operation = Operation{"op", Type::kWake, Step::kStartPods, "", "", "", "", "", 5, SecondsAgo(9), ""};
}

TEST(HibernatePlan, BeginsWhenNothingIsUnderWay) {
  CheckPlans<LostScene>({
      {"nobody wants it", [](LostScene&) {}, "Settled"},
      {"at rest", Wished, "Record(Hibernate/StopPods"},
      {"before the size", [](LostScene& s) { Wished(s), s.spec.replicas = 4; }, "Record(Hibernate/StopPods"},
      {"before a rollout", [](LostScene& s) { Wished(s), s.Node("demo-b-0").pod_template = "older"; },
       "Record(Hibernate/StopPods"},
      {"a node is away: it sleeps as well",
       [](LostScene& s) { Wished(s), s.Away("demo-b-0", MachineView::State::kThere); }, "Record(Hibernate/StopPods"},
      {"a lost volume goes first", [](LostScene& s) { Wished(s), s.Empty("demo-b-0"); }, "Suspect(demo-b-0)"},
      {"the ring changes", [](LostScene& s) { Wished(s), s.SetState("demo-b-0", "joining"); }, "Wait(RingChanging"},
      {"by somebody else's hand", [](LostScene& s) { Wished(s), s.ring.change = "a node leaves", s.Share(); },
       "Wait(RingChanging"},
      {"nobody agrees",
       [](LostScene& s) {
         Wished(s);
         for (NodeView& node : s.observed.nodes) node.topology.reset();
       },
       "Wait(RingNotConverged"},
      {"a set is missing", [](LostScene& s) { Wished(s), s.observed.racks[1].replicas.reset(); },
       "Wait(StatefulSetMissing"},
      {"paused", [](LostScene& s) { Wished(s), s.spec.paused = true; }, "Wait(Paused"},
      {"there is no ring yet", [](LostScene& s) { Wished(s), s.status.ring_epoch = 0; }, "Settled"},
  });
}

TEST(HibernatePlan, AChangeOfTheRingIsFinishedFirstAndOtherWorkGivesWay) {
  const auto in = [](Type type, Step step, const char* state) {
    return [=](LostScene& s) { s.InOperation(type, step, state), Wished(s); };
  };
  CheckPlans<LostScene>({
      {"a node joins", in(Type::kScaleUp, Step::kJoin, "joining"), "Wait(NodeJoining"},
      {"a node leaves", in(Type::kScaleDown, Step::kLeave, "leaving"), "Wait(NodeLeaving"},
      {"a replacement", [](LostScene& s) { s.Replacing(Step::kRebuild, "joining", "replaced"), Wished(s); },
       "Wait(NodeRebuilding"},
      {"a rollout", in(Type::kRollout, Step::kAwaitReady, "normal"), "Finish(RolloutInterrupted"},
      {"a comparison", in(Type::kAntiEntropy, Step::kRepair, "normal"), "Finish(AntiEntropyInterrupted"},
  });
}

TEST(HibernatePlan, PodsGoTogetherAndNothingElseHappensUntilItIsWoken) {
  CheckPlans<LostScene>({
      {"the first rack", FallingAsleep, "ScaleRack(a 0)"},
      {"the next one", [](LostScene& s) { FallingAsleep(s), s.observed.racks[0].replicas = 0; }, "ScaleRack(b 0)"},
      {"pods stop", [](LostScene& s) { FallingAsleep(s), Stopped(s), s.Node("demo-c-0").pod_exists = true; },
       "Wait(PodStopping: waiting for demo-c-0"},
      {"stopped", [](LostScene& s) { FallingAsleep(s), Stopped(s); }, "Finish(Hibernated)"},
      {"taken back", [](LostScene& s) { FallingAsleep(s), s.spec.hibernated = false; }, "Finish(HibernationCancelled)"},
      {"a broken pod is stopped, not mended",
       [](LostScene& s) {
         FallingAsleep(s), s.Away("demo-c-0", MachineView::State::kThere);
         s.Node("demo-c-0").trouble = "ErrImagePull", s.Node("demo-c-0").pod_template = "older";
       },
       "ScaleRack(a 0)"},
      {"asleep", Asleep, "Settled"},
      {"asleep, of another size", [](LostScene& s) { Asleep(s), s.spec.replicas = 5; }, "Settled"},
      {"asleep, and a volume is gone", [](LostScene& s) { Asleep(s), s.Node("demo-b-0").volume_uid = ""; }, "Settled"},
      {"asleep, and somebody scaled a rack", [](LostScene& s) { Asleep(s), s.observed.racks[2].replicas = 1; },
       "Record(Hibernate/StopPods"},
      {"asleep, and somebody deleted a set",
       [](LostScene& s) { Asleep(s), s.observed.racks[0].replicas.reset(), s.observed.objects_current = false; },
       "ApplyObjects(0,0,0)"},
  });
}

TEST(HibernatePlan, WakingBringsBackTheSameNodesAtTheSameSizes) {
  CheckPlans<LostScene>({
      {"asked for", [](LostScene& s) { Asleep(s), s.spec.hibernated = false; }, "Record(Wake/StartPods"},
      {"the first rack", [](LostScene& s) { WakingUp(s), Stopped(s); }, "ScaleRack(a 1)"},
      {"the last rack", [](LostScene& s) { WakingUp(s), s.observed.racks[2].replicas = 0; }, "ScaleRack(c 1)"},
      {"a pod starts", [](LostScene& s) { WakingUp(s), s.Away("demo-b-0", MachineView::State::kThere); },
       "Wait(NodesWaking: waiting for demo-b-0"},
      {"a pod cannot start", [](LostScene& s) { WakingUp(s), s.Node("demo-b-0").trouble = "Unschedulable: no room"; },
       "Wait(PodsBlocked"},
      {"they do not agree yet", [](LostScene& s) { WakingUp(s), s.Node("demo-b-0").topology.reset(); },
       "Wait(RingNotConverged"},
      {"another node stands there",
       [](LostScene& s) { WakingUp(s), s.status.nodes[1].node_id = "id-of-before", s.Hear(); }, "Wait(NodeUnknown"},
      {"all serve", WakingUp, "Finish(Woken)"},
      {"a volume was lost meanwhile", [](LostScene& s) { WakingUp(s), s.Empty("demo-b-0"); }, "Finish(Woken)"},
      {"back to sleep", [](LostScene& s) { WakingUp(s), Wished(s); }, "Finish(WakingCancelled)"},
  });
}

TEST(HibernatePlan, TheSizesAreWrittenDownOnceAndKeptUntilAllAreBack) {
  LostScene scene;
  Wished(scene);
  const Action begun = Plan(scene.spec, scene.status, scene.observed);
  EXPECT_EQ(std::get<Record>(begun).hibernation->replicas, (std::map<std::string, int>{{"a", 1}, {"b", 1}, {"c", 1}}));
  Asleep(scene);
  scene.observed.racks[0].replicas = 1;
  const Action again = Plan(scene.spec, scene.status, scene.observed);
  EXPECT_FALSE(std::get<Record>(again).hibernation) << "what was written down stays";
  LostScene back;
  WakingUp(back);
  const Action woken = Plan(back.spec, back.status, back.observed);
  EXPECT_TRUE(std::get<Finish>(woken).awake);
  Wished(back);
  const Action cancelled = Plan(back.spec, back.status, back.observed);
  EXPECT_FALSE(std::get<Finish>(cancelled).awake);
}

TEST(HibernatePlan, IsReadBackAsItWasWritten) {
  const Hibernation written{"2026-01-02T03:04:05Z", {{"a", 2}, {"b", 1}}};
  const auto status = ParseStatus({{"status", {{"hibernation", ToJson(written)}}}});
  ASSERT_TRUE(status);
  EXPECT_EQ(*status->hibernation, written);
  EXPECT_FALSE(ParseStatus({{"status", {{"hibernation", nullptr}}}})->hibernation);
}

class Hibernate : public ::testing::Test {
 protected:
  Hibernate() {
    world_.ScaleTo(4);
    EXPECT_TRUE(world_.RunUntilReady());
    for (const char* pod : kSleepers) ids_[pod] = world_.NodeIdAt(pod), volumes_[pod] = world_.VolumeAt(pod);
  }
  ~Hibernate() override { EXPECT_THAT(world_.violations(), IsEmpty()); }
  void Sleep() {
    world_.Apply({{"hibernated", true}});
    ASSERT_TRUE(world_.RunUntilTrue("Hibernated"));
  }
  void Wake() {
    world_.Apply({{"hibernated", false}});
    ASSERT_TRUE(world_.RunUntilReady());
  }
  size_t Pods() { return world_.api.List("/api/v1/namespaces/shop/pods").size(); }
  void ExpectTheSameNodes() {
    for (const char* pod : kSleepers) {
      EXPECT_EQ(world_.NodeIdAt(pod), ids_[pod]);
      EXPECT_EQ(world_.VolumeAt(pod), volumes_[pod]);
    }
  }

  static constexpr const char* kSleepers[] = {"demo-a-0", "demo-a-1", "demo-b-0", "demo-c-0"};
  World world_;
  std::map<std::string, std::string> ids_, volumes_;
};

TEST_F(Hibernate, StopsAllPodsAndKeepsAllVolumesAndWakingBringsTheSameNodesBack) {
  Sleep();
  EXPECT_EQ(Pods(), 0u);
  ExpectTheSameNodes();
  EXPECT_EQ(world_.Said("Ready").reason, "Hibernated");
  EXPECT_EQ(world_.Said("Available").status, "False");
  EXPECT_EQ(world_.Said("Degraded").status, "False");
  EXPECT_EQ(world_.Said("Progressing").status, "False");
  EXPECT_EQ(world_.Said("VolumesReady").status, "True");
  EXPECT_THAT(world_.Said("Hibernated").message, HasSubstr("4 nodes"));
  const int writes = world_.writes();
  world_.Turn(60);
  EXPECT_EQ(world_.writes(), writes) << "nothing is done for pods that are not there";
  Wake();
  EXPECT_EQ(Pods(), 4u);
  ExpectTheSameNodes();
  EXPECT_EQ(world_.EventsOf("Woken"), 1);
  EXPECT_EQ(world_.EventsOf("VolumeLost"), 0);
  EXPECT_EQ(world_.Said("Hibernated").reason, "Awake");
}

TEST_F(Hibernate, WhatIsChangedMeanwhileIsWhatItWakesWithAndTheSizeFollows) {
  Sleep();
  world_.Apply({{"version", "1.1.0"}, {"replicas", 3}});
  world_.Turn(5);
  EXPECT_EQ(Pods(), 0u);
  Wake();
  EXPECT_EQ(world_.ImageAt("demo-b-0"), "dynamo:1.1.0");
  EXPECT_EQ(world_.EventsOf("NodeRestarted"), 0);
  EXPECT_EQ(world_.EventsOf("Decommissioned"), 1) << "after it was awake, as any other";
  EXPECT_EQ(Pods(), 3u);
}

TEST_F(Hibernate, AVolumeThatIsLostMeanwhileIsSaidAndReplacedWhenItWakes) {
  Sleep();
  world_.api.Do("DELETE", "/api/v1/namespaces/shop/persistentvolumeclaims/data-demo-b-0");
  world_.Turn(3);
  EXPECT_EQ(world_.Said("VolumesReady").reason, "VolumeMissing");
  EXPECT_THAT(world_.Said("VolumesReady").message, HasSubstr("data-demo-b-0"));
  EXPECT_EQ(Pods(), 0u);
  Wake();
  EXPECT_EQ(world_.EventsOf("ReplacementCompleted"), 1);
  EXPECT_NE(world_.NodeIdAt("demo-b-0"), ids_["demo-b-0"]);
  EXPECT_EQ(world_.NodeIdAt("demo-c-0"), ids_["demo-c-0"]);
}

TEST_F(Hibernate, ANodeThatJoinsIsWaitedForAndThatIsSaid) {
  world_.set_nodes_slow(true);
  world_.ScaleTo(5);
  for (int i = 0; i < 10 && world_.StateOf("demo-b-1") != "joining"; ++i) world_.Pass(), world_.Act();
  ASSERT_EQ(world_.StateOf("demo-b-1"), "joining");
  world_.Apply({{"hibernated", true}});
  world_.Turn(5);
  EXPECT_EQ(world_.Said("Hibernated").reason, "Hibernating");
  EXPECT_THAT(world_.Said("Hibernated").message, HasSubstr("ScaleUp of demo-b-1 is finished first"));
  EXPECT_EQ(Pods(), 5u);
  world_.set_nodes_slow(false);
  ASSERT_TRUE(world_.RunUntilTrue("Hibernated"));
  EXPECT_EQ(Pods(), 0u);
  Wake();
  EXPECT_EQ(world_.StateOf("demo-b-1"), "normal");
}

TEST_F(Hibernate, ABrokenRolloutDoesNotKeepItAwake) {
  world_.Apply({{"image", "broken:1"}});
  world_.Turn(12);
  ASSERT_EQ(world_.OperationStep(), "Rollout/AwaitReady");
  Sleep();
  EXPECT_EQ(Pods(), 0u);
  world_.Apply({{"image", ""}});
  Wake();
  ExpectTheSameNodes();
}

TEST_F(Hibernate, TakenBackInTheMiddleLosesNobody) {
  world_.Apply({{"hibernated", true}});
  world_.StopAfterWrites(5);
  world_.Pass();
  world_.StartOperator();
  ASSERT_EQ(world_.OperationStep(), "Hibernate/StopPods");
  world_.Act();
  EXPECT_LT(Pods(), 4u);
  Wake();
  EXPECT_EQ(Pods(), 4u);
  ExpectTheSameNodes();
}

TEST_F(Hibernate, ThatAndBackToSleepAgainInTheMiddle) {
  Sleep();
  world_.Apply({{"hibernated", false}});
  world_.Turn(1);
  ASSERT_EQ(world_.OperationStep(), "Wake/StartPods");
  Sleep();
  EXPECT_EQ(Pods(), 0u);
  Wake();
  ExpectTheSameNodes();
}

TEST_F(Hibernate, OfAClusterThatWasNeverMadeMakesNothing) {
  World fresh;
  fresh.Apply({{"hibernated", true}});
  ASSERT_TRUE(fresh.RunUntilTrue("Hibernated"));
  EXPECT_THAT(fresh.api.List("/apis/apps/v1/namespaces/shop/statefulsets"), IsEmpty());
  fresh.Apply({{"hibernated", false}});
  EXPECT_TRUE(fresh.RunUntilReady());
}

}  // namespace
}  // namespace dynamo::op
