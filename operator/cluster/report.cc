#include "operator/cluster/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "operator/cluster/objects.h"
#include "operator/cluster/quantity.h"
#include "operator/cluster/template_hash.h"

namespace dynamo::op {
namespace {

using kube::Object;
namespace json = kube::json;

// Sets conditions of one pass: one generation, one time.
struct Setter {
  kube::Conditions& conditions;
  int64_t generation;
  const std::string& now;

  void operator()(const char* type, const char* status, const std::string& reason, const std::string& message) const {
    conditions.Set(type, status, reason, message, generation, now);
  }
};

// What pods stand for that carry no hash: set down once, by the first operator that asks.
std::string TemplateBefore(const ClusterSpec& spec, const ClusterStatus& status, const std::string& name) {
  const auto before = status.templates.find(name);
  if (before != status.templates.end()) return before->second;
  const auto rack = std::ranges::find(spec.racks, name, &RackSpec::name);
  return rack == spec.racks.end() ? "" : TemplateHashOf(spec, *rack);
}

json::array Racks(const ClusterSpec& spec, const ClusterStatus& status, const Observed& observed) {
  json::array out;
  for (const RackView& rack : observed.racks) {
    out.push_back(Object{{"name", rack.name},
                         {"statefulSet", spec.StatefulSetName(rack.name)},
                         {"replicas", rack.replicas.value_or(0)},
                         {"readyReplicas", rack.ready},
                         {"updatedReplicas", rack.updated},
                         {"template", TemplateBefore(spec, status, rack.name)}});
  }
  return out;
}

// Who stood there before, if the ring still keeps that place for it: written down until
// another has the place, because that is how a lost volume is known.
const KnownNode* StillKnown(const NodeView& node, const ClusterStatus& status, const admin::Topology* ring) {
  const KnownNode* known = status.FindNode(node.name);
  if (known == nullptr || known->node_id.empty()) return nullptr;
  if (ring == nullptr) return known;
  if (node.identity && FindMember(*ring, node.identity->node_id) != nullptr) return nullptr;
  const admin::Member* member = FindMember(*ring, known->node_id);
  return member != nullptr && HoldsPlace(*member) ? known : nullptr;
}

std::string StateOf(const NodeView& node, const KnownNode* known, const admin::Topology* ring) {
  if (!node.identity) return !node.expected && !node.pod_exists ? "Asleep" : "Unknown";
  const admin::Member* member = ring == nullptr ? nullptr : FindMember(*ring, node.identity->node_id);
  if (member == nullptr) return known != nullptr && known->node_id != node.identity->node_id ? "Lost" : "Empty";
  std::string state = member->state;
  if (!state.empty()) state[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(state[0])));
  return state;
}

json::array Nodes(const ClusterStatus& status, const Observed& observed, const admin::Topology* ring) {
  json::array out;
  for (const NodeView& node : observed.nodes) {
    const bool sleeps = status.hibernation && status.FindNode(node.name) != nullptr;
    if (!node.expected && !node.pod_exists && !sleeps) continue;
    const KnownNode* known = StillKnown(node, status, ring);
    const std::string id = known != nullptr ? known->node_id : node.identity ? node.identity->node_id : "";
    const admin::Member* member = ring == nullptr ? nullptr : FindMember(*ring, id);
    out.push_back(
        Object{{"name", node.name},
               {"nodeID", id},
               {"rack", node.rack},
               {"zone", member == nullptr ? "" : member->zone},
               {"state", StateOf(node, known, ring)},
               {"podUID", node.pod_uid},
               {"volumeUID", known != nullptr && !known->volume_uid.empty() ? known->volume_uid : node.volume_uid},
               {"volumeSize", node.volume_size},
               {"vnodes", member == nullptr ? 0 : member->tokens},
               {"ready", node.pod_ready}});
  }
  return out;
}

int NodesOf(const Hibernation& hibernation) {
  int nodes = 0;
  for (const auto& [rack, replicas] : hibernation.replicas) nodes += replicas;
  return nodes;
}

// Whether clients are served; unknown where too much is silent.
void SetAvailable(const ClusterSpec& spec, const ClusterStatus& status, const Observed& observed, const Setter& set) {
  if (status.ring_epoch == 0) return set("Available", "False", "NotFormed", "no ring was formed yet");
  int serving = 0, silent = 0;
  for (const NodeView* node : observed.ExpectedNodes()) {
    serving += node->identity && node->pod_ready;
    silent += !node->identity;
  }
  if (status.hibernation && serving == 0) return set("Available", "False", "Hibernated", "no node serves");
  auto nodes = static_cast<int>(observed.ExpectedNodes().size());
  // Those that sleep still or already are away as well.
  if (status.hibernation) nodes = NodesOf(*status.hibernation);
  const int away = nodes - serving;
  // With at most N - max(R, W) nodes away, every key has its quorum.
  const int spare = spec.factor - std::max(spec.read_quorum, spec.write_quorum);
  if (away <= spare) return set("Available", "True", "QuorumServes", fmt::format("{} nodes serve", serving));
  if (silent > 0) return set("Available", "Unknown", "NodesUnreachable", fmt::format("{} nodes do not answer", silent));
  set("Available", "False", "QuorumAtRisk", fmt::format("{} nodes do not serve, and {} may be away", away, spare));
}

void SetVolumes(const ClusterStatus& status, const Observed& observed, const Action& action, const Setter& set) {
  for (const KnownNode& known : status.hibernation ? status.nodes : std::vector<KnownNode>()) {
    const NodeView* node = observed.FindNode(known.name);
    if (known.volume_uid.empty() || (node != nullptr && node->volume_uid == known.volume_uid)) continue;
    return set("VolumesReady", "False", "VolumeMissing",
               fmt::format("the volume data-{} of node {} is not there any more", known.name, known.node_id));
  }
  for (const NodeView* node : observed.ExpectedNodes()) {
    if (node->volume_bound) continue;
    return set(
        "VolumesReady", node->volume_uid.empty() ? "Unknown" : "False", "VolumePending",
        fmt::format("volume data-{} is not bound{}{}", node->name, node->trouble.empty() ? "" : ": ", node->trouble));
  }
  const Wait* wait = std::get_if<Wait>(&action);
  if (wait != nullptr && wait->reason == "ResizeRejected") {
    return set("VolumesReady", "False", wait->reason, wait->message);
  }
  for (const NodeView* node : observed.ExpectedNodes()) {
    if (ParseBytes(node->volume_requested).value_or(0) <= ParseBytes(node->volume_size).value_or(0)) continue;
    return set("VolumesReady", "False", "VolumeResizing",
               fmt::format("volume data-{} has {} of {}{}{}", node->name, node->volume_size, node->volume_requested,
                           node->volume_trouble.empty() ? "" : ": ", node->volume_trouble));
  }
  set("VolumesReady", "True", "AllBound", "");
}

void SetClusterId(const Observed& observed, const ClusterStatus& status, const Setter& set) {
  for (const NodeView& node : observed.nodes) {
    if (!node.identity || node.identity->cluster_id.empty() || node.identity->cluster_id == status.cluster_id) continue;
    return set("ClusterIDMatched", "False", "ClusterIDMismatch",
               fmt::format("{} is of cluster {}", node.name, node.identity->cluster_id));
  }
  set("ClusterIDMatched", "True", "Matched", "");
}

void SetProgress(const ClusterSpec& spec, const ClusterStatus& status, const Action& action, const Setter& set) {
  const Wait* wait = std::get_if<Wait>(&action);
  const bool paused = spec.paused;
  const bool degraded = wait != nullptr && wait->degraded;
  set("Paused", paused ? "True" : "False", paused ? "Paused" : "Running", "");
  set("Degraded", degraded ? "True" : "False", degraded ? wait->reason : "AsExpected", degraded ? wait->message : "");
  if (wait == nullptr) return set("Progressing", "False", "Settled", "");
  if (paused) return set("Progressing", "False", wait->reason, wait->message);
  const std::string reason = status.operation ? NameOf(status.operation->type) : wait->reason;
  set("Progressing", "True", reason, wait->reason + ": " + wait->message);
}

void SetUpdatePending(const ClusterSpec& spec, const ClusterStatus& status, const Observed& observed,
                      const Setter& set) {
  const auto nodes = observed.ExpectedNodes();
  const auto outdated =
      std::ranges::count_if(nodes, [&](const NodeView* node) { return IsOutdated(spec, status, *node); });
  if (outdated > 0) {
    return set("UpdatePending", "True", "RolloutPending",
               fmt::format("{} of {} pods are of what was asked for before{}", outdated, nodes.size(),
                           spec.update_partition > 0 ? "; spec.update.partition keeps some" : ""));
  }
  for (const RackView& rack : observed.racks) {
    if (rack.updated >= rack.replicas.value_or(0)) continue;
    return set("UpdatePending", "True", "PodsOfOlderTemplate",
               fmt::format("rack {}: {} of {} pods are of this operator's template; the others get it when they are "
                           "restarted, for which nothing asks (spec.restartToken does)",
                           rack.name, rack.updated, rack.replicas.value_or(0)));
  }
  set("UpdatePending", "False", "UpToDate", "");
}

void SetMonitored(const ClusterSpec& spec, const ClusterStatus& status, const Observed& observed, const Setter& set) {
  if (!spec.pod_monitor) {
    if (status.conditions.Get("Monitored") != nullptr) set("Monitored", "False", "NotAskedFor", "");
    return;
  }
  if (observed.pod_monitors) return set("Monitored", "True", "PodMonitorApplied", "");
  set("Monitored", "False", "PodMonitorUnknown",
      "the API server knows no PodMonitor of monitoring.coreos.com/v1: install the Prometheus operator, or let "
      "Prometheus ask the pods' port admin for /metrics");
}

// Ready: all nodes use certificates of one authority, and none is about to end.
void SetCertificates(const ClusterSpec& spec, const ClusterStatus& status, const Observed& observed,
                     const Setter& set) {
  if (!observed.certificates) {
    if (status.conditions.Get("CertificatesReady") != nullptr) set("CertificatesReady", "False", "NotAskedFor", "");
    return;
  }
  const CertificatesView& view = *observed.certificates;
  if (spec.AsksForPeerCertificate() && !observed.cert_manager)
    return set("CertificatesReady", "False", "CertManagerUnknown", kCertManagerUnknown);
  if (view.missing) return set("CertificatesReady", "False", view.missing->reason, view.missing->message);
  if (auto next = NextCertificate(view, spec.tls_rotate_token, observed.now)) {
    return set("CertificatesReady", "False", "CertificatesPending", ToString(Action(*next)));
  }
  const std::string waits = WaitsFor(view);
  if (view.next || !waits.empty()) return set("CertificatesReady", "False", "AuthorityRotating", waits);
  const bool off = spec.tls_peers == ClusterSpec::PeerTls::kDisabled;
  if (status.tls_peer_mode != (off ? "off" : "required")) {
    return set(
        "CertificatesReady", "False", "PeersChanging",
        fmt::format("nodes speak to each other in mode {}: each step takes a restart of all", status.tls_peer_mode));
  }
  set("CertificatesReady", "True", "Valid", "");
}

// When certificates of the operator's own end: it makes others long before.
Object Tls(const Observed& observed) {
  Object out{{"authorityEnds", nullptr}, {"certificatesEnd", nullptr}};
  if (!observed.certificates) return out;
  const CertificatesView& view = *observed.certificates;
  if (view.authority) out["authorityEnds"] = kube::Time(view.authority->not_after);
  WallMicros first = 0;
  for (const UseView& use : view.uses) {
    if (use.leaf) first = first == 0 ? use.leaf->not_after : std::min(first, use.leaf->not_after);
  }
  if (first != 0) out["certificatesEnd"] = kube::Time(first);
  return out;
}

// What keeps a cluster from sleeping, or from being awake, in the words of the action.
void SetHibernated(const ClusterSpec& spec, const ClusterStatus& status, const Action& action, const Setter& set) {
  if (!spec.hibernated && !status.hibernation) return set("Hibernated", "False", "Awake", "");
  if (!spec.hibernated) return set("Hibernated", "False", "Waking", ToString(action));
  if (std::holds_alternative<Settled>(action)) {
    const int nodes = status.hibernation ? NodesOf(*status.hibernation) : 0;
    return set("Hibernated", "True", "Hibernated", fmt::format("no pod runs; the volumes of {} nodes are kept", nodes));
  }
  const bool other = status.operation && status.operation->type != Operation::Type::kHibernate;
  const std::string first =
      other ? fmt::format("{} of {} is finished first: ", NameOf(status.operation->type), status.operation->node) : "";
  set("Hibernated", "False", spec.paused ? "Paused" : "Hibernating", first + ToString(action));
}

// The ring, in numbers: what nobody said stays away.
Object Ring(const ClusterSpec& spec, const ClusterStatus& status, const Observed& observed, const admin::Topology* ring,
            bool converged) {
  Object out{{"epoch", status.ring_epoch}, {"partitions", spec.partitions}, {"converged", converged}};
  // Until it is formed the epoch stays 0: that is how a restarted operator knows.
  if (ring != nullptr && status.ring_epoch > 0) out["epoch"] = ring->epoch;
  // A merge patch takes a null away.
  out["underReplicated"] = out["unavailable"] = out["pendingTransfers"] = out["pendingHints"] = nullptr;
  if (observed.safety) {
    const uint32_t quorum = static_cast<uint32_t>(std::max(spec.read_quorum, spec.write_quorum));
    std::set<uint32_t> under, unavailable;  // Once each, whatever the bucket types' N.
    for (const admin::Safety::Partition& partition : observed.safety->partitions) {
      if (partition.ready < partition.owners) under.insert(partition.partition);
      if (partition.ready < std::min(quorum, partition.owners)) unavailable.insert(partition.partition);
    }
    out["underReplicated"] = under.size();
    out["unavailable"] = unavailable.size();
  }
  if (ring != nullptr) out["pendingTransfers"] = ring->to_move - std::min(ring->moved, ring->to_move);
  const auto nodes = observed.ExpectedNodes();
  if (std::ranges::all_of(nodes, [](const NodeView* node) { return node->hints.has_value(); })) {
    uint64_t hints = 0;
    for (const NodeView* node : nodes) hints += *node->hints;
    out["pendingHints"] = hints;
  }
  return out;
}

}  // namespace

Object Report(const ClusterSpec& spec, const ClusterStatus& status, const Observed& observed, const Action& action,
              const std::string& now) {
  kube::Conditions conditions = status.conditions;
  const Setter set{conditions, spec.generation, now};
  const admin::Topology* ring = observed.AgreedRing(/*everyone=*/false);
  const bool converged = observed.AgreedRing(/*everyone=*/true) != nullptr && AllNormal(*ring);

  SetProgress(spec, status, action, set);
  SetAvailable(spec, status, observed, set);
  SetVolumes(status, observed, action, set);
  SetClusterId(observed, status, set);
  SetUpdatePending(spec, status, observed, set);
  SetHibernated(spec, status, action, set);
  SetMonitored(spec, status, observed, set);
  SetCertificates(spec, status, observed, set);
  set("RingConverged",
      converged         ? "True"
      : ring == nullptr ? "Unknown"
                        : "False",
      converged ? "OneEpoch" : "NotConverged", "");

  int ready = 0, updated = 0;
  for (const RackView& rack : observed.racks) ready += rack.ready, updated += rack.updated;
  const bool settled = std::holds_alternative<Settled>(action);
  const bool all_ready = settled && converged && ready >= spec.replicas && !spec.hibernated;
  set("Ready", all_ready ? "True" : "False",
      all_ready                    ? "Ready"
      : settled && spec.hibernated ? "Hibernated"
      : settled                    ? "NodesNotReady"
                                   : "Progressing",
      all_ready ? "" : ToString(action));

  return {{"observedGeneration", spec.generation},
          {"clusterID", status.cluster_id},
          {"replicas", observed.Replicas()},
          {"readyReplicas", ready},
          {"updatedReplicas", updated},
          {"availableReplicas", ready},
          {"selector",
           fmt::format("app.kubernetes.io/name=dynamo,app.kubernetes.io/instance={},app.kubernetes.io/component=node",
                       spec.name)},
          {"ring", Ring(spec, status, observed, ring, converged)},
          {"racks", Racks(spec, status, observed)},
          {"nodes", Nodes(status, observed, ring)},
          {"tls", Tls(observed)},
          {"endpoint", {{"host", spec.Endpoint()}, {"port", kHttpPort}}},
          {"binding", {{"name", spec.BindingName()}}},
          {"conditions", conditions.ToJson()}};
}

Object ReportNewGeneration(const ClusterStatus& status, int64_t generation, const std::string& now) {
  kube::Conditions conditions = status.conditions;
  conditions.Set("Progressing", "True", "NewGeneration", "the resource has changed", generation, now);
  conditions.Set("Ready", "False", "Progressing", "the resource has changed", generation, now);
  return {{"observedGeneration", generation}, {"conditions", conditions.ToJson()}};
}

Object ReportTrouble(const ClusterStatus& status, int64_t generation, const std::string& reason,
                     const std::string& message, const std::string& now) {
  kube::Conditions conditions = status.conditions;
  conditions.Set("Degraded", "True", reason, message, generation, now);
  conditions.Set("Ready", "Unknown", reason, message, generation, now);
  if (conditions.IsTrue("Available")) conditions.Set("Available", "Unknown", reason, message, generation, now);
  return {{"observedGeneration", generation}, {"conditions", conditions.ToJson()}};
}

}  // namespace dynamo::op
