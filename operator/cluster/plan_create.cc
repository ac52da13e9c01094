// The first flow: from nothing to one ring, formed once.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>

#include "operator/cluster/planner.h"

namespace dynamo::op {
namespace {

// A place that keeps the others waiting, and why.
std::optional<Wait> WaitForPods(const ClusterSpec& spec, const Observed& observed) {
  for (const RackView& rack : observed.racks) {
    if (!rack.trouble.empty()) return Wait{"PodsBlocked", spec.StatefulSetName(rack.name) + ": " + rack.trouble, true};
  }
  std::vector<std::string> silent;
  for (const NodeView* expected : observed.ExpectedNodes()) {
    const NodeView& node = *expected;
    if (!node.trouble.empty()) return Wait{"PodsBlocked", "pod " + node.name + ": " + node.trouble, true};
    if (!node.identity || node.pod_deleting) silent.push_back(node.name);
  }
  if (silent.empty()) return std::nullopt;
  return Wait{"PodsStarting", fmt::format("waiting for {}", fmt::join(silent, ", "))};
}

Action ObjectsStep(const ClusterSpec& spec, const ClusterStatus& status, const Observed& observed) {
  const bool all_there =
      std::ranges::all_of(observed.racks, [](const RackView& rack) { return rack.replicas.has_value(); });
  if (!all_there || !observed.objects_current) return ApplyObjects{Spread(spec.replicas, spec.racks.size())};
  if (const auto wait = WaitForPods(spec, observed)) return *wait;
  const auto nodes = observed.ExpectedNodes();
  if (nodes.empty()) return Wait{"PodsStarting", "waiting for the StatefulSets' pods"};

  // The node that is asked is written down first: it stays the same one.
  Operation next = *status.operation;
  next.step = Operation::Step::kForm;
  next.node = nodes.front()->name;
  next.node_id = nodes.front()->identity->node_id;
  return Record{next, "", ""};
}

Action FormStep(const ClusterSpec& spec, const ClusterStatus& status, const Observed& observed) {
  if (const auto wait = WaitForPods(spec, observed)) return *wait;
  const auto nodes = observed.ExpectedNodes();
  const bool any_formed =
      std::ranges::any_of(nodes, [](const NodeView* node) { return !node->identity->cluster_id.empty(); });
  if (!any_formed) {
    for (const NodeView* node : nodes) {
      if (node->identity->empty_volume) continue;
      return Wait{"VolumeNotEmpty",
                  fmt::format("volume data-{} is of no cluster, but not empty: delete it", node->name), true};
    }
    FormRing form{status.operation->node, {}};
    for (const NodeView* node : nodes) form.members.push_back(node->name);
    return form;
  }
  const admin::Topology* ring = observed.AgreedRing(/*everyone=*/true);
  if (ring == nullptr || !AllNormal(*ring)) return Wait{"RingForming", "the nodes do not agree on one ring yet"};
  for (const NodeView* node : nodes) {
    const admin::Member* member = FindMember(*ring, node->identity->node_id);
    if (member == nullptr) return Wait{"RingForming", "node " + node->name + " is no member of the ring", true};
    if (!node->pod_ready) return Wait{"PodsStarting", "waiting for " + node->name + " to serve"};
  }
  return Finish{static_cast<int64_t>(ring->epoch), "Created",
                fmt::format("a ring of {} nodes and {} partitions", ring->members.size(), ring->partitions)};
}

}  // namespace

Action ContinueCreate(const ClusterSpec& spec, const ClusterStatus& status, const Observed& observed) {
  if (status.operation->step == Operation::Step::kObjects) return ObjectsStep(spec, status, observed);
  return FormStep(spec, status, observed);
}

}  // namespace dynamo::op
