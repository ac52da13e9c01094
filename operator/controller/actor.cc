#include "operator/controller/actor.h"

#include <fmt/format.h>

#include <utility>

#include "operator/controller/certificate_secrets.h"
#include "operator/controller/leftovers.h"
#include "operator/controller/machines.h"

namespace dynamo::op {
namespace {

using kube::Object;

tl::unexpected<Trouble> Fails(const kube::ApiError& error) { return tl::unexpected(TroubleOf(error)); }
tl::unexpected<Trouble> Refuses(const NodeView& node, const Error& error) {
  return tl::unexpected(Trouble{"NodeRefused", fmt::format("node {}: {}", node.name, error.message)});
}

}  // namespace

Trouble TroubleOf(const kube::ApiError& error) {
  using Kind = kube::ApiError::Kind;
  switch (error.kind) {
    case Kind::kForbidden: return {"PermissionMissing", error.message};
    case Kind::kInvalid: return {"ObjectRefused", error.message};
    case Kind::kConflict: return {"Overtaken", error.message};
    case Kind::kUnauthorized: return {"NotAuthenticated", error.message};
    default: return {"ApiServerUnreachable", error.message};
  }
}

Actor::Actor(kube::RestClient* client, kube::EventRecorder* events, OperatorOptions options, DrawId draw_id)
    : client_(client), events_(events), options_(std::move(options)), draw_id_(std::move(draw_id)) {}

// One call of Act: the visitor of actions.
struct Actor::Pass {
  const Actor& actor;
  const Object& object;
  const ClusterSpec& spec;
  const ClusterStatus& status;
  const Observed& observed;
  using Done = tl::expected<void, Trouble>;

  Done WriteStatus(Object fields) const {
    const Object patch{{"metadata", {{"resourceVersion", kube::ResourceVersionOf(object)}}},
                       {"status", std::move(fields)}};
    const auto written = actor.client_->StatusPatch(DynamoClusters(), spec.namespace_, spec.name, patch);
    if (!written) return Fails(written.error());
    return {};
  }
  void Tell(const std::string& event, const std::string& message, bool warning = false) const {
    const auto type = warning ? kube::EventType::kWarning : kube::EventType::kNormal;
    if (!event.empty()) actor.events_->Record(object, type, event, message);
  }

  Done operator()(const Wait&) const { return {}; }
  Done operator()(const Settled&) const { return {}; }

  Done operator()(const ChooseClusterId& action) const {
    return WriteStatus({{"clusterID", action.adopted.empty() ? actor.draw_id_() : action.adopted}});
  }

  Done operator()(const Record& action) const {
    Operation operation = action.operation;
    if (operation.id.empty()) operation.id = actor.draw_id_();
    if (operation.started_at.empty()) operation.started_at = kube::Time(actor.client_->clock()->Wall());
    Object fields{{"operation", ToJson(operation)}};
    if (action.hibernation) fields["hibernation"] = ToJson(*action.hibernation);
    if (action.rebuild_repair) fields["antiEntropy"] = RebuiltOf(operation, *action.rebuild_repair);
    auto done = WriteStatus(std::move(fields));
    if (done) Tell(action.event, action.message, action.warning);
    return done;
  }

  Done operator()(const Finish& action) const {
    Object fields{{"operation", nullptr}, {"ring", {{"epoch", action.ring_epoch}}}};
    if (action.awake) fields["hibernation"] = nullptr;
    if (action.keys_repaired) fields["antiEntropy"] = Compared(*action.keys_repaired);
    auto done = WriteStatus(std::move(fields));
    if (done) Tell(action.event, action.message);
    return done;
  }

  Object RebuiltOf(const Operation& operation, const RebuildRepair& repair) const {
    return {{"lastReplacement",
             {{"completed", kube::Time(actor.client_->clock()->Wall())},
              {"node", operation.node},
              {"nodeID", operation.node_id},
              {"keysRepaired", repair.keys_repaired},
              {"comparisonsFailed", repair.comparisons_failed}}}};
  }

  Object Compared(int64_t keys_repaired) const {
    const WallMicros now = actor.client_->clock()->Wall();
    Object out{{"lastCompleted", kube::Time(now)},
               {"keysRepaired", keys_repaired},
               {"token", status.operation->token},
               {"nextScheduled", nullptr}};
    const auto every = static_cast<WallMicros>(spec.repair_every_ms) * 1000;
    if (every > 0) out["nextScheduled"] = kube::Time(now + every);
    return out;
  }

  Done operator()(const ApplyObjects& action) const {
    const kube::LiveReader reader(actor.client_);
    const auto leftovers = FindLeftovers(reader, spec, observed.pod_monitors, observed.cert_manager);
    if (!leftovers) return Fails(leftovers.error());
    for (const Leftover& leftover : *leftovers) {
      const auto deleted =
          actor.client_->Delete(leftover.resource, spec.namespace_, leftover.name, {.uid = leftover.uid});
      if (!deleted) return Fails(deleted.error());
    }
    for (const RenderedObject& rendered : RenderAll(InputOf(spec, status, actor.options_, observed, action.replicas))) {
      const auto current = IsCurrent(reader, rendered);
      if (!current) return Fails(current.error());
      if (*current) continue;
      const auto applied = actor.client_->Apply(rendered.resource, rendered.object);
      if (!applied) return Fails(applied.error());
    }
    return {};
  }

  Done operator()(const FormRing& action) const {
    admin::CreateOperation create;
    create.cluster_id = status.cluster_id;
    create.partitions = static_cast<uint32_t>(spec.partitions);
    create.n_val = static_cast<uint32_t>(spec.factor);
    for (const std::string& name : action.members) {
      const NodeView* node = observed.FindNode(name);
      if (node == nullptr || node->pod_address.empty())
        return tl::unexpected(Trouble{"PodsStarting", name + " has no address"});
      const bool ipv6 = node->pod_address.find(':') != std::string::npos;
      const std::string host = ipv6 ? "[" + node->pod_address + "]" : node->pod_address;
      create.members.push_back({fmt::format("{}:{}", host, kPeerPort), "", 0});
    }
    const NodeView* asked = observed.FindNode(action.node);
    if (asked == nullptr) return tl::unexpected(Trouble{"PodsStarting", action.node + " is not there"});
    const auto formed = AskToForm(actor.options_.nodes, *asked, status.operation->id, create);
    if (!formed) return Refuses(*asked, formed.error());
    return {};
  }

  Done operator()(const AskNode& action) const {
    using What = AskNode::What;
    if (action.what == What::kRepair) return StartRepair(action);
    const NodeView* node = observed.WhomToAsk(action.node_id);
    if (node == nullptr)
      return tl::unexpected(Trouble{"NodeDown", "no member serves that could be asked about " + action.node});
    const std::string type = NameOf(action.what), id = status.operation->id + "-" + type;
    const NodeAdminOptions& nodes = actor.options_.nodes;
    const auto asked = action.what == What::kReplace
                           ? AskToReplace(nodes, *node, id, status.operation->lost.node_id, action.node_id)
                           : AskToChange(nodes, *node, id, type, action.node_id);
    if (!asked) return Refuses(*node, asked.error());
    return {};
  }

  Done StartRepair(const AskNode& action) const {
    const NodeView* node = observed.FindNode(action.node);
    if (node == nullptr) return tl::unexpected(Trouble{"PodsStarting", action.node + " is not there"});
    const auto started = AskToRepair(actor.options_.nodes, *node, RepairIdOf(*status.operation));
    if (!started) return Refuses(*node, started.error());
    return {};
  }

  Done operator()(const RestartPod& action) const {
    const auto deleted = actor.client_->Delete(kube::Pods(), spec.namespace_, action.node, {action.pod_uid});
    if (!deleted && deleted.error().kind != kube::ApiError::Kind::kNotFound) return Fails(deleted.error());
    return {};
  }

  Done operator()(const Suspect& action) const {
    Object fields{{"suspicion", nullptr}};
    if (action.suspicion) fields["suspicion"] = ToJson(*action.suspicion);
    return WriteStatus(std::move(fields));
  }

  Done operator()(const DropVolume& action) const {
    // Asked once more, past whatever this pass has seen: nobody can reach that volume.
    const kube::LiveReader reader(actor.client_);
    const auto machine = FindMachine(reader, action.machine);
    if (!machine) return Fails(machine.error());
    if (machine->state != MachineView::State::kGone)
      return tl::unexpected(Trouble{"MachineBack", "machine " + action.machine + " is there again"});
    const auto pod = reader.Get(kube::Pods(), spec.namespace_, action.node);
    if (!pod) return Fails(pod.error());
    if (*pod) {
      const auto runs = RunsOnMachine(reader, **pod);
      if (!runs) return Fails(runs.error());
      if (*runs) return tl::unexpected(Trouble{"PodRuns", "pod " + action.node + " runs on a machine that is there"});
    }
    const auto removed = actor.client_->Delete(kube::PersistentVolumeClaims(), spec.namespace_, "data-" + action.node,
                                               {action.volume_uid});
    if (!removed && removed.error().kind != kube::ApiError::Kind::kNotFound) return Fails(removed.error());
    if (!*pod || kube::IsBeingDeleted(**pod)) return {};
    const auto stopped = actor.client_->Delete(kube::Pods(), spec.namespace_, action.node, {kube::UidOf(**pod)});
    if (!stopped && stopped.error().kind != kube::ApiError::Kind::kNotFound) return Fails(stopped.error());
    return {};
  }

  Done operator()(const ScaleRack& action) const {
    const std::string name = spec.StatefulSetName(action.rack);
    const auto set = actor.client_->Get(kube::StatefulSets(), spec.namespace_, name);
    if (!set) return Fails(set.error());
    const Object patch{{"metadata", {{"resourceVersion", kube::ResourceVersionOf(*set)}}},
                       {"spec", {{"replicas", action.replicas}}}};
    const auto scaled = actor.client_->MergePatch(kube::StatefulSets(), spec.namespace_, name, patch);
    if (!scaled) return Fails(scaled.error());
    return {};
  }

  Done operator()(const KeepCertificates& action) const {
    using What = KeepCertificates::What;
    const auto kept = Keep(actor.client_, spec, status.cluster_id, action, actor.options_.draw_key);
    if (!kept) return Fails(kept.error());
    if (action.what == What::kMakeNext) Tell("AuthorityRotating", "another authority is on its way to the nodes");
    if (action.what == What::kPromote) Tell("AuthorityRotated", "all nodes use certificates of the next authority");
    if (action.what == What::kIssue) Tell("CertificateIssued", "for the use " + NameOf(action.use));
    return {};
  }
  Done operator()(const SetPeerMode& action) const { return WriteStatus({{"tls", {{"peers", action.mode}}}}); }

  Done operator()(const GrowVolume& action) const {
    const std::string name = "data-" + action.node;
    const auto claim = actor.client_->Get(kube::PersistentVolumeClaims(), spec.namespace_, name);
    if (!claim) return Fails(claim.error());
    if (kube::UidOf(*claim) != action.volume_uid)
      return tl::unexpected(Trouble{"Overtaken", name + " is another volume by now"});
    const Object patch{{"metadata", {{"resourceVersion", kube::ResourceVersionOf(*claim)}}},
                       {"spec", {{"resources", {{"requests", {{"storage", action.size}}}}}}}};
    const auto grown = actor.client_->MergePatch(kube::PersistentVolumeClaims(), spec.namespace_, name, patch);
    if (!grown) return Fails(grown.error());
    return {};
  }

  // Its pods go on, and belong to the one that is made next.
  Done operator()(const OrphanPods& action) const {
    const std::string name = spec.StatefulSetName(action.rack);
    const auto deleted = actor.client_->Delete(kube::StatefulSets(), spec.namespace_, name, {action.set_uid, "Orphan"});
    if (!deleted && deleted.error().kind != kube::ApiError::Kind::kNotFound) return Fails(deleted.error());
    return {};
  }

  Done operator()(const RemoveVolume& action) const {
    // Asked once more, past whatever this pass has seen: nothing uses it.
    const kube::LiveReader reader(actor.client_);
    const auto pod = reader.Get(kube::Pods(), spec.namespace_, action.node);
    if (!pod) return Fails(pod.error());
    if (*pod) return tl::unexpected(Trouble{"PodStopping", "pod " + action.node + " still uses the volume"});
    const auto removed = actor.client_->Delete(kube::PersistentVolumeClaims(), spec.namespace_, "data-" + action.node,
                                               {action.volume_uid});
    if (!removed && removed.error().kind != kube::ApiError::Kind::kNotFound) return Fails(removed.error());
    return {};
  }
};

tl::expected<void, Trouble> Actor::Act(const Action& action, const Object& object, const ClusterSpec& spec,
                                       const ClusterStatus& status, const Observed& observed) {
  return std::visit(Pass{*this, object, spec, status, observed}, action);
}

}  // namespace dynamo::op
