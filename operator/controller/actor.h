// Carries out one planned action: each is one write, or several that may be repeated.
#ifndef DYNAMO_OPERATOR_CONTROLLER_ACTOR_H_
#define DYNAMO_OPERATOR_CONTROLLER_ACTOR_H_

#include <functional>
#include <string>

#include "common/kube/event_recorder.h"
#include "common/kube/live_reader.h"
#include "operator/cluster/planner.h"
#include "operator/controller/observer.h"

namespace dynamo::op {

// Why an action did not happen, for a condition: a word, and what to do.
struct Trouble {
  std::string reason, message;
};
Trouble TroubleOf(const kube::ApiError& error);

class Actor {
 public:
  // Draws ids of clusters and operations: 8-4-4-4-12 hexadecimal digits.
  using DrawId = std::function<std::string()>;

  Actor(kube::RestClient* client, kube::EventRecorder* events, OperatorOptions options, DrawId draw_id);

  // `object`: the resource as this pass read it. Its version stands in every write of
  // status: a pass that was overtaken writes nothing.
  tl::expected<void, Trouble> Act(const Action& action, const kube::Object& object, const ClusterSpec& spec,
                                  const ClusterStatus& status, const Observed& observed);

 private:
  struct Pass;

  kube::RestClient* const client_;
  kube::EventRecorder* const events_;
  const OperatorOptions options_;
  const DrawId draw_id_;
};

}  // namespace dynamo::op

#endif  // DYNAMO_OPERATOR_CONTROLLER_ACTOR_H_
