#include "operator/controller/cluster_reconciler.h"

#include <utility>

#include "operator/cluster/report.h"

namespace dynamo::op {
namespace {

using kube::Object;
using kube::ReconcileResult;

constexpr int kStepsMax = 50;  // Of one pass: a plan that goes in circles must not hold the worker.
constexpr Duration kPollOperation = std::chrono::seconds(2);
constexpr Duration kPollWaiting = std::chrono::seconds(5);
constexpr Duration kPollSettled = std::chrono::seconds(30);

// A merge patch of these fields would change nothing.
bool SaysAlready(const Object& there, const Object& fields) {
  for (const auto& [key, value] : fields) {
    const kube::json::value* found = there.if_contains(key);
    if (found == nullptr || found->is_null()) {
      if (!value.is_null()) return false;
    } else if (found->is_object() && value.is_object()) {
      if (!SaysAlready(found->get_object(), value.get_object())) return false;
    } else if (*found != value) {
      return false;
    }
  }
  return true;
}

}  // namespace

ClusterReconciler::ClusterReconciler(kube::RestClient* client, kube::EventRecorder* events, Logger log,
                                     Metrics* metrics, OperatorOptions options, Actor::DrawId draw_id, Planner planner)
    : client_(client),
      events_(events),
      log_(std::move(log)),
      metrics_(metrics),
      options_(options),
      actor_(client, events, std::move(options), std::move(draw_id)),
      planner_(std::move(planner)) {}

ReconcileResult ClusterReconciler::Reconcile(const std::string& key) {
  const auto [namespace_, name] = kube::SplitKey(key);
  for (int i = 0; i < kStepsMax; ++i) {
    if (auto end = Step(namespace_, name)) return *end;
  }
  log_.Error("reconcile_goes_in_circles cluster={}", key);
  return {true, std::nullopt};
}

std::optional<ReconcileResult> ClusterReconciler::Step(const std::string& namespace_, const std::string& name) {
  const auto object = client_->Get(DynamoClusters(), namespace_, name);
  if (!object) {
    // Gone: what it owned goes with it, by its owner references.
    if (object.error().kind == kube::ApiError::Kind::kNotFound) return ReconcileResult{};
    log_.Warn("cluster_unreadable cluster={}/{} error=\"{}\"", namespace_, name, ToString(object.error()));
    return ReconcileResult{true, std::nullopt};
  }
  if (kube::IsBeingDeleted(*object)) return ReconcileResult{};
  const auto status = ParseStatus(*object);
  if (!status) return Stuck(*object, {}, {"OperationUnknown", status.error().message});
  auto spec = ParseSpec(*object);
  if (!spec) return Stuck(*object, *status, {"SpecInvalid", spec.error().message});
  spec->tls_peer_mode = status->tls_peer_mode;
  return StepOf(*object, *spec, *status);
}

std::optional<ReconcileResult> ClusterReconciler::StepOf(const Object& object, const ClusterSpec& spec,
                                                         const ClusterStatus& status) {
  const std::string now = kube::Time(client_->clock()->Wall());
  if (status.observed_generation != spec.generation) {
    if (!WriteStatus(object, ReportNewGeneration(status, spec.generation, now)))
      return ReconcileResult{true, std::nullopt};
    return std::nullopt;
  }
  auto observed = Observe(kube::LiveReader(client_), spec, status, options_);
  if (!observed) return Stuck(object, status, TroubleOf(observed.error()));
  observed->now = client_->clock()->Wall();
  const Action action = planner_(spec, status, *observed);
  log_.Debug("planned cluster={} action=\"{}\"", kube::KeyOf(object), ToString(action));

  const bool rests = std::holds_alternative<Wait>(action) || std::holds_alternative<Settled>(action);
  if (!rests) {
    log_.Info("acting cluster={} action=\"{}\"", kube::KeyOf(object), ToString(action));
    const auto done = actor_.Act(action, object, spec, status, *observed);
    if (!done) return Stuck(object, status, done.error());
    // A node that was asked needs its time: what came of it is seen next time.
    if (std::holds_alternative<AskNode>(action) || std::holds_alternative<FormRing>(action))
      return ReconcileResult{false, kPollOperation};
    return std::nullopt;
  }
  Count(object, action, *observed);
  if (const Wait* wait = std::get_if<Wait>(&action); wait != nullptr && wait->degraded) {
    Warn(object, status, wait->reason, wait->message);
  }
  if (!WriteStatus(object, Report(spec, status, *observed, action, now))) return ReconcileResult{true, std::nullopt};
  if (std::holds_alternative<Settled>(action)) return ReconcileResult{false, kPollSettled};
  return ReconcileResult{false, status.operation ? kPollOperation : kPollWaiting};
}

void ClusterReconciler::Warn(const Object& object, const ClusterStatus& status, const std::string& reason,
                             const std::string& message) {
  const kube::Condition* before = status.conditions.Get("Degraded");
  if (before != nullptr && before->status == "True" && before->reason == reason) return;
  log_.Warn("degraded cluster={} reason={} message=\"{}\"", kube::KeyOf(object), reason, message);
  events_->Record(object, kube::EventType::kWarning, reason, message);
}

ReconcileResult ClusterReconciler::Stuck(const Object& object, const ClusterStatus& status, const Trouble& trouble) {
  log_.Warn("stuck cluster={} reason={} message=\"{}\"", kube::KeyOf(object), trouble.reason, trouble.message);
  // Overtaken by another write: nothing is wrong, the next pass sees it.
  if (trouble.reason == "Overtaken") return {true, std::nullopt};
  Warn(object, status, trouble.reason, trouble.message);
  const std::string now = kube::Time(client_->clock()->Wall());
  WriteStatus(object,
              ReportTrouble(status, kube::IntAt(object, "metadata.generation"), trouble.reason, trouble.message, now));
  return {true, std::nullopt};
}

bool ClusterReconciler::WriteStatus(const Object& object, const Object& fields) {
  const kube::json::value* status = kube::Find(object, "status");
  if (status != nullptr && status->is_object() && SaysAlready(status->get_object(), fields)) return true;
  const Object patch{{"metadata", {{"resourceVersion", kube::ResourceVersionOf(object)}}}, {"status", fields}};
  const auto written = client_->StatusPatch(DynamoClusters(), kube::NamespaceOf(object), kube::NameOf(object), patch);
  if (!written) log_.Warn("status_unwritten cluster={} error=\"{}\"", kube::KeyOf(object), ToString(written.error()));
  return written.has_value();
}

void ClusterReconciler::Count(const Object& object, const Action& action, const Observed& observed) {
  const Labels labels = {{"name", kube::NameOf(object)}, {"namespace", kube::NamespaceOf(object)}};
  int ready = 0;
  for (const RackView& rack : observed.racks) ready += rack.ready;
  metrics_->gauge("dynamo_operator_cluster_nodes_ready", "Nodes that serve.", labels).Set(ready);
  metrics_->gauge("dynamo_operator_cluster_nodes_wanted", "Nodes of the StatefulSets.", labels)
      .Set(observed.Replicas());
  const Wait* wait = std::get_if<Wait>(&action);
  metrics_->gauge("dynamo_operator_cluster_settled", "1: the cluster is as it shall be.", labels).Set(wait == nullptr);
  metrics_->gauge("dynamo_operator_cluster_degraded", "1: the cluster needs a human.", labels)
      .Set(wait != nullptr && wait->degraded);
}

}  // namespace dynamo::op
