#include "operator/cluster/planner.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace dynamo::op {
namespace {

// Volumes of another cluster stand where ours shall be, and nobody has said that they
// are welcome.
const NodeView* ForeignVolume(const ClusterStatus& status, const Observed& observed) {
  for (const NodeView& node : observed.nodes) {
    if (!node.volume_cluster_id.empty() && node.volume_cluster_id != status.cluster_id) return &node;
  }
  return nullptr;
}

// A node says that it is of another cluster: whatever we did next would mix the two.
const NodeView* ForeignNode(const ClusterStatus& status, const Observed& observed) {
  for (const NodeView& node : observed.nodes) {
    if (!node.identity || node.identity->cluster_id.empty()) continue;
    if (node.identity->cluster_id != status.cluster_id) return &node;
  }
  return nullptr;
}

// Of a StatefulSet that somebody deleted: the places from 0 on that have a volume.
int PlacesWithVolumes(const Observed& observed, const std::string& rack) {
  int places = 0;
  for (const NodeView& node : observed.nodes) {
    if (node.rack == rack && node.ordinal == places && !node.volume_uid.empty()) ++places;
  }
  return places;
}

std::vector<int> ReplicasNow(const ClusterStatus& status, const Observed& observed) {
  std::vector<int> out;
  out.reserve(observed.racks.size());
  for (const RackView& rack : observed.racks) {
    const bool made_anew =
        status.operation && status.operation->step == Operation::Step::kRecreate && status.operation->rack == rack.name;
    const int missing = made_anew            ? status.operation->replicas
                        : status.hibernation ? 0
                                             : PlacesWithVolumes(observed, rack.name);
    out.push_back(rack.replicas.value_or(missing));
  }
  return out;
}

Action WaitForClusterId(const ClusterSpec& spec, const NodeView& node) {
  return Wait{
      "VolumesOfAnotherCluster",
      fmt::format("volume data-{} is of cluster {}: to go on with its data, annotate this resource with {}={}; to "
                  "give it up, delete the volumes labelled app.kubernetes.io/instance={}",
                  node.name, node.volume_cluster_id, kAdoptAnnotation, node.volume_cluster_id, spec.name),
      true};
}

// Of no operation: certificates end, whatever else goes on.
std::optional<Action> KeepSecrets(const ClusterSpec& spec, const ClusterStatus& status, const Observed& observed) {
  if (observed.certificates) {
    if (auto next = NextCertificate(*observed.certificates, spec.tls_rotate_token, observed.now)) return *next;
    // What writes it may be one of the objects that are yet to be applied.
    const auto wait = WaitForSecret(observed);
    if (wait && status.ring_epoch == 0 && (wait->degraded || observed.objects_current)) return *wait;
  }
  if (status.ring_epoch > 0 || status.operation) return std::nullopt;
  return BeginPeerMode(spec, status, observed);
}

// Of an idle cluster. What does not serve comes first, and what takes nodes away last. Of one
// that sleeps nothing can be told but that.
Action BeginNext(const ClusterSpec& spec, const ClusterStatus& status, const Observed& observed) {
  if (status.hibernation) return *BeginHibernateOrWake(spec, status, observed);
  if (auto lost = BeginReplacing(spec, status, observed)) return *lost;
  if (auto sleep = BeginHibernateOrWake(spec, status, observed)) return *sleep;
  if (auto restart = BeginRollout(spec, status, observed, /*broken=*/true)) return *restart;
  if (spec.replicas > observed.Replicas()) return BeginScaling(spec, status, observed);
  if (auto mode = BeginPeerMode(spec, status, observed)) return *mode;
  const auto growth = BeginGrowing(spec, status, observed);
  if (growth && !std::holds_alternative<Wait>(*growth)) return *growth;
  if (auto restart = BeginRollout(spec, status, observed, /*broken=*/false)) {
    // A pod that starts would wait for it, too, and serve nobody meanwhile.
    if (auto wait = WaitForSecret(observed)) return *wait;
    return *restart;
  }
  Action scaling = BeginScaling(spec, status, observed);
  if (!std::holds_alternative<Settled>(scaling)) return scaling;
  if (growth) return *growth;  // It cannot be: all else goes on.
  if (auto repair = BeginAntiEntropy(spec, status, observed)) return *repair;
  return scaling;
}

}  // namespace

std::optional<Wait> WaitForSecret(const Observed& observed) {
  if (!observed.certificates || !observed.certificates->missing) return std::nullopt;
  const MissingSecret& missing = *observed.certificates->missing;
  return Wait{missing.reason, missing.message, missing.degraded};
}

Action Plan(const ClusterSpec& spec, const ClusterStatus& status, const Observed& observed) {
  if (spec.paused) return Wait{"Paused", "spec.paused is true: the operator observes and reports only"};
  if (status.cluster_id.empty()) {
    const NodeView* foreign = ForeignVolume(status, observed);
    if (foreign == nullptr) return ChooseClusterId{};
    if (foreign->volume_cluster_id == spec.adopt_cluster_id) return ChooseClusterId{spec.adopt_cluster_id};
    return WaitForClusterId(spec, *foreign);
  }
  if (const NodeView* foreign = ForeignVolume(status, observed)) return WaitForClusterId(spec, *foreign);
  if (const NodeView* foreign = ForeignNode(status, observed)) {
    return Wait{"ClusterIDMismatch",
                fmt::format("node {} is of cluster {}, not of {}: nothing is done until it is gone", foreign->name,
                            foreign->identity->cluster_id, status.cluster_id),
                true};
  }
  if (auto certificates = KeepSecrets(spec, status, observed)) return *certificates;
  for (const RackView& rack : observed.racks) {
    if (rack.deleting) return Wait{"StatefulSetMissing", "that of rack " + rack.name + " is being deleted"};
  }
  // The replicas follow the ring: what stands is kept, whatever the spec says.
  if (status.ring_epoch > 0 && !observed.objects_current) return ApplyObjects{ReplicasNow(status, observed)};
  if (status.operation) {
    const bool stops = status.operation->type == Operation::Type::kHibernate;
    if (auto restart = stops ? std::nullopt : RestartBroken(spec, status, observed)) return *restart;
    switch (status.operation->type) {
      case Operation::Type::kCreate: return ContinueCreate(spec, status, observed);
      case Operation::Type::kScaleUp: return ContinueScaleUp(spec, status, observed);
      case Operation::Type::kScaleDown: return ContinueScaleDown(spec, status, observed);
      case Operation::Type::kReplace: return ContinueReplace(spec, status, observed);
      case Operation::Type::kRollout: return ContinueRollout(spec, status, observed);
      case Operation::Type::kAntiEntropy: return ContinueAntiEntropy(spec, status, observed);
      case Operation::Type::kHibernate: return ContinueHibernate(spec, status, observed);
      case Operation::Type::kGrowVolumes: return ContinueGrowing(spec, status, observed);
      case Operation::Type::kWake: return ContinueWake(spec, status, observed);
    }
  }
  if (status.ring_epoch == 0) {
    if (spec.hibernated) return Settled{};
    Operation create;
    create.type = Operation::Type::kCreate;
    create.step = Operation::Step::kObjects;
    return Record{create, "", ""};
  }
  return BeginNext(spec, status, observed);
}

namespace {

struct Describe {
  std::string operator()(const Wait& a) const { return fmt::format("Wait({}: {})", a.reason, a.message); }
  std::string operator()(const Settled&) const { return "Settled"; }
  std::string operator()(const ChooseClusterId& a) const { return fmt::format("ChooseClusterId({})", a.adopted); }
  std::string operator()(const Record& a) const {
    return fmt::format("Record({}/{} {})", NameOf(a.operation.type), NameOf(a.operation.step), a.operation.node);
  }
  std::string operator()(const Finish& a) const { return fmt::format("Finish({})", a.event); }
  std::string operator()(const ApplyObjects& a) const {
    return fmt::format("ApplyObjects({})", fmt::join(a.replicas, ","));
  }
  std::string operator()(const FormRing& a) const {
    return fmt::format("FormRing({}: {})", a.node, fmt::join(a.members, ","));
  }
  std::string operator()(const AskNode& a) const { return fmt::format("AskNode({} {})", NameOf(a.what), a.node); }
  std::string operator()(const ScaleRack& a) const { return fmt::format("ScaleRack({} {})", a.rack, a.replicas); }
  std::string operator()(const RemoveVolume& a) const { return fmt::format("RemoveVolume({})", a.node); }
  std::string operator()(const Suspect& a) const {
    return fmt::format("Suspect({})", a.suspicion ? a.suspicion->node : "");
  }
  std::string operator()(const RestartPod& a) const { return fmt::format("RestartPod({})", a.node); }
  std::string operator()(const KeepCertificates& a) const {
    return fmt::format("KeepCertificates({} {}{})", NameOf(a.what), NameOf(a.use), a.by_next ? " by the next" : "");
  }
  std::string operator()(const SetPeerMode& a) const { return fmt::format("SetPeerMode({})", a.mode); }
  std::string operator()(const GrowVolume& a) const { return fmt::format("GrowVolume({} {})", a.node, a.size); }
  std::string operator()(const OrphanPods& a) const { return fmt::format("OrphanPods({})", a.rack); }
  std::string operator()(const DropVolume& a) const { return fmt::format("DropVolume({})", a.node); }
};

}  // namespace

std::string NameOf(AskNode::What what) {
  switch (what) {
    case AskNode::What::kJoin: return "join";
    case AskNode::What::kLeave: return "leave";
    case AskNode::What::kCancelLeave: return "cancel-leave";
    case AskNode::What::kReplace: return "replace";
    case AskNode::What::kForget: return "forget";
    case AskNode::What::kRepair: return "repair";
  }
  return "unknown";
}

std::string ToString(const Action& action) { return std::visit(Describe{}, action); }

}  // namespace dynamo::op
