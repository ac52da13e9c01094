#include "node/service/membership.h"

#include <algorithm>
#include <utility>

#include "common/base/bytes.h"
#include "node/protocol/messages.h"
#include "node/service/membership_state.h"

namespace dynamo {

Bytes EncodeCluster(const ClusterId& cluster) { return cluster ? ToBytes(cluster.value) : Bytes(); }

ClusterId DecodeCluster(std::string_view encoded) {
  ByteReader in(encoded);
  const ClusterId cluster{in.Hash()};
  return in.at_end() ? cluster : ClusterId{};
}

// ---- State: what is known, and who may speak

Membership::State::State(ShardEnv shard_env, MembershipConfig membership_config, NodeInfo self, SeedSource* seed_source,
                         GossipedState* gossiped_state)
    : env(std::move(shard_env)),
      config(membership_config),
      seeds(seed_source),
      gossiped(gossiped_state),
      table(std::move(self)),
      detector(config.failure_detector, &table, env.random->rng().Fork()) {
  Refresh();
}

MemberStanding Membership::State::StandingOf(NodeId node) const {
  return topology ? topology->StandingOf(node) : MemberStanding::kMember;
}

bool Membership::State::IsRemoved() const {
  if (!topology) return false;
  return removed_by >= topology->version || StandingOf(self_id()) == MemberStanding::kRemoved;
}

bool Membership::State::WasForgotten(NodeId node, const peer::Gossip& gossip) const {
  const TopologyVersion theirs{gossip.generation(), gossip.epoch()};
  return topology && StandingOf(node) == MemberStanding::kStranger && DecodeCluster(gossip.cluster()) == cluster() &&
         theirs < topology->version;
}

peer::Response Membership::State::RemovalNotice() const {
  peer::Response response;
  peer::GossipReply* reply = response.mutable_gossip_reply();
  reply->set_node(self_id().value);
  reply->set_cluster(EncodeCluster(cluster()));
  reply->set_generation(topology->version.generation);
  reply->set_epoch(topology->version.epoch);
  reply->set_removed(true);
  return response;
}

void Membership::State::HearOfRemoval(NodeId from, const TopologyVersion& by) {
  if (StandingOf(from) != MemberStanding::kMember || !topology) return CountDropped("removal");
  // One that is as new as the one here, and another, was forced while this node forced
  // its own: a member of this one's that refuses it has the right of way.
  const bool rival = by == topology->version && topology->version.generation > 1;
  if (by <= topology->version && !rival) return CountDropped("removal");
  if (!IsRemoved()) {
    env.log.Error("removed_from_cluster cluster={} generation={} epoch={} said_by={}", ToString(cluster()),
                  by.generation, by.epoch, ToString(from));
  }
  removed_by = std::max(removed_by, by);
  Refresh();
}

void Membership::State::HearRumours(NodeId from, const RumourList& encoded) {
  for (const std::string& bytes : encoded) {
    ByteReader in(bytes);
    const NodeInfo rumour = DecodeNodeInfo(in);
    if (in.at_end()) {
      HearRumour(from, rumour);
    } else {
      CountDropped("malformed");
    }
  }
}

void Membership::State::HearRumour(NodeId from, const NodeInfo& rumour) {
  if (rumour.id != from && StandingOf(from) != MemberStanding::kMember) return CountDropped("stranger");
  const MemberStanding standing = StandingOf(rumour.id);
  if (standing == MemberStanding::kRemoved) return CountDropped("removed");
  if (standing == MemberStanding::kStranger) {
    if (rumour.liveness == Liveness::kDead) return ForgetStranger(rumour);
    if (IsForgotten(from, rumour)) return;
  }

  const uint64_t own_incarnation = table.self().incarnation;
  const MemberTable::Outcome outcome = table.Hear(rumour);
  if (outcome == MemberTable::Outcome::kForged) CountDropped("forged");
  if (outcome == MemberTable::Outcome::kRefute && topology && rumour.incarnation > own_incarnation) {
    env.log.Error("volume_rolled_back incarnation={:x} peers_remember={:x}", own_incarnation, rumour.incarnation);
    if (on_rolled_back) on_rolled_back();
  }
  if (outcome == MemberTable::Outcome::kUpdated && addresses[rumour.id] != rumour.peer_address) {
    addresses[rumour.id] = rumour.peer_address;
    addresses_changed = true;
    env.transport->SetAddress(rumour.id, rumour.peer_address);
  }
  Perform(detector.OnRumour(rumour.id, outcome, env.clock->Now()));
}

bool Membership::State::IsForgotten(NodeId from, const NodeInfo& rumour) const {
  const auto found = forgotten.find(rumour.id);
  return found != forgotten.end() && rumour.id != from && rumour.incarnation <= found->second;
}

void Membership::State::ForgetStranger(const NodeInfo& info) {
  if (table.Find(info.id) == nullptr) return;
  table.Forget(info.id);
  if (forgotten.size() >= MemberTable::kNodesMax) forgotten.clear();
  forgotten[info.id] = info.incarnation;
}

void Membership::State::Perform(const DetectorActions& actions) {
  for (const DetectorAction& action : actions) {
    if (const auto* ping = std::get_if<SendPing>(&action)) {
      SendProbe(*ping);
    } else if (const auto* request = std::get_if<SendPingRequest>(&action)) {
      SendIndirectProbe(*request);
    } else {
      const NodeInfo& info = std::get<Spread>(action).info;
      rumours.Add(info);
      if (info.liveness == Liveness::kDead && StandingOf(info.id) == MemberStanding::kStranger) ForgetStranger(info);
    }
  }
}

void Membership::State::Refresh() {
  // Asked after every message, and nearly always nothing has changed.
  const bool same =
      view && view->topology == topology && view->nodes_hash == table.hash() && view->removed == IsRemoved();
  if (same && view_verdicts == detector.verdicts()) return;
  view_verdicts = detector.verdicts();
  std::set<NodeId> up;
  for (const auto& [node, info] : table.others()) {
    if (detector.IsUp(info)) up.insert(up.end(), node);
  }
  up.insert(self_id());
  const bool same_up = view && view->up == up;
  if (same && same_up) return;
  if (view && !same_up) LogUpChanges(view->up, up);
  const bool same_peers = same_up && view->topology == topology;
  auto fresh = std::make_shared<ClusterView>();
  fresh->topology = topology;
  fresh->removed = IsRemoved();
  fresh->nodes = table.others();
  fresh->nodes.emplace(self_id(), table.self());
  fresh->nodes_hash = table.hash();
  fresh->up = std::move(up);
  view = std::move(fresh);
  if (!same_peers) {
    up_peers = UpPeers();
    misses_member = MissesMember();
  }
  env.metrics->gauge("dynamo_membership_nodes_known", "Nodes this node knows of, itself included")
      .Set(static_cast<int64_t>(view->nodes.size()));
  env.metrics->gauge("dynamo_membership_nodes_up", "Nodes requests are sent to, itself included")
      .Set(static_cast<int64_t>(view->up.size()));
  for (const auto& subscriber : subscribers) subscriber(view);
}

void Membership::State::LogUpChanges(const std::set<NodeId>& before, const std::set<NodeId>& after) const {
  for (const NodeId node : after) {
    if (!before.contains(node)) env.log.Info("node_up node={}", ToString(node));
  }
  for (const NodeId node : before) {
    if (!after.contains(node)) env.log.Warn("node_down node={}", ToString(node));
  }
}

std::vector<NodeId> Membership::State::UpPeers() const {
  // A stranger's company is none: whoever knows strangers only looks on.
  std::vector<NodeId> peers;
  for (const NodeId node : view->up) {
    if (node != self_id() && StandingOf(node) == MemberStanding::kMember) peers.push_back(node);
  }
  return peers;
}

bool Membership::State::MissesMember() const {
  if (topology == nullptr) return false;
  return std::ranges::any_of(topology->members, [this](const Member& member) {
    const bool gone = topology->StandingOf(member.id) == MemberStanding::kRemoved;
    return !gone && !view->IsUp(member.id);
  });
}

void Membership::State::CountDropped(const char* reason) const {
  env.metrics
      ->counter("dynamo_membership_dropped_total", "Messages and rumours of membership that were refused",
                {{"reason", reason}})
      .Add();
}

// ---- Membership

Membership::Membership(ShardEnv env, MembershipConfig config, NodeInfo self, SeedSource* seeds, GossipedState* gossiped)
    : state_(std::make_unique<State>(std::move(env), config, std::move(self), seeds, gossiped)) {}

Membership::~Membership() = default;

void Membership::OnView(std::function<void(ClusterViewPtr)> subscriber) {
  state_->subscribers.push_back(std::move(subscriber));
}

void Membership::OnRolledBack(std::function<void()> listener) { state_->on_rolled_back = std::move(listener); }

Async<Status> Membership::Start() { return state_->Start(); }

ClusterViewPtr Membership::view() const { return state_->view; }

bool Membership::empty_volume() const { return state_->volume_was_empty && !state_->topology; }

void Membership::OnRequest(NodeId from, const peer::Request& request, Responder respond) {
  State& state = *state_;
  const MemberStanding standing = state.StandingOf(from);
  const auto refuse = [&state, &respond](Errc code, const char* reason, const std::string& why) {
    state.CountDropped(reason);
    respond(EncodeFailure({code, why}));
  };
  // A node that asks an address who is there may find itself.
  if (request.has_identify()) return state.HandleIdentify(respond);
  if (!from || from == state.self_id()) {
    return refuse(Errc::kInvalidArgument, "not_a_peer", "a message in this node's own name, or in none");
  }
  if (standing == MemberStanding::kRemoved) {
    if (request.has_gossip() && DecodeCluster(request.gossip().cluster()) == state.cluster()) {
      state.CountDropped("removed");
      return respond(EncodeResponse(state.RemovalNotice()));
    }
    return refuse(Errc::kWrongCluster, "removed",
                  "node " + ToString(from) + " was removed from the cluster: empty its volume before it starts again");
  }
  if (request.has_gossip() && state.WasForgotten(from, request.gossip())) {
    state.CountDropped("removed");
    return respond(EncodeResponse(state.RemovalNotice()));
  }
  const bool member = standing == MemberStanding::kMember;
  switch (request.kind_case()) {
    case peer::Request::kPing: state.HandlePing(from, request.ping(), respond); break;
    case peer::Request::kGossip: state.HandleGossip(from, request.gossip(), respond); break;
    case peer::Request::kPrepareCreate: state.HandlePrepareCreate(request.prepare_create(), respond); break;
    case peer::Request::kPingRequest:
    case peer::Request::kOfferTopology:
      if (!member) {
        return refuse(Errc::kWrongCluster, "stranger", "node " + ToString(from) + " is no member of the cluster");
      }
      if (request.has_ping_request()) {
        state.HandlePingRequest(from, request.ping_request(), std::move(respond));
      } else {
        state.HearRumours(from, request.offer_topology().members());
        state.env.scope->Spawn(state.HandleOffer(request.offer_topology().topology(), std::move(respond)));
      }
      break;
    default: respond(EncodeFailure({Errc::kUnsupported, "not a request of membership"}));
  }
  state.Refresh();
}

void Membership::OnPeerUnreachable(NodeId peer) {
  State& state = *state_;
  state.Perform(state.detector.OnRequestFailed(peer, state.env.clock->Now()));
  state.Refresh();
}

void Membership::OnHeardFrom(NodeId peer) {
  State& state = *state_;
  // Often, and nearly always without consequence.
  const DetectorActions actions = state.detector.OnHeardFrom(peer, state.env.clock->Now());
  if (!actions.empty()) state.Perform(actions);
}

void Membership::Announce() { state_->Announce(/*introduce=*/false); }

void Membership::ExchangeWith(NodeId peer) {
  if (state_->exchanging.insert(peer).second) state_->env.scope->Spawn(state_->ExchangeOnce(peer));
}

Async<Status> Membership::Adopt(std::shared_ptr<const Topology> decided) {
  Status adopted = co_await state_->Adopt(std::move(decided));
  if (adopted) state_->Announce(/*introduce=*/false);
  co_return adopted;
}

Async<Result<std::shared_ptr<const Topology>>> Membership::Create(CreateCluster request) {
  return state_->Create(std::move(request));
}

}  // namespace dynamo
