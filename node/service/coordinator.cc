#include "node/service/coordinator.h"

#include <algorithm>
#include <utility>

#include "node/service/condition.h"
#include "node/service/forward_codec.h"
#include "node/service/quorum_errors.h"

namespace dynamo {

class Coordinator::Place {
 public:
  explicit Place(Coordinator* coordinator) : coordinator_(coordinator) { ++coordinator_->in_flight_; }
  ~Place() { --coordinator_->in_flight_; }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

  Status Check() const {
    const ShardContext& shard = *coordinator_->parts_.shard;
    if (!shard.serving) return Fail(shard.WhyNotServing());
    if (coordinator_->in_flight_ <= shard.config->requests_in_flight_max) return {};
    shard.metrics->shed.Add();
    return Fail(Errc::kOverloaded, "overload: too many requests in flight; try again later");
  }

 private:
  Coordinator* coordinator_;
};

namespace {

template <class R>
void Count(const ShardContext& shard, Operation operation, const R& result, TimePoint began) {
  shard.metrics->OnCoordinated(operation, result ? nullptr : &result.error(), shard.Now() - began);
}

}  // namespace

Async<Result<GetReply>> Coordinator::Get(KeyPtr key, GetRequest request, Origin origin) {
  const Place place(this);
  if (Status refused = place.Check(); !refused) co_return Fail(std::move(refused.error()));
  const TimePoint began = parts_.shard->Now();
  auto result = co_await RouteGet(std::move(key), std::move(request), origin);
  Count(*parts_.shard, Operation::kGet, result, began);
  co_return result;
}

Async<Result<PutReply>> Coordinator::Put(KeyPtr key, PutRequest request, Origin origin) {
  const Place place(this);
  if (Status refused = place.Check(); !refused) co_return Fail(std::move(refused.error()));
  const TimePoint began = parts_.shard->Now();
  auto result = co_await RoutePut(std::move(key), std::move(request), origin);
  Count(*parts_.shard, Operation::kPut, result, began);
  co_return result;
}

Async<Status> Coordinator::Delete(KeyPtr key, DeleteRequest request, Origin origin) {
  const Place place(this);
  if (Status refused = place.Check(); !refused) co_return Fail(std::move(refused.error()));
  const TimePoint began = parts_.shard->Now();
  auto result = co_await RouteDelete(std::move(key), std::move(request), origin);
  Count(*parts_.shard, Operation::kDelete, result, began);
  co_return result;
}

Result<BucketProperties> Coordinator::PropertiesOf(const std::string& type, const std::string& bucket) const {
  const BucketType* found = parts_.shard->TypeOf({type, bucket, {}});
  if (found == nullptr) return Fail(Errc::kNotFound, "No bucket-type named '" + type + "'");
  return dynamo::PropertiesOf(*found, *buckets_, type, bucket);
}

Coordinator::Route Coordinator::Choose(const KeyPtr& key, uint32_t n, bool sloppy, const std::set<NodeId>& away) const {
  ShardContext& shard = *parts_.shard;
  Route route{PlanRoles(shard, shard.ListOf(key->partition, n), sloppy, away), {}};
  if (route.coordinate()) return route;
  std::vector<NodeId> owners, stand_ins;
  for (const ReplicaTarget& target : route.roles.plan.targets) {
    (target.stands_in_for ? stand_ins : owners).push_back(target.node);
  }
  route.forward_to = parts_.peers->latency().Fastest(owners.empty() ? stand_ins : owners);
  return route;
}

// What a node says before a request has had any effect there: another may take it.
bool Coordinator::MayTryAnother(const Error& error) const {
  const bool late = error.code == Errc::kTimeout;
  if (late && parts_.shard->config->planted.Has(PlantedBug::kReforwardAfterTimeout)) return true;
  return error.code == Errc::kUnavailable || error.code == Errc::kReadOnly;
}

// A node whose disk is full lets others coordinate.
std::set<NodeId> Coordinator::AwayForWrites(const Origin& origin) const {
  if (!parts_.replica->read_only() || origin.forwarded) return {};
  return {parts_.shard->self};
}

// Why a request that this node does not coordinate goes nowhere.
Error Coordinator::Nobody(const Origin& origin, QuorumShortfall shortfall, const ObjectKey& key) const {
  if (origin.forwarded) return {Errc::kUnavailable, "this node is no coordinator for the key: ask another"};
  return QuorumUnmet(shortfall, key, Effect::kNone);
}

Async<Result<GetReply>> Coordinator::RouteGet(KeyPtr key, GetRequest request, Origin origin) {
  std::set<NodeId> away;
  SharedBytes body;
  for (;;) {
    const Result<BucketProperties> properties = PropertiesOf(key->key.type, key->key.bucket);
    if (!properties) co_return Fail(properties.error());
    const Result<uint32_t> n = NForRead(request.options, *properties);
    if (!n) co_return Fail(n.error());
    const auto effective_n = static_cast<uint32_t>(parts_.shard->ListOf(key->partition, *n).owners.size());
    const Result<ResolvedRead> read = ResolveRead(request.options, *properties, effective_n);
    if (!read) co_return Fail(read.error());

    Route route = Choose(key, *n, read->sloppy, away);
    if (route.coordinate()) {
      co_return co_await CoordinateGet(
          {key, read->quorum, read->notfound_ok, read->basic_quorum, origin.deadline, std::move(route.roles)});
    }
    if (origin.forwarded || !route.forward_to) {
      co_return Fail(Nobody(origin, {QuorumShortfall::Which::kR, read->quorum.r, 0}, key->key));
    }
    if (body == nullptr) body = EncodeForward(request);
    parts_.shard->metrics->forwards.Add();
    const auto response = co_await parts_.peers->Ask(route.forward_to, body, origin.deadline);
    if (response) co_return DecodeGetReply(*response);
    if (!MayTryAnother(response.error())) co_return Fail(response.error());
    away.insert(route.forward_to);
  }
}

Async<Result<GetReply>> Coordinator::CoordinateGet(GetPlan plan) {
  const KeyPtr key = plan.key;
  const TimePoint deadline = plan.deadline;
  const std::vector<ReplicaTarget>& targets = plan.roles.plan.targets;
  const auto primaries = static_cast<uint32_t>(
      std::count_if(targets.begin(), targets.end(), [](const ReplicaTarget& target) { return !target.stands_in_for; }));
  if (primaries < plan.quorum.pr) {
    const QuorumShortfall shortfall{QuorumShortfall::Which::kPR, plan.quorum.pr, primaries};
    co_return Fail(QuorumUnmet(shortfall, key->key, Effect::kNone));
  }
  auto op = std::make_shared<GetOperation>(parts_, std::move(plan));
  op->Start();
  if (!op->decided().is_set()) co_await WaitUntil(op->decided(), *parts_.shard->env.clock, deadline);
  Result<GetReply> reply = op->Reply();
  if (reply && !reply->object.never_written()) {
    Result<Bytes> context = parts_.shard->signer().Sign(ContextOf(reply->object), key->storage_key);
    if (!context) co_return Fail(std::move(context.error()));
    reply->context = *std::move(context);
  }
  co_return reply;
}

Result<PutPlan> Coordinator::PlanPut(const KeyPtr& key, const WriteOptions& options, const Bytes& context,
                                     TimePoint deadline) {
  const Result<BucketProperties> properties = PropertiesOf(key->key.type, key->key.bucket);
  if (!properties) return Fail(properties.error());
  if (Status n = CheckNForWrite(options, *properties); !n) return Fail(std::move(n.error()));
  const auto effective_n = static_cast<uint32_t>(parts_.shard->ListOf(key->partition, properties->n_val).owners.size());
  Result<WriteQuorum> quorum = ResolveWrite(options, *properties, effective_n);
  if (!quorum) return Fail(std::move(quorum.error()));
  Result<CausalContext> seen = parts_.shard->signer().Verify(context, key->storage_key);
  if (!seen && parts_.shard->config->planted.Has(PlantedBug::kContextUnverified)) seen = TrustContext(context);
  if (!seen) return Fail(std::move(seen.error()));
  PutPlan plan;
  plan.key = key;
  plan.policy = properties->policy;
  plan.n_val = properties->n_val;
  plan.quorum = *quorum;
  plan.sloppy = options.sloppy_quorum.value_or(properties->sloppy_quorum);
  plan.sync = parts_.shard->TypeOf(key->key)->durability == BucketType::Durability::kSync || quorum->dw > 0;
  plan.deadline = deadline;
  plan.context = std::move(*seen);
  return plan;
}

Async<Result<PutReply>> Coordinator::RoutePut(KeyPtr key, PutRequest request, Origin origin) {
  if (request.content.value.size() > parts_.shard->config->object_bytes_max) {
    co_return Fail(Errc::kTooLarge, "the value is larger than object_bytes_max allows");
  }
  std::set<NodeId> away = AwayForWrites(origin);
  SharedBytes body;
  for (;;) {
    Result<PutPlan> plan = PlanPut(key, request.options, request.context, origin.deadline);
    if (!plan) co_return Fail(std::move(plan.error()));
    const Route route = Choose(key, plan->n_val, plan->sloppy, away);
    if (route.coordinate()) {
      const Status holds = co_await CheckCondition(key, request.condition, origin.deadline);
      if (!holds) co_return Fail(holds.error());
      plan->away = std::move(away);
      plan->content = std::move(request.content);
      Coordinated written = co_await CoordinatePut(std::move(*plan), request.return_object);
      if (origin.forwarded || !written.unbegun) co_return std::move(written.reply);
      away = std::move(written.unbegun->away);
      request.content = std::move(written.unbegun->content);
      continue;
    }
    // Nobody else is left: this node's own disk has the last word.
    if (!route.forward_to && away.erase(parts_.shard->self) > 0) continue;
    if (origin.forwarded || !route.forward_to) {
      co_return Fail(Nobody(origin, {QuorumShortfall::Which::kW, plan->quorum.w, 0}, key->key));
    }
    if (body == nullptr) body = EncodeForward(request, parts_.shard->env.random->rng().Next());
    parts_.shard->metrics->forwards.Add();
    const auto response = co_await parts_.peers->Ask(route.forward_to, body, origin.deadline);
    if (response) co_return DecodePutReply(*response, request.return_object);
    if (!MayTryAnother(response.error())) co_return Fail(response.error());
    away.insert(route.forward_to);
  }
}

Async<Coordinator::Coordinated> Coordinator::CoordinatePut(PutPlan plan, bool return_object) {
  const TimePoint deadline = plan.deadline;
  auto op = std::make_shared<PutOperation>(parts_, std::move(plan));
  parts_.shard->env.scope->Spawn(PutOperation::Run(op));
  co_await WaitUntil(op->decided(), *parts_.shard->env.clock, deadline);
  Result<PutReply> reply = op->Reply(return_object);
  co_return Coordinated{std::move(reply), op->TakeUnbegun()};
}

// A read first: not a transaction, as the interface says.
Async<Status> Coordinator::CheckCondition(KeyPtr key, PutCondition condition, TimePoint deadline) {
  if (condition.kind == PutCondition::Kind::kNone) co_return Status{};
  const Result<GetReply> now = co_await RouteGet(key, {key->key, {}}, {deadline, /*forwarded=*/true});
  if (!now) co_return Fail(now.error());
  co_return CheckPutCondition(condition, now->object, parts_.shard->signer(), key->storage_key);
}

Async<Status> Coordinator::RouteDelete(KeyPtr key, DeleteRequest request, Origin origin) {
  std::set<NodeId> away = AwayForWrites(origin);
  SharedBytes body;
  for (;;) {
    const Result<BucketProperties> properties = PropertiesOf(key->key.type, key->key.bucket);
    if (!properties) co_return Fail(properties.error());
    if (request.read_options.r.is_default()) request.read_options.r = properties->rw;
    if (request.options.w.is_default()) request.options.w = properties->rw;
    Result<PutPlan> plan = PlanPut(key, request.options, request.context, origin.deadline);
    if (!plan) co_return Fail(std::move(plan.error()));
    const Route route = Choose(key, plan->n_val, plan->sloppy, away);
    if (route.coordinate()) {
      plan->away = std::move(away);
      Coordinated written = co_await CoordinateDelete(key, request, std::move(*plan));
      if (origin.forwarded || !written.unbegun) co_return written.reply ? Status{} : Fail(written.reply.error());
      away = std::move(written.unbegun->away);
      continue;
    }
    // Nobody else is left: this node's own disk has the last word.
    if (!route.forward_to && away.erase(parts_.shard->self) > 0) continue;
    if (origin.forwarded || !route.forward_to) {
      co_return Fail(Nobody(origin, {QuorumShortfall::Which::kW, plan->quorum.w, 0}, key->key));
    }
    if (body == nullptr) body = EncodeForward(request, parts_.shard->env.random->rng().Next());
    parts_.shard->metrics->forwards.Add();
    const auto response = co_await parts_.peers->Ask(route.forward_to, body, origin.deadline);
    if (response) co_return Status{};
    if (!MayTryAnother(response.error())) co_return Fail(response.error());
    away.insert(route.forward_to);
  }
}

Async<Coordinator::Coordinated> Coordinator::CoordinateDelete(KeyPtr key, DeleteRequest request, PutPlan plan) {
  if (request.context.empty()) {
    // The deletion covers what a read finds, and nothing that comes meanwhile.
    const Result<GetReply> found =
        co_await RouteGet(key, {key->key, request.read_options}, {plan.deadline, /*forwarded=*/true});
    if (!found) co_return Coordinated{Fail(found.error()), std::nullopt};
    if (found->object.never_written() || found->object.deleted()) co_return Coordinated{PutReply{}, std::nullopt};
    plan.context = ContextOf(found->object);
  }
  plan.tombstone = true;
  co_return co_await CoordinatePut(std::move(plan), /*return_object=*/false);
}

}  // namespace dynamo
