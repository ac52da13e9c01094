// Larger volumes: by table, and through the whole operator.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/operator/lost_scene.h"
#include "tests/unit/operator/world.h"

namespace dynamo::op {
namespace {

using kube::Object;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Step = Operation::Step;
using Type = Operation::Type;

// 20Gi are asked for where 10Gi are.
struct GrowScene : LostScene {
  GrowScene() {
    spec.storage_size = "20Gi";
    for (NodeView& node : observed.nodes) {
      node.volume_requested = node.volume_size = "10Gi";
      node.volume_class = "fast";
      node.volume_can_grow = true;
    }
    for (RackView& rack : observed.racks) rack.volume_size = "10Gi";
  }
  void Grown(const std::string& name) { Node(name).volume_requested = Node(name).volume_size = "20Gi"; }
  void AllGrown() {
    for (NodeView& node : observed.nodes) Grown(node.name);
  }
  void Growing(Step step, const std::string& node = "demo-b-0") {
    status.operation =
        Operation{"op", Type::kGrowVolumes, step, "b", node, "id-" + node, "pod-" + node, "volume-" + node,
                  5,    SecondsAgo(65),     ""};
    status.operation->replicas = 1;
  }
};

void ForbidAll(GrowScene& s) {
  for (NodeView& node : s.observed.nodes) node.volume_can_grow = false;
}

TEST(GrowPlan, BeginsWithTheFirstClaimAndEndsWithTheStatefulSets) {
  CheckPlans<GrowScene>({
      {"more is asked for", [](GrowScene&) {}, "Record(GrowVolumes/Resize demo-a-0"},
      {"the same in other words", [](GrowScene& s) { s.spec.storage_size = "10240Mi"; }, "Settled"},
      {"one has grown", [](GrowScene& s) { s.Grown("demo-a-0"); }, "Record(GrowVolumes/Resize demo-b-0"},
      {"one was asked and has not grown", [](GrowScene& s) { s.AllGrown(), s.Node("demo-c-0").volume_size = "10Gi"; },
       "Record(GrowVolumes/Resize demo-c-0"},
      {"all claims have", [](GrowScene& s) { s.AllGrown(); }, "Record(GrowVolumes/Recreate demo-a)"},
      {"all have",
       [](GrowScene& s) {
         s.AllGrown();
         for (RackView& rack : s.observed.racks) rack.volume_size = "20Gi";
       },
       "Settled"},
      {"one has more than that", [](GrowScene& s) { s.AllGrown(), s.Node("demo-a-0").volume_size = "30Gi"; },
       "Record(GrowVolumes/Recreate demo-a)"},
      {"nobody knows its size", [](GrowScene& s) { s.Node("demo-a-0").volume_requested = ""; },
       "Record(GrowVolumes/Resize demo-b-0"},
      {"a lost volume goes first", [](GrowScene& s) { s.Empty("demo-b-0"); }, "Suspect("},
      {"a node more goes first", [](GrowScene& s) { s.spec.replicas = 4; }, "Record(ScaleUp"},
      {"a rollout comes after it", [](GrowScene& s) { s.Node("demo-b-0").pod_template = "older"; },
       "Record(GrowVolumes/Resize"},
      {"less is asked for", [](GrowScene& s) { s.spec.storage_size = "5Gi"; }, "Wait(ResizeRejected"},
      {"the class lets none grow", ForbidAll, "Wait(ResizeRejected: volume data-demo-a-0 is of storage class fast"},
      {"there is no class", [](GrowScene& s) { ForbidAll(s), s.Node("demo-a-0").volume_class = ""; },
       "Wait(ResizeRejected: volume data-demo-a-0 is of no storage class"},
      {"one of the classes", [](GrowScene& s) { s.Node("demo-c-0").volume_can_grow = false; }, "Wait(ResizeRejected"},
      {"refused, and a rollout goes on", [](GrowScene& s) { ForbidAll(s), s.Node("demo-b-0").pod_template = "older"; },
       "Record(Rollout/Restart demo-b-0"},
      {"classes may not be looked at", [](GrowScene& s) { s.observed.classes_forbidden = "no right"; },
       "Wait(PermissionMissing: no right"},
  });
}

TEST(GrowPlan, AClaimIsAskedOnceAndWaitedFor) {
  const auto asked = [](GrowScene& s) { s.Growing(Step::kResize), s.Node("demo-b-0").volume_requested = "20Gi"; };
  const auto pending = [asked](GrowScene& s, uint64_t seconds) {
    asked(s), s.Node("demo-b-0").volume_pending_since = kSceneNow - seconds * 1'000'000;
  };
  CheckPlans<GrowScene>({
      {"asked", [](GrowScene& s) { s.Growing(Step::kResize); }, "GrowVolume(demo-b-0 20Gi)"},
      {"still more by now", [](GrowScene& s) { s.Growing(Step::kResize), s.spec.storage_size = "40Gi"; },
       "GrowVolume(demo-b-0 40Gi)"},
      {"the class lets it no more", [](GrowScene& s) { s.Growing(Step::kResize), ForbidAll(s); },
       "Finish(VolumeResizeInterrupted"},
      {"nobody says whether it can",
       [](GrowScene& s) { s.Growing(Step::kResize), s.Node("demo-b-0").volume_can_grow.reset(); },
       "Wait(VolumeResizing"},
      {"waited for", asked, "Wait(VolumeResizing: data-demo-b-0 has 10Gi of 20Gi"},
      {"for too long", [asked](GrowScene& s) { asked(s), s.spec.progress_deadline_ms = 60'000; }, "Wait(ResizeBlocked"},
      {"has grown", [](GrowScene& s) { s.Growing(Step::kResize), s.Grown("demo-b-0"); },
       "Record(GrowVolumes/Resize demo-a-0"},
      {"its file system may yet", [pending](GrowScene& s) { pending(s, 119); }, "Wait(VolumeResizing"},
      {"its file system asks for a restart", [pending](GrowScene& s) { pending(s, 120); },
       "Record(GrowVolumes/Restart demo-b-0"},
      {"a volume is lost", [asked](GrowScene& s) { asked(s), s.Empty("demo-c-0"); }, "Finish(VolumeResizeInterrupted"},
      {"another volume stands there", [asked](GrowScene& s) { asked(s), s.Node("demo-b-0").volume_uid = "other"; },
       "Finish(VolumeResizeInterrupted"},
      {"it is to sleep", [asked](GrowScene& s) { asked(s), s.spec.hibernated = true; },
       "Finish(VolumeResizeInterrupted"},
  });
}

TEST(GrowPlan, APodIsRestartedForItOnlyIfItsNodeCanBeSpared) {
  const auto restart = [](GrowScene& s) { s.Growing(Step::kRestart); };
  CheckPlans<GrowScene>({
      {"it can", restart, "RestartPod(demo-b-0)"},
      {"it cannot", [restart](GrowScene& s) { restart(s), s.observed.safety_without->partitions = {{5, 3, 3, 2, 1}}; },
       "Wait(QuorumAtRisk"},
      {"nobody says", [restart](GrowScene& s) { restart(s), s.observed.safety_without.reset(); }, "Wait(SafetyUnknown"},
      {"it has grown meanwhile", [restart](GrowScene& s) { restart(s), s.Grown("demo-b-0"); },
       "Record(GrowVolumes/Resize demo-b-0"},
      {"restarted", [restart](GrowScene& s) { restart(s), s.Node("demo-b-0").pod_uid = "new"; },
       "Record(GrowVolumes/AwaitReady demo-b-0"},
      {"stops", [](GrowScene& s) { s.Growing(Step::kAwaitReady); }, "Wait(PodStopping"},
      {"back, for a moment", [](GrowScene& s) { s.Growing(Step::kAwaitReady), s.Node("demo-b-0").pod_uid = "new"; },
       "Wait(NodeRestarting"},
      {"back",
       [](GrowScene& s) {
         s.Growing(Step::kAwaitReady), s.Node("demo-b-0").pod_uid = "new";
         s.Node("demo-b-0").pod_ready_since = kSceneNow - 10'000'000;
       },
       "Record(GrowVolumes/Resize demo-b-0"},
  });
}

TEST(GrowPlan, AStatefulSetIsMadeAnewAroundItsPodsAtItsSize) {
  const auto recreate = [](GrowScene& s) { s.AllGrown(), s.Growing(Step::kRecreate, "demo-b"); };
  CheckPlans<GrowScene>({
      {"alone", recreate, "OrphanPods(b)"},
      {"volumes would go with it", [recreate](GrowScene& s) { recreate(s), s.Node("demo-b-0").volume_owned = true; },
       "Wait(VolumeResizing: data-demo-b-0 would still go"},
      {"it goes", [recreate](GrowScene& s) { recreate(s), s.observed.racks[1].deleting = true; },
       "Wait(StatefulSetMissing"},
      {"gone",
       [recreate](GrowScene& s) {
         recreate(s), s.observed.racks[1].replicas.reset(), s.observed.objects_current = false;
         // Left by a node that has left: it does not count.
         s.AddNode("b", 1).expected = false;
       },
       "ApplyObjects(1,1,1)"},
      {"somebody scaled it", [recreate](GrowScene& s) { recreate(s), s.observed.racks[1].replicas = 2; },
       "Record(GrowVolumes/Recreate demo-a)"},
      {"made anew", [recreate](GrowScene& s) { recreate(s), s.observed.racks[1].volume_size = "20Gi"; },
       "Record(GrowVolumes/Recreate demo-a)"},
      {"a lost volume does not leave it half done", [recreate](GrowScene& s) { recreate(s), s.Empty("demo-c-0"); },
       "OrphanPods(b)"},
      {"all made anew",
       [recreate](GrowScene& s) {
         recreate(s);
         for (RackView& rack : s.observed.racks) rack.volume_size = "20Gi";
       },
       "Finish(VolumesResized"},
  });
}

class Grow : public ::testing::Test {
 protected:
  Grow() {
    EXPECT_TRUE(world_.RunUntilReady());
    for (const char* pod : kGrowing) pods_[pod] = world_.PodUidAt(pod), volumes_[pod] = world_.VolumeAt(pod);
  }
  ~Grow() override { EXPECT_THAT(world_.violations(), IsEmpty()); }
  void AskFor(const char* size) { world_.Apply({{"storage", {{"size", size}}}}); }
  std::string Sizes() {
    std::string out;
    for (const char* pod : kGrowing) out += world_.VolumeSizeAt(pod) + " ";
    return out;
  }
  int Restarted() {
    return static_cast<int>(
        std::ranges::count_if(kGrowing, [this](const char* pod) { return world_.PodUidAt(pod) != pods_[pod]; }));
  }
  void ExpectTheSameVolumes() {
    for (const char* pod : kGrowing) EXPECT_EQ(world_.VolumeAt(pod), volumes_[pod]);
  }
  // Of the claims that it would make.
  std::string TemplateSize(const std::string& set) {
    const Object found = world_.api.Get("/apis/apps/v1/namespaces/shop/statefulsets/" + set);
    return kube::StringAt(kube::ArrayAt(found, "spec.volumeClaimTemplates")[0].get_object(),
                          "spec.resources.requests.storage");
  }

  static constexpr const char* kGrowing[] = {"demo-a-0", "demo-b-0", "demo-c-0"};
  World world_;
  std::map<std::string, std::string> pods_, volumes_;
};

TEST_F(Grow, EveryVolumeAndThoseToComeAreLargerAndNoPodIsRestarted) {
  AskFor("20Gi");
  ASSERT_TRUE(world_.RunUntilReady());
  EXPECT_EQ(Sizes(), "20Gi 20Gi 20Gi ");
  EXPECT_EQ(Restarted(), 0);
  ExpectTheSameVolumes();
  for (const char* set : {"demo-a", "demo-b", "demo-c"}) EXPECT_EQ(TemplateSize(set), "20Gi");
  EXPECT_EQ(world_.EventsOf("VolumesResized"), 1);
  EXPECT_EQ(world_.Said("UpdatePending").status, "False");
  EXPECT_EQ(kube::StringAt(kube::ArrayAt(world_.Cluster(), "status.nodes")[1].get_object(), "volumeSize"), "20Gi");
  world_.ScaleTo(4);
  ASSERT_TRUE(world_.RunUntilReady());
  EXPECT_EQ(world_.VolumeSizeAt("demo-a-1"), "20Gi");
}

TEST_F(Grow, OneAfterTheOtherAndHowFarItIsIsSaid) {
  world_.set_volumes_slow(true);
  AskFor("20Gi");
  world_.Turn(5);
  EXPECT_EQ(world_.OperationStep(), "GrowVolumes/Resize");
  EXPECT_EQ(world_.Said("VolumesReady").reason, "VolumeResizing");
  EXPECT_THAT(world_.Said("VolumesReady").message, HasSubstr("data-demo-a-0 has 10Gi of 20Gi"));
  const Object next = world_.api.Get("/api/v1/namespaces/shop/persistentvolumeclaims/data-demo-b-0");
  EXPECT_EQ(kube::StringAt(next, "spec.resources.requests.storage"), "10Gi");
  world_.set_volumes_slow(false);
  ASSERT_TRUE(world_.RunUntilReady());
  EXPECT_EQ(world_.Said("VolumesReady").status, "True");
}

TEST_F(Grow, AFileSystemThatGrowsAtAStartOnlyHasItsPodsRestartedOneByOne) {
  world_.set_file_systems_stiff(true);
  AskFor("20Gi");
  ASSERT_TRUE(world_.RunUntilReady(120));
  EXPECT_EQ(Sizes(), "20Gi 20Gi 20Gi ");
  EXPECT_EQ(Restarted(), 3);
  ExpectTheSameVolumes();
}

TEST_F(Grow, AClassWithoutExpansionIsNamedAndNothingIsTouched) {
  world_.AllowExpansion(false);
  AskFor("20Gi");
  EXPECT_FALSE(world_.RunUntilReady(10));
  EXPECT_EQ(world_.Said("Degraded").reason, "ResizeRejected");
  EXPECT_THAT(world_.Said("Degraded").message, HasSubstr("storage class standard"));
  EXPECT_EQ(world_.Said("VolumesReady").reason, "ResizeRejected");
  EXPECT_EQ(world_.EventsOf("ResizeRejected"), 1);
  EXPECT_EQ(Sizes(), "10Gi 10Gi 10Gi ");
  world_.Apply({{"version", "1.1.0"}});
  world_.Turn(40);
  EXPECT_EQ(Restarted(), 3) << "all else goes on";
  world_.AllowExpansion(true);
  ASSERT_TRUE(world_.RunUntilReady());
  EXPECT_EQ(Sizes(), "20Gi 20Gi 20Gi ");
}

TEST_F(Grow, LessIsRefusedByName) {
  AskFor("5Gi");
  EXPECT_FALSE(world_.RunUntilReady(10));
  EXPECT_THAT(world_.Said("Degraded").message, HasSubstr("spec.storage.size is 5Gi"));
  AskFor("10Gi");
  EXPECT_TRUE(world_.RunUntilReady());
}

TEST_F(Grow, VolumesThatWouldGoWithTheirStatefulSetAreFreedBefore) {
  world_.Apply({{"storage", {{"retention", {{"whenDeleted", "Delete"}}}}}});
  ASSERT_TRUE(world_.RunUntilReady());
  world_.Act();
  AskFor("20Gi");
  ASSERT_TRUE(world_.RunUntilReady());
  ExpectTheSameVolumes();
  world_.Turn(2);
  const Object claim = world_.api.Get("/api/v1/namespaces/shop/persistentvolumeclaims/data-demo-b-0");
  EXPECT_EQ(kube::ArrayAt(claim, "metadata.ownerReferences").size(), 1u) << "and then as the resource says";
}

TEST_F(Grow, AVolumeThatIsLostMeanwhileComesFirst) {
  world_.set_volumes_slow(true);
  AskFor("20Gi");
  world_.Turn(4);
  ASSERT_EQ(world_.OperationStep(), "GrowVolumes/Resize");
  world_.LoseVolume("demo-c-0");
  world_.set_volumes_slow(false);
  world_.Act();
  ASSERT_TRUE(world_.RunUntilReady());
  EXPECT_EQ(world_.EventsOf("ReplacementCompleted"), 1);
  EXPECT_EQ(Sizes(), "20Gi 20Gi 20Gi ");
}

}  // namespace
}  // namespace dynamo::op
