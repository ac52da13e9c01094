// What is stored for one key: siblings under one version vector (a dotted version
// vector set), or a last-writer-wins register. Dynamo section 4.4.
//
// Objects form a join semilattice: Join is commutative, associative and
// idempotent, so replicas that have seen the same writes hold equal bytes in
// whatever order these came.
#ifndef DYNAMO_NODE_CORE_VERSION_OBJECT_H_
#define DYNAMO_NODE_CORE_VERSION_OBJECT_H_

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/hash.h"
#include "common/base/result.h"
#include "common/base/time.h"
#include "node/core/version/clock.h"

namespace dynamo {

// How concurrent writes to one key are settled; fixed for a bucket type.
enum class ConflictPolicy : uint8_t {
  kSiblings = 1,        // All concurrent values stay until a client resolves them.
  kLastWriterWins = 2,  // The value with the highest (stamp, dot) stays.
};

// The client's part of a value: bytes and what describes them. All strings are
// kept byte-exact.
struct Content {
  Bytes value;
  std::string content_type;
  std::string charset;
  std::string content_encoding;
  // In the order given; names may repeat.
  std::vector<std::pair<std::string, std::string>> user_metadata;
  std::vector<std::pair<std::string, std::string>> indexes;
  struct Link {
    std::string bucket, key, tag;
    friend auto operator<=>(const Link&, const Link&) = default;
  };
  std::vector<Link> links;

  friend auto operator<=>(const Content&, const Content&) = default;
};

struct Sibling {
  Dot dot;
  bool tombstone = false;  // A delete; `content` is empty.
  WallMicros last_modified_us = 0;
  Content content;

  friend auto operator<=>(const Sibling&, const Sibling&) = default;
};

// Invariants: `siblings` is sorted by dot, dots are distinct and covered by
// `clock`. Under kLastWriterWins there is exactly one sibling (or none: the
// object that was never written), `clock` is empty and `stamp` orders writes.
// A default-constructed Object of either policy is "never written", the bottom
// of the semilattice.
struct Object {
  ConflictPolicy policy = ConflictPolicy::kSiblings;
  VersionVector clock;
  uint64_t stamp = 0;  // Hybrid logical clock of the write; kLastWriterWins only.
  std::vector<Sibling> siblings;

  bool never_written() const { return clock.empty() && siblings.empty(); }
  // Written, and nothing but tombstones is left.
  bool deleted() const;

  friend bool operator==(const Object&, const Object&) = default;
};

// What a client has seen of a key: goes out with a read as a signed token (see
// context.h), comes back with a write, which then supersedes exactly that.
struct CausalContext {
  VersionVector clock;  // kSiblings.
  uint64_t stamp = 0;   // kLastWriterWins: the highest stamp it covers.

  bool empty() const { return clock.empty() && stamp == 0; }
  friend bool operator==(const CausalContext&, const CausalContext&) = default;
};

CausalContext ContextOf(const Object& object);

// The least object that holds what both do. Objects of different policies never
// meet under one key by design; if a bug or a forger brings them together, the
// siblings object wins, so that the join stays total.
Object Join(Object a, const Object& b);

// Everything in `b` is in `a`, or superseded there: Join(a, b) == a.
bool Dominates(const Object& a, const Object& b);

// One client write (or delete: `tombstone`) on top of `state`, which must hold
// every dot that `actor` ever minted on this key. Supersedes the siblings that
// `context` covers; the others stay. The policy is the state's, so one that was
// never written must name it. Under kLastWriterWins `stamp` must exceed both
// state.stamp and context.stamp (see HybridClock::Next), so that a write never
// loses to what it has seen; it is also the counter of the dot.
struct Write {
  ActorId actor;
  bool tombstone = false;
  Content content;
  WallMicros now_us = 0;
  uint64_t stamp = 0;
};
Object Mint(const Object& state, const CausalContext& context, Write write);

// Canonical: equal objects have equal encodings, and DecodeObject refuses any
// other encoding of the same object. Layout: version byte 1, 8 bytes XXH3-64 of
// everything after them, policy byte, clock or stamp, siblings. The checksum is
// made by the coordinator and verified wherever the object is read, so it holds
// from end to end.
Bytes EncodeObject(const Object& object);
// kCorrupt: cut, altered, not canonical, an unknown version.
Result<Object> DecodeObject(std::string_view encoded);

// The part of an object that orders it.
struct ObjectHeader {
  ConflictPolicy policy = ConflictPolicy::kSiblings;
  VersionVector clock;
  uint64_t stamp = 0;
  Dot lww_dot;  // kLastWriterWins: breaks ties of stamps. Zero under kSiblings.

  bool never_written() const { return clock.empty() && stamp == 0; }
  friend bool operator==(const ObjectHeader&, const ObjectHeader&) = default;
};
ObjectHeader HeaderOf(const Object& object);
// Refuses what DecodeObject refuses, and copies no value.
Result<ObjectHeader> DecodeObjectHeader(std::string_view encoded);

// As Dominates of the objects, told by headers alone: right for any two states
// that came from Mint and Join under the rule of Write::actor, because a vector
// then says which siblings go with it. (One that dominates has seen every write of
// the other and how it was superseded.)
bool Dominates(const ObjectHeader& a, const ObjectHeader& b);

// The join of two encodings. When one dominates it is the answer as it stands: no
// value is decoded. kCorrupt: one does not decode.
Result<Bytes> JoinEncoded(std::string_view a, std::string_view b);

// Names a state in digest reads: equal digests, equal objects (XXH3-128 of the
// encoding). Zero for an object that was never written, and for no bytes at all.
Hash128 DigestOf(std::string_view encoded);

}  // namespace dynamo

#endif  // DYNAMO_NODE_CORE_VERSION_OBJECT_H_
