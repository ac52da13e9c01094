// A voter's side of the topology register, on shard 0: what it promised and
// accepted, on stable storage before it says so.
#ifndef DYNAMO_NODE_SERVICE_REGISTER_VOTER_H_
#define DYNAMO_NODE_SERVICE_REGISTER_VOTER_H_

#include <deque>
#include <functional>
#include <set>

#include "common/base/failure_log.h"
#include "node/core/consensus/acceptor.h"
#include "node/service/membership.h"
#include "node/service/planted_bugs.h"
#include "node/service/register_codec.h"
#include "node/service/shard_env.h"

namespace dynamo {

struct RegisterConfig {
  Duration call_timeout{2'000'000};     // For one answer of one voter.
  Duration change_timeout{10'000'000};  // For a change, retries included.
  Duration retry_min{20'000}, retry_max{1'000'000};
  Duration check_interval{500'000};   // How often a started voter asks what others remember of it.
  Duration finish_after{5'000'000};   // A decision that its proposer left is finished by a voter.
  size_t votes_waiting_max = 256;     // Above it votes are refused.
  size_t changes_in_flight_max = 16;  // Above it changes are refused.
};

class RegisterVoter {
 public:
  // All outlive this. `on_rolled_back`: another voter remembers of this node what
  // its volume does not know.
  RegisterVoter(ShardEnv env, RegisterConfig config, NodeId self, Membership* membership, PlantedBugs planted,
                std::function<void()> on_rolled_back);

  // Reads what was stored. kCorrupt, kStorage.
  Async<Status> Load();
  // Asks the other voters what they remember of this node, until with it a majority
  // of them has said; before that it does not vote.
  Async<> MakeSure();

  void OnVote(NodeId from, VoteRequest request, Responder respond);
  void OnCheck(NodeId from, const Responder& respond) const;

  // Never again: the volume is an old copy.
  void Retire() { retired_ = true; }
  bool retired() const { return retired_; }
  const AcceptorState& state() const { return state_; }

  static bool IsVoter(const Topology& topology, NodeId node);
  void CountRefused(const char* reason) const;

 private:
  struct Waiting {
    VoteRequest request;
    Responder respond;
  };

  Async<> Drain();
  Async<> Vote(Waiting vote);
  Status CheckVote(const Topology* topology, const VoteRequest& request) const;
  Async<Status> Store(AcceptorState next);
  Async<> AskMemory(NodeId voter);
  std::shared_ptr<const Topology> topology() const { return membership_->view()->topology; }

  ShardEnv env_;
  RegisterConfig config_;
  NodeId self_;
  Membership* membership_;
  [[no_unique_address]] PlantedBugs planted_;
  std::function<void()> on_rolled_back_;
  AcceptorState state_;
  bool retired_ = false;
  bool sure_ = false;
  std::set<NodeId> confirmed_by_;
  // One vote at a time: its state is stored before the next is looked at.
  std::deque<Waiting> waiting_;
  bool draining_ = false;
  FailureLog failures_{LogLevel::kError, "vote_not_stored"};
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_SERVICE_REGISTER_VOTER_H_
