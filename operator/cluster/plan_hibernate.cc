// Sleeping and waking: all pods go and come back together, and every node stays who it is.
// The ring is left as it stands, so it has to stand still when they go.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "operator/cluster/lost_volume.h"
#include "operator/cluster/plan_steps.h"

namespace dynamo::op {
namespace {

using Step = Operation::Step;
using Type = Operation::Type;

// The next StatefulSet that is of another size than `wanted` says; nullopt: none is.
std::optional<Action> Resize(const Observed& observed, const std::map<std::string, int>& wanted) {
  for (const RackView& rack : observed.racks) {
    if (!rack.replicas) return Wait{"StatefulSetMissing", "of rack " + rack.name};
    const auto found = wanted.find(rack.name);
    const int replicas = found == wanted.end() ? 0 : found->second;
    if (*rack.replicas != replicas) return ScaleRack{rack.name, replicas};
  }
  return std::nullopt;
}

std::optional<Wait> WaitForStoppedPods(const Observed& observed) {
  std::vector<std::string> there;
  for (const NodeView& node : observed.nodes) {
    if (node.pod_exists) there.push_back(node.name);
  }
  if (there.empty()) return std::nullopt;
  return Wait{"PodStopping", fmt::format("waiting for {} to stop", fmt::join(there, ", "))};
}

bool IsAsleep(const Observed& observed) {
  return observed.Replicas() == 0 && !WaitForStoppedPods(observed) &&
         std::ranges::all_of(observed.racks, [](const RackView& rack) { return rack.replicas.has_value(); });
}

Action BeginHibernate(const ClusterStatus& status, const Observed& observed) {
  const admin::Topology* ring = observed.AgreedRing(/*everyone=*/false);
  if (ring == nullptr) return Wait{"RingNotConverged", "the nodes do not agree on one ring"};
  if (!AllNormal(*ring)) return Wait{"RingChanging", "a member is on its way in or out" + Moved(*ring)};
  Hibernation hibernation{kube::Time(observed.now), {}};
  for (const RackView& rack : observed.racks) {
    if (!rack.replicas) return Wait{"StatefulSetMissing", "of rack " + rack.name};
    hibernation.replicas[rack.name] = *rack.replicas;
  }
  Record record = To(Begun(Type::kHibernate, status, observed), Step::kStopPods, "Hibernating",
                     fmt::format("{} nodes stop, their volumes stay", observed.Replicas()));
  record.hibernation = std::move(hibernation);
  return record;
}

// Not yet there, and no volume is lost for which there would be more to do.
std::optional<Wait> WaitForNodes(const ClusterStatus& status, const Observed& observed) {
  for (const NodeView* node : observed.ExpectedNodes()) {
    if (!node->trouble.empty()) return Wait{"PodsBlocked", "pod " + node->name + ": " + node->trouble, true};
    if (!node->identity || !node->pod_ready || node->pod_deleting) {
      return Wait{"NodesWaking", "waiting for " + node->name + " to serve"};
    }
    const KnownNode* known = status.FindNode(node->name);
    if (known == nullptr || known->node_id.empty() || known->node_id == node->identity->node_id) continue;
    return Wait{
        "NodeUnknown",
        fmt::format("node {} stands at {}, where {} stood", node->identity->node_id, node->name, known->node_id), true};
  }
  const admin::Topology* ring = observed.AgreedRing(/*everyone=*/true);
  if (ring == nullptr || !AllNormal(*ring)) return Wait{"RingNotConverged", "the nodes do not agree on one ring yet"};
  return std::nullopt;
}

}  // namespace

Action ContinueHibernate(const ClusterSpec& spec, const ClusterStatus& status, const Observed& observed) {
  const Operation& operation = *status.operation;
  if (!spec.hibernated) return Finish{operation.ring_epoch, "HibernationCancelled", "the nodes come back"};
  if (auto resize = Resize(observed, {})) return *resize;
  if (auto wait = WaitForStoppedPods(observed)) return *wait;
  return Finish{operation.ring_epoch, "Hibernated", "no pod runs; the volumes are kept"};
}

Action ContinueWake(const ClusterSpec& spec, const ClusterStatus& status, const Observed& observed) {
  const Operation& operation = *status.operation;
  if (spec.hibernated) return Finish{operation.ring_epoch, "WakingCancelled", "the nodes go back to sleep"};
  if (!status.hibernation) return Finish{operation.ring_epoch, "Woken", "nothing is asleep"};
  if (auto resize = Resize(observed, status.hibernation->replicas)) return *resize;
  Finish finish{operation.ring_epoch, "Woken", fmt::format("{} nodes serve again", observed.Replicas())};
  finish.awake = true;
  // It is for the replacement of lost volumes to say what becomes of the rest.
  if (!FindLostVolumes(status, observed).empty()) {
    finish.message = "a volume seems to be lost";
    return finish;
  }
  if (auto wait = WaitForNodes(status, observed)) return *wait;
  finish.ring_epoch = static_cast<int64_t>(observed.AgreedRing(/*everyone=*/true)->epoch);
  return finish;
}

std::optional<Action> BeginHibernateOrWake(const ClusterSpec& spec, const ClusterStatus& status,
                                           const Observed& observed) {
  if (!status.hibernation) {
    if (!spec.hibernated) return std::nullopt;
    return BeginHibernate(status, observed);
  }
  if (!spec.hibernated) {
    return To(Begun(Type::kWake, status, observed), Step::kStartPods, "Waking", "the nodes that slept come back");
  }
  if (IsAsleep(observed)) return Settled{};
  return To(Begun(Type::kHibernate, status, observed), Step::kStopPods, "Hibernating",
            "pods are there, and shall not be");
}

}  // namespace dynamo::op
