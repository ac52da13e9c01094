// Membership, on shard 0: gossip, failure detection, seeds, and the creation of
// the cluster. Dynamo sections 4.8.1 to 4.8.3.
//
// Says who is there and who is up; never who owns what: that is the topology,
// which it stores, adopts when a newer one of the same cluster is heard of, and
// spreads.
//
// Once this node is of a cluster it trusts its members only. A node that left or
// was replaced is refused; a stranger may say who it is and be answered, but what
// it says of others, or of the cluster, is not heard. What is dropped is counted.
#ifndef DYNAMO_NODE_SERVICE_MEMBERSHIP_H_
#define DYNAMO_NODE_SERVICE_MEMBERSHIP_H_

#include <functional>
#include <memory>

#include "common/base/ids.h"
#include "common/base/result.h"
#include "node/core/membership/failure_detector.h"
#include "node/core/membership/member_table.h"
#include "node/env/admin_handler.h"
#include "node/env/async.h"
#include "node/env/seed_source.h"
#include "node/protocol/peer.pb.h"
#include "node/service/cluster_view.h"
#include "node/service/shard_env.h"

namespace dynamo {

struct MembershipConfig {
  Duration gossip_interval{1'000'000};
  Duration gossip_timeout{1'000'000};
  Duration seed_retry_min{500'000};
  Duration seed_retry_max{10'000'000};
  Duration create_timeout{10'000'000};
  Duration reservation{30'000'000};  // How long PrepareCreate holds an empty node; above create_timeout.
  size_t announce_members = 16;      // How many are told at once that this node started.
  size_t rumours_per_message = 8;
  FailureDetectorConfig failure_detector;
};

// A small state that every node has a copy of and gossip makes equal everywhere
// (bucket properties). Merge is a join.
class GossipedState {
 public:
  virtual ~GossipedState() = default;
  virtual Hash128 hash() const = 0;
  virtual Bytes Encode() const = 0;
  // Changes nothing on an error.
  virtual Status Merge(std::string_view encoded) = 0;
};

class Membership {
 public:
  // `self` is complete but for the topology: id from the identity, incarnation the
  // boot number in its high 32 bits. `seeds` and `gossiped` may be nullptr. All
  // outlive this. Transport::SetSelf and SetHandler are the caller's to call.
  Membership(ShardEnv env, MembershipConfig config, NodeInfo self, SeedSource* seeds, GossipedState* gossiped);
  ~Membership();

  // Called with every new view, on shard 0, the first within Start. The transport
  // of shard 0 already knows its addresses and cluster then; those of other shards
  // are the subscriber's to tell.
  void OnView(std::function<void(ClusterViewPtr)> subscriber);

  // Called, maybe often, when a member remembers what this node never said since it
  // started: its volume is an old copy.
  void OnRolledBack(std::function<void()> listener);

  // Loads the stored topology, if there is one, and starts the background loops.
  // kCorrupt, kStorage: it cannot be read. kWrongCluster: this node is no member
  // of it, or left it, or was replaced.
  Async<Status> Start();

  // Never nullptr; before Start it knows of self only.
  ClusterViewPtr view() const;
  // Of no cluster, and nothing is stored.
  bool empty_volume() const;

  // Takes Ping, PingRequest, Gossip, OfferTopology, Identify and PrepareCreate.
  void OnRequest(NodeId from, const peer::Request& request, Responder respond);
  // Signs of life and death from the data path.
  void OnPeerUnreachable(NodeId peer);
  void OnHeardFrom(NodeId peer);

  // Gossips with several members now instead of with one at the next interval:
  // the gossiped state has changed here.
  void Announce();

  // Gossips with that member now, unless it is being done: it holds another topology.
  void ExchangeWith(NodeId peer);

  // Takes in a topology that was decided: stores it, then spreads it. kAlreadyExists:
  // the one here is as new. kUnavailable: another one is being stored. Else as an
  // offer that is refused.
  Async<Status> Adopt(std::shared_ptr<const Topology> decided);

  // See AdminHandler::Create. An empty operation id is drawn.
  Async<Result<std::shared_ptr<const Topology>>> Create(CreateCluster request);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_SERVICE_MEMBERSHIP_H_
