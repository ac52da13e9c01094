// The planner by table: what is wanted, what was written down, what is seen -> what to do.
#include "operator/cluster/planner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/operator/scene.h"

namespace dynamo::op {
namespace {

using Type = Operation::Type;
using Step = Operation::Step;

TEST(Planner, OfAClusterAtRest) {
  CheckPlans<Scene>({
      {"all is well", [](Scene&) {}, "Settled"},
      {"paused stands above all", [](Scene& s) { s.spec.paused = true, s.observed.objects_current = false; },
       "Wait(Paused"},
      {"an object was lost", [](Scene& s) { s.observed.objects_current = false; }, "ApplyObjects(1,1,1)"},
      {"an object was lost, and the size is another: the StatefulSets follow the ring, not the spec",
       [](Scene& s) { s.observed.objects_current = false, s.spec.replicas = 6; }, "ApplyObjects(1,1,1)"},
      {"a StatefulSet was deleted: as large as it has volumes",
       [](Scene& s) { s.observed.objects_current = false, s.observed.racks[1].replicas.reset(); },
       "ApplyObjects(1,1,1)"},
      {"a node of another cluster", [](Scene& s) { s.Node("demo-b-0").identity->cluster_id = "other"; },
       "Wait(ClusterIDMismatch"},
      {"a volume of another cluster", [](Scene& s) { s.Node("demo-b-0").volume_cluster_id = "other"; },
       "Wait(VolumesOfAnotherCluster"},
      {"a StatefulSet is missing", [](Scene& s) { s.observed.racks[1].replicas.reset(); }, "Wait(StatefulSetMissing"},
  });
}

TEST(Planner, OfCreate) {
  const auto fresh = [](Scene& s) {
    s = Scene();
    s.status.ring_epoch = 0;
    for (NodeView& node : s.observed.nodes) {
      node.identity = admin::Identity{"id-" + node.name, "", 1, "empty", true};
      node.topology.reset();
    }
    s.status.operation = Operation{"op", Type::kCreate, Step::kForm, "", "demo-a-0", "id-demo-a-0", "", "", 0, "t", ""};
  };
  CheckPlans<Scene>({
      {"first of all an id", [](Scene& s) { s.status = {}, s.observed.nodes.clear(); }, "ChooseClusterId()"},
      {"volumes of before", [](Scene& s) { s.status = {}; }, "Wait(VolumesOfAnotherCluster"},
      {"volumes of before, welcome", [](Scene& s) { s.status = {}, s.spec.adopt_cluster_id = kOwnId; },
       "ChooseClusterId(1111"},
      {"the intent before the objects", [&](Scene& s) { fresh(s), s.status.operation.reset(); },
       "Record(Create/Objects"},
      {"then the objects, spread over the racks",
       [&](Scene& s) {
         fresh(s), s.status.operation->step = Step::kObjects, s.observed.racks[0].replicas.reset(), s.spec.replicas = 5;
       },
       "ApplyObjects(2,2,1)"},
      {"a node does not answer",
       [&](Scene& s) { fresh(s), s.status.operation->step = Step::kObjects, s.Node("demo-b-0").identity.reset(); },
       "Wait(PodsStarting: waiting for demo-b-0"},
      {"no image", [&](Scene& s) { fresh(s), s.Node("demo-b-0").trouble = "ImagePullBackOff: x"; },
       "Wait(PodsBlocked: pod demo-b-0: ImagePull"},
      {"who is asked is written down first", [&](Scene& s) { fresh(s), s.status.operation->step = Step::kObjects; },
       "Record(Create/Form demo-a-0"},
      {"then it is asked, with all of them", [&](Scene& s) { fresh(s); },
       "FormRing(demo-a-0: demo-a-0,demo-b-0,demo-c-0)"},
      {"one is not empty", [&](Scene& s) { fresh(s), s.Node("demo-c-0").identity->empty_volume = false; },
       "Wait(VolumeNotEmpty"},
      {"some have it already: never twice",
       [&](Scene& s) { fresh(s), s.Node("demo-a-0").identity->cluster_id = kOwnId; }, "Wait(RingForming"},
      {"formed, but one does not serve",
       [](Scene& s) {
         s.status.ring_epoch = 0;
         s.status.operation = Operation{"op", Type::kCreate, Step::kForm, "", "demo-a-0", "", "", "", 0, "", ""};
         s.Node("demo-c-0").pod_ready = false;
       },
       "Wait(PodsStarting"},
      {"formed",
       [](Scene& s) {
         s.status.ring_epoch = 0;
         s.status.operation = Operation{"op", Type::kCreate, Step::kForm, "", "demo-a-0", "", "", "", 0, "", ""};
       },
       "Finish(Created"},
  });
}

TEST(Planner, OfScaleUp) {
  const auto in = [](Step step, const char* state) {
    return [=](Scene& s) { s.InOperation(Type::kScaleUp, step, state); };
  };
  CheckPlans<Scene>({
      {"into the first of the emptiest racks", [](Scene& s) { s.spec.replicas = 4; }, "Record(ScaleUp/AddPod demo-a-1"},
      {"not while a node is down", [](Scene& s) { s.spec.replicas = 4, s.Node("demo-b-0").pod_ready = false; },
       "Wait(NodeDown"},
      {"not while a node is silent", [](Scene& s) { s.spec.replicas = 4, s.Node("demo-b-0").identity.reset(); },
       "Wait(NodeDown"},
      {"not while one is behind",
       [](Scene& s) {
         s.spec.replicas = 4, s.Node("demo-b-0").topology->hash = "old", s.Node("demo-b-0").topology->epoch = 6;
       },
       "Wait(RingNotConverged"},
      {"not while another is on its way", [](Scene& s) { s.spec.replicas = 4, s.SetState("demo-b-0", "joining"); },
       "Wait(RingChanging"},
      {"the pod",
       [&](Scene& s) { in(Step::kAddPod, "")(s), s.observed.racks[0].replicas = 1, s.observed.nodes.pop_back(); },
       "ScaleRack(a 2)"},
      {"until the pod answers", [&](Scene& s) { in(Step::kAddPod, "")(s), s.Node("demo-a-1").identity.reset(); },
       "Wait(PodsStarting"},
      {"it cannot start",
       [&](Scene& s) {
         in(Step::kAddPod, "")(s), s.Node("demo-a-1").identity.reset(),
             s.Node("demo-a-1").trouble = "Unschedulable: no room";
       },
       "Wait(PodsBlocked: demo-a-1 Unschedulable"},
      {"who it is, before it is asked", in(Step::kAddPod, ""), "Record(ScaleUp/Join demo-a-1"},
      {"a disk that has left does not come back by itself", in(Step::kAddPod, "left"), "Wait(VolumeHasLeft"},
      {"changed back before it joined", [&](Scene& s) { in(Step::kAddPod, "")(s), s.spec.replicas = 3; },
       "Record(ScaleUp/RemovePod"},
      {"asked", in(Step::kJoin, ""), "AskNode(join demo-a-1)"},
      {"another disk by now", [&](Scene& s) { in(Step::kJoin, "")(s), s.Node("demo-a-1").identity->node_id = "new"; },
       "Record(ScaleUp/AddPod"},
      {"on its way", in(Step::kJoin, "joining"), "Wait(NodeJoining"},
      {"changed back in the middle: it is brought to its end",
       [&](Scene& s) { in(Step::kJoin, "joining")(s), s.spec.replicas = 3; }, "Wait(NodeJoining"},
      {"the last partitions are on their way",
       [&](Scene& s) {
         in(Step::kJoin, "normal")(s);
         s.ring.change = "demo-a-1 joins";
         s.Share();
       },
       "Wait(RingNotConverged"},
      {"joined", in(Step::kJoin, "normal"), "Finish(NodeJoined"},
      {"joined, but not all know",
       [&](Scene& s) { in(Step::kJoin, "normal")(s), s.Node("demo-b-0").topology->hash = "old"; },
       "Wait(RingNotConverged"},
      {"joined, and one is silent, for good perhaps",
       [&](Scene& s) {
         in(Step::kJoin, "normal")(s), s.Node("demo-b-0").identity.reset(), s.Node("demo-b-0").topology.reset();
       },
       "Finish(NodeJoined"},
      {"no ring is seen at all",
       [&](Scene& s) {
         in(Step::kJoin, "normal")(s);
         for (auto& node : s.observed.nodes) node.topology.reset();
       },
       "Wait(RingNotConverged"},
  });
}

TEST(Planner, OfScaleDown) {
  const auto in = [](Step step, const char* state) {
    return [=](Scene& s) { s.InOperation(Type::kScaleDown, step, state); };
  };
  CheckPlans<Scene>({
      {"the highest of the largest rack",
       [](Scene& s) { s.observed.racks[1].replicas = 2, s.AddNode("b", 1), s.Share(); },
       "Record(ScaleDown/Leave demo-b-1"},
      {"of equals the last",
       [](Scene& s) {
         s.AddNode("b", 1), s.AddNode("c", 1), s.Share(),
             s.observed.racks[1].replicas = s.observed.racks[2].replicas = 2;
       },
       "Record(ScaleDown/Leave demo-c-1"},
      {"its volume is unknown",
       [](Scene& s) { s.observed.racks[1].replicas = 2, s.AddNode("b", 1).volume_uid = "", s.Share(); },
       "Wait(NodeUnknown"},
      {"asked", in(Step::kLeave, "normal"), "AskNode(leave demo-a-1)"},
      {"not before somebody says what is left without it",
       [&](Scene& s) { in(Step::kLeave, "normal")(s), s.observed.safety_without.reset(); }, "Wait(SafetyUnknown"},
      {"nor by what was said of another ring",
       [&](Scene& s) { in(Step::kLeave, "normal")(s), s.observed.safety_without->epoch = 6; }, "Wait(SafetyUnknown"},
      {"without it a quorum would hang on one node",
       [&](Scene& s) { in(Step::kLeave, "normal")(s), s.observed.safety_without->partitions = {{9, 3, 3, 2, 1}}; },
       "Wait(QuorumAtRisk: without demo-a-1 partition 9 has 1 owners that serve, and needs 2"},
      {"without it a quorum is left",
       [&](Scene& s) { in(Step::kLeave, "normal")(s), s.observed.safety_without->partitions = {{9, 3, 3, 3, 2}}; },
       "AskNode(leave demo-a-1)"},
      {"one copy of each key: nobody else has it, and it moves before the node goes",
       [&](Scene& s) {
         in(Step::kLeave, "normal")(s), s.spec.factor = s.spec.read_quorum = s.spec.write_quorum = 1;
         s.observed.safety_without->partitions = {{9, 1, 1, 1, 0}};
       },
       "AskNode(leave demo-a-1)"},
      {"writes wait for all owners: all the others must serve",
       [&](Scene& s) {
         in(Step::kLeave, "normal")(s), s.spec.write_quorum = 3;
         s.observed.safety_without->partitions = {{9, 3, 3, 2, 1}};
       },
       "Wait(QuorumAtRisk"},
      {"changed back, whatever is left",
       [&](Scene& s) { in(Step::kLeave, "normal")(s), s.observed.safety_without.reset(), s.spec.replicas = 4; },
       "Finish(DecommissionCancelled"},
      {"silent: wait",
       [&](Scene& s) {
         in(Step::kLeave, "normal")(s), s.Node("demo-a-1").identity.reset(), s.Node("demo-a-1").topology.reset();
       },
       "Wait(NodeDown"},
      {"on its way", in(Step::kLeave, "leaving"), "Wait(NodeLeaving"},
      {"changed back before it was asked", [&](Scene& s) { in(Step::kLeave, "normal")(s), s.spec.replicas = 4; },
       "Finish(DecommissionCancelled"},
      {"changed back in the middle", [&](Scene& s) { in(Step::kLeave, "leaving")(s), s.spec.replicas = 4; },
       "Record(ScaleDown/CancelLeave"},
  });
}

TEST(Planner, OfScaleDownOnceItHasLeftOrIsToStay) {
  const auto in = [](Step step, const char* state) {
    return [=](Scene& s) { s.InOperation(Type::kScaleDown, step, state); };
  };
  CheckPlans<Scene>({
      {"it has left", in(Step::kLeave, "left"), "Record(ScaleDown/RemovePod"},
      {"left, but with hints for others", [&](Scene& s) { in(Step::kLeave, "left")(s), s.Node("demo-a-1").hints = 3; },
       "Wait(HintsPending"},
      {"left, and it answers no more", [&](Scene& s) { in(Step::kLeave, "left")(s), s.Node("demo-a-1").hints.reset(); },
       "Record(ScaleDown/RemovePod"},
      {"left in the eyes of a few only",
       [&](Scene& s) {
         in(Step::kLeave, "left")(s);
         s.Node("demo-b-0").topology.reset(), s.Node("demo-c-0").topology.reset();
       },
       "Wait(RingNotConverged"},
      {"absent from a ring of before",
       [&](Scene& s) { in(Step::kLeave, "left")(s), s.status.operation->ring_epoch = 7; },
       "Wait(RingNotConverged: an old ring"},
      {"another node is on its way", [&](Scene& s) { in(Step::kLeave, "left")(s), s.SetState("demo-b-0", "joining"); },
       "Wait(RingChanging"},
      {"it is asked to stay", in(Step::kCancelLeave, "leaving"), "AskNode(cancel-leave demo-a-1)"},
      {"too late: it goes", in(Step::kCancelLeave, "left"), "Record(ScaleDown/Leave"},
      {"it stays", in(Step::kCancelLeave, "normal"), "Finish(DecommissionCancelled"},
      {"the StatefulSet shrinks", in(Step::kRemovePod, "left"), "ScaleRack(a 1)"},
      {"until the pod has stopped",
       [&](Scene& s) { in(Step::kRemovePod, "left")(s), s.observed.racks[0].replicas = 1; }, "Wait(PodStopping"},
      {"then the volume",
       [&](Scene& s) {
         in(Step::kRemovePod, "left")(s), s.observed.racks[0].replicas = 1, s.Node("demo-a-1").pod_exists = false;
       },
       "Record(ScaleDown/RemoveVolume"},
      {"is removed", in(Step::kRemoveVolume, "left"), "RemoveVolume(demo-a-1)"},
      {"or kept, by policy",
       [&](Scene& s) { in(Step::kRemoveVolume, "left")(s), s.spec.delete_volumes_when_scaled = false; },
       "Finish(Decommissioned"},
      {"another volume stands there by now",
       [&](Scene& s) { in(Step::kRemoveVolume, "left")(s), s.Node("demo-a-1").volume_uid = "new"; },
       "Finish(Decommissioned"},
      {"kept volumes do not stand in the way of what comes next",
       [](Scene& s) {
         NodeView& n = s.AddNode("a", 1, "");
         n.expected = n.pod_exists = false, n.identity.reset(), s.spec.replicas = 3;
       },
       "Settled"},
  });
}

TEST(Spread, FillsTheRacksInTurn) {
  EXPECT_EQ(Spread(3, 3), (std::vector<int>{1, 1, 1}));
  EXPECT_EQ(Spread(5, 3), (std::vector<int>{2, 2, 1}));
  EXPECT_EQ(Spread(4, 1), (std::vector<int>{4}));
}

TEST(ClusterStatus, AnOperationOfANewerOperatorIsNotTakenForNone) {
  const kube::Object object{{"status", {{"operation", {{"id", "x"}, {"type", "Rollout"}, {"step", "Drain"}}}}}};
  EXPECT_EQ(ParseStatus(object).error().code, Errc::kCorrupt);
  const Operation operation{"id", Type::kScaleDown, Step::kCancelLeave, "a", "demo-a-1", "n", "p", "v", 9, "t", ""};
  EXPECT_EQ(*ParseStatus({{"status", {{"operation", ToJson(operation)}}}})->operation, operation);
  EXPECT_FALSE(ParseStatus({{"status", {{"operation", nullptr}}}})->operation);
}

}  // namespace
}  // namespace dynamo::op
