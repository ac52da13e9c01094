// When a partition may change hands: whose data a receiver must have before it can
// own it. Dynamo section 6.2; the design's rule [M]: takeover only when copied.
#ifndef DYNAMO_NODE_CORE_TRANSFER_COVERAGE_H_
#define DYNAMO_NODE_CORE_TRANSFER_COVERAGE_H_

#include <functional>
#include <set>
#include <vector>

#include "common/base/ids.h"

namespace dynamo {

// Who owns a partition for one N, and who is to; each in the order of the walk.
struct OwnersChange {
  std::vector<NodeId> current;
  std::vector<NodeId> pending;  // Empty: nothing is to change.

  friend bool operator==(const OwnersChange&, const OwnersChange&) = default;
};

// Those that become owners and have to get the data first, in order.
std::vector<NodeId> ReceiversOf(const OwnersChange& change);

// The owner that goes when `receiver` comes; none if more come than go.
NodeId PredecessorOf(const OwnersChange& change, NodeId receiver);

// From whom `receiver` copies: its predecessor, which has what it has to have, else
// the others in the order of the walk. Only nodes that are up.
std::vector<NodeId> DonorsOf(const OwnersChange& change, NodeId receiver, const std::function<bool(NodeId)>& is_up);

// Whether `receiver`, which holds everything that the owners in `compared` held when
// they had heard of the change, holds enough to own the partition:
//  - all that its predecessor has, so that every acknowledged write is on as many
//    owners as before; or, if that is away, all that every other owner has: a write
//    with W=1 may be on one of them only. Where there is no other, it is waited for:
//    what it alone has must not be taken for nothing;
//  - all that any owner that is up has, because it costs nothing.
// Owners in `given_up` are not waited for while they are away (NotWaitedFor, ring/disaster.h).
bool IsCovered(const OwnersChange& change, NodeId receiver, const std::set<NodeId>& compared,
               const std::function<bool(NodeId)>& is_up, const std::set<NodeId>& given_up = {});

// The owners for which `receiver` waits though it has compared with every one that is
// up: it goes on waiting until they come back, or are given up.
std::vector<NodeId> WaitsFor(const OwnersChange& change, NodeId receiver, const std::function<bool(NodeId)>& is_up,
                             const std::set<NodeId>& given_up);

}  // namespace dynamo

#endif  // DYNAMO_NODE_CORE_TRANSFER_COVERAGE_H_
