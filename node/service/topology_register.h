// The topology register, on shard 0 beside Membership: changes of the topology,
// decided by a majority of its voters. See core/consensus for how.
//
// Only what was decided is adopted and gossiped. Reads and writes never wait for
// any of this.
#ifndef DYNAMO_NODE_SERVICE_TOPOLOGY_REGISTER_H_
#define DYNAMO_NODE_SERVICE_TOPOLOGY_REGISTER_H_

#include <functional>
#include <memory>
#include <string>

#include "node/core/consensus/proposer.h"
#include "node/core/ring/topology_change.h"
#include "node/service/identity.h"
#include "node/service/membership.h"
#include "node/service/register_voter.h"
#include "node/service/topology_force.h"

namespace dynamo {

class TopologyRegister {
 public:
  // All outlive this; see RegisterVoter for `on_rolled_back`.
  TopologyRegister(ShardEnv env, RegisterConfig config, const StoredIdentity& identity, Membership* membership,
                   PlantedBugs planted, std::function<void()> on_rolled_back);

  // Loads what this node promised as a voter, and starts its background loops.
  Async<Status> Start();

  // Takes Vote, VoterCheck and PrepareForce. Only of members of this node's cluster.
  void OnRequest(NodeId from, const peer::Request& request, Responder respond);

  // Returns the epoch that has the change, once it is decided and stored here. The
  // same operation id again, at any node, gives the same epoch. Errors: as
  // ApplyChange; kQuorumUnmet: too few voters answered in time, nothing was changed;
  // kTimeout: the same, but the change may still come: ask again with the same id. A
  // ForceTopology asks no voters: see TopologyForce.
  Async<Result<uint64_t>> Change(TopologyChange change);

  // The volume is an old copy: this node neither votes nor proposes any more.
  void Retire() { voter_.Retire(); }

 private:
  using Phase = Proposer::Phase;

  // One attempt at one decision. Shared with the voters' answers still on their way.
  struct Attempt {
    Attempt(Scope& scope, std::shared_ptr<const Topology> on, Ballot ballot, Bytes proposal)
        : base(std::move(on)), proposer(base->voters, ballot, std::move(proposal)), prepared(scope), ended(scope) {}
    std::shared_ptr<const Topology> base;
    Proposer proposer;
    Event prepared, ended;  // kPreparing has ended; all has.
    // Voters of each phase that have neither answered nor failed.
    size_t to_prepare = base->voters.size(), to_accept = base->voters.size();
    Bytes decided;  // A later topology that a voter holds.
  };
  using AttemptPtr = std::shared_ptr<Attempt>;

  // What is known of a change that is under way.
  struct Progress {
    TimePoint deadline;
    uint32_t attempts = 0;
    bool may_come = false;  // Voters were asked to accept it.
    size_t answered = 0, voters = 0;
  };

  std::shared_ptr<const Topology> topology() const { return membership_->view()->topology; }
  Async<Result<uint64_t>> RunChange(TopologyChange change);
  Status CheckCanPropose() const;
  // Whatever comes of it shows in topology().
  Async<> TryDecide(Bytes proposal, std::shared_ptr<const Topology> base, Progress* progress);
  Async<> AskVoters(AttemptPtr attempt, Phase phase, TimePoint deadline);
  Async<> AskVoter(AttemptPtr attempt, NodeId voter, Phase phase, TimePoint deadline);
  Async<Result<VoterAnswer>> AskOnce(NodeId voter, VoteRequest request, TimePoint deadline);
  Async<> Adopt(std::shared_ptr<const Topology> decided, TimePoint deadline);
  Async<> FinishLoop();
  Ballot NextBallot(const TopologyVersion& decision);
  static Error WhyNot(const Progress& progress);

  ShardEnv env_;
  RegisterConfig config_;
  NodeId self_;
  Membership* membership_;
  RegisterVoter voter_;
  TopologyForce force_;
  Ballot last_ballot_;        // Of mine,
  Ballot highest_;            // and of all that I heard of,
  TopologyVersion decision_;  // at this decision.
  size_t changes_in_flight_ = 0;
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_SERVICE_TOPOLOGY_REGISTER_H_
