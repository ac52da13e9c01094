// The machines (Kubernetes calls them Nodes) that volumes are bound to.
#ifndef DYNAMO_OPERATOR_CONTROLLER_MACHINES_H_
#define DYNAMO_OPERATOR_CONTROLLER_MACHINES_H_

#include <string>

#include "common/kube/live_reader.h"
#include "operator/cluster/observed.h"

namespace dynamo::op {

// The one machine that can reach a persistent volume, by its label kubernetes.io/hostname;
// empty: more than one can, or any.
std::string MachineOf(const kube::Object& volume);

// The machine of that label: gone only if the API server says that there is none.
kube::Answer<MachineView> FindMachine(const kube::LiveReader& reader, const std::string& hostname);

// The machine that a pod was given exists, whatever its state.
kube::Answer<bool> RunsOnMachine(const kube::LiveReader& reader, const kube::Object& pod);

// Fills in the machines of the nodes that are silent and whose volumes are bound to one. What
// the operator may not look at is said in `machines_forbidden`.
kube::Answer<void> LookForMachines(const kube::LiveReader& reader, Observed* observed);

}  // namespace dynamo::op

#endif  // DYNAMO_OPERATOR_CONTROLLER_MACHINES_H_
