// What to do next with a cluster: a pure function of what is wanted, what was written
// down, and what was seen.
//
// One action at a time; whoever carries it out looks again before the next. "Unknown"
// never means "done": wherever an answer is missing, the action is to wait.
#ifndef DYNAMO_OPERATOR_CLUSTER_PLANNER_H_
#define DYNAMO_OPERATOR_CLUSTER_PLANNER_H_

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "operator/cluster/observed.h"
#include "operator/cluster/spec.h"
#include "operator/cluster/status.h"

namespace dynamo::op {

// Nothing can be done now. `reason` is one word, for a condition; `degraded`: it will
// not pass by itself.
struct Wait {
  std::string reason, message;
  bool degraded = false;
  friend bool operator==(const Wait&, const Wait&) = default;
};
// All is as it should be.
struct Settled {
  friend bool operator==(const Settled&, const Settled&) = default;
};
// Writes the cluster's id down; empty: one is drawn.
struct ChooseClusterId {
  std::string adopted;
  friend bool operator==(const ChooseClusterId&, const ChooseClusterId&) = default;
};
// What a rebuilt node's comparison with the other owners has come to.
struct RebuildRepair {
  int64_t keys_repaired = 0, comparisons_failed = 0;
  friend bool operator==(const RebuildRepair&, const RebuildRepair&) = default;
};
// Writes down what is intended, before anything is done. An empty id and start are filled in.
struct Record {
  Operation operation;
  std::string event, message;                        // Event reason; empty: none.
  bool warning = false;                              // The event's kind.
  std::optional<Hibernation> hibernation = {};       // Written down with it.
  std::optional<RebuildRepair> rebuild_repair = {};  // The same.
  friend bool operator==(const Record&, const Record&) = default;
};
// The operation is complete: it is taken off the status.
struct Finish {
  int64_t ring_epoch = 0;
  std::string event, message;
  std::optional<int64_t> keys_repaired = {};  // All nodes have compared what they own: that is set down.
  bool awake = false;                         // The hibernation is over.
  friend bool operator==(const Finish&, const Finish&) = default;
};
// Applies all objects; the StatefulSets with these replicas, in the order of the racks.
struct ApplyObjects {
  std::vector<int> replicas;
  friend bool operator==(const ApplyObjects&, const ApplyObjects&) = default;
};
// Asks `node` to form the ring out of `members`.
struct FormRing {
  std::string node;
  std::vector<std::string> members;  // Names, in order.
  friend bool operator==(const FormRing&, const FormRing&) = default;
};
// Asks a member of the ring to let `node` in or out; kReplace: in place of the operation's
// lost one; kForget: to forget the one of that id. kRepair asks `node` itself.
struct AskNode {
  enum class What { kJoin, kLeave, kCancelLeave, kReplace, kForget, kRepair };
  What what = What::kJoin;
  std::string node, node_id;
  friend bool operator==(const AskNode&, const AskNode&) = default;
};
struct ScaleRack {
  std::string rack;
  int replicas = 0;
  friend bool operator==(const ScaleRack&, const ScaleRack&) = default;
};
struct RemoveVolume {
  std::string node, volume_uid;
  friend bool operator==(const RemoveVolume&, const RemoveVolume&) = default;
};

// Writes down what seems to be lost, or (nullopt) that nothing does any more.
struct Suspect {
  std::optional<Suspicion> suspicion;
  friend bool operator==(const Suspect&, const Suspect&) = default;
};
// Deletes the claim of a volume that went with its machine, and the pod that waits for it.
struct DropVolume {
  std::string node, volume_uid, machine;
  friend bool operator==(const DropVolume&, const DropVolume&) = default;
};

// Deletes one pod, which the StatefulSet then makes anew.
struct RestartPod {
  std::string node, pod_uid;
  friend bool operator==(const RestartPod&, const RestartPod&) = default;
};

// The volume's claim asks for more.
struct GrowVolume {
  std::string node, volume_uid, size;
  friend bool operator==(const GrowVolume&, const GrowVolume&) = default;
};
// Deletes a StatefulSet alone: its pods stay, and its volumes.
struct OrphanPods {
  std::string rack, set_uid;
  friend bool operator==(const OrphanPods&, const OrphanPods&) = default;
};

// How the nodes speak to each other from their next start on.
struct SetPeerMode {
  std::string mode;
  friend bool operator==(const SetPeerMode&, const SetPeerMode&) = default;
};

using Action =
    std::variant<Wait, Settled, ChooseClusterId, Record, Finish, ApplyObjects, FormRing, AskNode, ScaleRack,
                 RemoveVolume, Suspect, DropVolume, RestartPod, GrowVolume, OrphanPods, KeepCertificates, SetPeerMode>;

Action Plan(const ClusterSpec& spec, const ClusterStatus& status, const Observed& observed);

// As the nodes' admin API calls it.
std::string NameOf(AskNode::What what);
// For logs and tests: "Wait(PodsStarting: ...)".
std::string ToString(const Action& action);

// The flows behind Plan. ---------------------------------------------------------------
Action ContinueCreate(const ClusterSpec& spec, const ClusterStatus& status, const Observed& observed);
Action ContinueScaleUp(const ClusterSpec& spec, const ClusterStatus& status, const Observed& observed);
Action ContinueScaleDown(const ClusterSpec& spec, const ClusterStatus& status, const Observed& observed);
Action ContinueReplace(const ClusterSpec& spec, const ClusterStatus& status, const Observed& observed);
// nullopt: no volume is lost, as far as can be seen.
std::optional<Action> BeginReplacing(const ClusterSpec& spec, const ClusterStatus& status, const Observed& observed);
Action ContinueAntiEntropy(const ClusterSpec& spec, const ClusterStatus& status, const Observed& observed);
// nullopt: none is due.
std::optional<Action> BeginAntiEntropy(const ClusterSpec& spec, const ClusterStatus& status, const Observed& observed);
Action ContinueRollout(const ClusterSpec& spec, const ClusterStatus& status, const Observed& observed);
// nullopt: no pod is to be restarted. `broken`: of those that do not serve only.
std::optional<Action> BeginRollout(const ClusterSpec& spec, const ClusterStatus& status, const Observed& observed,
                                   bool broken);
Action ContinueGrowing(const ClusterSpec& spec, const ClusterStatus& status, const Observed& observed);
// nullopt: every volume is as large as it shall be. A wait says why one cannot be.
std::optional<Action> BeginGrowing(const ClusterSpec& spec, const ClusterStatus& status, const Observed& observed);
// nullopt: nodes speak to each other as they shall, or are on their way there.
std::optional<Action> BeginPeerMode(const ClusterSpec& spec, const ClusterStatus& status, const Observed& observed);
// nullopt: every Secret of certificates that pods mount is there.
std::optional<Wait> WaitForSecret(const Observed& observed);
// A pod of an older template that cannot start: whatever goes on waits for it, and it has
// nothing to lose. nullopt: there is none.
std::optional<Action> RestartBroken(const ClusterSpec& spec, const ClusterStatus& status, const Observed& observed);
Action ContinueHibernate(const ClusterSpec& spec, const ClusterStatus& status, const Observed& observed);
Action ContinueWake(const ClusterSpec& spec, const ClusterStatus& status, const Observed& observed);
// nullopt: it is awake, and shall be.
std::optional<Action> BeginHibernateOrWake(const ClusterSpec& spec, const ClusterStatus& status,
                                           const Observed& observed);
// Settled where the size is right.
Action BeginScaling(const ClusterSpec& spec, const ClusterStatus& status, const Observed& observed);

}  // namespace dynamo::op

#endif  // DYNAMO_OPERATOR_CLUSTER_PLANNER_H_
