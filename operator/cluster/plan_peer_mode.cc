// From plaintext to TLS between nodes, and back, with a rollout for each step: nodes that
// take both stand between those that take one only.
#include <algorithm>

#include "operator/cluster/planner.h"
#include "operator/cluster/template_hash.h"

namespace dynamo::op {

std::optional<Action> BeginPeerMode(const ClusterSpec& spec, const ClusterStatus& status, const Observed& observed) {
  const std::string wanted = spec.tls_peers == ClusterSpec::PeerTls::kDisabled ? "off" : "required";
  const std::string& now = status.tls_peer_mode;
  if (now == wanted) return std::nullopt;
  if (status.ring_epoch == 0) return SetPeerMode{wanted};
  if (auto wait = WaitForSecret(observed)) return *wait;
  // Nobody is left who knows nothing of the step before.
  const auto nodes = observed.ExpectedNodes();
  const bool all = std::ranges::all_of(nodes, [&](const NodeView* node) {
    return node->identity && node->pod_ready && !IsOutdated(spec, status, *node);
  });
  if (!all) return std::nullopt;
  return SetPeerMode{now == "optional" ? wanted : "optional"};
}

}  // namespace dynamo::op
