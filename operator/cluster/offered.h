// What a resource may ask for and this version does not do: refused by name, never
// passed over.
#ifndef DYNAMO_OPERATOR_CLUSTER_OFFERED_H_
#define DYNAMO_OPERATOR_CLUSTER_OFFERED_H_

#include "common/base/result.h"
#include "operator/cluster/spec.h"

namespace dynamo::op {

// kUnsupported: names the field, and what may stand there.
Status CheckOffered(const kube::Object& object);
Status CheckQuorums(const ClusterSpec& spec);

}  // namespace dynamo::op

#endif  // DYNAMO_OPERATOR_CLUSTER_OFFERED_H_
