// What an administrator asks of the topology, and what it comes to: the change
// function of the register (node/core/consensus).
#ifndef DYNAMO_NODE_CORE_RING_TOPOLOGY_CHANGE_H_
#define DYNAMO_NODE_CORE_RING_TOPOLOGY_CHANGE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "common/base/result.h"
#include "node/core/ring/disaster.h"
#include "node/core/ring/member_change.h"
#include "node/core/ring/topology.h"

namespace dynamo {

// 1 to 64 of letters, digits, '-' and '_'. N is at most the number of partitions.
struct CreateBucketType {
  std::string name;
  BucketType type;
};

struct TopologyChange {
  // 1 to TopologyOperation::kIdBytesMax bytes. None for what nodes do by themselves
  // (TakeOver, Depart), which is done or not and needs no memory.
  std::string operation_id;
  std::optional<uint64_t> epoch;  // Only if the topology is at this one.
  std::variant<CreateBucketType, ChangeMembers, ReplaceMember, CancelChange, ForgetMember, TakeOver, Depart, AcceptLoss,
               ForceTopology>
      what;
};

struct ChangedTopology {
  uint64_t epoch = 0;  // That has what was asked for.
  // The topology to decide on; none: `epoch` is decided already.
  std::optional<Topology> next;
};

// Applies a change to the present topology; pure. An operation that is remembered,
// or what is just so already, needs no change. Errors:
//  kInvalidArgument  it can never succeed, or its id was used for something else;
//  kConflict         the topology is at another epoch than asked for (named), or a
//                    change of the members is in its way (named);
//  kAlreadyExists    a type of that name exists with another durability, or a member;
//  kUnsupported      ... with another N or policy, which move data.
Result<ChangedTopology> ApplyChange(const Topology& current, const TopologyChange& change);

}  // namespace dynamo

#endif  // DYNAMO_NODE_CORE_RING_TOPOLOGY_CHANGE_H_
