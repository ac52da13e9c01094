// Changes of the members, as parts of a change of the topology: who comes and goes,
// and which partitions have moved. Pure; the register decides on what comes of them.
//
// A committed change sets the pending map; nothing is owned by anybody else yet. Then
// partitions are taken over, in any order, each for good. The last one ends the
// change in the same step: `pending` becomes `current`, who joined is normal. Members
// that leave own nothing then, and leave for good once they have handed over what
// they kept for others. One change at a time: the next begins when that is done.
#ifndef DYNAMO_NODE_CORE_RING_MEMBER_CHANGE_H_
#define DYNAMO_NODE_CORE_RING_MEMBER_CHANGE_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "node/core/ring/topology.h"

namespace dynamo {

// All that is staged is one change. Nothing staged: tokens are placed anew.
struct ChangeMembers {
  std::vector<Member> join;  // Whatever their state says.
  std::vector<NodeId> leave;
  std::map<NodeId, uint32_t> capacity;
};

// A member whose disk is lost: refused from now on, whatever it still has. `with`
// takes exactly its tokens; of no capacity or zone, that of the lost one.
struct ReplaceMember {
  NodeId lost;
  Member with;
};

// Turns the change under way round: what has moved moves back, who joins leaves, who
// leaves stays. Only once. A replacement cannot be: there is no disk to go back to.
struct CancelChange {};

// All who are to own these partitions cover what their owners had when the change
// began, or were sent it since. `since`: Topology::change_since, so that the proof is
// of this change: of one that is over, or was turned round, it changes nothing.
struct TakeOver {
  uint64_t since = 0;
  std::vector<PartitionId> partitions;
};

// A leaving member owns nothing, and keeps nothing for others any more.
struct Depart {
  NodeId node;
};

// Drops the memory of a member that has left or was replaced. Of one that leaves,
// owns nothing any more and will not come back: gives up what it kept for others.
struct ForgetMember {
  NodeId node;
};

// Each changes `next` and returns true, or finds that it is so already.
//  kInvalidArgument  it can never be (named);
//  kConflict         another change is under way (named), or the wrong one is;
//  kAlreadyExists    who joins is a member.
Result<bool> Apply(Topology& next, const ChangeMembers& change);
Result<bool> Apply(Topology& next, const ReplaceMember& change);
Result<bool> Apply(Topology& next, const CancelChange& change);
Result<bool> Apply(Topology& next, const TakeOver& change);
Result<bool> Apply(Topology& next, const Depart& change);
Result<bool> Apply(Topology& next, const ForgetMember& change);

// Ends the change under way if nothing is left to do for it.
void EndChangeIfDone(Topology& next);

// Equal for equal requests.
uint64_t FingerprintOf(const ChangeMembers& change);
uint64_t FingerprintOf(const ReplaceMember& change);
uint64_t FingerprintOf(const CancelChange& change);
uint64_t FingerprintOf(const ForgetMember& change);

// For people: "the change 'join-3' of epoch 12". Empty: none is under way.
std::string NameOfChange(const Topology& topology);

// Of the change under way, in partitions whose owners it changes.
struct ChangeProgress {
  uint32_t moved = 0;
  uint32_t to_move = 0;  // In all, `moved` included.

  friend bool operator==(const ChangeProgress&, const ChangeProgress&) = default;
};
ChangeProgress ProgressOf(const Topology& topology);

}  // namespace dynamo

#endif  // DYNAMO_NODE_CORE_RING_MEMBER_CHANGE_H_
