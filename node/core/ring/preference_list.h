// Who is responsible for a key, in order. Dynamo sections 4.3 and 4.6.
#ifndef DYNAMO_NODE_CORE_RING_PREFERENCE_LIST_H_
#define DYNAMO_NODE_CORE_RING_PREFERENCE_LIST_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/base/ids.h"
#include "node/core/ring/token_map.h"
#include "node/core/ring/topology.h"

namespace dynamo {

// The walk clockwise from a partition of the map that it is owned by: the current
// one, or, once it has moved, the pending one. Failures never change it, only who
// stands in. Members and zones below are those that hold tokens of that map.
struct PreferenceList {
  std::vector<NodeId> owners;  // min(N, members) distinct nodes over min(N, zones) zones.
  // All others, in the order they stand in; last, by id, the members that hold no
  // token, but never one that has left for good, nor one that joins or leaves: the
  // one has shown nothing yet, the other has hints to get rid of.
  std::vector<NodeId> fallbacks;

  bool Owns(NodeId node) const;

  friend bool operator==(const PreferenceList&, const PreferenceList&) = default;
};

// One step of the walk, for people (`dynamoctl locate`). A node passed over for its
// zone appears twice: when it is met, and when it comes back.
struct WalkStep {
  PartitionId partition = 0;  // Where the node was met; topology.partitions: it holds no token.
  NodeId node;
  std::string zone;
  enum class Role : uint8_t { kOwner, kFallback, kSkippedSameNode, kSkippedSameZone };
  Role role = Role::kOwner;
};

// Walks clockwise from `partition`: skips nodes it has seen, prefers zones it has
// not seen until min(N, zones) zones are among the owners; nodes passed over for
// their zone come back, in walk order, when the zones are used up. The topology
// holds the invariants that DecodeTopology proves; `partition` is on its ring.
PreferenceList WalkRing(const Topology& topology, PartitionId partition, uint32_t n_val);
std::vector<WalkStep> ExplainWalk(const Topology& topology, PartitionId partition, uint32_t n_val);
// The same over the pending map: who owns the partition after the change, whether
// it has moved or not. As WalkRing if no change is under way.
PreferenceList WalkTarget(const Topology& topology, PartitionId partition, uint32_t n_val);

// Who is about to own a partition and does not yet: the target's owners that are no
// owners now, in walk order. They get every write and count for nothing. Empty where
// the partition has moved, or only loses owners.
std::vector<NodeId> PendingOwners(const Topology& topology, PartitionId partition, uint32_t n_val);

// The lists of all partitions of one topology, made once for each N that is asked
// for. Not thread-safe; each shard has its own.
class PreferenceLists {
 public:
  explicit PreferenceLists(std::shared_ptr<const Topology> topology);

  const PreferenceList& For(PartitionId partition, uint32_t n_val);
  // As PendingOwners.
  const std::vector<NodeId>& PendingFor(PartitionId partition, uint32_t n_val);
  const Topology& topology() const { return *topology_; }

 private:
  struct Lists {
    std::vector<PreferenceList> now;
    std::vector<std::vector<NodeId>> pending;  // Empty where no change is under way.
  };
  const Lists& ListsFor(uint32_t n_val);

  std::shared_ptr<const Topology> topology_;
  std::map<uint32_t, Lists> by_n_;
  const std::vector<NodeId> none_;
};

// One node's part in a replicated operation.
struct ReplicaTarget {
  NodeId node;
  // The owner it stands in for; none when the node is an owner itself. What it
  // stores is then a hint.
  NodeId stands_in_for;

  friend bool operator==(const ReplicaTarget&, const ReplicaTarget&) = default;
};

// Who is asked first: each owner that is up, and for each that is not the next
// node of the walk that is up and not yet taken. `uncovered` are owners for which
// the walk had nobody left: the coordinator keeps their hint itself, and that
// counts for nothing. Without `sloppy` nobody stands in and every owner that is
// down is uncovered.
struct ReplicaPlan {
  std::vector<ReplicaTarget> targets;  // Owners in order, then stand-ins.
  std::vector<NodeId> uncovered;
  std::vector<NodeId> spare;  // Fallbacks that are up and not used, in order.
};
template <class IsUp>
ReplicaPlan PlanReplicas(const PreferenceList& list, bool sloppy, IsUp&& is_up) {
  ReplicaPlan plan;
  std::vector<NodeId> down;
  for (NodeId owner : list.owners) {
    if (is_up(owner)) {
      plan.targets.push_back({owner, {}});
    } else {
      down.push_back(owner);
    }
  }
  for (NodeId fallback : list.fallbacks) {
    if (sloppy && is_up(fallback)) plan.spare.push_back(fallback);
  }
  size_t used = 0;
  for (NodeId owner : down) {
    if (used < plan.spare.size()) {
      plan.targets.push_back({plan.spare[used++], owner});
    } else {
      plan.uncovered.push_back(owner);
    }
  }
  plan.spare.erase(plan.spare.begin(), plan.spare.begin() + static_cast<std::ptrdiff_t>(used));
  return plan;
}

}  // namespace dynamo

#endif  // DYNAMO_NODE_CORE_RING_PREFERENCE_LIST_H_
