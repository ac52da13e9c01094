// Requests from peers: to the shard that has the key, and answered there.
#include <algorithm>
#include <utility>

#include "node/protocol/messages.h"
#include "node/service/forward_codec.h"
#include "node/service/shard.h"

namespace dynamo {
namespace {

// nullptr: the request is not of the data path.
const peer::Key* KeyOf(const peer::Request& request) {
  switch (request.kind_case()) {
    case peer::Request::kReplicaGet: return &request.replica_get().key();
    case peer::Request::kReplicaPut: return &request.replica_put().key();
    case peer::Request::kForwardGet: return &request.forward_get().key();
    case peer::Request::kForwardPut: return &request.forward_put().key();
    case peer::Request::kForwardDelete: return &request.forward_delete().key();
    default: return nullptr;
  }
}

// nullptr: the request is not for a partition.
const peer::TreeId* TreeOf(const peer::Request& request) {
  switch (request.kind_case()) {
    case peer::Request::kTreeGet: return &request.tree_get().tree();
    case peer::Request::kLeafGet: return &request.leaf_get().tree();
    case peer::Request::kTransferGet: return &request.transfer_get().tree();
    case peer::Request::kTransferConfirm: return &request.transfer_confirm().tree();
    case peer::Request::kTransferStatus: return &request.transfer_status().tree();
    case peer::Request::kStrayProof: return &request.stray_proof().tree();
    case peer::Request::kReapCheck: return &request.reap_check().tree();
    case peer::Request::kReapRaise: return &request.reap_raise().tree();
    case peer::Request::kReapRemove: return &request.reap_remove().tree();
    default: return nullptr;
  }
}

// The number that a forwarder gave to a write; 0: it is none.
uint64_t NumberOf(const peer::Request& request) {
  if (request.has_forward_put()) return request.forward_put().request_id();
  if (request.has_forward_delete()) return request.forward_delete().request_id();
  return 0;
}

// A fallback's having nothing proves nothing.
SharedBytes EncodeState(const Result<Bytes>& state, bool digest_only, bool owner, ReapGeneration stamp) {
  if (!state) return EncodeFailure(state.error());
  peer::Response response;
  peer::ReplicaState* out = response.mutable_replica_state();
  const Hash128 digest = DigestOf(*state);
  if (digest != Hash128{}) out->set_digest(ToBytes(digest));
  if (!digest_only) out->set_object(*state);
  out->set_authoritative(owner);
  out->set_reap_generation(stamp);
  return EncodeResponse(response);
}

SharedBytes EncodeDigest(const Result<Hash128>& digest, bool owner, ReapGeneration stamp) {
  if (!digest) return EncodeFailure(digest.error());
  peer::Response response;
  peer::ReplicaState* out = response.mutable_replica_state();
  if (*digest != Hash128{}) out->set_digest(ToBytes(*digest));
  out->set_authoritative(owner);
  out->set_reap_generation(stamp);
  return EncodeResponse(response);
}

SharedBytes EncodeStored(const Result<bool>& durable) {
  if (!durable) return EncodeFailure(durable.error());
  peer::Response response;
  response.mutable_replica_stored()->set_durable(*durable);
  return EncodeResponse(response);
}

SharedBytes EncodeWrongEpoch(uint64_t epoch) {
  peer::Response response;
  response.mutable_wrong_epoch()->set_epoch(epoch);
  return EncodeResponse(response);
}

SharedBytes EncodeStale(PartitionId partition, ReapGeneration generation) {
  peer::Response response;
  response.mutable_stale_generation()->set_partition(partition);
  response.mutable_stale_generation()->set_reap_generation(generation);
  return EncodeResponse(response);
}

// 0: the request names none.
uint64_t EpochOf(const peer::Request& request) {
  if (request.has_replica_get()) return request.replica_get().epoch();
  return request.has_replica_put() ? request.replica_put().epoch() : 0;
}

}  // namespace

Status Shard::CheckPeer(NodeId from) const {
  const auto refuse = [from](Counter& counter, Errc code, const char* why) {
    counter.Add();
    return Fail(code, "node " + ToString(from) + why);
  };
  ServiceMetrics& metrics = *context_.metrics;
  if (!from || from == context_.self) {
    return refuse(metrics.refused_not_a_peer, Errc::kInvalidArgument,
                  " is no peer: it bears this node's name, or none");
  }
  switch (context_.topology().StandingOf(from)) {
    case MemberStanding::kMember: return {};
    case MemberStanding::kRemoved:
      return refuse(metrics.refused_removed, Errc::kWrongCluster, " was removed from the cluster");
    case MemberStanding::kStranger: break;
  }
  return refuse(metrics.refused_strangers, Errc::kWrongCluster, " is no member of the cluster");
}

void Shard::OnPeerRequest(PeerRequest request, Responder respond) {
  Result<peer::Request> parsed = ParseRequest(request.body);
  if (!parsed) return respond(EncodeFailure(parsed.error()));
  const peer::Key* key = KeyOf(*parsed);
  const peer::TreeId* tree = TreeOf(*parsed);
  if (key == nullptr && tree == nullptr) {
    return ServeMembership(request.from, request.deadline, std::move(*parsed), std::move(respond));
  }
  if (WasTurnedAway(request.from, *parsed, respond)) return;
  Status wanted =
      context_.has_topology() ? CheckPeer(request.from) : Fail(Errc::kUnavailable, "this node is of no cluster yet");
  if (!wanted) return TurnAway(request.from, request.deadline, *parsed, wanted.error(), std::move(respond));
  KeyPtr placed = key == nullptr ? nullptr : Place(FromProto(*key), context_.topology());
  // A tree that is not there is refused wherever it is asked for.
  const PartitionId partition = placed == nullptr ? tree->partition() : placed->partition;
  const ShardIndex owner = context_.ShardOf(partition);
  if (owner == context_.env.link->self()) {
    Serve(request.from, request.deadline, std::move(placed), std::move(*parsed), std::move(respond));
  } else {
    HandOver(owner, request.from, request.deadline, std::move(placed), std::move(*parsed), std::move(respond));
  }
}

void Shard::TurnAway(NodeId from, TimePoint deadline, const peer::Request& request, const Error& why,
                     Responder respond) {
  SharedBytes answer = EncodeFailure(why);
  const RequestLog::RequestId id{from, NumberOf(request)};
  const TimePoint now = context_.Now();
  const TimePoint keep_until = std::max(deadline, now + context_.config->request_memory);
  if (id.second != 0 && turned_away_.Begin(id, now, keep_until, respond) == RequestLog::Admission::kNew) {
    return turned_away_.Finish(id, std::move(answer));
  }
  respond(std::move(answer));
}

bool Shard::WasTurnedAway(NodeId from, const peer::Request& request, const Responder& respond) {
  const uint64_t number = NumberOf(request);
  return number != 0 && turned_away_.Repeat({from, number}, respond);
}

Responder Shard::Relay(Shard* there, TimePoint deadline, Responder respond) {
  // Whatever was never answered is of no use to its caller past its deadline.
  while (!handed_over_.empty() && handed_over_.begin()->second.deadline < context_.Now()) {
    handed_over_.erase(handed_over_.begin());
  }
  const uint64_t id = ++next_handed_over_;
  handed_over_[id] = {deadline, std::move(respond)};
  return [this, there, back = context_.env.link->self(), id](SharedBytes answer) {
    there->context_.env.link->Post(back, [this, id, answer = std::move(answer)] {
      const auto waiting = handed_over_.find(id);
      if (waiting == handed_over_.end()) return;
      const Responder answer_peer = std::move(waiting->second.respond);
      handed_over_.erase(waiting);
      answer_peer(answer);
    });
  };
}

void Shard::HandOver(ShardIndex to, NodeId from, TimePoint deadline, KeyPtr key, peer::Request request,
                     Responder respond) {
  Shard* there = (*shards_)[to].get();
  auto moved = std::make_shared<peer::Request>(std::move(request));
  Responder relay = Relay(there, deadline, std::move(respond));
  context_.env.link->Post(to, [there, from, deadline, key = std::move(key), moved, relay = std::move(relay)]() mutable {
    there->Serve(from, deadline, std::move(key), std::move(*moved), std::move(relay));
  });
}

// Membership lives on shard 0.
void Shard::ServeMembership(NodeId from, TimePoint deadline, peer::Request request, Responder respond) {
  if (context_.env.link->self() == 0) {
    if (reports_.on_membership) return reports_.on_membership(from, request, std::move(respond));
    return respond(EncodeFailure({Errc::kUnavailable, "this node is starting"}));
  }
  Shard* there = shards_->front().get();
  auto moved = std::make_shared<const peer::Request>(std::move(request));
  Responder relay = Relay(there, deadline, std::move(respond));
  context_.env.link->Post(0, [there, from, deadline, moved, relay = std::move(relay)] {
    there->ServeMembership(from, deadline, *moved, relay);
  });
}

void Shard::Serve(NodeId from, TimePoint deadline, KeyPtr key, peer::Request request, Responder respond) {
  if (WasTurnedAway(from, request, respond)) return;
  if (!context_.serving) return TurnAway(from, deadline, request, context_.WhyNotServing(), std::move(respond));
  const uint64_t epoch = EpochOf(request);
  if (epoch != 0 && epoch != context_.epoch() && reports_.on_other_epoch) reports_.on_other_epoch(from);
  switch (request.kind_case()) {
    case peer::Request::kReplicaGet: return ServeGet(key, request.replica_get(), std::move(respond));
    case peer::Request::kReplicaPut:
      context_.env.scope->Spawn(
          PutAndRespond(this, std::move(key), std::move(*request.mutable_replica_put()), std::move(respond)));
      return;
    case peer::Request::kTreeGet:
    case peer::Request::kLeafGet: return anti_entropy_.Serve(from, std::move(request), std::move(respond));
    case peer::Request::kTransferGet:
    case peer::Request::kTransferConfirm:
    case peer::Request::kTransferStatus: return transfer_.Serve(from, std::move(request), std::move(respond));
    case peer::Request::kStrayProof: return strays_.Serve(from, std::move(request), std::move(respond));
    case peer::Request::kReapCheck:
    case peer::Request::kReapRaise:
    case peer::Request::kReapRemove: return reaper_.Serve(from, std::move(request), std::move(respond));
    default: return ServeForwarded(from, deadline, std::move(key), std::move(request), std::move(respond));
  }
}

void Shard::ServeGet(const KeyPtr& key, const peer::ReplicaGet& get, Responder respond) {
  const bool owner = context_.IsOwner(context_.self, *key);
  const ReapGeneration stamp = replica_.generations().Of(key->partition);
  if (get.digest_only()) {
    if (const auto digest = replica_.TryDigest(*key)) return respond(EncodeDigest(*digest, owner, stamp));
  } else if (const auto state = replica_.TryRead(*key)) {
    return respond(EncodeState(*state, false, owner, stamp));
  }
  context_.env.scope->Spawn(ReadAndRespond(this, key, get.digest_only(), owner, std::move(respond)));
}

Async<> Shard::ReadAndRespond(Shard* shard, KeyPtr key, bool digest_only, bool owner, Responder respond) {
  const ReapGeneration stamp = shard->replica_.generations().Of(key->partition);
  const Result<Bytes> state = co_await shard->replica_.Read(std::move(key));
  respond(EncodeState(state, digest_only, owner, stamp));
}

Status Shard::CheckPut(const PlacedKey& key, const peer::ReplicaPut& put) {
  if (context_.config->planted.Has(PlantedBug::kEpochUnchecked)) return {};
  const NodeId hint_for{put.hint_for()};
  if (hint_for && hint_for != context_.self) {
    return context_.departing() ? Fail(Errc::kNotOwner, "this node leaves: it takes no hints") : Status{};
  }
  if (context_.IsOwner(context_.self, key)) return context_.CheckSentToPending(key, put.epoch());
  if (context_.IsPendingOwner(context_.self, key)) return {};
  return Fail(Errc::kNotOwner, "this node owns the key no longer, or not yet");
}

Async<> Shard::PutAndRespond(Shard* shard, KeyPtr key, peer::ReplicaPut put, Responder respond) {
  Status wanted = shard->CheckPut(*key, put);
  if (!wanted) co_return respond(EncodeWrongEpoch(shard->context_.epoch()));
  const NodeId hint_for{put.hint_for()};
  Bytes object = std::move(*put.mutable_object());
  const bool as_owner = !hint_for || hint_for == shard->context_.self;
  const ReapGeneration stamp = put.reap_generation();
  const auto stored = as_owner ? co_await shard->replica_.Merge(key, std::move(object), stamp, put.sync())
                               : co_await shard->replica_.KeepHint(key, hint_for, std::move(object), stamp, put.sync());
  if (!stored && stored.error().code == Errc::kConflict) {
    // It may be adopting the next: who asks again then gets further.
    const ReapGeneration here = shard->replica_.generations().Of(key->partition);
    co_return respond(EncodeStale(key->partition, std::max(here, stamp + 1)));
  }
  // Who owns the key may have changed while this waited: then others may count on
  // this node's having taken nothing more.
  if (stored) wanted = shard->CheckPut(*key, put);
  respond(wanted ? EncodeStored(stored) : EncodeWrongEpoch(shard->context_.epoch()));
}

void Shard::ServeForwarded(NodeId from, TimePoint deadline, KeyPtr key, peer::Request request, Responder respond) {
  // The answer must still be on its way when the forwarder gives up.
  const TimePoint now = context_.Now();
  const Duration margin = std::min(Duration(10'000), (deadline - now) / 10);
  const Origin origin{deadline - margin, /*forwarded=*/true};
  const uint64_t number = NumberOf(request);
  if (number == 0 || context_.config->planted.Has(PlantedBug::kRequestLogOff)) {
    context_.env.scope->Spawn(Coordinate(this, std::move(key), std::move(request), origin, std::move(respond)));
    return;
  }
  const RequestLog::RequestId id{from, number};
  const TimePoint keep_until = std::max(deadline, now + context_.config->request_memory);
  switch (requests_.Begin(id, now, keep_until, respond)) {
    case RequestLog::Admission::kDuplicate: return;
    case RequestLog::Admission::kFull:
      context_.metrics->shed.Add();
      return respond(EncodeFailure({Errc::kOverloaded, "overload: too many forwarded requests to remember"}));
    case RequestLog::Admission::kNew: break;
  }
  context_.env.scope->Spawn(Coordinate(this, std::move(key), std::move(request), origin,
                                       [this, id](SharedBytes answer) { requests_.Finish(id, std::move(answer)); }));
}

Async<> Shard::Coordinate(Shard* shard, KeyPtr key, peer::Request request, Origin origin,
                          std::function<void(SharedBytes)> respond) {
  Coordinator& coordinator = shard->coordinator_;
  if (request.has_forward_get()) {
    Result<GetRequest> get = DecodeForward(request.forward_get());
    if (!get) co_return respond(EncodeFailure(get.error()));
    respond(EncodeForwardReply(co_await coordinator.Get(std::move(key), std::move(*get), origin)));
  } else if (request.has_forward_put()) {
    Result<PutRequest> put = DecodeForward(request.forward_put());
    if (!put) co_return respond(EncodeFailure(put.error()));
    respond(EncodeForwardReply(co_await coordinator.Put(std::move(key), std::move(*put), origin)));
  } else {
    Result<DeleteRequest> remove = DecodeForward(request.forward_delete());
    if (!remove) co_return respond(EncodeFailure(remove.error()));
    respond(EncodeForwardReply(co_await coordinator.Delete(std::move(key), std::move(*remove), origin)));
  }
}

}  // namespace dynamo
