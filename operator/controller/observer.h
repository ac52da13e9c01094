// Looks at everything that a decision about a cluster needs, past all caches.
#ifndef DYNAMO_OPERATOR_CONTROLLER_OBSERVER_H_
#define DYNAMO_OPERATOR_CONTROLLER_OBSERVER_H_

#include <string>

#include "common/kube/live_reader.h"
#include "operator/cluster/objects.h"
#include "operator/cluster/observed.h"
#include "operator/cluster/status.h"
#include "operator/controller/authority.h"
#include "operator/controller/node_admin.h"

namespace dynamo::op {

struct OperatorOptions {
  std::string default_image = "dynamo";
  std::string operator_namespace;  // Ours; empty: unknown.
  NodeAdminOptions nodes;
  DrawKey draw_key = DrawP256Key;  // For certificates.
};

// What the objects of the cluster shall be now, its racks at `replicas`. Of what was
// observed, what cannot be changed counts, and what the API server knows.
RenderInput InputOf(const ClusterSpec& spec, const ClusterStatus& status, const OperatorOptions& options,
                    const Observed& observed, std::vector<int> replicas);

// An object stands as it was last applied. kNotFound is false; any other error is one.
kube::Answer<bool> IsCurrent(const kube::LiveReader& reader, const RenderedObject& rendered);

// An error: nothing was learnt, and nothing may be concluded.
kube::Answer<Observed> Observe(const kube::LiveReader& reader, const ClusterSpec& spec, const ClusterStatus& status,
                               const OperatorOptions& options);

}  // namespace dynamo::op

#endif  // DYNAMO_OPERATOR_CONTROLLER_OBSERVER_H_
