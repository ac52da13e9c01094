#include "node/service/register_voter.h"

#include <algorithm>
#include <utility>

#include "node/protocol/messages.h"
#include "node/service/membership_call.h"
#include "node/service/membership_volume.h"

namespace dynamo {
namespace {

constexpr char kRegisterKey[] = "register";

}  // namespace

RegisterVoter::RegisterVoter(ShardEnv env, RegisterConfig config, NodeId self, Membership* membership,
                             PlantedBugs planted, std::function<void()> on_rolled_back)
    : env_(std::move(env)),
      config_(config),
      self_(self),
      membership_(membership),
      planted_(planted),
      on_rolled_back_(std::move(on_rolled_back)) {}

Async<Status> RegisterVoter::Load() {
  const auto stored = co_await env_.storage->Get(ColumnFamily::kMeta, kRegisterKey);
  if (!stored) co_return Fail(stored.error());
  if (!*stored) co_return Status{};
  auto decoded = DecodeAcceptorState(**stored);
  if (!decoded) co_return Fail(std::move(decoded.error()));
  state_ = std::move(*decoded);
  co_return Status{};
}

bool RegisterVoter::IsVoter(const Topology& topology, NodeId node) {
  return std::ranges::binary_search(topology.voters, node);
}

void RegisterVoter::CountRefused(const char* reason) const {
  env_.metrics
      ->counter("dynamo_register_refused_total", "Votes on the next topology that were refused", {{"reason", reason}})
      .Add();
}

// ---- Whether the volume is what it was

Async<> RegisterVoter::MakeSure() {
  while (!sure_ && !retired_) {
    const auto topology = this->topology();
    if (topology && IsVoter(*topology, self_)) {
      // One of the majority is this node itself.
      if (confirmed_by_.size() >= topology->voters.size() / 2) {
        sure_ = true;
        co_return;
      }
      for (NodeId voter : topology->voters) {
        if (voter != self_ && !confirmed_by_.contains(voter)) env_.scope->Spawn(AskMemory(voter));
      }
    }
    co_await SleepUntil(*env_.scope, *env_.clock, env_.clock->Now() + config_.check_interval);
  }
}

Async<> RegisterVoter::AskMemory(NodeId voter) {
  peer::Request request;
  request.mutable_voter_check();
  const TimePoint deadline = env_.clock->Now() + config_.check_interval;
  const auto answer = co_await Ask(env_, voter, EncodeRequest(request), deadline);
  if (!answer || !answer->has_voter_memory()) co_return;
  const uint64_t own = membership_->view()->nodes.at(self_).incarnation;
  if (answer->voter_memory().incarnation() > own) {
    env_.log.Error("volume_rolled_back incarnation={:x} voter_remembers={:x}", own,
                   answer->voter_memory().incarnation());
    on_rolled_back_();
  } else {
    confirmed_by_.insert(voter);
  }
}

void RegisterVoter::OnCheck(NodeId from, const Responder& respond) const {
  peer::Response response;
  response.mutable_voter_memory();
  const auto& nodes = membership_->view()->nodes;
  const auto known = nodes.find(from);
  if (known != nodes.end()) response.mutable_voter_memory()->set_incarnation(known->second.incarnation);
  respond(EncodeResponse(response));
}

// ---- Votes

void RegisterVoter::OnVote(NodeId from, VoteRequest request, Responder respond) {
  if (waiting_.size() >= config_.votes_waiting_max) {
    CountRefused("overload");
    return respond(EncodeFailure({Errc::kOverloaded, "too many votes wait at node " + ToString(self_)}));
  }
  if (request.ballot.node != from) {
    CountRefused("malformed");
    return respond(EncodeFailure({Errc::kInvalidArgument, "a vote asked for in another node's name"}));
  }
  waiting_.push_back({std::move(request), std::move(respond)});
  if (!std::exchange(draining_, true)) env_.scope->Spawn(Drain());
}

Async<> RegisterVoter::Drain() {
  while (!waiting_.empty()) {
    Waiting next = std::move(waiting_.front());
    waiting_.pop_front();
    co_await Vote(std::move(next));
  }
  draining_ = false;
}

Status RegisterVoter::CheckVote(const Topology* topology, const VoteRequest& request) const {
  const auto refuse = [this](Errc code, const char* reason, std::string why) -> Status {
    CountRefused(reason);
    return Fail(code, "node " + ToString(self_) + " does not vote: " + why);
  };
  if (topology == nullptr) return refuse(Errc::kUnavailable, "no_cluster", "it is of no cluster");
  if (retired_) return refuse(Errc::kUnavailable, "rolled_back", "its volume is an old copy");
  const bool takes_part = request.decision == NextDecision(topology->version);
  if (takes_part && !IsVoter(*topology, self_)) {
    return refuse(Errc::kInvalidArgument, "no_voter", "the topology does not name it as a voter");
  }
  if (takes_part && !sure_) return refuse(Errc::kUnavailable, "not_sure", "it asks what others remember of its volume");
  if (!takes_part || request.topology.empty()) return {};
  const auto proposal = DecodeProposal(request.topology, *topology, request.decision);
  return proposal ? Status{} : refuse(Errc::kInvalidArgument, "malformed", proposal.error().message);
}

Async<> RegisterVoter::Vote(Waiting vote) {
  const auto topology = this->topology();
  if (Status fit = CheckVote(topology.get(), vote.request); !fit) {
    vote.respond(EncodeFailure(fit.error()));
    co_return;
  }
  const VoteRequest& request = vote.request;
  VoterStep step = request.topology.empty()
                       ? OnPrepare(state_, topology->version, request.decision, request.ballot)
                       : OnAccept(state_, topology->version, request.decision, request.ballot, request.topology);
  if (step.answer.kind == VoterAnswer::Kind::kDecided) step.answer.value = EncodeTopology(*topology);
  const bool early = planted_.Has(PlantedBug::kVoterAnswersBeforeSync);
  if (early) vote.respond(EncodeResponse(ToProto(step.answer)));
  Status stored;
  if (step.next) stored = co_await Store(std::move(*step.next));
  if (early) co_return;
  vote.respond(stored ? EncodeResponse(ToProto(step.answer)) : EncodeFailure(stored.error()));
}

// What may be on the disk after an error promises more than the state here: harmless.
Async<Status> RegisterVoter::Store(AcceptorState next) {
  Status stored = co_await StoreMeta(env_, kRegisterKey, EncodeAcceptorState(next));
  if (!stored) {
    failures_.Failed(env_.log, env_.clock->Now(), "error=" + stored.error().message);
    co_return stored;
  }
  failures_.Worked(env_.log);
  state_ = std::move(next);
  co_return Status{};
}

}  // namespace dynamo
