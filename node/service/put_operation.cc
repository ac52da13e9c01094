#include "node/service/put_operation.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "node/core/replication/local_state.h"
#include "node/core/version/object.h"
#include "node/service/quorum_errors.h"

namespace dynamo {

namespace {

WriteQuorum QuorumToCount(WriteQuorum quorum, PlantedBugs planted) {
  if (planted.Has(PlantedBug::kAckBeforeW)) quorum.w = 1;
  return quorum;
}

}  // namespace

PutOperation::PutOperation(DataPath parts, PutPlan plan)
    : parts_(parts),
      plan_(std::move(plan)),
      tally_(QuorumToCount(plan_.quorum, parts.shard->config->planted)),
      decided_(*parts.shard->env.scope) {}

Async<> PutOperation::Run(std::shared_ptr<PutOperation> op) {
  Replica* replica = op->parts_.replica;
  const KeyPtr key = op->plan_.key;
  Result<KeyLocks::Guard> guard = KeyLocks::Guard();
  if (!op->Has(PlantedBug::kMintInterleaved)) guard = co_await replica->Lock(key);
  if (!guard) co_return op->Refuse(std::move(guard.error()));
  op->stamp_ = replica->generations().Of(key->partition);
  std::vector<Hint> hints;
  const Result<Object> before = co_await ReadBefore(op, &hints);
  if (!before) co_return op->Refuse(before.error());
  if (op->parts_.shard->Now() >= op->plan_.deadline) {
    co_return op->Refuse({Errc::kTimeout, "timeout: the key was busy until the deadline; nothing was written"});
  }
  if (std::optional<Error> error = op->Mint(*before)) co_return op->Refuse(std::move(*error));

  // A node with a full disk asks its disk first, so that it refuses without effect.
  const bool write_first = replica->read_only();
  if (!write_first) op->SendToAll();
  const auto written = co_await replica->WriteLocked(key, LocalWriteOf(op->roles_), op->minted_, std::move(hints));
  guard->Release();
  // A topology that came meanwhile may name others who are about to own the key.
  if (written && !write_first) op->SendToPending();
  if (write_first && !written) co_return op->Refuse(written.error());
  if (write_first) op->SendToAll();
  Status stored = written ? Status{} : Fail(written.error());
  if (stored && op->plan_.sync) stored = co_await replica->Sync(*written);
  // What was written by one who owns the key no more counts for nothing.
  ShardContext& shard = *op->parts_.shard;
  const bool as_owner = !op->roles_.self_for && !op->Has(PlantedBug::kEpochUnchecked);
  if (stored && as_owner && !shard.ListOf(key->partition, op->plan_.n_val).Owns(shard.self)) {
    stored = Fail(Errc::kNotOwner, "this node owns the key no longer");
  }
  op->OnSelf(stored);
}

void PutOperation::Refuse(Error error) {
  refused_ = std::move(error);
  decided_.Set();
}

Async<Result<Object>> PutOperation::ReadBefore(std::shared_ptr<PutOperation> op, std::vector<Hint>* hints) {
  Object before;
  before.policy = op->plan_.policy;
  std::optional<ObjectHeader> known = op->parts_.replica->KnownLocked(*op->plan_.key);
  if (known && SupersedesAll(*known, op->plan_.policy, op->plan_.context)) {
    before.clock = std::move(known->clock);
    before.stamp = known->stamp;
    co_return before;
  }
  Result<Replica::LockedState> state = co_await op->parts_.replica->ReadLocked(op->plan_.key);
  if (state && state->joined.empty()) co_return before;
  Result<Object> decoded = state ? DecodeObject(state->joined) : Fail(std::move(state.error()));
  if (!decoded) {
    op->parts_.replica->actors().Retire(op->plan_.key->partition);
    co_return Fail(Errc::kUnavailable, "this node cannot read its own state of the key: " + decoded.error().message);
  }
  *hints = std::move(state->hints);
  co_return decoded;
}

std::optional<Error> PutOperation::Mint(const Object& before) {
  ShardContext& shard = *parts_.shard;
  roles_ = PlanRoles(shard, shard.ListOf(plan_.key->partition, plan_.n_val), plan_.sloppy, plan_.away);
  if (!roles_.self) {
    unbegun_ = true;
    return Error{Errc::kUnavailable, "this node is no coordinator for the key any more"};
  }
  if (auto error = CheckReachable()) return error;
  Write write{parts_.replica->actors().For(plan_.key->partition, shard.self), plan_.tombstone, std::move(plan_.content),
              shard.env.clock->WallNow(), 0};
  if (before.policy == ConflictPolicy::kLastWriterWins) {
    if (Has(PlantedBug::kLwwByWallClock)) plan_.context.stamp = 0;
    write.stamp = parts_.replica->hybrid_clock().Next(write.now_us, std::max(before.stamp, plan_.context.stamp));
    if (Has(PlantedBug::kLwwByWallClock)) write.stamp = std::max<uint64_t>(write.now_us, before.stamp + 1);
  }
  auto minted = std::make_shared<Replica::Minted>();
  minted->object = dynamo::Mint(before, plan_.context, std::move(write));
  minted->encoded = EncodeObject(minted->object);
  if (auto error = CheckLimits(*minted, before)) return error;
  minted_ = std::move(minted);
  return std::nullopt;
}

// What an object holds already may exceed a limit that was lowered, or joins of
// concurrent writes: only growth is refused, so that clients can resolve it.
std::optional<Error> PutOperation::CheckLimits(const Replica::Minted& minted, const Object& before) const {
  const ServiceConfig& config = *parts_.shard->config;
  const size_t siblings = minted.object.siblings.size();
  if (siblings <= 1 || siblings <= before.siblings.size()) return std::nullopt;
  if (siblings > config.siblings_max) {
    return Error{Errc::kTooManySiblings,
                 fmt::format("{{too_many_siblings,{}}} read {} and write with its context to resolve them",
                             before.siblings.size(), ToString(plan_.key->key))};
  }
  if (minted.encoded.size() > config.object_bytes_max) {
    return Error{Errc::kTooLarge,
                 fmt::format("{} would be {} bytes with its siblings; the limit is {}", ToString(plan_.key->key),
                             minted.encoded.size(), config.object_bytes_max)};
  }
  return std::nullopt;
}

// What is known to be out of reach is refused before it has any effect.
std::optional<Error> PutOperation::CheckReachable() const {
  using Which = QuorumShortfall::Which;
  uint32_t primaries = 0;
  for (const ReplicaTarget& target : roles_.plan.targets) primaries += CountsAsOwner(target) ? 1 : 0;
  const auto nodes = static_cast<uint32_t>(roles_.plan.targets.size() + roles_.plan.spare.size());
  const WriteQuorum& quorum = plan_.quorum;
  std::optional<QuorumShortfall> shortfall;
  if (nodes < quorum.node_confirms) shortfall = {Which::kNodeConfirms, quorum.node_confirms, nodes};
  if (nodes < quorum.dw) shortfall = {Which::kDW, quorum.dw, nodes};
  if (primaries < quorum.pw) shortfall = {Which::kPW, quorum.pw, primaries};
  if (nodes < quorum.w) shortfall = {Which::kW, quorum.w, nodes};
  if (!shortfall) return std::nullopt;
  return QuorumUnmet(shortfall, plan_.key->key, Effect::kNone);
}

void PutOperation::SendToAll() {
  for (const ReplicaTarget& target : roles_.plan.targets) tally_.OnAsked(CountsAsOwner(target));
  if (roles_.plan.spare.empty()) tally_.NoMoreNodes();
  for (const ReplicaTarget& target : roles_.plan.targets) {
    if (target.node != parts_.shard->self) Send(target);
  }
  SendToPending();
}

void PutOperation::SendToPending() {
  ShardContext& shard = *parts_.shard;
  if (epoch_ == shard.epoch()) return;
  epoch_ = shard.epoch();
  owners_body_ = nullptr;
  if (Has(PlantedBug::kPendingNotWritten)) return;
  for (const NodeId node : shard.PendingOwnersOf(plan_.key->partition, plan_.n_val)) {
    if (!told_.insert(node).second) continue;
    if (node == shard.self) {
      shard.env.scope->Spawn(MergeHere(shared_from_this()));
    } else if (!shard.IsUp(node) || plan_.away.contains(node)) {
      shard.env.scope->Spawn(KeepHint(shared_from_this(), node));
    } else {
      if (owners_body_ == nullptr) {
        owners_body_ = ReplicaPutBody(shard, *plan_.key, {minted_->encoded, stamp_}, NodeId{}, plan_.sync);
      }
      parts_.peers->Call(node, owners_body_, std::min(plan_.deadline, shard.ReplicaDeadline()),
                         [op = shared_from_this(), node](Result<peer::Response> response) {
                           if (response && response->has_replica_stored()) return;
                           op->parts_.shard->env.scope->Spawn(KeepHint(op, node));
                         });
    }
  }
}

void PutOperation::Send(const ReplicaTarget& target) {
  // Whoever is asked at an epoch counts on this having gone to all whom that epoch names.
  SendToPending();
  const ShardContext& shard = *parts_.shard;
  SharedBytes body = owners_body_;
  if (target.stands_in_for || body == nullptr) {
    body = ReplicaPutBody(shard, *plan_.key, {minted_->encoded, stamp_}, target.stands_in_for, plan_.sync);
  }
  if (!target.stands_in_for) owners_body_ = body;
  parts_.peers->Call(
      target.node, std::move(body), std::min(plan_.deadline, shard.ReplicaDeadline()),
      [op = shared_from_this(), target](Result<peer::Response> response) { op->OnReply(target, std::move(response)); });
}

Async<> PutOperation::SendAgain(std::shared_ptr<PutOperation> op, ReplicaTarget target, uint64_t epoch) {
  ShardContext& shard = *op->parts_.shard;
  const bool adopted = co_await shard.WaitForEpoch(epoch, std::min(op->plan_.deadline, shard.ReplicaDeadline()));
  if (adopted && shard.ListOf(op->plan_.key->partition, op->plan_.n_val).Owns(target.node)) {
    op->Send(target);
  } else {
    op->OnOutcome(target, /*stored=*/false, /*durable=*/false);
  }
}

Async<std::optional<PutOperation::Fresh>> PutOperation::ReadFresh(std::shared_ptr<PutOperation> op) {
  Replica* replica = op->parts_.replica;
  const KeyPtr key = op->plan_.key;
  Fresh fresh{op->minted_->encoded, op->stamp_};
  if (op->stamp_ == replica->generations().Of(key->partition)) co_return fresh;
  // Under its lock, so that the write here is there, if it ever will be.
  Result<KeyLocks::Guard> guard = co_await replica->Lock(key);
  if (!guard) co_return std::nullopt;
  fresh.stamp = replica->generations().Of(key->partition);
  Result<Bytes> state = co_await replica->Read(key);
  const auto header = state && !state->empty() ? DecodeObjectHeader(*state) : Result<ObjectHeader>(ObjectHeader{});
  if (!state || !header || !Dominates(*header, HeaderOf(op->minted_->object))) co_return std::nullopt;
  fresh.object = std::move(*state);
  co_return fresh;
}

Async<> PutOperation::SendFresh(std::shared_ptr<PutOperation> op, ReplicaTarget target, ReapGeneration generation) {
  ShardContext& shard = *op->parts_.shard;
  const KeyPtr key = op->plan_.key;
  const Status raised = co_await op->parts_.replica->generations().Raise(key->partition, generation);
  const std::optional<Fresh> fresh = raised ? co_await ReadFresh(op) : std::nullopt;
  if (!fresh || shard.Now() >= op->plan_.deadline) {
    co_return op->OnOutcome(target, /*stored=*/false, /*durable=*/false);
  }
  SharedBytes body = ReplicaPutBody(shard, *key, {fresh->object, fresh->stamp}, target.stands_in_for, op->plan_.sync);
  op->parts_.peers->Call(target.node, std::move(body), std::min(op->plan_.deadline, shard.ReplicaDeadline()),
                         [op, target](Result<peer::Response> response) { op->OnReply(target, std::move(response)); });
}

void PutOperation::OnReply(ReplicaTarget target, Result<peer::Response> response) {
  const bool newer = response && response->has_wrong_epoch() && response->wrong_epoch().epoch() > epoch_;
  if (newer && !target.stands_in_for) {
    parts_.shard->env.scope->Spawn(SendAgain(shared_from_this(), target, response->wrong_epoch().epoch()));
    return;
  }
  if (response && response->has_stale_generation()) {
    const ReapGeneration generation = response->stale_generation().reap_generation();
    parts_.shard->env.scope->Spawn(SendFresh(shared_from_this(), target, generation));
    return;
  }
  const bool stored = response && response->has_replica_stored();
  OnOutcome(target, stored, stored && response->replica_stored().durable());
}

void PutOperation::OnSelf(const Status& stored) {
  OnOutcome({parts_.shard->self, roles_.self_for}, stored.has_value(), stored && plan_.sync);
}

bool PutOperation::CountsAsOwner(const ReplicaTarget& target) const {
  return !target.stands_in_for || Has(PlantedBug::kHintCountsAsOwner);
}

void PutOperation::OnOutcome(const ReplicaTarget& target, bool stored, bool durable) {
  const bool primary = !target.stands_in_for;
  if (stored) {
    if (!decided_.is_set()) took_part_.push_back(target.node);
    tally_.OnStored(CountsAsOwner(target), durable);
  } else {
    // Before the failure is counted: another node may still be asked instead.
    const bool here = CoverOwner(primary ? target.node : target.stands_in_for, target.node);
    if (here && Has(PlantedBug::kNodeCountedTwice)) {
      tally_.OnStored(CountsAsOwner(target), plan_.sync);
    } else {
      tally_.OnFailed(CountsAsOwner(target));
    }
  }
  Advance();
}

bool PutOperation::CoverOwner(NodeId owner, NodeId failed) {
  std::vector<NodeId>& spare = roles_.plan.spare;
  const bool in_time = parts_.shard->Now() < plan_.deadline;
  const Cover cover = CoverFailed(owner, failed, parts_.shard->self, in_time, &spare);
  if (cover.next) {
    tally_.OnAsked(CountsAsOwner(*cover.next));
    if (spare.empty()) tally_.NoMoreNodes();
    Send(*cover.next);
  }
  if (cover.keep_here) parts_.shard->env.scope->Spawn(KeepHint(shared_from_this(), owner));
  return cover.keep_here;
}

Async<> PutOperation::KeepHint(std::shared_ptr<PutOperation> op, NodeId owner) {
  const KeyPtr key = op->plan_.key;
  const std::optional<Fresh> fresh = co_await ReadFresh(op);
  // Whoever it was handed to, all of it, keeps it.
  if (!fresh) co_return;
  const auto kept = co_await op->parts_.replica->KeepHint(key, owner, fresh->object, fresh->stamp, /*sync=*/false);
  if (!kept) op->parts_.replica->LogHintNotKept(*key, owner, kept.error());
}

// In the place of a message to itself.
Async<> PutOperation::MergeHere(std::shared_ptr<PutOperation> op) {
  const KeyPtr key = op->plan_.key;
  const auto merged = co_await op->parts_.replica->Merge(key, op->minted_->encoded, op->stamp_, /*sync=*/false);
  if (!merged) co_await KeepHint(op, op->parts_.shard->self);
}

void PutOperation::Advance() {
  if (!decided_.is_set() && tally_.verdict() != Verdict::kPending) decided_.Set();
}

std::optional<PutPlan> PutOperation::TakeUnbegun() {
  if (!unbegun_) return std::nullopt;
  return std::move(plan_);
}

Result<PutReply> PutOperation::Reply(bool return_object) {
  if (refused_) return Fail(*refused_);
  const Verdict verdict = tally_.verdict();
  decided_.Set();
  if (verdict != Verdict::kMet) {
    if (Has(PlantedBug::kUnmetSaidFailed)) return Fail(Errc::kUnavailable, "nothing was changed, says a planted bug");
    // At the deadline replicas are given up too: time is why, not their number.
    const bool late = verdict == Verdict::kPending || parts_.shard->Now() >= plan_.deadline;
    return Fail((late ? QuorumTimeout : QuorumUnmet)(tally_.shortfall(), plan_.key->key, Effect::kPossible));
  }
  PutReply reply;
  // The write is acknowledged, even where its context is too large to be given.
  Result<Bytes> context = parts_.shard->signer().Sign(ContextOf(minted_->object), plan_.key->storage_key);
  if (context) reply.context = *std::move(context);
  if (return_object) reply.object = minted_->object;
  reply.participants = {parts_.shard->self, took_part_};
  return reply;
}

}  // namespace dynamo
