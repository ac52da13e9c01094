// The planner over drawn scenes: whatever is seen and whatever is silent, what must
// never be done is not done.
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "operator/cluster/planner.h"
#include "operator/cluster/template_hash.h"
#include "tests/unit/operator/drawn_scene.h"

namespace dynamo::op {
namespace {

using Step = Operation::Step;
using Type = Operation::Type;

constexpr uint64_t kScenes = 100'000;

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
  std::string operator()(const KeepCertificates& keep) const {
    using What = KeepCertificates::What;
    const CertificatesView& view = *scene.observed.certificates;
    bool trusted = view.next.has_value(), used = true, issued = true;
    for (const UseView& use : view.uses) {
      trusted = trusted && use.behind_with_trust.empty() && !use.trusted.empty() && use.trusted.front() == "new";
      used = used && use.behind_with_leaf.empty();
      issued = issued && use.signed_by == "new";
    }
    switch (keep.what) {
      case What::kMakeAuthority: return view.authority ? "a second authority" : "";
      case What::kMakeNext: return view.next ? "a third authority" : "";
      case What::kTrustNext: return view.next || view.authority ? "" : "trusted what is not there";
      case What::kIssue: return keep.by_next && !trusted ? "issued by whom not all trust" : "";
      case What::kPromote: return issued && used ? "" : "promoted before all nodes use it";
      case What::kDropOld: return !view.next && used ? "" : "dropped what is in use";
    }
    return "";
  }
  std::string operator()(const SetPeerMode& set) const {
    const bool between = set.mode == "optional" || scene.status.tls_peer_mode == "optional";
    if (!between) return "from plaintext to TLS at once";
    for (const NodeView* node : scene.observed.ExpectedNodes()) {
      if (IsOutdated(scene.spec, scene.status, *node))
        return "another step, and a node knows nothing of the one before";
    }
    return operation() == nullptr ? "" : "in the middle of an operation";
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
  for (const char* kind :
       {"Wait", "Settled", "Record", "Finish", "ApplyObjects", "AskNode", "ScaleRack", "RemoveVolume", "Suspect",
        "DropVolume", "RestartPod", "GrowVolume", "OrphanPods", "KeepCertificates", "SetPeerMode"}) {
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
