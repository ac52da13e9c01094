// Who owns what: the one value that membership changes change and gossip spreads.
#ifndef DYNAMO_NODE_CORE_RING_TOPOLOGY_H_
#define DYNAMO_NODE_CORE_RING_TOPOLOGY_H_

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/ids.h"
#include "common/base/result.h"
#include "node/core/ring/token_map.h"
#include "node/core/version/context.h"
#include "node/core/version/object.h"

namespace dynamo {

enum class MemberState : uint8_t {
  kNormal = 1,
  kJoining = 2,
  kLeaving = 3,
  kLeft = 4,      // Its disk never takes part again.
  kReplaced = 5,  // Another member took its tokens over; its disk never takes part again.
  // An administrator declared its disk lost when a generation was forced; its disk never
  // takes part again. It holds its tokens until another takes them over.
  kLost = 6,
};

// A member as the administrator's words made it. Addresses are not here: they
// change with pods, and gossip carries them.
struct Member {
  NodeId id;
  std::string name;
  std::string zone;
  uint32_t capacity = 1;  // Tokens follow it; at least 1.
  MemberState state = MemberState::kNormal;

  friend bool operator==(const Member&, const Member&) = default;
};

// What a node is to the cluster. One that left or was replaced is refused for good;
// of a stranger this topology says nothing: a newer one may.
enum class MemberStanding : uint8_t { kMember, kStranger, kRemoved };

// What the administrator fixed for a bucket type. N and the policy are agreed like
// any change of the topology, never set by one node.
struct BucketType {
  ConflictPolicy policy = ConflictPolicy::kSiblings;
  uint32_t n_val = 3;
  enum class Durability : uint8_t { kSync = 1, kInterval = 2, kMemory = 3 };
  Durability durability = Durability::kSync;

  friend bool operator==(const BucketType&, const BucketType&) = default;
};

inline constexpr size_t kVotersMax = 7;
inline constexpr size_t kTypesMax = 256;

// An administrator's request that made an epoch. The same id again is the same
// request, whoever is asked: so it is remembered with what it made.
struct TopologyOperation {
  static constexpr size_t kRemembered = 64;  // The latest.
  static constexpr size_t kIdBytesMax = 100;

  std::string id;
  uint64_t fingerprint = 0;  // Of what was asked: another request under that id is a mistake.
  uint64_t epoch = 0;        // That it made.
  bool cancelled = false;    // A change of the members that was turned round.

  friend bool operator==(const TopologyOperation&, const TopologyOperation&) = default;
};

// Generations order before epochs: a generation is started only by an
// administrator, when most voters are destroyed.
struct TopologyVersion {
  uint64_t generation = 0;
  uint64_t epoch = 0;

  friend auto operator<=>(const TopologyVersion&, const TopologyVersion&) = default;
};

// An administrator's word that data, or the majority of the voters, is lost for good.
struct LossRecord {
  static constexpr size_t kRemembered = 64;  // The latest.
  static constexpr size_t kByBytesMax = 100;

  enum class Kind : uint8_t {
    kForcedTopology = 1,  // Began a generation without `nodes`.
    kAcceptedLoss = 2,    // What only `nodes` had of `partitions` is not waited for.
  };
  Kind kind = Kind::kForcedTopology;
  TopologyVersion version;  // That it made.
  uint64_t since = 0;       // Topology::change_since then: an acceptance is for that change alone.
  std::string operation_id;
  std::string by;      // Who, in their own words.
  uint64_t at_ms = 0;  // Since 1970, by the clock of the node that was asked.
  std::vector<NodeId> nodes;
  // kForcedTopology: those of which every owner, for some N, is lost.
  std::vector<uint32_t> partitions;

  friend bool operator==(const LossRecord&, const LossRecord&) = default;
};

struct Topology {
  ClusterId cluster;
  TopologyVersion version;
  uint32_t partitions = 0;
  uint64_t ring_seed = 0;
  std::vector<NodeId> voters;   // Members, sorted; an odd number, at most kVotersMax (2 members: 1).
  std::vector<Member> members;  // Sorted by id, distinct.
  TokenMap current;             // Of members, as is `pending`.
  TokenMap pending;             // Empty, or the map a committed change is moving to.
  // As many as tokens of `pending`, not all true. A partition that has moved is owned
  // by the preference list of `pending`, every other by that of `current`: so there
  // is no third list, and partitions may be taken over in any order.
  std::vector<bool> moved;
  // The epoch that began the change of the members that is under way, or turned it
  // round; 0: none is. It ends when all partitions have moved and all who leave have left.
  uint64_t change_since = 0;
  bool cancelling = false;               // It was turned round: what had moved goes back.
  std::vector<ContextKey> context_keys;  // Sorted by id; one signs at least.
  std::map<std::string, BucketType> types;
  std::vector<TopologyOperation> operations;  // Oldest first, epochs rising; at most kRemembered.
  std::vector<LossRecord> losses;             // Oldest first, versions rising; at most kRemembered.

  // nullptr if there is none.
  const Member* Find(NodeId id) const;
  // A replacement bears the name of whom it replaced: members that have not left
  // for good come first.
  const Member* FindByName(std::string_view name) const;
  MemberStanding StandingOf(NodeId id) const;

  bool HasMoved(uint32_t partition) const { return !pending.empty() && moved[partition]; }
  // Whose walk gives a partition its owners now.
  const TokenMap& MapOf(uint32_t partition) const { return HasMoved(partition) ? pending : current; }
  // The largest N of any bucket type: what is placed for, and moved.
  uint32_t LargestN() const;

  friend bool operator==(const Topology&, const Topology&) = default;
};

// Which members' token counts and zones a plan has to satisfy; see placement.h.
struct ClusterSpec {
  std::vector<Member> members;
  uint32_t partitions = kPartitionsDefault;
  uint64_t ring_seed = 0;
  ClusterId cluster;
  Bytes context_secret;
  uint32_t n_val = 3;  // Of the types made at creation: default, siblings, lww.
};

// The first topology (generation 1, epoch 1) of a new cluster, with the bucket
// types `default` (lww, as Riak's allow_mult=false), `siblings` and `lww`.
// kInvalidArgument names what is wrong: no cluster id, no context secret, no
// members, ids that are none or equal, names that are empty or equal, a member
// that is not kNormal, a bad number of partitions, fewer partitions than members,
// capacity 0, N 0.
Result<Topology> CreateTopology(const ClusterSpec& spec);

// Of the kNormal members: an odd set of at most kVotersMax (none of none), spread over zones
// as far as these go, sorted; the order of `members` does not matter.
std::vector<NodeId> ChooseVoters(const std::vector<Member>& members);

// Partitions whose owners may be others in `after` than in `before`, for any N.
std::vector<uint32_t> PartitionsWithOtherOwners(const Topology& before, const Topology& after);

// Canonical: version byte 1, or 2 if there are operations, or 3 if members change or
// one of these operations was cancelled, or 4 if anything was lost; 8 bytes XXH3-64 of everything after them,
// then the fields in order; a map is one member index for each token.
Bytes EncodeTopology(const Topology& topology);
// kCorrupt: malformed, or an invariant above does not hold.
Result<Topology> DecodeTopology(std::string_view encoded);

// Names a topology among all: equal hashes, equal topologies.
Hash128 HashOf(const Topology& topology);

}  // namespace dynamo

#endif  // DYNAMO_NODE_CORE_RING_TOPOLOGY_H_
