#include "node/service/topology_register.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "node/protocol/messages.h"
#include "node/service/membership_call.h"

namespace dynamo {

TopologyRegister::TopologyRegister(ShardEnv env, RegisterConfig config, const StoredIdentity& identity,
                                   Membership* membership, PlantedBugs planted, std::function<void()> on_rolled_back)
    : env_(env),
      config_(config),
      self_(identity.node),
      membership_(membership),
      voter_(env, config, identity.node, membership, planted, std::move(on_rolled_back)),
      force_(std::move(env), {}, identity.node, membership) {
  last_ballot_.boot = identity.boot_number;
  last_ballot_.node = identity.node;
  if (identity.rolled_back) voter_.Retire();
}

Async<Status> TopologyRegister::Start() {
  Status loaded = co_await voter_.Load();
  if (!loaded) co_return loaded;
  env_.scope->Spawn(voter_.MakeSure());
  env_.scope->Spawn(FinishLoop());
  co_return Status{};
}

void TopologyRegister::OnRequest(NodeId from, const peer::Request& request, Responder respond) {
  const auto topology = this->topology();
  if (topology == nullptr || topology->StandingOf(from) != MemberStanding::kMember) {
    voter_.CountRefused("stranger");
    return respond(EncodeFailure({Errc::kWrongCluster, "node " + ToString(from) + " is no member of the cluster"}));
  }
  if (request.has_prepare_force()) {
    if (Status can = CheckCanPropose(); !can) return respond(EncodeFailure(can.error()));
    return force_.OnPrepare(from, request.prepare_force(), respond);
  }
  if (request.has_voter_check()) return voter_.OnCheck(from, respond);
  auto vote = FromProto(request.vote());
  if (!vote) {
    voter_.CountRefused("malformed");
    return respond(EncodeFailure(vote.error()));
  }
  voter_.OnVote(from, std::move(*vote), std::move(respond));
}

// ---- A change

Async<Result<uint64_t>> TopologyRegister::Change(TopologyChange change) {
  if (changes_in_flight_ >= config_.changes_in_flight_max) {
    co_return Fail(Errc::kOverloaded, "too many changes of the topology are under way here: try again later");
  }
  if (Status can = CheckCanPropose(); !can) co_return Fail(std::move(can.error()));
  ++changes_in_flight_;
  const uint64_t at_ms = env_.clock->WallNow() / 1000;
  if (auto* accepted = std::get_if<AcceptLoss>(&change.what)) accepted->loss.at_ms = at_ms;
  if (auto* forced = std::get_if<ForceTopology>(&change.what)) forced->loss.at_ms = at_ms;
  const bool by_force = std::holds_alternative<ForceTopology>(change.what);
  auto outcome = by_force ? co_await force_.Run(std::move(change)) : co_await RunChange(std::move(change));
  --changes_in_flight_;
  co_return outcome;
}

Status TopologyRegister::CheckCanPropose() const {
  if (!topology()) return Fail(Errc::kUnavailable, "this node is of no cluster yet");
  if (voter_.retired()) {
    return Fail(Errc::kUnavailable, "this node's volume is an older copy of what it had: ask another node");
  }
  return {};
}

Async<Result<uint64_t>> TopologyRegister::RunChange(TopologyChange change) {
  Progress progress;
  progress.deadline = env_.clock->Now() + config_.change_timeout;
  for (;;) {
    if (Status can = CheckCanPropose(); !can) co_return Fail(std::move(can.error()));
    const auto base = topology();
    auto changed = ApplyChange(*base, change);
    // Who has seen a later epoch than this node is asked to wait until it has come here.
    const bool behind = !changed && change.epoch && *change.epoch > base->version.epoch;
    if (!changed && !behind) co_return Fail(std::move(changed.error()));
    if (changed && !changed->next) co_return changed->epoch;
    if (env_.clock->Now() >= progress.deadline) {
      co_return behind ? Fail(std::move(changed.error())) : Fail(WhyNot(progress));
    }
    if (changed) co_await TryDecide(EncodeTopology(*changed->next), base, &progress);
    if (topology() != base) {
      // If this change was not what was decided, it will not come from that attempt.
      progress.may_come = false;
      continue;
    }
    const Duration delay = RetryDelay(++progress.attempts, config_.retry_min, config_.retry_max, env_.random->rng());
    co_await SleepUntil(*env_.scope, *env_.clock, std::min(progress.deadline, env_.clock->Now() + delay));
  }
}

Error TopologyRegister::WhyNot(const Progress& progress) {
  std::string why = fmt::format("change of the topology: {} of {} voters answered, and {} have to agree",
                                progress.answered, progress.voters, progress.voters / 2 + 1);
  if (progress.may_come) {
    return {Errc::kTimeout, why + "; the change may still come: ask again with the same operation id"};
  }
  return {Errc::kQuorumUnmet, why + "; nothing was changed. Reads and writes go on"};
}

// ---- One attempt

Ballot TopologyRegister::NextBallot(const TopologyVersion& decision) {
  if (decision != decision_) {
    // Ballots of different decisions never meet.
    decision_ = decision;
    last_ballot_.round = 0;
    highest_ = voter_.state().decision == decision ? voter_.state().promised : Ballot{};
  }
  return last_ballot_ = Outbid(last_ballot_, highest_);
}

Async<> TopologyRegister::TryDecide(Bytes proposal, std::shared_ptr<const Topology> base, Progress* progress) {
  const TopologyVersion decision = NextDecision(base->version);
  const auto attempt = std::make_shared<Attempt>(*env_.scope, base, NextBallot(decision), std::move(proposal));
  const auto patience = [&] { return std::min(progress->deadline, env_.clock->Now() + config_.call_timeout); };
  co_await AskVoters(attempt, Phase::kPreparing, patience());
  if (attempt->proposer.phase() == Phase::kAccepting) co_await AskVoters(attempt, Phase::kAccepting, patience());

  const Proposer& proposer = attempt->proposer;
  progress->answered = std::max(progress->answered, proposer.answered());
  progress->voters = base->voters.size();
  progress->may_come = progress->may_come || (proposer.asked_to_accept() && proposer.is_own());
  if (decision == decision_) highest_ = std::max(highest_, proposer.highest());
  const bool chosen = proposer.phase() == Phase::kChosen;
  if (!chosen && proposer.phase() != Phase::kDecided) co_return;
  auto decided = DecodeTopology(chosen ? proposer.value() : attempt->decided);
  if (!decided) co_return;
  if (chosen) env_.log.Info("topology_decided epoch={} own={}", decision.epoch, proposer.is_own());
  co_await Adopt(std::make_shared<const Topology>(std::move(*decided)), progress->deadline);
}

// Ends with the phase, not with the last answer.
Async<> TopologyRegister::AskVoters(AttemptPtr attempt, Phase phase, TimePoint deadline) {
  for (NodeId voter : attempt->base->voters) env_.scope->Spawn(AskVoter(attempt, voter, phase, deadline));
  Event& end = phase == Phase::kPreparing ? attempt->prepared : attempt->ended;
  co_await WaitUntil(end, *env_.clock, deadline);
}

Async<> TopologyRegister::AskVoter(AttemptPtr attempt, NodeId voter, Phase phase, TimePoint deadline) {
  Proposer& proposer = attempt->proposer;
  VoteRequest request{NextDecision(attempt->base->version), proposer.ballot(), {}};
  if (phase == Phase::kAccepting) request.topology = proposer.value();
  auto answer = co_await AskOnce(voter, request, deadline);
  if (answer && answer->kind == VoterAnswer::Kind::kBehind && voter != self_) {
    peer::Request offer;
    offer.mutable_offer_topology()->set_topology(EncodeTopology(*attempt->base));
    if (co_await Ask(env_, voter, EncodeRequest(offer), deadline)) {
      answer = co_await AskOnce(voter, std::move(request), deadline);
    }
  }
  if (!answer) {
    proposer.OnFailure(voter, phase);
  } else {
    if (answer->kind == VoterAnswer::Kind::kDecided) attempt->decided = answer->value;
    proposer.OnAnswer(voter, phase, *answer);
  }
  size_t& missing = phase == Phase::kPreparing ? attempt->to_prepare : attempt->to_accept;
  --missing;
  // Too few: the rest is waited for, so that the answer can say how many there were.
  if (proposer.phase() == Phase::kUnreachable && missing > 0) co_return;
  if (proposer.phase() != Phase::kPreparing) attempt->prepared.Set();
  if (proposer.phase() != Phase::kPreparing && proposer.phase() != Phase::kAccepting) attempt->ended.Set();
}

Async<Result<VoterAnswer>> TopologyRegister::AskOnce(NodeId voter, VoteRequest request, TimePoint deadline) {
  Result<peer::Response> response = Fail(Errc::kTimeout, "no answer");
  if (voter == self_) {
    const auto answer = std::make_shared<SharedBytes>();
    const auto answered = std::make_shared<Event>(*env_.scope);
    voter_.OnVote(self_, std::move(request), [answer, answered](SharedBytes bytes) {
      *answer = std::move(bytes);
      answered->Set();
    });
    if (co_await WaitUntil(*answered, *env_.clock, deadline)) response = ParseResponse(**answer);
  } else {
    response = co_await Ask(env_, voter, EncodeRequest(ToProto(request)), deadline);
  }
  if (!response) co_return Fail(std::move(response.error()));
  if (!response->has_voter_reply()) co_return Fail(Errc::kCorrupt, "a voter answers something else");
  co_return FromProto(response->voter_reply());
}

// What gossip brings meanwhile is as good.
Async<> TopologyRegister::Adopt(std::shared_ptr<const Topology> decided, TimePoint deadline) {
  while (topology()->version < decided->version) {
    const Status adopted = co_await membership_->Adopt(decided);
    if (adopted || adopted.error().code != Errc::kUnavailable || env_.clock->Now() >= deadline) co_return;
    co_await SleepUntil(*env_.scope, *env_.clock, env_.clock->Now() + config_.retry_min);
  }
}

// ---- Decisions whose proposer is gone

// A change that was acknowledged must come about though its proposer's disk is lost
// with it: a voter that has accepted what nobody announces asks for the outcome.
Async<> TopologyRegister::FinishLoop() {
  for (;;) {
    const TopologyVersion before = voter_.state().decision;
    const int64_t mean = config_.finish_after.count();
    const Duration wait(env_.random->rng().Between(mean / 2, mean + mean / 2));
    co_await SleepUntil(*env_.scope, *env_.clock, env_.clock->Now() + wait);
    const auto base = topology();
    const AcceptorState& state = voter_.state();
    const bool left = base && state.accepted && state.decision == NextDecision(base->version);
    if (!left || state.decision != before || voter_.retired()) continue;
    Progress progress;
    progress.deadline = env_.clock->Now() + config_.change_timeout;
    co_await TryDecide(state.value, base, &progress);
  }
}

}  // namespace dynamo
