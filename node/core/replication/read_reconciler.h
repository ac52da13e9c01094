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

class ReadReconciler {
 public:
  ReadReconciler(const ReadQuorum& quorum, bool notfound_ok, bool basic_quorum);

  void OnAsked(NodeId node, bool primary);
  // A later answer of the same node (the whole object after a digest) replaces the earlier.
  // kCorrupt: the object does not decode; the answer is then a failure.
  Status OnAnswer(ReplicaAnswer answer);
  void OnFailed(NodeId node);
  void NoMoreNodes() { closed_ = true; }

  // kMet: R answers (PR of them from primaries, node_confirms distinct) count and
  // the object is known: either all counted digests equal that of a whole object
  // at hand, or a whole object is at hand for every distinct digest counted.
  Verdict verdict() const;
  QuorumShortfall shortfall() const;

  // Nodes that gave a digest for which no whole object is at hand, one for each
  // distinct digest: to be asked for the whole object now. Each node is named
  // once, until it fails.
  std::vector<NodeId> TakeNodesToFetch();

  // The join of all whole objects so far (empty: nothing was found).
  const Bytes& joined() const { return joined_; }
  // Among the nodes that answered, those whose state is not the join: to be sent
  // joined(). Owners that said "nothing" are behind when something was found. A
  // fallback that has nothing is not.
  std::vector<NodeId> Behind() const;
  // Answers differed.
  bool diverged() const;
  bool answered(NodeId node) const;

 private:
  struct Replica {
    bool primary = false;
    bool pending = true;
    bool counts = false;
    bool answered = false;
    bool fetching = false;
    Hash128 digest;
    bool whole = false;
    bool authoritative = true;
  };
  ReadQuorum quorum_;
  bool notfound_ok_;
  bool basic_quorum_;
  bool closed_ = false;
  std::map<NodeId, Replica> replicas_;
  Bytes joined_;
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_CORE_REPLICATION_READ_RECONCILER_H_
