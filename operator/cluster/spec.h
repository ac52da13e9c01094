// What a DynamoCluster asks for, with every default filled in.
#ifndef DYNAMO_OPERATOR_CLUSTER_SPEC_H_
#define DYNAMO_OPERATOR_CLUSTER_SPEC_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/kube/object.h"

namespace dynamo::op {

const kube::Resource& DynamoClusters();

inline constexpr char kAdoptAnnotation[] = "dynamo.internal/adopt-cluster-id";
inline constexpr char kClusterIdLabel[] = "dynamo.internal/cluster-id";
inline constexpr char kRackLabel[] = "dynamo.internal/rack";

struct RackSpec {
  std::string name, zone;  // Zone empty: anywhere.
  int64_t capacity = 1;
};

// Who signs what a Certificate of cert-manager asks for.
struct IssuerRef {
  std::string name, kind = "Issuer", group = "cert-manager.io";
};

struct ClusterSpec {
  std::string namespace_, name, uid;
  int64_t generation = 0;
  std::string adopt_cluster_id;  // Of the annotation: volumes of that cluster are welcome.

  int replicas = 3;
  std::string version, image;
  bool paused = false;
  bool hibernated = false;  // No pods; the volumes stay.
  int64_t partitions = 256;
  int factor = 3, read_quorum = 2, write_quorum = 2;
  std::vector<RackSpec> racks;  // Never empty.
  std::string storage_size = "10Gi", storage_class;
  bool has_storage_class = false;
  bool delete_volumes_with_cluster = false, delete_volumes_when_scaled = true;
  bool disruption_budget = true, network_policy = true;
  std::string service_type = "ClusterIP";
  std::map<std::string, std::string> config;                                  // Settings of the node, by their names.
  int64_t transfer_max_concurrent = 2, transfer_bytes_per_second = 32 << 20;  // Of each shard.
  int64_t anti_entropy_interval_ms = 300'000;                                 // 0: on demand only.
  bool replace_lost_volumes = true;                                           // By itself; else it says what to do.
  int64_t failure_detection_delay_ms = 600'000;                               // A machine has to be away so long.
  bool repair_after_replacement = true;
  int64_t repair_every_ms = 0;  // By the operator's schedule; 0: by none.
  std::string repair_token;     // A change asks for one now.
  std::string restart_token;
  int update_partition = 0;  // So many nodes keep the old template.
  int64_t min_ready_seconds = 10, progress_deadline_ms = 1'800'000;
  bool gate_spares_one = true;  // QuorumPlusOne: a restart leaves one owner more than a quorum.
  enum class PeerTls { kDisabled, kOperatorManaged, kSecretRef, kCertManager };
  enum class ClientTls { kDisabled, kOptional, kRequired };
  PeerTls tls_peers = PeerTls::kDisabled;
  ClientTls tls_clients = ClientTls::kDisabled;
  std::string tls_peers_secret, tls_clients_secret;  // Of somebody else; empty: names of its own.
  IssuerRef tls_issuer;                              // Of kCertManager.
  std::string tls_rotate_token;                      // A change asks for another authority.
  std::string auth_users_secret;                     // Holds users.yaml; empty: every client may do everything.
  // As status says: nodes that run change from plaintext to TLS, and back, by way of "optional".
  std::string tls_peer_mode = "off";
  bool pod_monitor = false;
  std::map<std::string, std::string> monitor_labels;  // By which a Prometheus selects it.
  kube::Object resources;
  kube::Object affinity;
  kube::json::array tolerations, topology_spread;
  bool anti_affinity_required = false;
  int64_t termination_grace_seconds = 120;

  std::string HeadlessName() const { return name + "-nodes"; }
  std::string AuthorityName() const { return name + "-ca"; }
  // Of cert-manager, and of the Secrets that it or the operator writes.
  std::string PeerCertificateName() const { return name + "-peer-tls"; }
  std::string ClientCertificateName() const { return name + "-client-tls"; }
  std::string PeerSecretName() const { return tls_peers_secret.empty() ? PeerCertificateName() : tls_peers_secret; }
  std::string ClientSecretName() const {
    return tls_clients_secret.empty() ? ClientCertificateName() : tls_clients_secret;
  }
  // Shall be, or are still.
  bool UsesPeerTls() const { return tls_peers != PeerTls::kDisabled || tls_peer_mode != "off"; }
  bool OwnsPeerSecret() const { return tls_peers == PeerTls::kOperatorManaged; }
  bool OwnsClientSecret() const { return ServesWithoutSecret() && !AsksForPeerCertificate(); }
  bool AsksForPeerCertificate() const { return tls_peers == PeerTls::kCertManager; }
  bool AsksForClientCertificate() const { return ServesWithoutSecret() && AsksForPeerCertificate(); }
  bool ServesWithoutSecret() const { return tls_clients != ClientTls::kDisabled && tls_clients_secret.empty(); }
  std::string BindingName() const { return name + "-binding"; }
  std::string StatefulSetName(const std::string& rack) const { return name + "-" + rack; }
  std::string Endpoint() const { return name + "." + namespace_ + ".svc"; }
};

// kInvalidArgument: names the field. What the CRD's rules refuse is refused here, too:
// a resource may be older than its rules.
Result<ClusterSpec> ParseSpec(const kube::Object& object);

// How many nodes each rack starts with, in the order of the racks.
std::vector<int> Spread(int replicas, size_t racks);

}  // namespace dynamo::op

#endif  // DYNAMO_OPERATOR_CLUSTER_SPEC_H_
