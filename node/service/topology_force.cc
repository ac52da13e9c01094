#include "node/service/topology_force.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "node/protocol/messages.h"
#include "node/service/membership_call.h"

namespace dynamo {

// What the survivors say; one event waits for the last.
struct TopologyForce::Survey {
  Survey(Scope& scope, size_t nodes) : done(scope), outstanding(nodes) {}
  Event done;
  size_t outstanding;
  std::shared_ptr<const Topology> newest;
  std::vector<std::string> refused;
};

TopologyForce::TopologyForce(ShardEnv env, ForceConfig config, NodeId self, Membership* membership)
    : env_(std::move(env)), config_(config), self_(self), membership_(membership) {}

Status TopologyForce::Reserve(const std::string& operation_id) {
  const TimePoint now = env_.clock->Now();
  const bool taken = reserved_for_ != operation_id && (running_ || now < reserved_until_);
  if (taken) {
    return Fail(
        Errc::kUnavailable,
        fmt::format("node {} is reserved for operation '{}', which forces a topology, too: wait for its outcome",
                    ToString(self_), reserved_for_));
  }
  reserved_for_ = operation_id;
  reserved_until_ = now + config_.reservation;
  return {};
}

void TopologyForce::OnPrepare(NodeId from, const peer::PrepareForce& request, const Responder& respond) {
  const auto here = topology();
  Status reserved = here ? Reserve(request.operation_id()) : Fail(Errc::kUnavailable, "of no cluster yet");
  if (!reserved) return respond(EncodeFailure(reserved.error()));
  env_.log.Warn("reserved_to_force_topology operation={} by={}", request.operation_id(), ToString(from));
  peer::Response response;
  response.mutable_force_prepared()->set_topology(EncodeTopology(*here));
  respond(EncodeResponse(response));
}

Async<Result<uint64_t>> TopologyForce::Run(TopologyChange change) {
  if (topology() == nullptr) co_return Fail(Errc::kUnavailable, "this node is of no cluster yet");
  auto possible = ApplyChange(*topology(), change);
  if (!possible) co_return Fail(std::move(possible.error()));
  if (!possible->next) co_return possible->epoch;
  if (running_) co_return Fail(Errc::kUnavailable, "this node is forcing a topology already: wait for its outcome");
  if (Status free = Reserve(change.operation_id); !free) co_return Fail(std::move(free.error()));
  running_ = true;
  auto outcome = co_await RunReserved(std::move(change), env_.clock->Now() + config_.timeout);
  running_ = false;
  reserved_until_ = env_.clock->Now();
  co_return outcome;
}

Status TopologyForce::CheckLostAreAway(const ForceTopology& change) const {
  const ClusterViewPtr view = membership_->view();
  for (const NodeId node : change.loss.nodes) {
    if (node != self_ && !view->IsUp(node)) continue;
    return Fail(Errc::kConflict, fmt::format("member {} is alive, as this node sees it: its disk is not lost; or it "
                                             "has stopped just now: ask again in some seconds",
                                             ToString(node)));
  }
  return {};
}

std::vector<NodeId> TopologyForce::Survivors(const ForceTopology& change) const {
  std::vector<NodeId> survivors;
  for (const Member& member : topology()->members) {
    const bool lost = std::ranges::find(change.loss.nodes, member.id) != change.loss.nodes.end();
    const bool takes_part = topology()->StandingOf(member.id) == MemberStanding::kMember;
    if (!lost && takes_part && member.id != self_) survivors.push_back(member.id);
  }
  return survivors;
}

Async<Result<uint64_t>> TopologyForce::RunReserved(TopologyChange change, TimePoint deadline) {
  const ForceTopology what = std::get<ForceTopology>(change.what);
  if (Status away = CheckLostAreAway(what); !away) co_return Fail(std::move(away.error()));
  if (Status gathered = co_await Gather(Survivors(what), change.operation_id, deadline); !gathered) {
    co_return Fail(std::move(gathered.error()));
  }
  const auto base = topology();
  auto changed = ApplyChange(*base, change);
  if (!changed) co_return Fail(std::move(changed.error()));
  if (!changed->next) co_return changed->epoch;
  if (Status away = CheckLostAreAway(what); !away) co_return Fail(std::move(away.error()));
  // The survivors' reservations outlast the deadline: before it nobody else has them.
  if (env_.clock->Now() >= deadline) co_return Fail(Errc::kTimeout, "took too long, nothing was changed: ask again");
  const auto next = std::make_shared<const Topology>(std::move(*changed->next));
  if (Status adopted = co_await Adopt(next, deadline); !adopted) co_return Fail(std::move(adopted.error()));
  env_.log.Warn("topology_forced operation={} generation={} epoch={} lost={}", change.operation_id,
                next->version.generation, next->version.epoch, what.loss.nodes.size());
  peer::Request offer;
  offer.mutable_offer_topology()->set_topology(EncodeTopology(*next));
  const SharedBytes body = EncodeRequest(offer);
  for (const NodeId node : Survivors(what)) env_.scope->Spawn(Offer(this, node, body));
  co_return changed->epoch;
}

Async<Status> TopologyForce::Gather(std::vector<NodeId> survivors, std::string operation_id, TimePoint deadline) {
  if (survivors.empty()) co_return Status{};
  peer::Request request;
  request.mutable_prepare_force()->set_operation_id(operation_id);
  const auto survey = std::make_shared<Survey>(*env_.scope, survivors.size());
  const SharedBytes body = EncodeRequest(request);
  const TimePoint patience = std::min(deadline, env_.clock->Now() + config_.ask_timeout);
  for (const NodeId node : survivors) env_.scope->Spawn(AskSurvivor(node, body, patience, survey));
  co_await survey->done.Wait();
  if (!survey->refused.empty()) {
    std::ranges::sort(survey->refused);
    co_return Fail(Errc::kUnavailable,
                   fmt::format("every member that is not declared lost has to agree: {}. Bring them back, or declare "
                               "them lost, too. Nothing was changed",
                               fmt::join(survey->refused, "; ")));
  }
  if (survey->newest == nullptr || survey->newest->version <= topology()->version) co_return Status{};
  co_return co_await Adopt(survey->newest, deadline);
}

Async<> TopologyForce::AskSurvivor(NodeId node, SharedBytes body, TimePoint deadline, std::shared_ptr<Survey> survey) {
  auto answer = co_await Ask(env_, node, std::move(body), deadline);
  Result<Topology> theirs = Fail(Errc::kCorrupt, "it answers something else");
  if (!answer) {
    theirs = Fail(std::move(answer.error()));
  } else if (answer->has_force_prepared()) {
    theirs = DecodeTopology(answer->force_prepared().topology());
  }
  if (!theirs) {
    survey->refused.push_back(fmt::format("node {} ({})", ToString(node), theirs.error().message));
  } else if (survey->newest == nullptr || survey->newest->version < theirs->version) {
    survey->newest = std::make_shared<const Topology>(std::move(*theirs));
  }
  if (--survey->outstanding == 0) survey->done.Set();
}

// What gossip brings meanwhile is as good, if it is no older.
Async<Status> TopologyForce::Adopt(std::shared_ptr<const Topology> next, TimePoint deadline) {
  constexpr Duration kRetry{20'000};
  for (;;) {
    Status adopted = co_await membership_->Adopt(next);
    if (adopted) co_return adopted;
    if (*topology() == *next) co_return Status{};
    const bool again = adopted.error().code == Errc::kUnavailable && env_.clock->Now() < deadline;
    if (!again) co_return adopted;
    co_await SleepUntil(*env_.scope, *env_.clock, env_.clock->Now() + kRetry);
  }
}

Async<> TopologyForce::Offer(TopologyForce* self, NodeId node, SharedBytes body) {
  const auto taken =
      co_await Ask(self->env_, node, std::move(body), self->env_.clock->Now() + self->config_.ask_timeout);
  if (!taken) self->env_.log.Warn("forced_topology_not_taken node={} error={}", ToString(node), taken.error().message);
}

}  // namespace dynamo
