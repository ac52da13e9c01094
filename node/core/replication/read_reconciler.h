// Decides one read from what the replicas answer. Dynamo sections 4.5 and 4.7.
//
// The data replica gives the whole object, the others a digest of theirs. R equal
// answers finish the read; a mismatch asks for the whole objects, which are then
// joined; who is behind the join is to be repaired.
#ifndef DYNAMO_NODE_CORE_REPLICATION_READ_RECONCILER_H_
#define DYNAMO_NODE_CORE_REPLICATION_READ_RECONCILER_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/hash.h"
#include "common/base/ids.h"
#include "common/base/result.h"
#include "node/core/replication/quorum.h"

namespace dynamo {

// What one replica says of a key.
struct ReplicaAnswer {
  NodeId node;
  bool primary = false;
  // False: "I have nothing", from a fallback or a replica that is being rebuilt,
  // which proves nothing and counts for nothing. What such a node does have counts.
  bool authoritative = true;
  Hash128 digest;               // Zero: it has nothing.
  std::optional<Bytes> object;  // The encoding, when the whole object was asked for. Empty: nothing.
};

// An answer counts toward R (PR when from a primary, node_confirms) when
//  - it found something, and joined() has it, that is, a whole object of this
//    digest came in. Until then it is one to fetch, and no verdict falls: a read
//    does not overlook what it knows to be there.
//  - it found nothing, is authoritative and from a primary, and notfound_ok is set.
//    Without notfound_ok such answers count for nothing, but once all N owners
//    gave one, the read is done: not found, unless a fallback had it.
// basic_quorum (only without notfound_ok) decides as soon as a majority of the
// owners found nothing: not found if nobody found anything and they are R, PR and
// node_confirms at least (a 404 needs R owners' answers), else out of reach.
class ReadReconciler {
 public:
  ReadReconciler(const ReadQuorum& quorum, bool notfound_ok, bool basic_quorum);

  // Asked again after it failed, a node has a fresh start.
  void OnAsked(NodeId node, bool primary);
  // A later answer of the same node (the whole object after a digest) replaces the
  // earlier. When the object is there its own digest is taken, not the stated one.
  // kCorrupt: the object does not decode; the answer is then a failure.
  Status OnAnswer(ReplicaAnswer answer);
  // It will not answer, or not give the whole object it was to be fetched from: an
  // answer that awaits its whole object is withdrawn, any other stays.
  void OnFailed(NodeId node);
  void NoMoreNodes() { closed_ = true; }

  // All that is outstanding fails, and there are no more nodes: the deadline came.
  // The verdict is then no longer kPending.
  void GiveUp();

  // kMet stays; joined() then covers every answer given so far. kUnreachable: no
  // more nodes, and those that may still answer are too few. (A late answer of one
  // given up may still turn that.)
  Verdict verdict() const;
  // Of R, PR, node_confirms the first that is out of reach, or else the first that
  // is not met; nullopt when the verdict is kMet, or waits only for whole objects.
  std::optional<QuorumShortfall> shortfall() const;

  // Nodes that gave a digest for which no whole object is at hand, one for each
  // distinct digest (a primary if there is one): to be asked for the whole object
  // now. A digest is named once, and again only when the node named for it failed.
  // Best called when the whole object asked first is in, failed or late.
  std::vector<NodeId> TakeNodesToFetch();

  // The join of all whole objects so far (empty: nothing was found).
  const Bytes& joined() const { return joined_; }
  // Among the nodes that answered, those whose state is not the join: to be sent
  // joined(). Owners that said "nothing" are behind when something was found. A
  // fallback that has nothing is not.
  std::vector<NodeId> Behind() const;
  // Answers differed (fallbacks that have nothing aside).
  bool diverged() const;
  bool answered(NodeId node) const;

 private:
  struct Replica {
    bool primary = false;
    bool pending = false;  // Its first answer may still come.
    bool answered = false;
    bool fetching = false;  // Its whole object may still come.
    bool authoritative = false;
    Hash128 digest;

    bool found() const { return answered && digest != Hash128{}; }
    bool owner_without() const { return answered && primary && authoritative && digest == Hash128{}; }
    // Its answer is a state that takes part in repair.
    bool has_say() const { return answered && (primary || digest != Hash128{}); }
  };
  // How many count now, and may count in the end.
  struct Tally {
    uint32_t counted = 0, counted_primary = 0;
    uint32_t reach = 0, reach_primary = 0;
    uint32_t found = 0, to_fetch = 0;
    uint32_t owners_without = 0, owners_pending = 0;
  };
  Tally Count() const;
  bool Met(const Tally& tally) const;
  bool OutOfReach(const Tally& tally) const;
  bool MajorityFoundNothing(const Tally& tally) const;
  // Without notfound_ok: how many must agree, while nobody has it.
  uint32_t OwnersToSayNotFound() const;
  bool Covered(const Hash128& digest) const { return covered_.contains(digest); }
  void Withdraw(Replica& replica);
  void Settle();
  Status Absorb(Bytes object, Hash128* digest);

  ReadQuorum quorum_;
  bool notfound_ok_;
  bool basic_quorum_;
  bool closed_ = false;
  bool met_ = false;
  std::map<NodeId, Replica> replicas_;
  std::set<Hash128> covered_;  // Digests of states that joined() contains.
  Bytes joined_;
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_CORE_REPLICATION_READ_RECONCILER_H_
