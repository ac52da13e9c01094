// What a change of the members would move: a dry run, for an administrator to look
// at before anything is asked of the register.
#ifndef DYNAMO_NODE_CORE_RING_TOPOLOGY_PLAN_H_
#define DYNAMO_NODE_CORE_RING_TOPOLOGY_PLAN_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "node/core/ring/topology.h"

namespace dynamo {

struct StagedChanges {
  std::vector<Member> join;  // Name, zone, capacity; an id of none is made up from the name.
  std::vector<std::string> leave;
  std::map<std::string, uint32_t> capacity;  // Of members by name.

  bool empty() const { return join.empty() && leave.empty() && capacity.empty(); }
};

struct PlannedMember {
  NodeId id;
  std::string name, zone;
  enum class Change : uint8_t { kStays, kJoins, kLeaves, kCapacity } change = Change::kStays;
  uint32_t capacity = 1;  // Afterwards.
  uint32_t tokens_before = 0, tokens_after = 0;
  double ideal_after = 0;  // Tokens, by capacity and under the caps of placement.h.
};

struct PlannedMove {
  PartitionId partition = 0;
  NodeId from, to;  // Who holds the token.
};

struct TokensOfZone {
  uint32_t before = 0, after = 0;
};

struct TopologyPlan {
  TopologyVersion before, after;  // What it is made on, and what it would make.
  uint32_t partitions = 0;
  uint32_t n_val = 0;                  // The largest of any bucket type: what is placed and counted for.
  std::vector<PlannedMember> members;  // By name.
  std::vector<PlannedMove> moves;      // In ring order.
  // How often a partition has to be copied to a member that becomes one of its
  // owners. More than there are moves: a token counts for the N - 1 before it too.
  uint32_t replicas_to_copy = 0;
  std::map<std::string, TokensOfZone> zones;
  std::vector<std::string> unsatisfied;  // As Placement says it.
};

// Pure. kInvalidArgument: nothing is staged; a name that is no member, or joins and
// is one already, or is named twice; capacity 0; nobody would be left.
// kConflict: another change is under way.
Result<TopologyPlan> PlanChange(const Topology& topology, const StagedChanges& staged);

}  // namespace dynamo

#endif  // DYNAMO_NODE_CORE_RING_TOPOLOGY_PLAN_H_
