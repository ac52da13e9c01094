// The rumours that ride on probes and acks, so that news travels with messages
// that are sent anyway. SWIM section 4.1.
#ifndef DYNAMO_NODE_CORE_MEMBERSHIP_RUMOURS_H_
#define DYNAMO_NODE_CORE_MEMBERSHIP_RUMOURS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "common/base/ids.h"
#include "node/core/membership/member_table.h"

namespace dynamo {

class RumourQueue {
 public:
  // Replaces what it held of the node, and counts afresh.
  void Add(NodeInfo rumour);
  // The least often taken first, ties by node id; at most `max`. One that was taken
  // 3 * (1 + log2 of the members) times has reached everybody with high
  // probability and is dropped: push-pull gossip mends the rest.
  std::vector<NodeInfo> Take(size_t max, size_t members);
  void Clear() { rumours_.clear(); }
  size_t size() const { return rumours_.size(); }

 private:
  struct Entry {
    NodeInfo info;
    uint32_t taken = 0;
  };
  std::map<NodeId, Entry> rumours_;
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_CORE_MEMBERSHIP_RUMOURS_H_
