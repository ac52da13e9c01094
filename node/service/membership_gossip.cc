// Anti-entropy of what nodes know of each other: push-pull with a random member,
// and the seeds and remembered addresses that start it.
#include <algorithm>
#include <utility>

#include "common/base/bytes.h"
#include "node/protocol/messages.h"
#include "node/service/membership_state.h"

namespace dynamo {
namespace {

// A tenth either way, so that nodes that start together do not stay in step.
constexpr int64_t kJitterDivisor = 10;

template <class T>
void Shuffle(std::vector<T>* items, Rng* rng) {
  for (size_t i = items->size(); i > 1; --i) std::swap((*items)[i - 1], (*items)[rng->Below(i)]);
}

}  // namespace

Duration Membership::State::Jittered(Duration interval) {
  const int64_t slack = interval.count() / kJitterDivisor;
  return interval + Duration(env.random->rng().Between(-slack, slack));
}

Async<> Membership::State::GossipLoop() {
  for (;;) {
    co_await SleepUntil(*env.scope, *env.clock, In(Jittered(config.gossip_interval)));
    if (!alone()) {
      // Not awaited: a silent peer must not hold up the next round.
      env.scope->Spawn(GossipWith(up_peers[env.random->rng().Below(up_peers.size())], /*introduce=*/false));
    }
    if (addresses_changed) co_await StoreAddresses();
  }
}

Async<> Membership::State::StoreAddresses() {
  addresses_changed = false;
  std::vector<std::string> members;
  for (const auto& [node, info] : table.others()) {
    if (StandingOf(node) == MemberStanding::kMember) members.push_back(info.peer_address);
  }
  // Who has met strangers only keeps the addresses it had.
  if (members.empty()) co_return;
  remembered = std::move(members);
  const Status stored = co_await StorePeerAddresses(env, remembered);
  if (stored) {
    address_failures.Worked(env.log);
  } else {
    address_failures.Failed(env.log, env.clock->Now(), "error=" + stored.error().message);
  }
}

Async<> Membership::State::SeedLoop() {
  Duration back_off = config.seed_retry_min;
  for (;;) {
    // Also while a member is away: after many changes of addresses two parts of a
    // cluster may each look for the other where it was, and only seeds can tell.
    // Dynamo section 4.8.2.
    if (alone() || misses_member) {
      co_await TryContacts();
      back_off = std::min(back_off * 2, config.seed_retry_max);
    } else {
      back_off = config.seed_retry_min;
    }
    if (!announced && !alone()) {
      announced = true;
      Announce(/*introduce=*/true);
    }
    co_await SleepUntil(*env.scope, *env.clock, In(Jittered(back_off)));
  }
}

// Where peers were last seen, at once; then the seeds, which may take a while to say.
Async<> Membership::State::TryContacts() {
  Contact(remembered);
  if (seeds != nullptr) {
    auto resolved = co_await seeds->Resolve();
    if (resolved) {
      Contact(std::move(*resolved));
    } else {
      env.log.Warn("seeds_not_resolved error={}", resolved.error().message);
    }
  }
  // One round trip is enough where somebody is there.
  co_await SleepUntil(*env.scope, *env.clock, In(config.seed_retry_min / 2));
}

void Membership::State::Contact(std::vector<std::string> contacts) {
  std::erase(contacts, table.self().peer_address);
  Shuffle(&contacts, &env.random->rng());
  contacts.resize(std::min(contacts.size(), config.announce_members));
  for (std::string& contact : contacts) env.scope->Spawn(GossipWith(std::move(contact), /*introduce=*/true));
}

// A stranger's word about others counts for nothing. But where it says that a member is
// which is missed here, that member may be asked for: when disks have changed machines,
// all seeds may be strangers.
void Membership::State::HearAnswer(NodeId from, const RumourList& encoded) {
  if (!topology || StandingOf(from) == MemberStanding::kMember) return HearRumours(from, encoded);
  std::vector<std::string> contacts;
  for (const std::string& bytes : encoded) {
    ByteReader in(bytes);
    const NodeInfo rumour = DecodeNodeInfo(in);
    if (!in.at_end()) {
      CountDropped("malformed");
    } else if (rumour.id == from) {
      HearRumour(from, rumour);
    } else if (StandingOf(rumour.id) == MemberStanding::kMember &&
               std::ranges::find(up_peers, rumour.id) == up_peers.end()) {
      contacts.push_back(rumour.peer_address);
    }
  }
  Contact(std::move(contacts));
}

void Membership::State::Announce(bool introduce) {
  std::vector<NodeId> peers = up_peers;
  Shuffle(&peers, &env.random->rng());
  peers.resize(std::min(peers.size(), config.announce_members));
  for (const NodeId peer : peers) env.scope->Spawn(GossipWith(peer, introduce));
}

peer::Request Membership::State::GossipRequest() const {
  peer::Request request;
  peer::Gossip* gossip = request.mutable_gossip();
  gossip->set_table_hash(ToBytes(table.hash()));
  gossip->set_generation(table.self().topology.generation);
  gossip->set_epoch(table.self().topology.epoch);
  gossip->set_cluster(EncodeCluster(cluster()));
  if (gossiped != nullptr) gossip->set_properties_hash(ToBytes(gossiped->hash()));
  return request;
}

void Membership::State::AddMember(NodeId id, RumourList* list) const {
  const NodeInfo* info = table.Find(id);
  if (info == nullptr) return;
  ByteWriter out(list->Add());
  EncodeNodeInfo(*info, out);
}

void Membership::State::AddSomeMembers(RumourList* list) {
  AddMember(self_id(), list);
  std::vector<NodeId> peers = up_peers;
  Shuffle(&peers, &env.random->rng());
  peers.resize(std::min(peers.size(), config.announce_members));
  for (const NodeId peer : peers) AddMember(peer, list);
}

Async<> Membership::State::GossipWith(Whom whom, bool introduce) {
  peer::Request first = GossipRequest();
  // A node of no cluster is soon forgotten by those who are of one: it says it again.
  if (introduce || !topology) AddMember(self_id(), first.mutable_gossip()->mutable_members());
  auto answer = co_await Ask(env, whom, EncodeRequest(first), In(config.gossip_timeout));
  if (!answer || !answer->has_gossip_reply()) {
    if (!answer && answer.error().code == Errc::kWrongCluster) {
      env.log.Warn("gossip_refused error={}", answer.error().message);
    }
    co_return;
  }
  auto second = co_await TakeReply(std::move(*answer->mutable_gossip_reply()));
  if (!second) co_return;
  auto rest = co_await Ask(env, whom, EncodeRequest(*second), In(config.gossip_timeout));
  if (rest && rest->has_gossip_reply()) co_await TakeReply(std::move(*rest->mutable_gossip_reply()));
}

Async<> Membership::State::ExchangeOnce(NodeId peer) {
  co_await GossipWith(peer, /*introduce=*/false);
  exchanging.erase(peer);
}

// What the other side lacks, if anything.
Async<std::optional<peer::Request>> Membership::State::TakeReply(peer::GossipReply reply) {
  const NodeId from{reply.node()};
  const ClusterId theirs = DecodeCluster(reply.cluster());
  const bool foreign = topology && theirs && theirs != cluster();
  if (!from || from == self_id() || foreign || StandingOf(from) == MemberStanding::kRemoved) {
    CountDropped(foreign ? "other_cluster" : "not_a_peer");
    co_return std::nullopt;
  }
  if (reply.removed()) {
    HearOfRemoval(from, {reply.generation(), reply.epoch()});
    co_return std::nullopt;
  }
  HearAnswer(from, reply.members());
  Perform(detector.OnHeardFrom(from, env.clock->Now()));
  MergeProperties(from, reply.properties());
  Refresh();
  if (!reply.topology().empty() && StandingOf(from) == MemberStanding::kMember) {
    co_await AdoptEncoded(std::move(*reply.mutable_topology()));
  }

  if (StandingOf(from) != MemberStanding::kMember) co_return std::nullopt;
  if (reply.want_topology() && topology) {
    peer::Request offer;
    offer.mutable_offer_topology()->set_topology(EncodeTopology(*topology));
    if (theirs != cluster()) AddSomeMembers(offer.mutable_offer_topology()->mutable_members());
    co_return offer;
  }
  const bool push_members = theirs == cluster() && !reply.fingerprints().empty();
  const bool push_properties =
      gossiped != nullptr && !reply.properties_hash().empty() && ToBytes(gossiped->hash()) != reply.properties_hash();
  if (!push_members && !push_properties) co_return std::nullopt;
  peer::Request request = GossipRequest();
  request.mutable_gossip()->set_second(true);
  if (push_members) AddDifference(reply.fingerprints(), request.mutable_gossip());
  if (push_properties) request.mutable_gossip()->set_properties(gossiped->Encode());
  co_return request;
}

// Who has the newer of two entries that differ, only the entries tell: ours goes
// out, and what is newer there comes back.
void Membership::State::AddDifference(const std::string& fingerprints, peer::Gossip* gossip) const {
  const auto theirs = DecodeFingerprints(fingerprints);
  if (!theirs) return CountDropped("malformed");
  const MemberTable::Difference difference = table.Compare(*theirs);
  for (const NodeId id : difference.differ) AddMember(id, gossip->mutable_members());
  for (const NodeId id : difference.missing) gossip->add_wanted(id.value);
}

// Of the entries that came and of those that are wanted, what is other here.
void Membership::State::AddNewer(const peer::Gossip& gossip, RumourList* list) const {
  for (const std::string& bytes : gossip.members()) {
    ByteReader in(bytes);
    const NodeInfo theirs = DecodeNodeInfo(in);
    const NodeInfo* ours = in.at_end() ? table.Find(theirs.id) : nullptr;
    if (ours != nullptr && *ours != theirs) AddMember(theirs.id, list);
  }
  size_t left = MemberTable::kNodesMax;
  for (const uint64_t id : gossip.wanted()) {
    if (left-- == 0) return CountDropped("malformed");
    AddMember(NodeId{id}, list);
  }
}

void Membership::State::MergeProperties(NodeId from, const std::string& encoded) {
  if (gossiped == nullptr || encoded.empty() || StandingOf(from) != MemberStanding::kMember) return;
  if (!gossiped->Merge(encoded)) CountDropped("malformed");
}

void Membership::State::HandleGossip(NodeId from, const peer::Gossip& gossip, const Responder& respond) {
  const ClusterId theirs = DecodeCluster(gossip.cluster());
  if (topology && theirs && theirs != cluster()) {
    CountDropped("other_cluster");
    respond(EncodeFailure({Errc::kWrongCluster, "this node is of cluster " + ToString(cluster())}));
    return;
  }
  // A member drawn at random knew all that we do: what still waits to ride is old news.
  if (!gossip.second() && gossip.table_hash() == ToBytes(table.hash())) rumours.Clear();
  HearRumours(from, gossip.members());
  Perform(detector.OnHeardFrom(from, env.clock->Now()));
  MergeProperties(from, gossip.properties());

  const bool member = StandingOf(from) == MemberStanding::kMember;
  const TopologyVersion& ours = table.self().topology;
  const TopologyVersion version{gossip.generation(), gossip.epoch()};
  peer::Response response;
  peer::GossipReply* reply = response.mutable_gossip_reply();
  reply->set_node(self_id().value);
  reply->set_cluster(EncodeCluster(cluster()));
  reply->set_table_hash(ToBytes(table.hash()));
  reply->set_generation(ours.generation);
  reply->set_epoch(ours.epoch);
  if (gossip.table_hash() != reply->table_hash()) {
    const bool stranger_is_asked = !topology && theirs;
    if (!gossip.second() && stranger_is_asked) AddSomeMembers(reply->mutable_members());
    if (!gossip.second() && !stranger_is_asked) AddMember(self_id(), reply->mutable_members());
    if (member && !gossip.second()) reply->set_fingerprints(EncodeFingerprints(table.Fingerprints()));
  }
  if (member && gossip.second()) AddNewer(gossip, reply->mutable_members());
  // The topology holds secrets: for members only.
  if (member && topology && version < ours) reply->set_topology(EncodeTopology(*topology));
  reply->set_want_topology(member && version > ours);
  if (gossiped != nullptr && member) {
    reply->set_properties_hash(ToBytes(gossiped->hash()));
    if (gossip.properties_hash() != reply->properties_hash()) reply->set_properties(gossiped->Encode());
  }
  respond(EncodeResponse(response));
}

}  // namespace dynamo
