// What this node has heard of every node: addresses, load, and whether it lives.
//
// Not who owns what (topology.h): failures change routing, never ownership. The
// rules of precedence are SWIM's (Das, Gupta, Motivala 2002, section 4.2).
#ifndef DYNAMO_NODE_CORE_MEMBERSHIP_MEMBER_TABLE_H_
#define DYNAMO_NODE_CORE_MEMBERSHIP_MEMBER_TABLE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/hash.h"
#include "common/base/ids.h"
#include "node/core/ring/topology.h"

namespace dynamo {

enum class Liveness : uint8_t { kAlive = 1, kSuspect = 2, kDead = 3 };

// A node as gossip knows it. `incarnation` grows only by the node itself: to
// refute a suspicion, and at each start (it is the durable boot number, high 32
// bits, and refutations since, low 32 bits).
struct NodeInfo {
  NodeId id;
  std::string name;
  std::string zone;
  std::string peer_address;  // host:port
  std::string http_address;
  std::string pb_address;
  std::string admin_address;
  uint32_t capacity = 1;
  uint32_t shards = 1;
  std::string software_version;
  uint32_t protocol_version = 1;
  uint64_t incarnation = 0;
  Liveness liveness = Liveness::kAlive;
  TopologyVersion topology;  // The one it has adopted.

  friend bool operator==(const NodeInfo&, const NodeInfo&) = default;
};

class MemberTable {
 public:
  explicit MemberTable(NodeInfo self);

  const NodeInfo& self() const { return self_; }
  const NodeInfo* Find(NodeId id) const;  // Self included.
  std::vector<NodeInfo> All() const;      // Sorted by id, self included.

  // Takes a rumour in if it is newer: a higher incarnation wins; at equal ones
  // dead > suspect > alive. A rumour that self is suspect or dead makes self
  // outbid it, and the outcome is kRefute: spread self at once.
  enum class Outcome : uint8_t { kIgnored, kUpdated, kRefute };
  Outcome Hear(const NodeInfo& rumour);

  // This node's own finding; ignored unless it is news at the known incarnation.
  bool Suspect(NodeId id);
  bool Declare(NodeId id, Liveness liveness);

  // Changes self and raises nothing: topology and load travel with the incarnation
  // unchanged and the highest TopologyVersion wins.
  void SetTopology(const TopologyVersion& version);

  // Of all entries; equal tables have equal hashes, so that gossip between equals
  // costs one message.
  Hash128 hash() const;

  // A rumour with an incarnation this far ahead of the one known is a forgery or
  // a bug, not news, and is dropped.
  static constexpr uint64_t kIncarnationJumpMax = uint64_t{1} << 52;

 private:
  NodeInfo self_;
  std::map<NodeId, NodeInfo> others_;
};

void EncodeNodeInfo(const NodeInfo& info, ByteWriter& out);
// Invalidates `in` when malformed; strings are limited to 255 bytes.
NodeInfo DecodeNodeInfo(ByteReader& in);

}  // namespace dynamo

#endif  // DYNAMO_NODE_CORE_MEMBERSHIP_MEMBER_TABLE_H_
