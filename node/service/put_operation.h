// One write (or delete) at its coordinator. Dynamo sections 4.5 and 4.6.
//
// In the key's critical section: read, mint, send to all, write here. Then the
// answers are counted by callbacks; whoever coordinates waits for one event. Lives
// on through its callbacks after the answer, until every owner has the write or
// somebody keeps a hint for it.
#ifndef DYNAMO_NODE_SERVICE_PUT_OPERATION_H_
#define DYNAMO_NODE_SERVICE_PUT_OPERATION_H_

#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "node/core/replication/quorum.h"
#include "node/env/request_handler.h"
#include "node/service/data_path.h"

namespace dynamo {

struct PutPlan {
  KeyPtr key;
  ConflictPolicy policy = ConflictPolicy::kSiblings;
  uint32_t n_val = 3;
  WriteQuorum quorum;
  bool sloppy = true;
  bool sync = true;  // Every ack is of stable storage.
  TimePoint deadline;
  std::set<NodeId> away;  // Found unreachable by this request.
  CausalContext context;
  bool tombstone = false;
  Content content;
};

class PutOperation : public std::enable_shared_from_this<PutOperation> {
 public:
  PutOperation(DataPath parts, PutPlan plan);

  static Async<> Run(std::shared_ptr<PutOperation> op);
  // Set when the fate of the write is known.
  Event& decided() { return decided_; }
  // After that, or when the deadline has passed. kUnavailable, kTooManySiblings,
  // kTooLarge, kReadOnly, kOverloaded: nothing was changed anywhere.
  Result<PutReply> Reply(bool return_object);
  // The plan back, when this node had lost its part in the write before its turn came:
  // nothing was changed, and who has the part now may be asked.
  std::optional<PutPlan> TakeUnbegun();

 private:
  void Refuse(Error error);
  // The local state before the write, in the key's critical section.
  static Async<Result<Object>> ReadBefore(std::shared_ptr<PutOperation> op, std::vector<Hint>* hints);
  std::optional<Error> Mint(const Object& before);
  std::optional<Error> CheckLimits(const Replica::Minted& minted, const Object& before) const;
  std::optional<Error> CheckReachable() const;
  void SendToAll();
  void Send(const ReplicaTarget& target);
  // To those who are about to own the key and were not told yet; they count for nothing.
  void SendToPending();
  // Once the epoch is adopted at which the target refused; another is asked if it is not.
  static Async<> SendAgain(std::shared_ptr<PutOperation> op, ReplicaTarget target, uint64_t epoch);
  // Once the generation is adopted behind which the target refused: with what is read anew.
  static Async<> SendFresh(std::shared_ptr<PutOperation> op, ReplicaTarget target, ReapGeneration generation);
  // What was minted, or, if a barrier of reaping has come since, the state that holds it
  // as it is now. Nothing: this node does not hold it (any more).
  struct Fresh {
    Bytes object;
    ReapGeneration stamp = 0;
  };
  static Async<std::optional<Fresh>> ReadFresh(std::shared_ptr<PutOperation> op);
  void OnReply(ReplicaTarget target, Result<peer::Response> response);
  void OnSelf(const Status& stored);
  void OnOutcome(const ReplicaTarget& target, bool stored, bool durable);
  // Whether this node keeps the write for the owner.
  bool CoverOwner(NodeId owner, NodeId failed);
  bool CountsAsOwner(const ReplicaTarget& target) const;
  bool Has(PlantedBug bug) const { return parts_.shard->config->planted.Has(bug); }
  static Async<> KeepHint(std::shared_ptr<PutOperation> op, NodeId owner);
  static Async<> MergeHere(std::shared_ptr<PutOperation> op);
  void Advance();

  DataPath parts_;
  PutPlan plan_;
  WriteTally tally_;
  Event decided_;
  Roles roles_;
  std::shared_ptr<const Replica::Minted> minted_;
  SharedBytes owners_body_;
  ReapGeneration stamp_ = 0;  // As it was before the state was read that it was minted on.
  uint64_t epoch_ = 0;        // That everything so far was sent at.
  std::set<NodeId> told_;     // Pending owners.
  std::optional<Error> refused_;
  bool unbegun_ = false;
  std::vector<NodeId> took_part_;  // Stored it before the verdict.
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_SERVICE_PUT_OPERATION_H_
