// Secrets of certificates that the operator does not write: those of somebody else's, and of
// cert-manager.
#ifndef DYNAMO_OPERATOR_CONTROLLER_MISSING_SECRET_H_
#define DYNAMO_OPERATOR_CONTROLLER_MISSING_SECRET_H_

#include <optional>
#include <string>

#include "common/kube/live_reader.h"
#include "operator/cluster/certificates.h"
#include "operator/cluster/spec.h"

namespace dynamo::op {

// The first one that nodes cannot start with. nullopt: they can with all. `cert_manager`: the
// API server knows its Certificates.
kube::Answer<std::optional<MissingSecret>> LookForMissing(const kube::LiveReader& reader, const ClusterSpec& spec,
                                                          const std::string& cluster_id, bool cert_manager);

}  // namespace dynamo::op

#endif  // DYNAMO_OPERATOR_CONTROLLER_MISSING_SECRET_H_
