// The claims of volumes, and whether their storage classes let them grow.
#ifndef DYNAMO_OPERATOR_CONTROLLER_VOLUMES_H_
#define DYNAMO_OPERATOR_CONTROLLER_VOLUMES_H_

#include "common/kube/live_reader.h"
#include "operator/cluster/observed.h"
#include "operator/cluster/spec.h"

namespace dynamo::op {

// What the claim itself says.
void ReadVolume(const kube::Object& claim, NodeView* node);

// Looks for the classes of claims that ask for less than the spec. What the operator may not
// look at is said in `classes_forbidden`.
kube::Answer<void> LookForClasses(const kube::LiveReader& reader, const ClusterSpec& spec, Observed* observed);

}  // namespace dynamo::op

#endif  // DYNAMO_OPERATOR_CONTROLLER_VOLUMES_H_
