// Objects of a cluster that its resource asked for once, and asks for no more.
#ifndef DYNAMO_OPERATOR_CONTROLLER_LEFTOVERS_H_
#define DYNAMO_OPERATOR_CONTROLLER_LEFTOVERS_H_

#include <string>
#include <vector>

#include "common/kube/live_reader.h"
#include "operator/cluster/spec.h"

namespace dynamo::op {

struct Leftover {
  kube::Resource resource;
  std::string name, uid;
};

// Those that are the cluster's own, by their owner references, and are not being deleted yet.
// `pod_monitors`, `cert_manager`: the API server knows their kinds.
kube::Answer<std::vector<Leftover>> FindLeftovers(const kube::LiveReader& reader, const ClusterSpec& spec,
                                                  bool pod_monitors, bool cert_manager);

}  // namespace dynamo::op

#endif  // DYNAMO_OPERATOR_CONTROLLER_LEFTOVERS_H_
