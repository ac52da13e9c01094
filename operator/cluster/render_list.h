// What the operator would make of a resource, without a Kubernetes: to look at, and for
// tools that judge objects.
#ifndef DYNAMO_OPERATOR_CLUSTER_RENDER_LIST_H_
#define DYNAMO_OPERATOR_CLUSTER_RENDER_LIST_H_

#include <string>

#include "common/base/result.h"

namespace dynamo::op {

// `cluster`: a DynamoCluster as JSON. A List of all its objects, as JSON.
Result<std::string> RenderList(const std::string& cluster, const std::string& default_image);

}  // namespace dynamo::op

#endif  // DYNAMO_OPERATOR_CLUSTER_RENDER_LIST_H_
