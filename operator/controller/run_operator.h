// The operator as a whole: wires client, informers, controller and pages.
#ifndef DYNAMO_OPERATOR_CONTROLLER_RUN_OPERATOR_H_
#define DYNAMO_OPERATOR_CONTROLLER_RUN_OPERATOR_H_

#include <functional>
#include <string>

#include "common/base/log.h"
#include "common/kube/controller.h"
#include "operator/controller/observer.h"

namespace dynamo::op {

struct RunOptions {
  std::string kubeconfig;       // Empty: see kube::FindKubeConfig.
  std::string watch_namespace;  // Empty: all.
  std::string listen_address = "0.0.0.0";
  int port = 8080;
  int workers = 4;
  bool leader_election = true;
  std::string lease_namespace;  // Empty: the pod's own.
  std::string identity;         // Of this copy; empty: drawn.
  OperatorOptions cluster;
};

// Blocks until `on_started` has given a way to stop it and that was used, or until
// leadership is lost. kUnavailable and the like: it could not start.
Result<kube::Manager::End> RunOperator(const RunOptions& options, const Logger& log,
                                       const std::function<void(std::function<void()> stop)>& on_started);

// 8-4-4-4-12 hexadecimal digits, at random.
std::string DrawUuid();

}  // namespace dynamo::op

#endif  // DYNAMO_OPERATOR_CONTROLLER_RUN_OPERATOR_H_
