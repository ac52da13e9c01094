// Which topology this node holds: loaded at the start, adopted when a newer one of
// its cluster is heard of, on stable storage before anything acts on it.
#include <utility>

#include "node/protocol/messages.h"
#include "node/service/membership_state.h"

namespace dynamo {
namespace {

// Every step is an administrator's word: a jump beyond these is a forgery or a bug.
constexpr uint64_t kGenerationJumpMax = 1u << 10;
constexpr uint64_t kEpochJumpMax = 1u << 20;

bool JumpsTooFar(const TopologyVersion& from, const TopologyVersion& to) {
  return to.generation - from.generation > kGenerationJumpMax ||
         (to.epoch > from.epoch && to.epoch - from.epoch > kEpochJumpMax);
}

}  // namespace

Async<Status> Membership::State::Start() {
  auto empty = co_await IsEmptyVolume(env);
  if (!empty) co_return Fail(std::move(empty.error()));
  auto stored = co_await LoadTopology(env);
  if (!stored) co_return Fail(std::move(stored.error()));
  if (*stored && (*stored)->StandingOf(self_id()) != MemberStanding::kMember) {
    co_return Fail(Errc::kWrongCluster, "node " + ToString(self_id()) + " is no member of cluster " +
                                            ToString((*stored)->cluster) +
                                            ", or was removed from it: empty its volume to start it as a new node");
  }
  volume_was_empty = *empty;
  remembered = co_await LoadPeerAddresses(env);
  rumours.Add(table.self());
  if (*stored) {
    Install(std::move(*stored));
  } else {
    for (const auto& subscriber : subscribers) subscriber(view);
  }
  env.scope->Spawn(SeedLoop());
  env.scope->Spawn(GossipLoop());
  env.scope->Spawn(ProbeLoop());
  co_return Status();
}

Status Membership::State::CheckAcceptable(const Topology& candidate) const {
  if (!topology) {
    if (!volume_was_empty) return Fail(Errc::kWrongCluster, "this volume holds data but no topology");
    if (candidate.StandingOf(self_id()) != MemberStanding::kMember)
      return Fail(Errc::kWrongCluster, "the topology does not name this node");
    return {};
  }
  if (candidate.cluster != topology->cluster) {
    return Fail(Errc::kWrongCluster, "this node is of cluster " + ToString(topology->cluster));
  }
  if (candidate.version <= topology->version) return Fail(Errc::kAlreadyExists, "the topology here is as new");
  const bool same_ring = candidate.partitions == topology->partitions && candidate.ring_seed == topology->ring_seed;
  if (!same_ring || JumpsTooFar(topology->version, candidate.version)) {
    return Fail(Errc::kInvalidArgument, "the topology cannot follow from the one here");
  }
  return {};
}

Async<Status> Membership::State::Adopt(TopologyPtr candidate) {
  Status acceptable = CheckAcceptable(*candidate);
  if (!acceptable) {
    if (acceptable.error().code != Errc::kAlreadyExists) CountDropped("topology");
    co_return acceptable;
  }
  if (storing_topology) co_return Fail(Errc::kUnavailable, "another topology is being stored: try again");
  // Until it is cleared nothing else changes `topology`.
  storing_topology = true;
  // Under the same sync: a node that crashes now still knows whom to tell.
  co_await StoreAddresses();
  Status stored = co_await StoreTopology(env, candidate);
  storing_topology = false;
  if (!stored) {
    // It comes with each gossip until it is stored.
    topology_failures.Failed(env.log, env.clock->Now(), "error=" + stored.error().message);
    co_return stored;
  }
  topology_failures.Worked(env.log);
  Install(std::move(candidate));
  co_return Status();
}

Async<Status> Membership::State::AdoptEncoded(Bytes encoded) {
  auto decoded = DecodeTopology(encoded);
  if (!decoded) {
    CountDropped("malformed");
    co_return Fail(std::move(decoded.error()));
  }
  co_return co_await Adopt(std::make_shared<const Topology>(std::move(*decoded)));
}

void Membership::State::Install(TopologyPtr adopted) {
  topology = std::move(adopted);
  reservation.reset();
  env.transport->SetCluster(topology->cluster);
  table.SetTopology(topology->version);
  rumours.Add(table.self());
  for (const Member& member : topology->members) {
    if (StandingOf(member.id) == MemberStanding::kRemoved) table.Forget(member.id);
  }
  env.metrics->gauge("dynamo_topology_epoch", "Epoch of the topology this node holds")
      .Set(static_cast<int64_t>(topology->version.epoch));
  env.log.Info("topology cluster={} generation={} epoch={} members={} partitions={}", ToString(topology->cluster),
               topology->version.generation, topology->version.epoch, topology->members.size(), topology->partitions);
  Refresh();
}

Async<> Membership::State::HandleOffer(Bytes encoded, Responder respond) {
  const Status adopted = co_await AdoptEncoded(std::move(encoded));
  if (!adopted && adopted.error().code != Errc::kAlreadyExists) {
    respond(EncodeFailure(adopted.error()));
    co_return;
  }
  peer::Response response;
  response.mutable_done();
  respond(EncodeResponse(response));
}

}  // namespace dynamo
