// A cluster as the operator sees it, for tables: at rest, until a test changes something.
#ifndef DYNAMO_TESTS_UNIT_OPERATOR_SCENE_H_
#define DYNAMO_TESTS_UNIT_OPERATOR_SCENE_H_

#include <gmock/gmock.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "operator/cluster/planner.h"

namespace dynamo::op {

inline constexpr char kOwnId[] = "11111111-1111-1111-1111-111111111111";

// Three nodes in three racks, formed, at rest.
struct Scene {
  ClusterSpec spec;
  ClusterStatus status;
  Observed observed;
  admin::Topology ring;

  Scene() {
    spec.name = "demo";
    spec.namespace_ = "shop";
    spec.racks = {{"a", "", 1}, {"b", "", 1}, {"c", "", 1}};
    status.cluster_id = kOwnId;
    status.ring_epoch = 5;
    ring.cluster_id = kOwnId;
    ring.epoch = 7;
    ring.hash = "h";
    observed.objects_current = true;
    observed.safety_without.emplace().epoch = 7;
    for (const char* rack : {"a", "b", "c"}) {
      observed.racks.push_back({rack, 1, "uid", 1, 1, true, ""});
      AddNode(rack, 0);
    }
    Share();
  }
  NodeView& AddNode(const std::string& rack, int ordinal, const std::string& state = "normal") {
    NodeView node;
    node.name = "demo-" + rack + "-" + std::to_string(ordinal);
    node.rack = rack;
    node.ordinal = ordinal;
    node.expected = node.pod_exists = node.pod_ready = node.volume_bound = true;
    node.pod_uid = "pod-" + node.name;
    node.volume_uid = "volume-" + node.name;
    node.volume_cluster_id = kOwnId;
    node.pod_address = "10.0.0.1";
    node.hints = 0;
    node.identity = admin::Identity{"id-" + node.name, state.empty() ? "" : kOwnId, 1, "normal", state.empty()};
    if (!state.empty()) {
      admin::Member member;
      member.id = node.identity->node_id;
      member.state = state;
      ring.members.push_back(member);
    }
    observed.nodes.push_back(node);
    return observed.nodes.back();
  }
  // Every member of the ring reports it.
  void Share() {
    for (NodeView& node : observed.nodes) {
      if (node.identity && !node.identity->cluster_id.empty()) node.topology = ring;
    }
  }
  void SetState(const std::string& node, const std::string& state) {
    for (admin::Member& member : ring.members) {
      if (member.id == "id-" + node) member.state = state;
    }
    Share();
  }
  NodeView& Node(const std::string& name) { return *std::ranges::find(observed.nodes, name, &NodeView::name); }
  // A fourth node of rack a, in the middle of `step`.
  void InOperation(Operation::Type type, Operation::Step step, const std::string& state) {
    observed.racks[0].replicas = 2;
    AddNode("a", 1, state);
    Share();
    status.operation =
        Operation{"op", type, step, "a", "demo-a-1", "id-demo-a-1", "pod-demo-a-1", "volume-demo-a-1", 5, "t", ""};
    spec.replicas = type == Operation::Type::kScaleUp ? 4 : 3;
  }
  std::string Next() const { return ToString(Plan(spec, status, observed)); }
};

// A table's line: what the planner does next in a scene that was arranged so.
template <class Scene>
struct PlanRow {
  const char* what;
  std::function<void(Scene&)> arrange;
  const char* expected;  // The action begins so.
};

template <class Scene>
void CheckPlans(const std::vector<PlanRow<Scene>>& table) {
  for (const PlanRow<Scene>& row : table) {
    Scene scene;
    row.arrange(scene);
    EXPECT_THAT(scene.Next(), ::testing::StartsWith(row.expected)) << row.what;
  }
}

}  // namespace dynamo::op

#endif  // DYNAMO_TESTS_UNIT_OPERATOR_SCENE_H_
