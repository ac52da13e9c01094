// What the operator remembers in a DynamoCluster's status, and what it intends.
#ifndef DYNAMO_OPERATOR_CLUSTER_STATUS_H_
#define DYNAMO_OPERATOR_CLUSTER_STATUS_H_

#include <cstdint>
#include <optional>
#include <string>

#include "common/base/result.h"
#include "common/kube/conditions.h"
#include "common/kube/object.h"

namespace dynamo::op {

// One change of the cluster, written down before the first of its side effects. Who
// comes after a dead operator goes on from `step`.
struct Operation {
  enum class Type { kCreate, kScaleUp, kScaleDown };
  enum class Step {
    kObjects,       // Create: services, StatefulSets, and wait for their pods.
    kForm,          // Create: one node is asked to form the ring.
    kAddPod,        // ScaleUp: the StatefulSet grows by one; its pod comes up with an empty volume.
    kJoin,          // ScaleUp: the node takes its share.
    kLeave,         // ScaleDown: the node gives its share away.
    kCancelLeave,   // ScaleDown, changed back in the middle: it stays.
    kRemovePod,     // Both (ScaleUp if it was changed back): the StatefulSet shrinks by one.
    kRemoveVolume,  // Both: by policy.
  };

  std::string id;  // Also the operation's id at the nodes' admin API.
  Type type = Type::kCreate;
  Step step = Step::kObjects;
  std::string rack, node;  // Of ScaleUp and ScaleDown: "demo-a-2". Of Create: who was asked.
  std::string node_id, pod_uid, volume_uid;
  int64_t ring_epoch = 0;  // When it began.
  std::string started_at;
  std::string message;

  friend bool operator==(const Operation&, const Operation&) = default;
};

std::string NameOf(Operation::Type type);
std::string NameOf(Operation::Step step);

struct ClusterStatus {
  int64_t observed_generation = 0;
  std::string cluster_id;
  int64_t ring_epoch = 0;  // 0: no ring was formed yet.
  std::optional<Operation> operation;
  kube::Conditions conditions;
};

// kCorrupt: an operation is recorded that this version does not know. It must not be
// taken for none: a newer operator began it.
Result<ClusterStatus> ParseStatus(const kube::Object& object);
kube::Object ToJson(const Operation& operation);

}  // namespace dynamo::op

#endif  // DYNAMO_OPERATOR_CLUSTER_STATUS_H_
