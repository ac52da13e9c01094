// A scene in which a volume or a machine can be lost.
#ifndef DYNAMO_TESTS_UNIT_OPERATOR_LOST_SCENE_H_
#define DYNAMO_TESTS_UNIT_OPERATOR_LOST_SCENE_H_

#include <string>

#include "tests/unit/operator/scene.h"

namespace dynamo::op {

inline constexpr WallMicros kSceneNow = 1'700'000'000'000'000;
inline std::string SecondsAgo(uint64_t seconds) { return kube::Time(kSceneNow - seconds * 1'000'000); }

// At rest, all that is asked was answered; demo-b-0 is the one that things happen to.
struct LostScene : Scene {
  LostScene() {
    observed.now = kSceneNow;
    observed.safety.emplace().epoch = 7;
    for (const NodeView& node : observed.nodes) {
      status.nodes.push_back({node.name, node.identity->node_id, node.volume_uid});
    }
    for (admin::Member& member : ring.members) member.name = member.id.substr(3);
    observed.members.emplace();
    Share();
    Hear();
  }
  // What a member has heard of: all members but the lost one live.
  void Hear() {
    if (!observed.members) return;
    observed.members->members = ring.members;
    for (admin::Member& member : observed.members->members) {
      const bool stands = std::ranges::any_of(
          observed.nodes, [&](const NodeView& node) { return node.identity && node.identity->node_id == member.id; });
      member.liveness = stands ? "alive" : "dead";
    }
  }
  void AddStranger(const std::string& id) {
    if (!observed.members) return;
    admin::Member stranger;
    stranger.id = id;
    stranger.liveness = "alive";
    observed.members->members.push_back(stranger);
  }
  // Another volume stands there, with a new and empty node.
  void Empty(const std::string& name) {
    NodeView& node = Node(name);
    node.volume_uid = "new-volume-" + name;
    node.identity = admin::Identity{"new-id-" + name, "", 1, "empty", true};
    node.topology.reset();
    node.pod_ready = false;
    Hear();
    AddStranger("new-id-" + name);
  }
  void Away(const std::string& name, MachineView::State state) {
    NodeView& node = Node(name);
    node.identity.reset(), node.topology.reset();
    node.pod_ready = false;
    node.machine = {"m-" + name, state, kSceneNow - 1'000'000};
    Hear();
  }
  void Suspected(const std::string& name, uint64_t seconds_ago, bool with_machine = false) {
    Suspicion suspicion{name, "id-" + name, "volume-" + name, "", "", "", SecondsAgo(seconds_ago)};
    if (with_machine) {
      suspicion.machine = "m-" + name;
    } else {
      suspicion.new_node_id = "new-id-" + name;
      suspicion.new_volume_uid = "new-volume-" + name;
    }
    status.suspicion = suspicion;
  }
  void WeakPartition(uint32_t ready) { observed.safety->partitions = {{9, 3, 3, ready, ready}}; }

  // In the middle of a replacement at demo-b-0; `ringwise`: the ring has the new one, in that state.
  void Replacing(Operation::Step step, const std::string& ringwise = "", const std::string& lost_state = "normal") {
    Empty("demo-b-0");
    Operation operation{
        "op", Operation::Type::kReplace, step, "b", "demo-b-0", "", "pod-demo-b-0", "", 5, SecondsAgo(65), ""};
    operation.lost = {"id-demo-b-0", "volume-demo-b-0", ""};
    if (step != Operation::Step::kAwaitPod && step != Operation::Step::kDropVolume) {
      operation.node_id = "new-id-demo-b-0";
      operation.volume_uid = "new-volume-demo-b-0";
    }
    status.operation = operation;
    if (ringwise.empty()) return;
    SetState("demo-b-0", lost_state);
    admin::Member newcomer;
    newcomer.id = "new-id-demo-b-0";
    newcomer.name = "demo-b-0";
    newcomer.state = ringwise;
    ring.members.push_back(newcomer);
    Node("demo-b-0").identity = admin::Identity{newcomer.id, kOwnId, 1, "normal", false};
    Share();
  }
  void Repair(const std::string& state, uint64_t failed = 0, int attempts = 1) {
    Replacing(Operation::Step::kRepair, "normal", "replaced");
    status.operation->attempts = attempts;
    observed.repair.emplace();
    observed.repair->state = state;
    observed.repair->exchanges_failed = failed;
    observed.repair->keys_repaired = 17;
  }
};

}  // namespace dynamo::op

#endif  // DYNAMO_TESTS_UNIT_OPERATOR_LOST_SCENE_H_
