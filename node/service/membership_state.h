// The inside of Membership, shared by its .cc files only.
//
// Everything runs on shard 0's thread. Coroutines and callbacks hold a plain
// pointer to this: the shard's Scope and Transport drop them before it goes.
#ifndef DYNAMO_NODE_SERVICE_MEMBERSHIP_STATE_H_
#define DYNAMO_NODE_SERVICE_MEMBERSHIP_STATE_H_

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/base/failure_log.h"
#include "node/core/membership/rumours.h"
#include "node/service/membership.h"
#include "node/service/membership_call.h"
#include "node/service/membership_volume.h"

namespace dynamo {

using RumourList = google::protobuf::RepeatedPtrField<std::string>;

struct Membership::State {
  State(ShardEnv shard_env, MembershipConfig membership_config, NodeInfo self, SeedSource* seed_source,
        GossipedState* gossiped_state);

  // ---- membership.cc: what is known, and who may speak

  // Before there is a cluster everybody is kMember.
  MemberStanding StandingOf(NodeId node) const;
  // Takes in what `from` says of itself and, if it is a member, of others.
  void HearRumours(NodeId from, const RumourList& rumours);
  void HearRumour(NodeId from, const NodeInfo& rumour);
  // Strangers are kept only while they live. What was forgotten is not taken in
  // again from those who have not yet forgotten it.
  bool IsForgotten(NodeId from, const NodeInfo& rumour) const;
  void ForgetStranger(const NodeInfo& info);
  // This node was removed: by the topology it holds, or by one that a member told of.
  bool IsRemoved() const;
  // It holds an older topology of this cluster, and the one here does not name it any
  // more: it was removed, and that was forgotten since.
  bool WasForgotten(NodeId node, const peer::Gossip& gossip) const;
  // It is told why it is refused, but not the topology, which holds secrets.
  peer::Response RemovalNotice() const;
  void HearOfRemoval(NodeId from, const TopologyVersion& by);
  // What the detector asks for: pings, and rumours to spread.
  void Perform(const DetectorActions& actions);
  // Publishes a new view if anything in it changed. Called at the end of whatever
  // may have changed something.
  void Refresh();
  void LogUpChanges(const std::set<NodeId>& before, const std::set<NodeId>& after) const;
  std::vector<NodeId> UpPeers() const;
  bool MissesMember() const;
  bool alone() const { return up_peers.empty(); }
  void CountDropped(const char* reason) const;
  TimePoint In(Duration how_long) const { return env.clock->Now() + how_long; }
  NodeId self_id() const { return table.self().id; }
  ClusterId cluster() const { return topology ? topology->cluster : ClusterId{}; }

  // ---- membership_topology.cc

  Async<Status> Start();
  // Stores, then installs. kAlreadyExists: no newer than what is here; this is not
  // an offence. kWrongCluster, kInvalidArgument: not acceptable. kUnavailable:
  // another one is being stored.
  Async<Status> Adopt(TopologyPtr candidate);
  Async<Status> AdoptEncoded(Bytes encoded);
  Status CheckAcceptable(const Topology& candidate) const;
  void Install(TopologyPtr adopted);
  Async<> HandleOffer(Bytes encoded, Responder respond);

  // ---- membership_probes.cc

  Async<> ProbeLoop();
  peer::Request PingTo(NodeId to);
  void SendProbe(const SendPing& ping);
  void SendIndirectProbe(const SendPingRequest& request);
  void HandlePing(NodeId from, const peer::Ping& ping, const Responder& respond);
  void HandlePingRequest(NodeId from, const peer::PingRequest& request, Responder respond);
  // The newest rumours; to a node that is not thought alive, also that, so that it
  // can refute.
  void AddRiding(NodeId to, RumourList* rumours);

  // ---- membership_gossip.cc

  Async<> GossipLoop();
  // Where peers listen, for the next start.
  Async<> StoreAddresses();
  Async<> SeedLoop();
  Async<> TryContacts();
  void Contact(std::vector<std::string> contacts);
  void HearAnswer(NodeId from, const RumourList& encoded);
  // One exchange, both ways. With `introduce`, it begins with who we are.
  Async<> GossipWith(Whom whom, bool introduce);
  peer::Request GossipRequest() const;
  Async<> ExchangeOnce(NodeId peer);
  Async<std::optional<peer::Request>> TakeReply(peer::GossipReply reply);
  void HandleGossip(NodeId from, const peer::Gossip& gossip, const Responder& respond);
  void MergeProperties(NodeId from, const std::string& encoded);
  void Announce(bool introduce);
  void AddMember(NodeId id, RumourList* list) const;
  // Enough to find the others by gossip.
  void AddSomeMembers(RumourList* list);
  void AddDifference(const std::string& fingerprints, peer::Gossip* gossip) const;
  void AddNewer(const peer::Gossip& gossip, RumourList* list) const;
  Duration Jittered(Duration interval);

  // ---- membership_create.cc

  void HandleIdentify(const Responder& respond) const;
  peer::Identity Identity() const;
  void HandlePrepareCreate(const peer::PrepareCreate& request, const Responder& respond);
  Status Reserve(const std::string& operation_id);
  void CancelReservation(const std::string& operation_id);
  Async<Result<TopologyPtr>> Create(CreateCluster request);
  Result<TopologyPtr> CreatedBefore(const CreateCluster& request) const;
  Async<Result<TopologyPtr>> RunCreate(CreateCluster request);
  Async<Result<std::vector<NodeInfo>>> IdentifyAll(CreateCluster request);
  Async<Result<TopologyPtr>> ReserveAndStore(CreateCluster request, std::vector<NodeInfo> identified,
                                             std::vector<std::string> others, TimePoint deadline);
  Async<> OfferAll(std::vector<std::string> others, TimePoint deadline);
  Async<> CancelAll(std::vector<std::string> others, std::string operation_id);

  ShardEnv env;
  MembershipConfig config;
  SeedSource* seeds;
  GossipedState* gossiped;
  MemberTable table;
  FailureDetector detector;
  RumourQueue rumours;
  std::map<NodeId, uint64_t> forgotten;  // Strangers: up to which incarnation.

  TopologyPtr topology;
  TopologyVersion removed_by;  // The newest version that a member said removed this node.
  bool storing_topology = false;
  FailureLog topology_failures{LogLevel::kError, "topology_not_stored"};
  bool volume_was_empty = false;  // At the start.
  bool announced = false;
  std::set<NodeId> exchanging;  // Gossip that a request of the data path asked for.

  struct Reservation {
    std::string operation_id;
    TimePoint until;
  };
  std::optional<Reservation> reservation;
  std::string creating;        // The operation that runs here, if one does.
  std::string last_operation;  // The one that made the topology, if it ran here.

  std::vector<std::string> remembered;      // Addresses of peers, as stored.
  std::map<NodeId, std::string> addresses;  // As told to the transport.
  bool addresses_changed = false;
  FailureLog address_failures{LogLevel::kWarn, "peer_addresses_not_stored"};

  ClusterViewPtr view;
  uint64_t view_verdicts = 0;  // The detector's when the view was last looked at.
  // Of the view, worked out with it: they are asked for every round, and a thousand
  // members take their time.
  std::vector<NodeId> up_peers;  // Members that are up, without self.
  bool misses_member = false;    // Somebody of the topology is away, as far as this node knows.
  std::vector<std::function<void(ClusterViewPtr)>> subscribers;
  std::function<void()> on_rolled_back;
};

// 16 bytes, or empty for none.
Bytes EncodeCluster(const ClusterId& cluster);
// None for what is not 16 bytes.
ClusterId DecodeCluster(std::string_view encoded);

}  // namespace dynamo

#endif  // DYNAMO_NODE_SERVICE_MEMBERSHIP_STATE_H_
