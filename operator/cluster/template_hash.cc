#include "operator/cluster/template_hash.h"

#include <algorithm>
#include <boost/json/serialize.hpp>

#include "common/base/hash.h"

namespace dynamo::op {

std::string TemplateHashOf(const ClusterSpec& spec, const RackSpec& rack) {
  kube::Object config;
  for (const auto& [name, value] : spec.config) config[name] = value;
  kube::Object wish{{"version", spec.version},
                    {"image", spec.image},
                    {"config", std::move(config)},
                    {"zone", rack.zone},
                    {"capacity", rack.capacity},
                    {"transferMaxConcurrent", spec.transfer_max_concurrent},
                    {"transferBytesPerSecond", spec.transfer_bytes_per_second},
                    {"antiEntropyIntervalMs", spec.anti_entropy_interval_ms},
                    {"resources", spec.resources},
                    {"affinity", spec.affinity},
                    {"tolerations", spec.tolerations},
                    {"topologySpread", spec.topology_spread},
                    {"antiAffinityRequired", spec.anti_affinity_required},
                    {"terminationGraceSeconds", spec.termination_grace_seconds},
                    {"restartToken", spec.restart_token}};
  if (spec.tls_peer_mode != "off") {
    wish["tlsPeers"] = spec.tls_peer_mode;
    wish["tlsPeersSecret"] = spec.PeerSecretName();
  }
  if (spec.tls_clients != ClusterSpec::ClientTls::kDisabled) {
    wish["tlsClients"] = spec.tls_clients == ClusterSpec::ClientTls::kRequired ? "required" : "optional";
    wish["tlsClientsSecret"] = spec.ClientSecretName();
  }
  if (!spec.auth_users_secret.empty()) wish["authUsersSecret"] = spec.auth_users_secret;
  return ToHex(HashOf(kube::json::serialize(wish)));
}

bool IsOutdated(const ClusterSpec& spec, const ClusterStatus& status, const NodeView& node) {
  if (!node.pod_exists || !node.expected) return false;
  const auto rack = std::ranges::find(spec.racks, node.rack, &RackSpec::name);
  if (rack == spec.racks.end()) return false;
  const std::string wanted = TemplateHashOf(spec, *rack);
  if (!node.pod_template.empty()) return node.pod_template != wanted;
  const auto before = status.templates.find(node.rack);
  return before != status.templates.end() && before->second != wanted;
}

}  // namespace dynamo::op
