// Which pods are of what the resource asks for now.
//
// A pod carries a hash of the fields of the resource that it was made of: never of what this
// operator's code made of them, so that another version of the operator restarts nothing.
#ifndef DYNAMO_OPERATOR_CLUSTER_TEMPLATE_HASH_H_
#define DYNAMO_OPERATOR_CLUSTER_TEMPLATE_HASH_H_

#include <string>

#include "operator/cluster/observed.h"
#include "operator/cluster/spec.h"
#include "operator/cluster/status.h"

namespace dynamo::op {

inline constexpr char kTemplateAnnotation[] = "dynamo.internal/template";

// A later version that knows more fields adds them only where they are not as by default.
std::string TemplateHashOf(const ClusterSpec& spec, const RackSpec& rack);

// The pod is of an older wish. False where there is no pod, or nothing can be told.
bool IsOutdated(const ClusterSpec& spec, const ClusterStatus& status, const NodeView& node);

}  // namespace dynamo::op

#endif  // DYNAMO_OPERATOR_CLUSTER_TEMPLATE_HASH_H_
