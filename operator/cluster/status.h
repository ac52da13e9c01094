// What the operator remembers in a DynamoCluster's status, and what it intends.
#ifndef DYNAMO_OPERATOR_CLUSTER_STATUS_H_
#define DYNAMO_OPERATOR_CLUSTER_STATUS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/kube/conditions.h"
#include "common/kube/object.h"

namespace dynamo::op {

// One change of the cluster, written down before the first of its side effects. Who
// comes after a dead operator goes on from `step`.
struct Operation {
  enum class Type { kCreate, kScaleUp, kScaleDown, kReplace, kRollout, kAntiEntropy, kHibernate, kWake, kGrowVolumes };
  enum class Step {
    kObjects,       // Create: services, StatefulSets, and wait for their pods.
    kForm,          // Create: one node is asked to form the ring.
    kAddPod,        // ScaleUp: the StatefulSet grows by one; its pod comes up with an empty volume.
    kJoin,          // ScaleUp: the node takes its share.
    kLeave,         // ScaleDown: the node gives its share away.
    kCancelLeave,   // ScaleDown, changed back in the middle: it stays.
    kRemovePod,     // Both (ScaleUp if it was changed back): the StatefulSet shrinks by one.
    kRemoveVolume,  // Both: by policy.
    kDropVolume,    // Replace, of a machine that is gone: its volume's claim and pod go, too.
    kAwaitPod,      // Replace: the place's new pod comes up with a new, empty volume.
    kReplace,       // Replace: a member is asked to give the lost one's place to the new node.
    kRebuild,       // Replace: the new node gets what the other owners have.
    kRepair,        // Replace: it compares itself with them once more. AntiEntropy: one node after the other.
    kForget,        // Replace: the ring forgets the lost one.
    kRestart,     // Rollout, and GrowVolumes where a file system asks for it: one pod is deleted, when its node can be
                  // spared.
    kAwaitReady,  // Both: the same node serves again.
    kResize,      // GrowVolumes: one claim asks for more, and gets it.
    kRecreate,    // GrowVolumes: one StatefulSet is made anew around its running pods, for pods to come.
    kStopPods,    // Hibernate: the StatefulSets shrink to nothing; the volumes stay.
    kStartPods,   // Wake: the StatefulSets are of their sizes again, and the same nodes serve.
  };

  std::string id;  // Also the operation's id at the nodes' admin API.
  Type type = Type::kCreate;
  Step step = Step::kObjects;
  std::string rack, node;  // The pod: "demo-a-2". Of Create: who was asked.
  std::string node_id, pod_uid, volume_uid;
  int64_t ring_epoch = 0;  // When it began.
  std::string started_at;
  std::string message;
  // Of Replace. `machine` is gone, and took the volume along; empty: the volume alone was lost.
  struct Lost {
    std::string node_id, volume_uid, machine;
    friend bool operator==(const Lost&, const Lost&) = default;
  };
  Lost lost = {};
  int attempts = 0;           // Of Replace and AntiEntropy: repairs begun, of this node.
  std::string token = {};     // Of AntiEntropy: of whoever asked for it.
  int64_t keys_repaired = 0;  // Of AntiEntropy: so far.
  int replicas = 0;           // Of GrowVolumes: of the StatefulSet that is made anew.

  friend bool operator==(const Operation&, const Operation&) = default;
};

std::string NameOf(Operation::Type type);
std::string NameOf(Operation::Step step);
// Of the operation's present repair, at the node that it is asked of.
std::string RepairIdOf(const Operation& operation);

// Who stood at a place when it was last well. Node id and volume together are who a node
// is; the pod's name alone is not.
struct KnownNode {
  std::string name, node_id, volume_uid;
};

// A volume that seems to be lost: seen once, and written down with the time. What it is
// about has to be seen again, later, before anything is done.
struct Suspicion {
  std::string node, node_id, volume_uid;    // The place, and who stood there.
  std::string new_node_id, new_volume_uid;  // Who stands there now, empty; none if the machine is gone.
  std::string machine;                      // That is away; empty: the volume alone was lost.
  std::string since;                        // RFC 3339.

  friend bool operator==(const Suspicion&, const Suspicion&) = default;
};

// The cluster sleeps, or is on its way there or back: how many nodes each rack had. Kept
// until all of them are back, as are the nodes that stood there.
struct Hibernation {
  std::string since;  // RFC 3339.
  std::map<std::string, int> replicas;

  friend bool operator==(const Hibernation&, const Hibernation&) = default;
};

struct ClusterStatus {
  int64_t observed_generation = 0;
  std::string cluster_id;
  int64_t ring_epoch = 0;  // 0: no ring was formed yet.
  std::optional<Operation> operation;
  kube::Conditions conditions;
  std::vector<KnownNode> nodes;
  std::optional<Suspicion> suspicion;
  std::optional<Hibernation> hibernation;
  std::string tls_peer_mode = "off";  // Of the nodes: "off", "optional" or "required".
  // By rack: what pods stand for that say nothing of their template, as none did once.
  std::map<std::string, std::string> templates;
  std::string anti_entropy_completed, anti_entropy_token;  // When, RFC 3339, and for whom.

  const KnownNode* FindNode(const std::string& name) const;  // Null: nobody was ever seen there.
};

// kCorrupt: an operation is recorded that this version does not know. It must not be
// taken for none: a newer operator began it.
Result<ClusterStatus> ParseStatus(const kube::Object& object);
kube::Object ToJson(const Operation& operation);
kube::Object ToJson(const Suspicion& suspicion);
kube::Object ToJson(const Hibernation& hibernation);

}  // namespace dynamo::op

#endif  // DYNAMO_OPERATOR_CLUSTER_STATUS_H_
