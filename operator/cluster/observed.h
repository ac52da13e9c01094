// What was seen of a cluster in one pass. What is not known says so.
#ifndef DYNAMO_OPERATOR_CLUSTER_OBSERVED_H_
#define DYNAMO_OPERATOR_CLUSTER_OBSERVED_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/admin/types.h"
#include "common/base/time.h"
#include "operator/cluster/certificates.h"

namespace dynamo::op {

// The machine that a volume is bound to, which no other can reach.
struct MachineView {
  enum class State { kUnknown, kThere, kAway, kGone };  // kAway: not ready; kGone: Kubernetes knows of none.
  std::string name;  // Empty: no machine has to be there for the volume, or it was not looked for.
  State state = State::kUnknown;
  WallMicros away_since = 0;  // 0: not known.
};

// One place of a StatefulSet, with what stands there.
struct NodeView {
  std::string name, rack;
  int ordinal = 0;
  bool expected = false;  // Below the StatefulSet's replicas; else a pod or a volume that is left over.
  bool pod_exists = false, pod_ready = false, pod_deleting = false;
  std::string pod_uid, pod_address;
  std::string pod_template;                   // The hash that it carries, see template_hash.h.
  WallMicros pod_ready_since = 0;             // 0: it is not, or nobody says since when.
  std::string trouble;                        // "ImagePullBackOff: ...": why it does not start, if Kubernetes says.
  std::string volume_uid, volume_cluster_id;  // Empty: there is no claim (or it has no such label).
  bool volume_bound = false, volume_deleting = false;
  std::string volume_name;  // Of the persistent volume that the claim is bound to.
  // What the claim asks for and what it has, its class and whether that lets it grow; empty
  // or nullopt: nobody says, or it was not looked for.
  std::string volume_requested, volume_size, volume_class;
  std::optional<bool> volume_can_grow;
  std::string volume_trouble;                 // Why it does not grow, in Kubernetes' own words.
  WallMicros volume_pending_since = 0;        // Its file system is to grow since then, on the pod's machine.
  bool volume_owned = false;                  // It goes with its StatefulSet.
  MachineView machine;                        // Looked for where a node is silent.
  std::optional<admin::Identity> identity;    // nullopt: the node did not answer.
  std::optional<admin::Topology> topology;    // nullopt: it did not answer, or is of no ring.
  std::optional<uint64_t> hints;              // It keeps for others; nullopt: unknown.
  std::map<std::string, uint64_t> hints_for;  // The same, by the node that they are for.
};

struct RackView {
  std::string name;
  std::optional<int> replicas;  // nullopt: the StatefulSet does not exist.
  std::string uid;
  int ready = 0, updated = 0;
  bool template_current = false;  // New pods are made of the newest template from now on.
  std::string trouble;            // "FailedCreate: ...".
  bool deleting = false;
  std::string volume_size = {};  // That new claims ask for.
};

struct Observed {
  std::vector<RackView> racks;   // In the order of the spec.
  std::vector<NodeView> nodes;   // By name.
  bool objects_current = false;  // All rendered objects are as they were last applied.
  // Of the partitions as they are, and as they were without the node that is about to
  // leave; nullopt: nobody said.
  std::optional<admin::Safety> safety, safety_without;
  // All nodes that a member of the ring has heard of, alive or not; nullopt: nobody said.
  std::optional<admin::Members> members;
  // The repair of the operation under way; of no state: the node knows of none; nullopt:
  // it did not answer, or was not asked.
  std::optional<admin::Repair> repair;
  std::optional<CertificatesView> certificates;  // nullopt: none are asked for.
  bool pod_monitors = false;                     // The API server knows them.
  bool cert_manager = false;                     // And Certificates.
  std::string machines_forbidden;                // Why machines could not be looked for.
  std::string classes_forbidden;                 // Why storage classes could not.
  WallMicros now = 0;

  const NodeView* FindNode(const std::string& name) const;
  std::vector<const NodeView*> ExpectedNodes() const;
  const RackView* FindRack(const std::string& name) const;
  int Replicas() const;  // Sum over the racks.

  // The ring that more than half of its own members report, all at one epoch and hash;
  // null: there is none. `everyone` asks for every member that is not gone.
  const admin::Topology* AgreedRing(bool everyone) const;

  // The newest that anybody reports, however few; null: nobody reports one.
  const admin::Topology* NewestRing() const;

  // A member that serves and can be asked about the node `about`, another; null: none.
  const NodeView* WhomToAsk(const std::string& about) const;
};

// Null: no such member.
const admin::Member* FindMember(const admin::Topology& topology, const std::string& node_id);
// It is a member, or one declared lost whose place nobody has taken yet.
bool HoldsPlace(const admin::Member& member);
// Every member has its place, and none is on its way.
bool AllNormal(const admin::Topology& topology);

}  // namespace dynamo::op

#endif  // DYNAMO_OPERATOR_CLUSTER_OBSERVED_H_
