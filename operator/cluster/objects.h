// The Kubernetes objects that make up a cluster: pure functions of the resource.
#ifndef DYNAMO_OPERATOR_CLUSTER_OBJECTS_H_
#define DYNAMO_OPERATOR_CLUSTER_OBJECTS_H_

#include <string>
#include <vector>

#include "common/kube/object.h"
#include "operator/cluster/spec.h"

namespace dynamo::op {

inline constexpr int kHttpPort = 8098, kPbPort = 8087, kPeerPort = 8099, kAdminPort = 8091;
inline constexpr char kAppliedAnnotation[] = "dynamo.internal/applied";

struct RenderInput {
  const ClusterSpec* spec = nullptr;
  std::string cluster_id;
  std::string default_image;       // Of the operator's own release, without the tag.
  std::string operator_namespace;  // Whose pods may reach the admin port; empty: any.
  bool operation_running = false;
  bool ring_formed = false;   // The binding Secret says how to reach it.
  std::vector<int> replicas;  // Of the racks' StatefulSets.
  // That their new claims ask for, as they stand: it cannot be changed; empty: as the spec says.
  std::vector<std::string> volume_sizes;
  bool keep_volumes = false;  // Whatever happens to a StatefulSet.
  bool pod_monitors = false;  // The API server knows them.
  bool cert_manager = false;  // And Certificates.
};

struct RenderedObject {
  kube::Resource resource;
  kube::Object object;
};

// Of the Prometheus operator: not every API server knows them.
const kube::Resource& PodMonitors();
// Of cert-manager, likewise.
const kube::Resource& Certificates();

struct ObjectName {
  kube::Resource resource;
  std::string name;
};
// What another spec of this cluster would have, and this one has not; the kinds that are known as RenderInput says.
std::vector<ObjectName> NotAskedFor(const ClusterSpec& spec, bool pod_monitors, bool cert_manager);

// In the order in which they are applied: what a pod needs comes before it.
std::vector<RenderedObject> RenderAll(const RenderInput& input);

// The hash of an object without its replicas, kept in kAppliedAnnotation: equal, and
// nothing of it has to be applied again.
std::string HashOfWish(const kube::Object& object);

// The parts of RenderAll. ----------------------------------------------------------
kube::Object RenderStatefulSet(const RenderInput& input, size_t rack);
kube::Object RenderClientService(const ClusterSpec& spec);
kube::Object RenderHeadlessService(const ClusterSpec& spec);
kube::Object RenderDisruptionBudget(const ClusterSpec& spec, bool operation_running);
kube::Object RenderNetworkPolicy(const ClusterSpec& spec, const std::string& operator_namespace);
kube::Object RenderServiceAccount(const ClusterSpec& spec);
kube::Object RenderRole(const ClusterSpec& spec);
kube::Object RenderRoleBinding(const ClusterSpec& spec);
kube::Object RenderConfigMap(const ClusterSpec& spec);
// What the Prometheus operator asks the nodes for.
kube::Object RenderPodMonitor(const ClusterSpec& spec);
// What cert-manager is asked for: one certificate for all nodes, and that of the clients' doors.
kube::Object RenderPeerCertificate(const ClusterSpec& spec, const std::string& cluster_id);
kube::Object RenderClientCertificate(const ClusterSpec& spec);
// How apps reach the ring, in the form of the Service Binding specification.
kube::Object RenderBinding(const ClusterSpec& spec);

// The names in certificates, whoever issues them: of all nodes, and of the clients' doors.
std::string PeerUri(const std::string& cluster_id);
std::vector<std::string> DoorNames(const ClusterSpec& spec);

// Name, namespace, labels and owner of every object of the cluster.
kube::Object Metadata(const ClusterSpec& spec, const std::string& name);
kube::Object SelectorLabels(const ClusterSpec& spec);

}  // namespace dynamo::op

#endif  // DYNAMO_OPERATOR_CLUSTER_OBJECTS_H_
