// Seeds by the Kubernetes API: the pods behind a headless Service.
#ifndef DYNAMO_NODE_ADAPTER_KUBERNETES_SEEDS_H_
#define DYNAMO_NODE_ADAPTER_KUBERNETES_SEEDS_H_

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/kube/kube_config.h"
#include "common/kube/object.h"

namespace dynamo {

struct KubernetesService {
  std::string namespace_;  // Empty: the pod's own.
  std::string name;
};
// "SERVICE" or "NAMESPACE/SERVICE"; kInvalidArgument.
Result<KubernetesService> ParseKubernetesService(std::string_view text);

// "address:port" of every endpoint, ready or not: a cluster that starts has no node that
// is. The port is the slice's named "peer", or `peer_port`.
std::vector<std::string> PeersOf(const std::vector<kube::Object>& endpoint_slices, uint16_t peer_port);

// Asks the API server, as the pod's service account, which needs to list EndpointSlices.
// Blocks, for some seconds at most; its settings and token are read anew each time.
class KubernetesSeeds {
 public:
  using FindConfig = std::function<Result<kube::KubeConfig>()>;
  KubernetesSeeds(KubernetesService service, uint16_t peer_port, FindConfig find_config);

  // kUnavailable, kNotFound (this is no pod): the message says what to do.
  Result<std::vector<std::string>> LookUp() const;

 private:
  KubernetesService service_;
  uint16_t peer_port_;
  FindConfig find_config_;
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_ADAPTER_KUBERNETES_SEEDS_H_
