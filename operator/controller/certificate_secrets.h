// The Secrets of a cluster's certificates: what they hold, and one step of keeping them.
#ifndef DYNAMO_OPERATOR_CONTROLLER_CERTIFICATE_SECRETS_H_
#define DYNAMO_OPERATOR_CONTROLLER_CERTIFICATE_SECRETS_H_

#include "common/kube/live_reader.h"
#include "operator/cluster/observed.h"
#include "operator/cluster/spec.h"
#include "operator/controller/authority.h"
#include "operator/controller/node_admin.h"

namespace dynamo::op {

// A file that a Secret holds; empty: none of that name.
std::string Held(const kube::Object& secret, const char* name);

// nullopt: the resource asks for no certificates. `observed` has its nodes already: they are
// asked what they use while an authority changes.
kube::Answer<std::optional<CertificatesView>> LookForCertificates(const kube::LiveReader& reader,
                                                                  const ClusterSpec& spec,
                                                                  const std::string& cluster_id,
                                                                  const NodeAdminOptions& nodes,
                                                                  const Observed& observed);

// One write, which its Secret's version guards. kConflict: it was overtaken. The private key
// of an authority is written into the Secret AuthorityName alone, which no pod mounts.
kube::Answer<void> Keep(kube::RestClient* client, const ClusterSpec& spec, const std::string& cluster_id,
                        const KeepCertificates& step, const DrawKey& draw_key);

}  // namespace dynamo::op

#endif  // DYNAMO_OPERATOR_CONTROLLER_CERTIFICATE_SECRETS_H_
