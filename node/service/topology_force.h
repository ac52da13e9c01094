// A generation that an administrator forces, on shard 0: decided by no vote, since most
// voters are lost, but by every member that is not declared lost.
//
// Each of them is reserved for one operation first, and says which topology it holds:
// the newest is gone on from, so that nothing that a survivor acted on is taken back. Of
// two operations that share a survivor one is refused. Two that share none make two
// clusters, each of which refuses the other's members for good: see docs/recovery.md.
#ifndef DYNAMO_NODE_SERVICE_TOPOLOGY_FORCE_H_
#define DYNAMO_NODE_SERVICE_TOPOLOGY_FORCE_H_

#include <memory>
#include <string>
#include <vector>

#include "node/core/ring/topology_change.h"
#include "node/env/async.h"
#include "node/protocol/peer.pb.h"
#include "node/service/membership.h"
#include "node/service/shard_env.h"

namespace dynamo {

struct ForceConfig {
  Duration ask_timeout{3'000'000};   // For the answers of all survivors.
  Duration timeout{8'000'000};       // For the whole; below `reservation`.
  Duration reservation{20'000'000};  // How long a survivor waits for who reserved it.
};

class TopologyForce {
 public:
  // All outlive this.
  TopologyForce(ShardEnv env, ForceConfig config, NodeId self, Membership* membership);

  // `change.what` is a ForceTopology. Returns the epoch, once the topology is stored here;
  // the survivors are told, and hear it by gossip if they miss it. Errors: as ApplyChange;
  // kConflict: a member that is declared lost answers; kUnavailable: another one that is
  // not does not answer (named), or is reserved for another operation. Nothing is changed.
  Async<Result<uint64_t>> Run(TopologyChange change);

  // PrepareForce, of a member.
  void OnPrepare(NodeId from, const peer::PrepareForce& request, const Responder& respond);

 private:
  struct Survey;

  std::shared_ptr<const Topology> topology() const { return membership_->view()->topology; }
  Status Reserve(const std::string& operation_id);
  Status CheckLostAreAway(const ForceTopology& change) const;
  std::vector<NodeId> Survivors(const ForceTopology& change) const;
  Async<Result<uint64_t>> RunReserved(TopologyChange change, TimePoint deadline);
  // Until this node holds the newest topology of any survivor.
  Async<Status> Gather(std::vector<NodeId> survivors, std::string operation_id, TimePoint deadline);
  Async<> AskSurvivor(NodeId node, SharedBytes body, TimePoint deadline, std::shared_ptr<Survey> survey);
  Async<Status> Adopt(std::shared_ptr<const Topology> next, TimePoint deadline);
  static Async<> Offer(TopologyForce* self, NodeId node, SharedBytes body);

  ShardEnv env_;
  ForceConfig config_;
  NodeId self_;
  Membership* membership_;
  std::string reserved_for_;  // An operation; until `reserved_until_`, or, if it runs here, until it ends.
  TimePoint reserved_until_{};
  bool running_ = false;
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_SERVICE_TOPOLOGY_FORCE_H_
