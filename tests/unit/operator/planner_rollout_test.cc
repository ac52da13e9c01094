// Which pod is restarted next, and when it may be, by table.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include "operator/cluster/template_hash.h"
#include "tests/unit/operator/lost_scene.h"

namespace dynamo::op {
namespace {

using Step = Operation::Step;

// Every pod is of the template that is asked for, until a test changes something.
struct RolloutScene : LostScene {
  RolloutScene() {
    for (NodeView& node : observed.nodes) {
      node.pod_template = Wanted(node.rack);
      node.pod_ready_since = kSceneNow - 60'000'000;
    }
    observed.safety_without->partitions = {{9, 3, 3, 3, 2}};
  }
  std::string Wanted(const std::string& rack) const {
    return TemplateHashOf(spec, *std::ranges::find(spec.racks, rack, &RackSpec::name));
  }
  void Older(const std::string& name) { Node(name).pod_template = "older"; }
  void AllOlder() {
    for (NodeView& node : observed.nodes) node.pod_template = "older";
  }
  void Broken(const std::string& name) {
    NodeView& node = Node(name);
    node.identity.reset(), node.topology.reset();
    node.pod_ready = false;
    node.trouble = "ErrImagePull: x";
  }
  void In(Step step) {
    const std::string pod = step == Step::kAwaitReady ? "older-pod" : "pod-demo-b-0";
    status.operation = Operation{"op", Operation::Type::kRollout, step, "b", "demo-b-0", "id-demo-b-0", pod, "",
                                 5,    SecondsAgo(100),           ""};
  }
};

TEST(RolloutPlan, PicksThePodThatIsRestartedNext) {
  CheckPlans<RolloutScene>({
      {"none", [](RolloutScene&) {}, "Settled"},
      {"the only one", [](RolloutScene& s) { s.Older("demo-a-0"); }, "Record(Rollout/Restart demo-a-0"},
      {"of several the last", [](RolloutScene& s) { s.AllOlder(); }, "Record(Rollout/Restart demo-c-0"},
      {"what does not serve comes first", [](RolloutScene& s) { s.AllOlder(), s.Broken("demo-a-0"); },
       "Record(Rollout/Restart demo-a-0"},
      {"a canary", [](RolloutScene& s) { s.AllOlder(), s.spec.update_partition = 2; },
       "Record(Rollout/Restart demo-c-0"},
      {"all are kept", [](RolloutScene& s) { s.AllOlder(), s.spec.update_partition = 3; }, "Settled"},
      {"a new one that does not serve stops the others",
       [](RolloutScene& s) { s.AllOlder(), s.Broken("demo-c-0"), s.Node("demo-c-0").pod_template = s.Wanted("c"); },
       "Wait(NodeDown: demo-c-0 ErrImagePull"},
      {"another is silent", [](RolloutScene& s) { s.Older("demo-a-0"), s.Node("demo-b-0").identity.reset(); },
       "Wait(NodeDown"},
      {"no hash, and nothing was asked since",
       [](RolloutScene& s) { s.Node("demo-a-0").pod_template = "", s.status.templates["a"] = s.Wanted("a"); },
       "Settled"},
      {"no hash, and something was",
       [](RolloutScene& s) { s.Node("demo-a-0").pod_template = "", s.status.templates["a"] = "before"; },
       "Record(Rollout/Restart demo-a-0"},
      {"no hash, and nobody knows", [](RolloutScene& s) { s.Node("demo-a-0").pod_template = ""; }, "Settled"},
  });
}

TEST(RolloutPlan, HasItsPlaceAmongWhatElseIsToBeDone) {
  const auto broken_joiner = [](RolloutScene& s) {
    s.InOperation(Operation::Type::kScaleUp, Step::kAddPod, ""), s.Broken("demo-a-1"), s.Older("demo-a-1");
  };
  CheckPlans<RolloutScene>({
      {"after it has grown", [](RolloutScene& s) { s.AllOlder(), s.spec.replicas = 4; }, "Record(ScaleUp/AddPod"},
      {"but what does not serve is mended first, or it never grows",
       [](RolloutScene& s) { s.AllOlder(), s.spec.replicas = 4, s.Broken("demo-b-0"); },
       "Record(Rollout/Restart demo-b-0"},
      {"before it shrinks",
       [](RolloutScene& s) { s.observed.racks[0].replicas = 2, s.AddNode("a", 1).pod_template = "older", s.Share(); },
       "Record(Rollout/Restart demo-a-1"},
      {"after a lost volume", [](RolloutScene& s) { s.AllOlder(), s.Empty("demo-b-0"); }, "Suspect(demo-b-0)"},
      {"a pod that cannot start is made anew, whatever waits for it", broken_joiner, "RestartPod(demo-a-1)"},
      {"but not before the StatefulSet has seen the new template",
       [&](RolloutScene& s) { broken_joiner(s), s.observed.racks[0].template_current = false; }, "Wait(PodsBlocked"},
  });
}

TEST(RolloutPlan, RestartsOnlyWhoCanBeSpared) {
  const auto restart = [](RolloutScene& s) { s.AllOlder(), s.In(Step::kRestart); };
  const auto weak = [restart](RolloutScene& s, admin::Safety::Partition partition) {
    restart(s), s.observed.safety_without->partitions = {partition};
  };
  CheckPlans<RolloutScene>({
      {"a quorum is left, and nobody more is there to ask for", restart, "RestartPod(demo-b-0)"},
      {"fewer", [&](RolloutScene& s) { weak(s, {9, 3, 3, 2, 1}); },
       "Wait(QuorumAtRisk: without demo-b-0 partition 9 has 1 owners that serve, and needs 2"},
      {"fewer already, but not by this one", [&](RolloutScene& s) { weak(s, {9, 3, 3, 1, 1}); }, "RestartPod"},
      {"five owners: one more than a quorum", [&](RolloutScene& s) { weak(s, {9, 5, 5, 4, 3}); }, "Wait(QuorumAtRisk"},
      {"five owners, and four left", [&](RolloutScene& s) { weak(s, {9, 5, 5, 5, 4}); }, "RestartPod"},
      {"five owners: a quorum will do",
       [&](RolloutScene& s) { weak(s, {9, 5, 5, 4, 3}), s.spec.gate_spares_one = false; }, "RestartPod"},
      {"one owner: nobody to spare", [&](RolloutScene& s) { weak(s, {9, 1, 1, 1, 0}); }, "RestartPod"},
      {"nobody says", [&](RolloutScene& s) { restart(s), s.observed.safety_without.reset(); }, "Wait(SafetyUnknown"},
      {"said of another ring", [&](RolloutScene& s) { restart(s), s.observed.safety_without->epoch = 6; },
       "Wait(SafetyUnknown"},
      {"the ring changes", [&](RolloutScene& s) { restart(s), s.SetState("demo-a-0", "joining"); },
       "Wait(RingChanging"},
      {"no ring",
       [&](RolloutScene& s) {
         restart(s);
         for (NodeView& node : s.observed.nodes) node.topology.reset();
       },
       "Wait(RingNotConverged"},
      {"it serves nobody: nothing is taken away",
       [&](RolloutScene& s) { restart(s), s.Broken("demo-b-0"), s.Node("demo-b-0").trouble = ""; }, "RestartPod"},
      {"the StatefulSet would make the same pod again",
       [&](RolloutScene& s) { restart(s), s.observed.racks[1].template_current = false; }, "Wait(StatefulSetBehind"},
      {"set back meanwhile", [&](RolloutScene& s) { s.In(Step::kRestart); }, "Finish(RestartCancelled"},
      {"another pod by now", [&](RolloutScene& s) { restart(s), s.Node("demo-b-0").pod_uid = "other"; },
       "Record(Rollout/AwaitReady"},
      {"on its way out", [&](RolloutScene& s) { restart(s), s.Node("demo-b-0").pod_deleting = true; },
       "Record(Rollout/AwaitReady"},
      {"another node by now", [&](RolloutScene& s) { restart(s), s.status.operation->node_id = ""; },
       "Finish(RestartCancelled"},
      {"too late: a human looks, and nothing is forced",
       [&](RolloutScene& s) { weak(s, {9, 3, 3, 2, 1}), s.spec.progress_deadline_ms = 90'000; },
       "Wait(RolloutBlocked: demo-b-0 for 1m40s now, nothing is forced: QuorumAtRisk: without demo-b-0 partition 9"},
      {"a volume is lost: it goes first", [&](RolloutScene& s) { restart(s), s.Empty("demo-c-0"); },
       "Finish(RolloutInterrupted"},
  });
}

TEST(RolloutPlan, WaitsUntilTheSameNodeServesAgain) {
  const auto back = [](RolloutScene& s) { s.In(Step::kAwaitReady); };
  CheckPlans<RolloutScene>({
      {"back", back, "Finish(NodeRestarted"},
      {"the old pod is still there", [&](RolloutScene& s) { back(s), s.status.operation->pod_uid = "pod-demo-b-0"; },
       "Wait(PodStopping"},
      {"no pod", [&](RolloutScene& s) { back(s), s.Node("demo-b-0").pod_exists = false; }, "Wait(PodStopping"},
      {"starting", [&](RolloutScene& s) { back(s), s.Node("demo-b-0").pod_ready = false; }, "Wait(NodeRestarting"},
      {"it cannot start", [&](RolloutScene& s) { back(s), s.Broken("demo-b-0"); },
       "Wait(PodsBlocked: pod demo-b-0: ErrImagePull"},
      {"not for long enough",
       [&](RolloutScene& s) { back(s), s.Node("demo-b-0").pod_ready_since = kSceneNow - 9'000'000; },
       "Wait(NodeRestarting"},
      {"nobody says since when", [&](RolloutScene& s) { back(s), s.Node("demo-b-0").pod_ready_since = 0; },
       "Wait(NodeRestarting"},
      {"writes wait for it", [&](RolloutScene& s) { back(s), s.Node("demo-a-0").hints_for["id-demo-b-0"] = 3; },
       "Wait(HintsPending: 3 writes"},
      {"writes wait for another", [&](RolloutScene& s) { back(s), s.Node("demo-a-0").hints_for["id-demo-c-0"] = 3; },
       "Finish(NodeRestarted"},
      {"it is behind", [&](RolloutScene& s) { back(s), s.Node("demo-b-0").topology->hash = "old"; },
       "Wait(RingNotConverged"},
      {"another node", [&](RolloutScene& s) { back(s), s.status.operation->node_id = "other"; }, "Wait(NodeUnknown"},
      {"another wish meanwhile: once more", [&](RolloutScene& s) { back(s), s.AllOlder(); },
       "Record(Rollout/Restart demo-b-0"},
      {"broken, and set back", [&](RolloutScene& s) { back(s), s.Broken("demo-b-0"), s.Older("demo-b-0"); },
       "RestartPod(demo-b-0)"},
      {"too late",
       [&](RolloutScene& s) { back(s), s.Node("demo-b-0").pod_ready = false, s.spec.progress_deadline_ms = 90'000; },
       "Wait(RolloutBlocked"},
      {"shrunk by hand meanwhile", [&](RolloutScene& s) { back(s), s.Node("demo-b-0").expected = false; },
       "Finish(RestartCancelled"},
      {"its volume is lost: that goes first", [&](RolloutScene& s) { back(s), s.Empty("demo-b-0"); },
       "Finish(RolloutInterrupted"},
  });
}

TEST(TemplateHash, IsOfWhatAPodIsMadeOfAndOfNothingElse) {
  ClusterSpec spec;
  spec.racks = {{"a", "", 1}, {"b", "", 1}};
  const auto differs = [&](const std::function<void(ClusterSpec&)>& change) {
    ClusterSpec other = spec;
    change(other);
    return TemplateHashOf(other, other.racks[0]) != TemplateHashOf(spec, spec.racks[0]);
  };
  const std::vector<std::function<void(ClusterSpec&)>> restarts = {
      [](ClusterSpec& s) { s.version = "2"; },           [](ClusterSpec& s) { s.image = "x"; },
      [](ClusterSpec& s) { s.config["a"] = "1"; },       [](ClusterSpec& s) { s.racks[0].zone = "z"; },
      [](ClusterSpec& s) { s.racks[0].capacity = 2; },   [](ClusterSpec& s) { s.transfer_max_concurrent = 9; },
      [](ClusterSpec& s) { s.resources["limits"] = 1; }, [](ClusterSpec& s) { s.restart_token = "1"; },
      [](ClusterSpec& s) { s.tolerations = {1}; },       [](ClusterSpec& s) { s.anti_entropy_interval_ms = 1; },
      [](ClusterSpec& s) { s.affinity["x"] = 1; },       [](ClusterSpec& s) { s.termination_grace_seconds = 1; }};
  for (size_t i = 0; i < restarts.size(); ++i) EXPECT_TRUE(differs(restarts[i])) << i;
  const std::vector<std::function<void(ClusterSpec&)>> none = {
      [](ClusterSpec& s) { s.replicas = 9; }, [](ClusterSpec& s) { s.racks[1].zone = "z"; },
      [](ClusterSpec& s) { s.racks.push_back({"c", "", 1}); },
      [](ClusterSpec& s) { s.update_partition = 1, s.min_ready_seconds = 1, s.gate_spares_one = false; },
      [](ClusterSpec& s) { s.delete_volumes_when_scaled = false, s.paused = true, s.service_type = "NodePort"; }};
  for (size_t i = 0; i < none.size(); ++i) EXPECT_FALSE(differs(none[i])) << i;
}

// Written onto every pod of every cluster: another value would restart them all.
TEST(TemplateHash, NeverChangesFromOneVersionToTheNext) {
  ClusterSpec spec;
  spec.version = "1.0.0";
  spec.racks = {{"a", "z1", 1}};
  EXPECT_EQ(TemplateHashOf(spec, spec.racks[0]), "9f21da08c0c070096aed3ba31515dd72");
}

}  // namespace
}  // namespace dynamo::op
