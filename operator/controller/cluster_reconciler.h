// Observe, plan, act: brings one DynamoCluster nearer to what it asks for.
#ifndef DYNAMO_OPERATOR_CONTROLLER_CLUSTER_RECONCILER_H_
#define DYNAMO_OPERATOR_CONTROLLER_CLUSTER_RECONCILER_H_

#include <functional>
#include <string>

#include "common/base/log.h"
#include "common/base/metrics.h"
#include "common/kube/controller.h"
#include "operator/controller/actor.h"

namespace dynamo::op {

// Keeps nothing between passes: all it knows is in the resource and in what it observes.
class ClusterReconciler final : public kube::Reconciler {
 public:
  using Planner = std::function<Action(const ClusterSpec&, const ClusterStatus&, const Observed&)>;

  // `planner` is Plan, but for tests that plant a wrong one.
  ClusterReconciler(kube::RestClient* client, kube::EventRecorder* events, Logger log, Metrics* metrics,
                    OperatorOptions options, Actor::DrawId draw_id, Planner planner = Plan);

  kube::ReconcileResult Reconcile(const std::string& key) override;

 private:
  // Until there is nothing to do but wait; nullopt: once more, something was done.
  std::optional<kube::ReconcileResult> Step(const std::string& namespace_, const std::string& name);
  std::optional<kube::ReconcileResult> StepOf(const kube::Object& object, const ClusterSpec& spec,
                                              const ClusterStatus& status);
  // A warning, where the cluster has become Degraded for that reason.
  void Warn(const kube::Object& object, const ClusterStatus& status, const std::string& reason,
            const std::string& message);
  kube::ReconcileResult Stuck(const kube::Object& object, const ClusterStatus& status, const Trouble& trouble);
  bool WriteStatus(const kube::Object& object, const kube::Object& fields);
  void Count(const kube::Object& object, const Action& action, const Observed& observed);

  kube::RestClient* const client_;
  kube::EventRecorder* const events_;
  const Logger log_;
  Metrics* const metrics_;
  const OperatorOptions options_;
  Actor actor_;
  const Planner planner_;
};

}  // namespace dynamo::op

#endif  // DYNAMO_OPERATOR_CONTROLLER_CLUSTER_RECONCILER_H_
