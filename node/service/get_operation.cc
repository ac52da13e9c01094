#include "node/service/get_operation.h"

#include <algorithm>
#include <utility>

#include "node/core/version/object.h"
#include "node/service/quorum_errors.h"
#include "node/service/read_repair.h"

namespace dynamo {
namespace {

Result<ReplicaAnswer> AnswerOf(NodeId node, bool primary, bool whole, peer::Response& response) {
  if (!response.has_replica_state()) return Fail(Errc::kInternal, "a replica gave another answer than its state");
  peer::ReplicaState& state = *response.mutable_replica_state();
  ReplicaAnswer answer{node, primary, state.authoritative(), {}, {}};
  if (whole) {
    answer.digest = DigestOf(state.object());
    answer.object = std::move(*state.mutable_object());
  } else if (!state.digest().empty()) {
    ByteReader in(state.digest());
    answer.digest = in.Hash();
    if (!in.at_end()) return Fail(Errc::kCorrupt, "a replica's digest is malformed");
  }
  return answer;
}

Async<> LearnStamp(ReapGenerations* generations, PartitionId partition, ReapGeneration stamp) {
  static_cast<void>(co_await generations->Raise(partition, stamp));
}

}  // namespace

GetOperation::GetOperation(DataPath parts, GetPlan plan)
    : parts_(parts),
      plan_(std::move(plan)),
      reconciler_(plan_.quorum, plan_.notfound_ok, plan_.basic_quorum),
      decided_(*parts.shard->env.scope) {}

void GetOperation::Start() {
  stamp_ = parts_.replica->generations().Of(plan_.key->partition);
  std::vector<NodeId> owners;
  for (const ReplicaTarget& target : plan_.roles.plan.targets) {
    asked_[target.node].stands_in_for = target.stands_in_for;
    reconciler_.OnAsked(target.node, !target.stands_in_for);
    if (!target.stands_in_for) owners.push_back(target.node);
  }
  if (plan_.roles.plan.spare.empty()) reconciler_.NoMoreNodes();
  const NodeId self = parts_.shard->self;
  // A stand-in has hints at most: the whole object comes from an owner.
  const bool own = plan_.roles.self && !plan_.roles.self_for;
  const NodeId data_node = own || owners.empty() ? self : parts_.peers->latency().Fastest(owners);
  for (const ReplicaTarget& target : plan_.roles.plan.targets) {
    if (target.node != self) AskReplica(target.node, target.node == data_node ? Ask::kWhole : Ask::kDigest);
  }
  if (plan_.roles.self) AskSelf();
  Advance();
  if (!decided_.is_set() && !asked_[data_node].answered) ArmHedge(data_node);
}

void GetOperation::AskReplica(NodeId node, Ask ask) {
  SharedBytes& body = ask == Ask::kDigest ? digest_body_ : whole_body_;
  if (body == nullptr) body = ReplicaGetBody(*parts_.shard, *plan_.key, ask == Ask::kDigest);
  ++asked_[node].outstanding;
  ++outstanding_;
  parts_.peers->Call(node, body, std::min(plan_.deadline, parts_.shard->ReplicaDeadline()),
                     [op = shared_from_this(), node, ask](Result<peer::Response> response) {
                       op->OnReply(node, ask, std::move(response));
                     });
}

void GetOperation::AskSelf() {
  const NodeId self = parts_.shard->self;
  ++asked_[self].outstanding;
  ++outstanding_;
  auto known = parts_.replica->TryRead(*plan_.key);
  if (!known) {
    parts_.shard->env.scope->Spawn(ReadSelf(shared_from_this()));
    return;
  }
  --asked_[self].outstanding;
  --outstanding_;
  if (!*known) return OnFailure(self, Ask::kWhole);
  OnAnswer(self, true, {self, IsPrimary(self), IsPrimary(self), DigestOf(**known), std::move(**known)});
}

Async<> GetOperation::ReadSelf(std::shared_ptr<GetOperation> op) {
  Result<Bytes> state = co_await op->parts_.replica->Read(op->plan_.key);
  const NodeId self = op->parts_.shard->self;
  --op->asked_[self].outstanding;
  --op->outstanding_;
  if (state) {
    const bool primary = op->IsPrimary(self);
    op->OnAnswer(self, true, {self, primary, primary, DigestOf(*state), std::move(*state)});
  } else {
    op->OnFailure(self, Ask::kWhole);
  }
  op->Advance();
}

void GetOperation::OnReply(NodeId node, Ask ask, Result<peer::Response> response) {
  --asked_[node].outstanding;
  --outstanding_;
  const bool whole = ask != Ask::kDigest;
  auto answer = response ? AnswerOf(node, IsPrimary(node), whole, *response)
                         : Result<ReplicaAnswer>(Fail(std::move(response.error())));
  if (response && response->has_replica_state()) {
    const ReapGeneration stamp = response->replica_state().reap_generation();
    if (IsOfOldDisk(response->replica_state())) answer = Fail(Errc::kUnavailable, "a replica's disk is an old copy");
    if (answer && whole) stamp_ = std::min(stamp_, stamp);
    // It may be this node's own that is old: then that is found out now.
    ReapGenerations& generations = parts_.replica->generations();
    if (stamp > generations.Of(plan_.key->partition)) {
      parts_.shard->env.scope->Spawn(LearnStamp(&generations, plan_.key->partition, stamp));
    }
  }
  if (answer && parts_.shard->config->planted.Has(PlantedBug::kFallbackAnswersNotFound)) {
    answer->primary = answer->authoritative = true;
  }
  if (answer) {
    OnAnswer(node, whole, std::move(*answer));
  } else {
    OnFailure(node, ask);
  }
  Advance();
}

bool GetOperation::IsOfOldDisk(const peer::ReplicaState& state) const {
  const ReapGeneration here = parts_.replica->generations().Of(plan_.key->partition);
  return state.reap_generation() < here &&
         StandingOf(here, state.reap_generation()) == GenerationStanding::kOneIsOldDisk;
}

void GetOperation::OnAnswer(NodeId node, bool whole, ReplicaAnswer answer) {
  Asked& asked = asked_[node];
  // A digest that arrives after the whole object says nothing new.
  if (asked.whole && !whole) return;
  const bool ignore = !whole && parts_.shard->config->planted.Has(PlantedBug::kDigestMismatchIgnored);
  if (ignore && !reconciler_.joined().empty()) answer.digest = DigestOf(reconciler_.joined());
  const Status taken = reconciler_.OnAnswer(std::move(answer));
  if (!taken) {
    if (taken.error().code == Errc::kCorrupt) parts_.shard->metrics->corrupt.Add();
    return OnFailure(node, Ask::kFetch);
  }
  if (!asked.answered && !decided_.is_set()) took_part_.push_back(node);
  asked.answered = true;
  asked.whole = asked.whole || whole;
}

void GetOperation::OnFailure(NodeId node, Ask ask) {
  const Asked& asked = asked_[node];
  // Another request to the same node may still succeed, or its digest stands.
  if (asked.outstanding > 0 || (asked.answered && ask != Ask::kFetch)) return;
  reconciler_.OnFailed(node);
  std::vector<NodeId>& spare = plan_.roles.plan.spare;
  if (spare.empty() || decided_.is_set() || parts_.shard->Now() >= plan_.deadline) return;
  const NodeId next = spare.front();
  spare.erase(spare.begin());
  asked_[next].stands_in_for = IsPrimary(node) ? node : asked_[node].stands_in_for;
  reconciler_.OnAsked(next, false);
  if (spare.empty()) reconciler_.NoMoreNodes();
  AskReplica(next, Ask::kWhole);
}

void GetOperation::Advance() {
  for (const NodeId node : reconciler_.TakeNodesToFetch()) {
    if (node == parts_.shard->self) continue;  // Always gives the whole object.
    AskReplica(node, Ask::kFetch);
  }
  if (!decided_.is_set() && reconciler_.verdict() != Verdict::kPending) {
    parts_.shard->env.clock->Cancel(std::exchange(hedge_, 0));
    decided_.Set();
  }
  if (outstanding_ == 0 && decided_.is_set()) Repair();
}

void GetOperation::ArmHedge(NodeId data_node) {
  const Duration after = std::max(parts_.shard->config->hedge_after_min, parts_.peers->latency().P95(data_node));
  hedge_ = parts_.shard->env.clock->At(parts_.shard->Now() + after,
                                       [op = shared_from_this(), data_node] { op->Hedge(data_node); });
}

void GetOperation::Hedge(NodeId data_node) {
  hedge_ = 0;
  if (decided_.is_set() || asked_[data_node].answered) return;
  std::vector<NodeId> others;
  for (const auto& [node, asked] : asked_) {
    if (node != data_node && node != parts_.shard->self && !asked.stands_in_for && !asked.whole) others.push_back(node);
  }
  const NodeId second = parts_.peers->latency().Fastest(others);
  if (!second) return;
  parts_.shard->metrics->hedged_reads.Add();
  AskReplica(second, Ask::kHedge);
}

// Everyone has answered or was given up: whoever is behind gets the join.
void GetOperation::Repair() {
  std::vector<ReplicaTarget> behind;
  for (const NodeId node : reconciler_.Behind()) behind.push_back({node, asked_[node].stands_in_for});
  if (!behind.empty()) {
    RepairReplicas(parts_, plan_.key, {reconciler_.joined(), stamp_}, std::move(behind));
  }
}

Result<GetReply> GetOperation::Reply() {
  parts_.shard->env.clock->Cancel(std::exchange(hedge_, 0));
  if (!decided_.is_set()) {
    // The deadline came first; late answers are still read, and repaired.
    reconciler_.GiveUp();
    decided_.Set();
  }
  if (parts_.shard->rolled_back) return Fail(parts_.shard->WhyNotServing());
  if (reconciler_.verdict() != Verdict::kMet) {
    const bool late = parts_.shard->Now() >= plan_.deadline;
    return Fail((late ? QuorumTimeout : QuorumUnmet)(reconciler_.shortfall(), plan_.key->key, Effect::kNone));
  }
  GetReply reply;
  if (!reconciler_.joined().empty()) {
    Result<Object> object = DecodeObject(reconciler_.joined());
    if (!object) return Fail(std::move(object.error()));
    reply.object = std::move(*object);
  } else if (const BucketType* type = parts_.shard->TypeOf(plan_.key->key)) {
    reply.object.policy = type->policy;
  }
  reply.participants = {parts_.shard->self, took_part_};
  return reply;
}

}  // namespace dynamo
