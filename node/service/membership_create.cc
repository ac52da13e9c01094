// The creation of a cluster: once, explicitly, of empty nodes, by the node that was
// asked. Nothing is changed before every named node has been reserved for it.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/base/bytes.h"
#include "node/protocol/messages.h"
#include "node/service/membership_state.h"

namespace dynamo {
namespace {

constexpr size_t kOperationIdBytesMax = 255;
constexpr Duration kPollForSameOperation{20'000};

Status CheckRequest(const CreateCluster& request) {
  if (request.members.empty()) return Fail(Errc::kInvalidArgument, "create: name at least one member");
  if (request.operation_id.size() > kOperationIdBytesMax) {
    return Fail(Errc::kInvalidArgument, "create: the operation id is longer than 255 bytes");
  }
  std::set<std::string> seen;
  for (const CreateMember& member : request.members) {
    if (!seen.insert(member.peer_address).second) {
      return Fail(Errc::kInvalidArgument, "create: " + member.peer_address + " is named twice");
    }
  }
  return {};
}

std::set<std::string> AddressesOf(const CreateCluster& request) {
  std::set<std::string> named;
  for (const CreateMember& member : request.members) named.insert(member.peer_address);
  return named;
}

// All of one kind together, so that one answer names every node to look at.
struct Complaints {
  std::vector<std::string> unreachable, taken;

  Status Verdict() const {
    if (!unreachable.empty()) {
      return Fail(Errc::kUnavailable, fmt::format("create: cannot reach {}", fmt::join(unreachable, "; ")));
    }
    if (!taken.empty()) return Fail(Errc::kAlreadyExists, fmt::format("create: {}", fmt::join(taken, "; ")));
    return {};
  }
};

Result<NodeInfo> ReadIdentity(const peer::Identity& identity) {
  ByteReader in(identity.info());
  NodeInfo info = DecodeNodeInfo(in);
  if (!in.at_end()) return Fail(Errc::kUnavailable, "it says of itself what this version cannot read");
  return info;
}

std::string WhyTaken(const std::string& address, const peer::Identity& identity) {
  const ClusterId cluster = DecodeCluster(identity.cluster());
  if (cluster) return address + " is of cluster " + ToString(cluster);
  return address + " is not empty";
}

// One node a named address, in the order of the request.
Result<std::vector<NodeInfo>> ReadIdentities(const std::vector<std::string>& addresses,
                                             const std::vector<Result<peer::Response>>& answers) {
  std::vector<NodeInfo> nodes;
  std::set<NodeId> seen;
  Complaints complaints;
  for (size_t i = 0; i < addresses.size(); ++i) {
    if (!answers[i] || !answers[i]->has_identity()) {
      const std::string why = answers[i] ? "it answers something else" : answers[i].error().message;
      complaints.unreachable.push_back(addresses[i] + " (" + why + ")");
      continue;
    }
    const peer::Identity& identity = answers[i]->identity();
    if (!identity.empty()) complaints.taken.push_back(WhyTaken(addresses[i], identity));
    Result<NodeInfo> info = ReadIdentity(identity);
    if (!info) return Fail(info.error().code, "create: " + addresses[i] + ": " + info.error().message);
    if (!seen.insert(info->id).second) {
      return Fail(Errc::kInvalidArgument,
                  "create: " + addresses[i] + " is node " + ToString(info->id) + ", which is named twice");
    }
    nodes.push_back(std::move(*info));
  }
  if (Status verdict = complaints.Verdict(); !verdict) return Fail(std::move(verdict.error()));
  return nodes;
}

Bytes DrawSecret(Random& random) {
  Bytes secret;
  ByteWriter out(&secret);
  for (int i = 0; i < 4; ++i) out.U64(random.Secret());
  return secret;
}

Result<Topology> Draw(const CreateCluster& request, const std::vector<NodeInfo>& nodes, Random& random) {
  ClusterSpec spec;
  spec.partitions = request.partitions;
  spec.n_val = request.n_val;
  spec.cluster = request.cluster;
  while (!spec.cluster) spec.cluster = ClusterId{{random.Secret(), random.Secret()}};
  spec.ring_seed = request.ring_seed;
  while (spec.ring_seed == 0) spec.ring_seed = random.Secret();
  spec.context_secret = DrawSecret(random);
  for (size_t i = 0; i < nodes.size(); ++i) {
    const CreateMember& asked = request.members[i];
    Member member;
    member.id = nodes[i].id;
    member.name = nodes[i].name;
    member.zone = asked.zone.empty() ? nodes[i].zone : asked.zone;
    member.capacity = asked.capacity == 0 ? nodes[i].capacity : asked.capacity;
    spec.members.push_back(std::move(member));
  }
  return CreateTopology(spec);
}

SharedBytes PrepareBody(const std::string& operation_id, bool cancel) {
  peer::Request request;
  request.mutable_prepare_create()->set_operation_id(operation_id);
  request.mutable_prepare_create()->set_cancel(cancel);
  return EncodeRequest(request);
}

}  // namespace

// ---- The node that is asked to take part

peer::Identity Membership::State::Identity() const {
  peer::Identity identity;
  ByteWriter out(identity.mutable_info());
  EncodeNodeInfo(table.self(), out);
  identity.set_cluster(EncodeCluster(cluster()));
  identity.set_empty(volume_was_empty && !topology);
  return identity;
}

void Membership::State::HandleIdentify(const Responder& respond) const {
  peer::Response response;
  *response.mutable_identity() = Identity();
  respond(EncodeResponse(response));
}

Status Membership::State::Reserve(const std::string& operation_id) {
  const std::string who = table.self().peer_address;
  if (topology) return Fail(Errc::kAlreadyExists, who + " is of cluster " + ToString(cluster()));
  if (!volume_was_empty || storing_topology) return Fail(Errc::kAlreadyExists, who + " is not empty");
  const bool reserved = reservation && env.clock->Now() < reservation->until;
  if (reserved && reservation->operation_id != operation_id) {
    return Fail(Errc::kAlreadyExists, who + " is reserved for another create, which runs or was cut short: try again");
  }
  reservation = Reservation{operation_id, In(config.reservation)};
  return {};
}

void Membership::State::CancelReservation(const std::string& operation_id) {
  if (reservation && reservation->operation_id == operation_id) reservation.reset();
}

void Membership::State::HandlePrepareCreate(const peer::PrepareCreate& request, const Responder& respond) {
  Status reserved;
  if (request.cancel()) {
    CancelReservation(request.operation_id());
  } else {
    reserved = Reserve(request.operation_id());
  }
  if (!reserved) return respond(EncodeFailure(reserved.error()));
  peer::Response response;
  response.mutable_done();
  respond(EncodeResponse(response));
}

// ---- The node that creates

Async<Result<TopologyPtr>> Membership::State::Create(CreateCluster request) {
  if (request.operation_id.empty()) request.operation_id = ToString(NodeId{env.random->Secret()});
  if (Status valid = CheckRequest(request); !valid) co_return Fail(std::move(valid.error()));
  // The same operation asked for twice: the second waits for the first's answer.
  while (creating == request.operation_id) {
    co_await SleepUntil(*env.scope, *env.clock, In(kPollForSameOperation));
  }
  if (topology) co_return CreatedBefore(request);
  if (!creating.empty()) co_return Fail(Errc::kAlreadyExists, "create: another create runs on this node");
  creating = request.operation_id;
  auto created = co_await RunCreate(request);
  creating.clear();
  co_return created;
}

Result<TopologyPtr> Membership::State::CreatedBefore(const CreateCluster& request) const {
  std::set<std::string> members;
  for (const Member& member : topology->members) {
    const NodeInfo* info = table.Find(member.id);
    if (info != nullptr) members.insert(info->peer_address);
  }
  const bool same_id = !request.cluster || request.cluster == topology->cluster;
  const bool same_members = members == AddressesOf(request) && members.size() == topology->members.size();
  if (same_id && (request.operation_id == last_operation || same_members)) return topology;
  return Fail(Errc::kAlreadyExists, "create: this node is already of cluster " + ToString(topology->cluster));
}

Async<Result<TopologyPtr>> Membership::State::RunCreate(CreateCluster request) {
  const TimePoint deadline = In(config.create_timeout);
  auto nodes = co_await IdentifyAll(request);
  if (!nodes) co_return Fail(std::move(nodes.error()));

  std::vector<std::string> others;
  for (size_t i = 0; i < nodes->size(); ++i) {
    if ((*nodes)[i].id != self_id()) others.push_back(request.members[i].peer_address);
  }
  if (others.size() == nodes->size()) {
    co_return Fail(Errc::kInvalidArgument,
                   "create: this node, " + table.self().peer_address + ", is not among the members");
  }
  auto made = co_await ReserveAndStore(request, *nodes, others, deadline);
  if (!made) {
    CancelReservation(request.operation_id);
    // Nobody waits for this: what does not hear of it lets its reservation lapse.
    env.scope->Spawn(CancelAll(others, request.operation_id));
    co_return Fail(std::move(made.error()));
  }
  last_operation = request.operation_id;
  co_await OfferAll(others, deadline);
  co_return made;
}

Async<Result<std::vector<NodeInfo>>> Membership::State::IdentifyAll(CreateCluster request) {
  std::vector<std::string> named, others;
  for (const CreateMember& member : request.members) {
    named.push_back(member.peer_address);
    if (member.peer_address != table.self().peer_address) others.push_back(member.peer_address);
  }
  peer::Request identify;
  identify.mutable_identify();
  auto answers = co_await AskAll(env, std::move(others), EncodeRequest(identify), In(config.create_timeout / 4));
  for (size_t i = 0; i < named.size(); ++i) {
    if (named[i] != table.self().peer_address) continue;
    peer::Response own;
    *own.mutable_identity() = Identity();
    answers.insert(answers.begin() + static_cast<std::ptrdiff_t>(i), std::move(own));
  }
  co_return ReadIdentities(named, answers);
}

Async<Result<TopologyPtr>> Membership::State::ReserveAndStore(CreateCluster request, std::vector<NodeInfo> identified,
                                                              std::vector<std::string> others, TimePoint deadline) {
  auto drawn = Draw(request, identified, *env.random);
  if (!drawn) co_return Fail(std::move(drawn.error()));
  if (Status own = Reserve(request.operation_id); !own) co_return Fail(std::move(own.error()));
  auto answers = co_await AskAll(env, others, PrepareBody(request.operation_id, false), In(config.create_timeout / 4));
  Complaints complaints;
  for (size_t i = 0; i < others.size(); ++i) {
    if (answers[i]) continue;
    const Error& error = answers[i].error();
    if (error.code == Errc::kAlreadyExists) {
      complaints.taken.push_back(error.message);
    } else {
      complaints.unreachable.push_back(others[i] + " (" + error.message + ")");
    }
  }
  if (Status verdict = complaints.Verdict(); !verdict) co_return Fail(std::move(verdict.error()));
  // The reservations outlast the deadline: before it nobody else can have them.
  if (env.clock->Now() >= deadline) co_return Fail(Errc::kTimeout, "create: took too long, nothing was changed");

  for (const NodeInfo& node : identified) HearRumour(node.id, node);
  auto topology_made = std::make_shared<const Topology>(std::move(*drawn));
  const Status adopted = co_await Adopt(topology_made);
  if (!adopted) co_return Fail(adopted.error());
  co_return topology_made;
}

Async<> Membership::State::OfferAll(std::vector<std::string> others, TimePoint deadline) {
  peer::Request offer;
  offer.mutable_offer_topology()->set_topology(EncodeTopology(*topology));
  AddSomeMembers(offer.mutable_offer_topology()->mutable_members());
  auto answers = co_await AskAll(env, others, EncodeRequest(offer), deadline);
  for (size_t i = 0; i < others.size(); ++i) {
    // Gossip will bring it.
    if (!answers[i]) env.log.Warn("topology_not_taken address={} error={}", others[i], answers[i].error().message);
  }
}

Async<> Membership::State::CancelAll(std::vector<std::string> others, std::string operation_id) {
  co_await AskAll(env, std::move(others), PrepareBody(operation_id, true), In(config.create_timeout / 4));
}

}  // namespace dynamo
