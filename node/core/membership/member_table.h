// What this node has heard of every node: addresses, load, and whether it lives.
//
// Not who owns what (topology.h): failures change routing, never ownership. The
// rules of precedence are SWIM's (Das, Gupta, Motivala 2002, section 4.2).
#ifndef DYNAMO_NODE_CORE_MEMBERSHIP_MEMBER_TABLE_H_
#define DYNAMO_NODE_CORE_MEMBERSHIP_MEMBER_TABLE_H_

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
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

// Which of two rumours about the same node wins: the higher incarnation; at equal
// ones dead > suspect > alive, since only the node itself may outbid a suspicion;
// then the newer topology, then the rest of the fields. A total order, so all who
// heard the same rumours, in whatever order, believe the same.
std::strong_ordering Precedence(const NodeInfo& left, const NodeInfo& right);

class MemberTable {
 public:
  explicit MemberTable(NodeInfo self);

  const NodeInfo& self() const { return self_; }
  const NodeInfo* Find(NodeId id) const;  // Self included; nullptr: never heard of.
  std::vector<NodeInfo> All() const;      // Sorted by id, self included.
  const std::map<NodeId, NodeInfo>& others() const { return others_; }
  size_t size() const { return others_.size() + 1; }

  // Takes a rumour in if it wins over what is known. One that would outbid self
  // (suspect, dead, or of an incarnation that self has not reached) makes self
  // outbid it, and the outcome is kRefute: spread self at once. kForged: dropped
  // for an impossible incarnation.
  enum class Outcome : uint8_t { kIgnored, kUpdated, kRefute, kForged };
  Outcome Hear(const NodeInfo& rumour);

  // This node's own finding about another: raises it at the incarnation known.
  // False if it is no news.
  bool Declare(NodeId id, Liveness liveness);

  // Drops another node: it left, or it was replaced.
  void Forget(NodeId id);

  // Changes self and raises nothing: the version travels with the incarnation
  // unchanged.
  void SetTopology(const TopologyVersion& version);

  // Of all entries; equal tables have equal hashes, so that gossip between equals
  // costs one message.
  const Hash128& hash() const { return hash_; }

  // What stands for an entry, so that only those that differ need to be sent.
  struct Fingerprint {
    NodeId id;
    uint64_t hash = 0;
    friend bool operator==(const Fingerprint&, const Fingerprint&) = default;
  };
  std::vector<Fingerprint> Fingerprints() const;  // Sorted by id, self included.
  struct Difference {
    std::vector<NodeId> differ;   // Other there than here, or not there.
    std::vector<NodeId> missing;  // Not here.
  };
  // `theirs` is sorted by id.
  Difference Compare(const std::vector<Fingerprint>& theirs) const;

  // A rumour with an incarnation this far ahead of the one known (of 0, if none
  // is) is a forgery or a bug, not news, and is dropped.
  static constexpr uint64_t kIncarnationJumpMax = uint64_t{1} << 52;
  // Rumours about yet another node are dropped above it.
  static constexpr size_t kNodesMax = 4096;

 private:
  Outcome HearOfSelf(const NodeInfo& rumour);
  // After every change of an entry.
  void Rehash(const NodeInfo& info);
  void Unhash(NodeId id);

  NodeInfo self_;
  std::map<NodeId, NodeInfo> others_;
  std::map<NodeId, Hash128> hashes_;  // Of each entry, self included.
  Hash128 hash_;                      // Their sum, so that a change costs one entry's hash.
};

void EncodeNodeInfo(const NodeInfo& info, ByteWriter& out);
// Invalidates `in` when malformed: no id, another version byte, an unknown liveness,
// capacity or shards of 0, a string of more than 255 bytes.
NodeInfo DecodeNodeInfo(ByteReader& in);

// 16 bytes each.
Bytes EncodeFingerprints(const std::vector<MemberTable::Fingerprint>& fingerprints);
// nullopt: cut, not sorted by id, or more than kNodesMax.
std::optional<std::vector<MemberTable::Fingerprint>> DecodeFingerprints(std::string_view encoded);

}  // namespace dynamo

#endif  // DYNAMO_NODE_CORE_MEMBERSHIP_MEMBER_TABLE_H_
