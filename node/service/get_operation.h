// One read at its coordinator. Dynamo sections 4.5 and 4.7.
//
// Fed by callbacks; whoever coordinates waits for one event. Lives on through its
// callbacks after the answer, so that replicas that answer late are repaired too.
#ifndef DYNAMO_NODE_SERVICE_GET_OPERATION_H_
#define DYNAMO_NODE_SERVICE_GET_OPERATION_H_

#include <map>
#include <memory>
#include <vector>

#include "node/core/replication/read_reconciler.h"
#include "node/env/request_handler.h"
#include "node/service/data_path.h"

namespace dynamo {

struct GetPlan {
  KeyPtr key;
  ReadQuorum quorum;
  bool notfound_ok = true;
  bool basic_quorum = false;
  TimePoint deadline;
  Roles roles;
};

class GetOperation : public std::enable_shared_from_this<GetOperation> {
 public:
  GetOperation(DataPath parts, GetPlan plan);

  // Asks the replicas. Once.
  void Start();
  // Set when the verdict is known.
  Event& decided() { return decided_; }
  // After that, or when the deadline has passed: the answer without its token.
  Result<GetReply> Reply();

 private:
  enum class Ask : uint8_t { kDigest, kWhole, kFetch, kHedge };
  struct Asked {
    NodeId stands_in_for;
    int outstanding = 0;
    bool answered = false;
    bool whole = false;
  };

  // What was read at a disk that others have reaped past is none of the key's states.
  bool IsOfOldDisk(const peer::ReplicaState& state) const;
  void AskReplica(NodeId node, Ask ask);
  void AskSelf();
  static Async<> ReadSelf(std::shared_ptr<GetOperation> self);
  void OnReply(NodeId node, Ask ask, Result<peer::Response> response);
  void OnAnswer(NodeId node, bool whole, ReplicaAnswer answer);
  void OnFailure(NodeId node, Ask ask);
  void Advance();
  void ArmHedge(NodeId data_node);
  void Hedge(NodeId data_node);
  void Repair();
  bool IsPrimary(NodeId node) const { return !asked_.at(node).stands_in_for; }

  DataPath parts_;
  GetPlan plan_;
  ReadReconciler reconciler_;
  Event decided_;
  std::map<NodeId, Asked> asked_;
  std::vector<NodeId> took_part_;  // Answered before the verdict.
  SharedBytes digest_body_, whole_body_;
  ReapGeneration stamp_ = 0;  // The lowest of all whose objects were joined.
  int outstanding_ = 0;
  TimerId hedge_ = 0;
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_SERVICE_GET_OPERATION_H_
