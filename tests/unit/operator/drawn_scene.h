// Scenes drawn by a seed: any mixture of what can be wished for, written down, seen, and silent.
#ifndef DYNAMO_TESTS_UNIT_OPERATOR_DRAWN_SCENE_H_
#define DYNAMO_TESTS_UNIT_OPERATOR_DRAWN_SCENE_H_

#include <string>
#include <vector>

#include "common/base/random.h"
#include "tests/unit/operator/lost_scene.h"

namespace dynamo::op {

class Drawn : public LostScene {
 public:
  using Step = Operation::Step;
  using Type = Operation::Type;

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
    if (OneIn(4)) DrawCertificates();
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
  CertificateFacts DrawFacts(const std::string& id, WallMicros life) {
    const WallMicros age = life / 100 * Number(110);
    return {id, kSceneNow - age, kSceneNow - age + life, {"dynamo://c"}};
  }
  void DrawCertificates() {
    static constexpr const char* kModes[] = {"off", "optional", "required"};
    status.tls_peer_mode = spec.tls_peer_mode = kModes[Number(3)];
    if (OneIn(2)) spec.tls_peers = ClusterSpec::PeerTls::kOperatorManaged;
    CertificatesView& view = observed.certificates.emplace();
    if (!OneIn(8)) view.authority = DrawFacts("old", kAuthorityLife);
    if (OneIn(2)) view.next = DrawFacts("new", kAuthorityLife);
    if (OneIn(8)) view.token = "another";
    for (const CertificateUse kind : {CertificateUse::kPeer, CertificateUse::kClient}) {
      if (OneIn(4)) continue;
      static const std::vector<std::string> kTrusted[] = {{"old"}, {"new", "old"}, {"new", "old"}, {}};
      UseView use;
      use.use = kind;
      if (!OneIn(8)) use.leaf = DrawFacts("leaf", kLeafLife);
      use.signed_by = OneIn(8) ? "" : view.next && OneIn(2) ? "new" : "old";
      use.trusted = kTrusted[Number(4)];
      if (OneIn(3)) use.behind_with_trust = "demo-b-0";
      if (OneIn(3)) use.behind_with_leaf = "demo-b-0";
      view.uses.push_back(use);
    }
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

}  // namespace dynamo::op

#endif  // DYNAMO_TESTS_UNIT_OPERATOR_DRAWN_SCENE_H_
