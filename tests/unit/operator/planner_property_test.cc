// The planner over drawn scenes: whatever is seen and whatever is silent, what must
// never be done is not done.
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "common/base/random.h"
#include "operator/cluster/planner.h"
#include "operator/cluster/template_hash.h"
#include "tests/unit/operator/lost_scene.h"

namespace dynamo::op {
namespace {

using Step = Operation::Step;
using Type = Operation::Type;

constexpr uint64_t kScenes = 30'000;

class Drawn : public LostScene {
 public:
  explicit Drawn(uint64_t seed) : rng_(seed) {
    if (OneIn(2)) Grow();
    DrawMembers();
    Share();
    for (NodeView& node : observed.nodes) DrawNode(&node);
    DrawWish();
    if (OneIn(3)) observed.safety_without.reset();
    if (observed.safety_without && OneIn(3)) observed.safety_without->partitions = {{9, 3, 3, 2, Number(3)}};
    if (observed.safety_without && OneIn(4)) observed.safety_without->epoch = 6;
    DrawLosses();
    if (OneIn(3)) OneIn(3) ? DrawReplacement() : DrawOperation();
    if (OneIn(4)) DrawRollout();
    if (OneIn(6)) DrawGrowth();
    if (OneIn(6)) DrawHibernation();
  }
  bool OneIn(uint32_t n) { return rng_.Below(n) == 0; }

 private:
  uint32_t Number(uint32_t below) { return static_cast<uint32_t>(rng_.Below(below)); }

  void Grow() {
    for (size_t rack = 0; rack < 3; ++rack) {
      if (OneIn(2)) continue;
      observed.racks[rack].replicas = 2;
      AddNode(observed.racks[rack].name, 1, OneIn(3) ? "" : "normal");
    }
  }
  void DrawMembers() {
    static constexpr const char* kStates[] = {"joining", "leaving", "left", "replaced"};
    for (admin::Member& member : ring.members) {
      if (OneIn(8)) member.state = kStates[Number(4)];
    }
    if (OneIn(8)) ring.change = "a node joins";
    if (OneIn(8)) ring.to_move = 5;
  }
  void DrawNode(NodeView* node) {
    if (OneIn(8)) node->identity.reset(), node->topology.reset();
    if (OneIn(8)) node->topology.reset();
    if (node->topology && OneIn(8)) node->topology->hash = "old", node->topology->epoch = 6;
    if (OneIn(10)) node->pod_ready = false;
    if (OneIn(12)) node->pod_exists = false, node->pod_uid.clear();
    if (OneIn(12)) node->pod_deleting = true;
    if (OneIn(12)) node->volume_uid = "another";
    if (OneIn(30)) node->volume_uid.clear();
    if (OneIn(12)) node->trouble = "ErrImagePull: x";
    if (OneIn(6)) node->hints.reset();
    if (OneIn(6)) node->hints = 3;
    if (node->identity && OneIn(60)) node->identity->cluster_id = "other";
    if (OneIn(60)) node->volume_cluster_id = "other";
  }
  void DrawLosses() {
    static constexpr MachineView::State kStates[] = {MachineView::State::kUnknown, MachineView::State::kThere,
                                                     MachineView::State::kAway, MachineView::State::kGone};
    const std::string name = observed.nodes[rng_.Below(observed.nodes.size())].name;
    if (OneIn(4)) Empty(name);
    if (OneIn(8)) Away(name, kStates[Number(4)]);
    if (OneIn(16)) Empty("demo-c-0");
    if (OneIn(2)) Suspected(name, Number(100), OneIn(3));
    if (OneIn(4)) WeakPartition(Number(3));
    if (OneIn(10)) observed.members.reset();
    if (OneIn(10)) observed.safety.reset();
    if (observed.safety && OneIn(10)) observed.safety->epoch = 6;
    if (OneIn(10)) status.nodes.clear();
    spec.failure_detection_delay_ms = 10'000 * int64_t{Number(10)};
    spec.replace_lost_volumes = !OneIn(6);
  }
  void DrawRollout() {
    for (NodeView& node : observed.nodes) node.pod_template = OneIn(2) ? "older" : "";
    spec.update_partition = OneIn(4) ? 2 : 0;
    for (RackView& rack : observed.racks) rack.template_current = !OneIn(8);
    if (OneIn(2)) return;
    DrawOperation();
    status.operation->type = Type::kRollout;
    status.operation->step = OneIn(3) ? Step::kAwaitReady : Step::kRestart;
  }
  void DrawGrowth() {
    spec.storage_size = OneIn(8) ? "5Gi" : "20Gi";
    const bool all = OneIn(3);
    for (NodeView& node : observed.nodes) {
      const bool asked = all || OneIn(2);
      node.volume_requested = asked ? "20Gi" : "10Gi";
      node.volume_size = asked && (all || OneIn(2)) ? "20Gi" : "10Gi";
      if (!OneIn(4)) node.volume_can_grow = !OneIn(4);
      if (OneIn(4)) node.volume_pending_since = kSceneNow - 1'000'000 * uint64_t{Number(300)};
      node.volume_owned = OneIn(4);
    }
    for (RackView& rack : observed.racks) {
      rack.volume_size = OneIn(3) ? "20Gi" : "10Gi";
      rack.deleting = OneIn(30);
    }
    if (OneIn(2)) return;
    static constexpr Step kSteps[] = {Step::kResize, Step::kRestart, Step::kAwaitReady, Step::kRecreate};
    DrawOperation();
    status.operation->type = Type::kGrowVolumes;
    status.operation->step = kSteps[Number(4)];
    status.operation->replicas = 1;
  }
  void DrawHibernation() {
    spec.hibernated = OneIn(2);
    if (OneIn(3)) return;
    status.hibernation.emplace().replicas = {{"a", 2}, {"b", 1}, {"c", 1}};
    if (OneIn(2)) observed.racks[Number(3)].replicas = 0;
    if (OneIn(2)) status.operation.reset();
    if (status.operation) {
      status.operation->type = OneIn(2) ? Type::kHibernate : Type::kWake;
      status.operation->step = status.operation->type == Type::kWake ? Step::kStartPods : Step::kStopPods;
    }
  }
  void DrawReplacement() {
    static constexpr Step kSteps[] = {Step::kDropVolume, Step::kAwaitPod, Step::kReplace,
                                      Step::kRebuild,    Step::kRepair,   Step::kForget};
    static constexpr const char* kRingwise[] = {"", "joining", "normal", "normal"};
    const Step step = kSteps[Number(6)];
    const char* ringwise = kRingwise[Number(4)];
    Replacing(step, ringwise, OneIn(4) ? "normal" : "replaced");
    status.operation->lost.machine = step == Step::kDropVolume ? "m-demo-b-0" : "";
    if (step == Step::kDropVolume && !OneIn(4)) {
      Away("demo-b-0", OneIn(4) ? MachineView::State::kAway : MachineView::State::kGone);
      if (!OneIn(4)) Node("demo-b-0").volume_uid = "volume-demo-b-0";
    }
    if (OneIn(8)) Node("demo-b-0").identity.reset();
    if (step == Step::kRepair && !OneIn(4))
      observed.repair.emplace().state = OneIn(3) ? "" : OneIn(2) ? "running" : "done";
  }
  void DrawWish() {
    spec.replicas = static_cast<int>(3 + Number(4));
    spec.paused = OneIn(20);
    spec.delete_volumes_when_scaled = !OneIn(4);
    observed.objects_current = !OneIn(20);
    if (OneIn(30)) observed.racks[Number(3)].replicas.reset();
  }
  void DrawOperation() {
    const NodeView& node = observed.nodes[rng_.Below(observed.nodes.size())];
    static constexpr Step kUp[] = {Step::kAddPod, Step::kJoin, Step::kRemovePod, Step::kRemoveVolume};
    static constexpr Step kDown[] = {Step::kLeave, Step::kCancelLeave, Step::kRemovePod, Step::kRemoveVolume};
    Operation operation;
    operation.id = "op";
    operation.type = OneIn(2) ? Type::kScaleUp : Type::kScaleDown;
    operation.step = operation.type == Type::kScaleUp ? kUp[Number(4)] : kDown[Number(4)];
    operation.rack = node.rack;
    operation.node = node.name;
    operation.node_id = "id-" + node.name;
    operation.pod_uid = "pod-" + node.name;
    operation.volume_uid = "volume-" + node.name;
    operation.ring_epoch = int64_t{5} + Number(4);
    status.operation = operation;
  }

  Rng rng_;
};

// What every action must be able to show for itself.
struct Judge {
  const Drawn& scene;

  const Operation* operation() const { return scene.status.operation ? &*scene.status.operation : nullptr; }
  bool In(Step step) const { return operation() != nullptr && operation()->step == step; }
  const admin::Topology* Ring() const { return scene.observed.AgreedRing(/*everyone=*/false); }

  std::string operator()(const Wait& wait) const { return wait.reason.empty() ? "a wait without a reason" : ""; }
  std::string operator()(const Settled&) const {
    if (operation() != nullptr) return "settled in the middle of an operation";
    if (scene.spec.hibernated) return scene.observed.Replicas() == 0 ? "" : "asleep, and pods are there";
    return scene.observed.Replicas() == scene.spec.replicas ? "" : "settled at another size";
  }
  std::string operator()(const ChooseClusterId&) const { return "a second id"; }
  std::string operator()(const FormRing&) const { return "a second ring"; }
  std::string operator()(const ApplyObjects& apply) const {
    if (scene.observed.objects_current) return "objects applied that are there";
    for (size_t rack = 0; rack < apply.replicas.size(); ++rack) {
      const auto& now = scene.observed.racks[rack].replicas;
      if (now && *now != apply.replicas[rack]) return "a StatefulSet's size changed on the side";
    }
    return "";
  }
  std::string operator()(const Record& record) const {
    const Operation& next = record.operation;
    if (operation() == nullptr) {
      if (next.type == Type::kReplace) return Begun(next);
      if (next.type == Type::kHibernate || next.type == Type::kWake) return Asleep(record);
      if (next.type == Type::kGrowVolumes)
        return next.step == Step::kResize || next.step == Step::kRecreate ? "" : "a growth begun in its middle";
      if (next.type == Type::kRollout) return next.step == Step::kRestart ? "" : "a restart begun in its middle";
      const bool first = next.step == Step::kAddPod || next.step == Step::kLeave;
      if (!first) return "an operation that begins in its middle";
      if (scene.observed.AgreedRing(/*everyone=*/true) == nullptr) return "begun without one ring of all";
      if (!AllNormal(*Ring())) return "begun while a member is on its way";
      return "";
    }
    if (next.type == Type::kGrowVolumes && operation()->type == next.type) return "";
    if (next.type != operation()->type || next.node != operation()->node) return "the operation became another";
    if (next.step != Step::kRemovePod || !In(Step::kLeave)) return "";
    const admin::Member* member = Ring() == nullptr ? nullptr : FindMember(*Ring(), next.node_id);
    if (Ring() == nullptr) return "a pod is to go, and nobody agrees on a ring";
    if (member != nullptr && member->state != "left") return "a pod is to go whose node is " + member->state;
    const NodeView* node = scene.observed.FindNode(next.node);
    return node != nullptr && node->hints.value_or(0) > 0 ? "a pod is to go that keeps hints" : "";
  }
  // What sleeps has nothing under way, and is written down.
  std::string Asleep(const Record& record) const {
    const bool sleeps = record.operation.type == Type::kHibernate;
    if (sleeps != scene.spec.hibernated) return "put to sleep or woken, and nobody wants it";
    if (scene.status.hibernation) return record.hibernation ? "how large it was is written over" : "";
    if (!sleeps) return "woken, and it is awake";
    if (Ring() == nullptr || !AllNormal(*Ring())) return "put to sleep in the middle of a change of the ring";
    return record.hibernation && record.hibernation->replicas.size() == 3 ? "" : "nobody writes down how large it was";
  }
  // A replacement: only of what was suspected for long enough.
  std::string Begun(const Operation& next) const {
    const auto& suspicion = scene.status.suspicion;
    if (next.step != Step::kAwaitPod && next.step != Step::kDropVolume) return "a replacement begun in its middle";
    if (!suspicion || suspicion->node_id != next.lost.node_id) return "replaced, and it was not suspected";
    const auto since = kube::ParseTime(suspicion->since);
    if (!since || *since + 30'000'000 > scene.observed.now) return "replaced at first sight";
    return scene.spec.replace_lost_volumes ? "" : "replaced against the policy";
  }
  std::string operator()(const Finish& finish) const {
    if (operation() == nullptr) return "nothing was under way";
    if (operation()->type == Type::kGrowVolumes) return "";
    if (In(Step::kStopPods)) return finish.awake ? "awake, and it falls asleep" : "";
    if (In(Step::kStartPods)) return finish.awake && scene.spec.hibernated ? "awake, and it shall sleep" : "";
    if (Ring() == nullptr) return "finished, and nobody agrees on a ring";
    return finish.ring_epoch == static_cast<int64_t>(Ring()->epoch) ? "" : "finished at another epoch";
  }
  std::string operator()(const AskNode& ask) const {
    if (operation() == nullptr) return "asked, and nothing is recorded";
    if (Ring() == nullptr && ask.what != AskNode::What::kRepair) return "asked without a ring";
    if (operation()->type == Type::kReplace) return Replaced(ask);
    if (ask.node_id != operation()->node_id) return "asked about a node that is not recorded";
    switch (ask.what) {
      case AskNode::What::kJoin: return In(Step::kJoin) ? "" : "join out of turn";
      case AskNode::What::kCancelLeave: return In(Step::kCancelLeave) ? "" : "cancel out of turn";
      case AskNode::What::kLeave: break;
      default: return "asked for what is of no such operation";
    }
    const auto& safety = scene.observed.safety_without;
    if (!In(Step::kLeave)) return "leave out of turn";
    if (!safety || safety->epoch != Ring()->epoch) return "leave, and nobody said that it is safe";
    for (const auto& partition : safety->partitions) {
      if (partition.ready_without < 2) return "leave, and a quorum hangs on one node";
    }
    return "";
  }
  std::string operator()(const ScaleRack& scale) const {
    const auto& now = scene.observed.FindRack(scale.rack)->replicas;
    if (!now) return "a StatefulSet that is not there";
    if (In(Step::kStopPods)) return scale.replicas == 0 ? "" : "grown while it falls asleep";
    if (In(Step::kStartPods)) {
      return scale.replicas == scene.status.hibernation->replicas.at(scale.rack) ? "" : "woken at another size";
    }
    if (scale.replicas > *now) return In(Step::kAddPod) ? "" : "grown out of turn";
    return In(Step::kRemovePod) ? "" : "shrunk out of turn";
  }
  std::string operator()(const GrowVolume& grow) const {
    const NodeView* node = scene.observed.FindNode(grow.node);
    if (!In(Step::kResize) || operation()->volume_uid != grow.volume_uid) return "a volume grown out of turn";
    if (node->volume_requested != "10Gi" || grow.size != "20Gi") return "a volume grown that is as it shall be";
    return node->volume_can_grow.value_or(false) ? "" : "a volume grown that cannot";
  }
  std::string operator()(const OrphanPods& orphan) const {
    if (!In(Step::kRecreate) || operation()->rack != orphan.rack) return "a StatefulSet deleted out of turn";
    const RackView* rack = scene.observed.FindRack(orphan.rack);
    if (rack->deleting || rack->volume_size == "20Gi") return "a StatefulSet deleted that is as it shall be";
    if (rack->replicas != operation()->replicas) return "a StatefulSet deleted whose size is written down nowhere";
    const bool owns = std::ranges::any_of(
        scene.observed.nodes, [&](const NodeView& node) { return node.rack == orphan.rack && node.volume_owned; });
    return owns ? "a StatefulSet deleted whose volumes go with it" : "";
  }
  // Who is suspected does not answer at that place, and what is dropped is the record's.
  std::string operator()(const Suspect& suspect) const {
    if (operation() != nullptr) return "suspected in the middle of an operation";
    if (!suspect.suspicion) return scene.status.suspicion ? "" : "nothing was suspected";
    const NodeView* node = scene.observed.FindNode(suspect.suspicion->node);
    const bool stands = node->identity && node->identity->node_id == suspect.suspicion->node_id;
    return stands || suspect.suspicion->since.empty() ? "suspected, and it stands there" : "";
  }
  std::string operator()(const DropVolume& drop) const {
    if (!In(Step::kDropVolume)) return "a volume dropped out of turn";
    const NodeView* node = scene.observed.FindNode(drop.node);
    if (node->identity) return "a volume dropped whose node answers";
    const bool ours = drop.volume_uid == operation()->lost.volume_uid && drop.machine == operation()->lost.machine;
    if (!ours) return "another volume dropped";
    const bool there = node->volume_uid == drop.volume_uid && !node->volume_deleting;
    return there && node->machine.state != MachineView::State::kGone ? "dropped, and the machine is not gone" : "";
  }
  // A pod that cannot start, or the one that is recorded and can be spared.
  std::string operator()(const RestartPod& restart) const {
    if (operation() == nullptr) return "restarted, and nothing is recorded";
    const NodeView* node = scene.observed.FindNode(restart.node);
    if (node->pod_uid != restart.pod_uid) return "another pod restarted";
    const bool grows = operation()->type == Type::kGrowVolumes && node->volume_size != "20Gi";
    if (!grows && !IsOutdated(scene.spec, scene.status, *node)) return "a pod restarted that is as it shall be";
    if (!node->identity && !node->pod_ready) return "";
    if (!In(Step::kRestart) || operation()->node != restart.node) return "restarted out of turn";
    if (Ring() == nullptr || !AllNormal(*Ring())) return "restarted while the ring changes";
    if (std::ranges::count_if(Ring()->members, HoldsPlace) == 1) return "";  // Nobody else could say.
    const auto& safety = scene.observed.safety_without;
    if (!safety || safety->epoch != Ring()->epoch) return "restarted, and nobody said that it is safe";
    for (const auto& partition : safety->partitions) {
      if (partition.ready_without < 2 && partition.ready_without < partition.ready) return "restarted below a quorum";
    }
    return "";
  }
  std::string Replaced(const AskNode& ask) const {
    if (ask.what == AskNode::What::kRepair) return In(Step::kRepair) ? "" : "repair out of turn";
    const admin::Member* lost = FindMember(*Ring(), operation()->lost.node_id);
    if (ask.what == AskNode::What::kForget) {
      if (!In(Step::kForget)) return "forgotten out of turn";
      return ask.node_id == operation()->lost.node_id ? "" : "another was forgotten";
    }
    if (!In(Step::kReplace)) return "replaced out of turn";
    if (ask.node_id != operation()->node_id) return "another took the place";
    if (lost == nullptr || !HoldsPlace(*lost)) return "replaced twice";
    for (const NodeView& node : scene.observed.nodes) {
      if (node.identity && node.identity->node_id == lost->id) return "replaced, and it answers";
    }
    for (const auto& partition : scene.observed.safety->partitions) {
      if (partition.ready < 2) return "replaced, and fewer than a read asks for are left";
    }
    return "";
  }
  std::string operator()(const RemoveVolume& remove) const {
    if (!In(Step::kRemoveVolume)) return "a volume removed out of turn";
    if (!scene.spec.delete_volumes_when_scaled) return "a volume removed against the policy";
    const NodeView* node = scene.observed.FindNode(remove.node);
    const bool same = node != nullptr && node->volume_uid == remove.volume_uid;
    return same && remove.volume_uid == operation()->volume_uid ? "" : "another volume removed";
  }
};

bool AnyForeign(const Scene& scene) {
  return std::ranges::any_of(scene.observed.nodes, [](const NodeView& node) {
    return (!node.volume_cluster_id.empty() && node.volume_cluster_id != kOwnId) ||
           (node.identity && !node.identity->cluster_id.empty() && node.identity->cluster_id != kOwnId);
  });
}

TEST(PlannerOverDrawnScenes, DoesNothingThatItCannotShowTheReasonFor) {
  std::map<std::string, int> actions;
  for (uint64_t seed = 1; seed <= kScenes; ++seed) {
    const Drawn scene(seed);
    const Action action = Plan(scene.spec, scene.status, scene.observed);
    const std::string said = ToString(action);
    ASSERT_EQ(std::visit(Judge{scene}, action), "") << said << ", seed " << seed;
    const bool waits = std::holds_alternative<Wait>(action);
    ASSERT_TRUE(waits || !scene.spec.paused) << said << ", seed " << seed;
    ASSERT_TRUE(waits || !AnyForeign(scene)) << said << ", seed " << seed;
    ++actions[said.substr(0, said.find_first_of("(: "))];
  }
  // The scenes reach every kind of action that a formed cluster knows.
  for (const char* kind : {"Wait", "Settled", "Record", "Finish", "ApplyObjects", "AskNode", "ScaleRack",
                           "RemoveVolume", "Suspect", "DropVolume", "RestartPod", "GrowVolume", "OrphanPods"}) {
    EXPECT_GT(actions[kind], 20) << kind;
  }
}

TEST(PlannerOverDrawnScenes, SaysTheSameOfTheSameScene) {
  for (uint64_t seed = 1; seed <= 500; ++seed) {
    const Drawn scene(seed), again(seed);
    ASSERT_EQ(Plan(scene.spec, scene.status, scene.observed), Plan(again.spec, again.status, again.observed)) << seed;
  }
}

}  // namespace
}  // namespace dynamo::op
