#include "node/service/replica.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "node/core/reap/remains.h"
#include "node/core/version/object.h"
#include "node/service/clock_mark.h"

namespace dynamo {
Replica::Replica(ShardContext* shard)
    : shard_(shard),
      locks_(shard->env.scope, shard->config->key_waiters_max),
      cache_(shard->config->clock_cache_entries),
      hints_(shard),
      generations_(shard, &hints_),
      actors_(shard->env.random, shard->config->planted) {}

Async<Status> Replica::Load() {
  const Result<uint64_t> mark = co_await LoadClockMark(shard_->env.storage);
  if (!mark) co_return Fail(mark.error());
  hybrid_clock_ = HybridClock(*mark);
  const Status loaded = co_await hints_.Load();
  if (!loaded) co_return loaded;
  co_return co_await generations_.Load();
}

// ---- Reads

std::optional<Result<Bytes>> Replica::TryRead(const PlacedKey& key) {
  if (hints_.Has(key.position)) return std::nullopt;
  auto found = shard_->env.storage->TryGet(ColumnFamily::kObjects, key.storage_key);
  if (!found) return std::nullopt;
  if (!*found) {
    if (shard_->config->planted.Has(PlantedBug::kReadErrorIsNotFound)) return Result<Bytes>(Bytes());
    ReadFailed(key, found->error());
    return Result<Bytes>(Fail(std::move(found->error())));
  }
  return Result<Bytes>((*found)->value_or(Bytes()));
}

std::optional<Result<Hash128>> Replica::TryDigest(const PlacedKey& key) {
  if (!hints_.Has(key.position)) {
    if (const std::optional<CachedState> known = cache_.Lookup(key.position)) {
      shard_->metrics->cache_hits.Add();
      return Result<Hash128>(known->digest);
    }
    shard_->metrics->cache_misses.Add();
  }
  auto found = TryRead(key);
  if (!found) return std::nullopt;
  if (!*found) return Result<Hash128>(Fail(std::move(found->error())));
  // A writer in its critical section may have read before this and write after.
  if (!locks_.IsHeld(key.position)) Remember(key, **found);
  return Result<Hash128>(DigestOf(**found));
}

Async<Result<Bytes>> Replica::Read(KeyPtr key) {
  // Hints first: one that is delivered to this node itself meanwhile is then in
  // the replica, never in neither.
  Result<std::vector<Hint>> hints = co_await ReadHints(key);
  if (!hints) co_return Fail(std::move(hints.error()));
  Result<Bytes> state = co_await ReadStored(key);
  for (const Hint& hint : *hints) {
    if (!state) break;
    state = JoinStates(std::move(*state), hint.object);
    if (!state) ReadFailed(*key, state.error());
  }
  co_return state;
}

Async<Result<std::vector<Hint>>> Replica::ReadHints(KeyPtr key) {
  if (!hints_.Has(key->position)) co_return std::vector<Hint>{};
  Result<std::vector<Hint>> hints = co_await hints_.ReadAll(key->storage_key);
  if (!hints) ReadFailed(*key, hints.error());
  co_return hints;
}

Async<Result<Bytes>> Replica::ReadStored(KeyPtr key) {
  Storage* storage = shard_->env.storage;
  auto found = storage->TryGet(ColumnFamily::kObjects, key->storage_key);
  if (!found) found = co_await storage->Get(ColumnFamily::kObjects, key->storage_key);
  if (*found) co_return (*found)->value_or(Bytes());
  if (shard_->config->planted.Has(PlantedBug::kReadErrorIsNotFound)) co_return Bytes();
  ReadFailed(*key, found->error());
  co_return Fail(std::move(found->error()));
}

// ---- Writes

Async<Result<bool>> Replica::Merge(KeyPtr key, Bytes object, ReapGeneration stamp, bool sync) {
  const Status raised = co_await generations_.Raise(key->partition, stamp);
  if (!raised) co_return Fail(raised.error());
  KeyLocks::Guard guard;
  if (!shard_->config->planted.Has(PlantedBug::kUnlockedReplicaPut)) {
    Result<KeyLocks::Guard> locked = co_await locks_.Acquire(key->position);
    if (!locked) co_return Fail(std::move(locked.error()));
    guard = std::move(*locked);
  }
  const auto writing = generations_.WritingObject(key->partition);
  if (Status admitted = generations_.Admit(key->partition, stamp); !admitted) co_return Fail(admitted.error());
  co_return co_await MergeLocked(std::move(key), std::move(object), sync, std::move(guard));
}

Async<Result<bool>> Replica::MergeLocked(KeyPtr key, Bytes object, bool sync, KeyLocks::Guard guard) {
  Result<ObjectHeader> header = DecodeObjectHeader(object);
  if (!header) co_return Fail(std::move(header.error()));
  hybrid_clock_.Observe(header->stamp);
  bool write = true;
  switch (Compare(key->position, *header)) {
    case Standing::kNewer: break;
    case Standing::kCovered: write = false; break;
    case Standing::kUnknown: {
      Result<Bytes> stored = co_await ReadStored(key);
      if (!stored) co_return Fail(std::move(stored.error()));
      Result<Bytes> joined = JoinStates(*stored, object);
      if (shard_->config->planted.Has(PlantedBug::kMergeDropsConcurrent)) joined = object;
      if (joined && *joined != object) header = DecodeObjectHeader(*joined);
      if (!joined || !header) {
        const Error error = joined ? header.error() : joined.error();
        ReadFailed(*key, error);
        co_return Fail(error);
      }
      write = *joined != *stored;
      object = std::move(*joined);
      break;
    }
  }
  if (write) {
    const auto written = co_await WriteObject(key, std::move(*header), std::move(object));
    if (!written) co_return Fail(written.error());
  }
  guard.Release();
  co_return co_await Settle(sync);
}

Async<Result<WriteSequence>> Replica::WriteObject(KeyPtr key, ObjectHeader header, Bytes object) {
  const Hash128 digest = DigestOf(object);
  WriteOps ops;
  ops.push_back(ObjectOp(*key, std::move(object)));
  const auto written = co_await Write(key, std::move(ops));
  if (written) cache_.Store(key->position, {std::move(header), digest});
  co_return written;
}

Async<Result<bool>> Replica::Replace(KeyPtr key, Bytes object, ReapGeneration stamp) {
  Result<ObjectHeader> header = DecodeObjectHeader(object);
  if (!header) co_return Fail(std::move(header.error()));
  const Status raised = co_await generations_.Raise(key->partition, stamp);
  if (!raised) co_return Fail(raised.error());
  Result<KeyLocks::Guard> guard = co_await locks_.Acquire(key->position);
  if (!guard) co_return Fail(std::move(guard.error()));
  const auto writing = generations_.WritingObject(key->partition);
  if (Status admitted = generations_.Admit(key->partition, stamp); !admitted) co_return Fail(admitted.error());
  const Result<Bytes> stored = co_await ReadStored(key);
  if (!stored && stored.error().code != Errc::kCorrupt) co_return Fail(stored.error());
  if (stored && (stored->empty() || DecodeObjectHeader(*stored))) {
    co_return co_await MergeLocked(std::move(key), std::move(object), /*sync=*/true, std::move(*guard));
  }
  // Whatever was minted here may be gone with it.
  actors_.Retire(key->partition);
  hybrid_clock_.Observe(header->stamp);
  const auto written = co_await WriteObject(key, std::move(*header), std::move(object));
  if (!written) co_return Fail(written.error());
  guard->Release();
  co_return co_await Settle(/*sync=*/true);
}

Async<Result<bool>> Replica::RemoveExactly(KeyPtr key, Hash128 digest, std::function<bool()> may) {
  Result<KeyLocks::Guard> guard = co_await locks_.Acquire(key->position);
  if (!guard) co_return Fail(std::move(guard.error()));
  const Result<Bytes> stored = co_await ReadStored(key);
  if (!stored) co_return Fail(stored.error());
  if (DigestOf(*stored) != digest || !may()) co_return false;
  const Status removed = co_await RemoveLocked(key);
  if (!removed) co_return Fail(removed.error());
  co_return true;
}

Async<Status> Replica::RemoveLocked(KeyPtr key) {
  // What was minted here is held by others alone from now on.
  actors_.Retire(key->partition);
  cache_.Forget(key->position);
  WriteOps ops;
  ops.push_back({WriteOp::Kind::kDelete, ColumnFamily::kObjects, key->storage_key, {}});
  const auto written = co_await Write(key, std::move(ops));
  co_return written ? Status{} : Fail(written.error());
}

Async<Status> Replica::ObserveClock(uint64_t stamp) {
  hybrid_clock_.Observe(stamp);
  const std::optional<uint64_t> mark = hybrid_clock_.MarkToWrite();
  if (!mark) co_return Status{};
  WriteOps ops;
  ops.push_back(ClockMarkOp(shard_->env.link->self(), *mark));
  const auto written = co_await shard_->env.storage->Write(std::move(ops));
  if (!written) co_return Fail(written.error());
  const Status synced = co_await shard_->env.storage->Sync(*written);
  if (synced) hybrid_clock_.OnMarkWritten(*mark);
  co_return synced;
}

Async<Result<bool>> Replica::Reap(KeyPtr key, Hash128 digest) {
  Result<KeyLocks::Guard> guard = co_await locks_.Acquire(key->position);
  if (!guard) co_return Fail(std::move(guard.error()));
  const Result<Bytes> stored = co_await ReadStored(key);
  if (!stored) co_return Fail(stored.error());
  if (stored->empty() || DigestOf(*stored) != digest) co_return false;
  const Result<Object> object = DecodeObject(*stored);
  if (!object) co_return Fail(object.error());
  const Object remains = RemainsOf(*object);
  if (remains.never_written()) {
    const Status removed = co_await RemoveLocked(key);
    if (!removed) co_return Fail(removed.error());
    shard_->metrics->tombstones_reaped.Add();
    co_return true;
  }
  // What is left does not claim any more what this node minted.
  actors_.Retire(key->partition);
  const auto written = co_await WriteObject(key, HeaderOf(remains), EncodeObject(remains));
  if (!written) co_return Fail(written.error());
  shard_->metrics->clocks_cut.Add();
  co_return true;
}

Standing Replica::Compare(const Hash128& position, const ObjectHeader& incoming) {
  const std::optional<CachedState> known = cache_.Lookup(position);
  (known ? shard_->metrics->cache_hits : shard_->metrics->cache_misses).Add();
  return known ? StandingOf(known->header, incoming) : Standing::kUnknown;
}

Async<Result<bool>> Replica::Settle(bool sync) {
  if (!sync) co_return false;
  if (shard_->config->planted.Has(PlantedBug::kAckBeforeSync)) co_return true;
  // What made it so may be another's write that is not synced yet: wait for all.
  const Status synced = co_await Sync(last_sequence_);
  if (!synced) co_return Fail(synced.error());
  co_return true;
}

Async<Result<bool>> Replica::KeepHint(KeyPtr key, NodeId owner, Bytes object, ReapGeneration stamp, bool sync) {
  const Result<ObjectHeader> header = DecodeObjectHeader(object);
  if (!header) co_return Fail(header.error());
  hybrid_clock_.Observe(header->stamp);
  const Status raised = co_await generations_.Raise(key->partition, stamp);
  if (!raised) co_return Fail(raised.error());
  Result<KeyLocks::Guard> guard = co_await locks_.Acquire(key->position);
  if (!guard) co_return Fail(std::move(guard.error()));
  const auto writing = generations_.WritingHint(key->partition);
  if (Status admitted = generations_.Admit(key->partition, stamp); !admitted) co_return Fail(admitted.error());
  const Result<std::vector<Hint>> existing = co_await ReadHints(key);
  if (!existing) co_return Fail(existing.error());
  Result<HintChange> change = hints_.Add(*key, owner, object, *existing);
  if (!change) co_return Fail(std::move(change.error()));
  if (!change->ops.empty()) {
    const auto written = co_await Write(key, std::move(change->ops));
    if (!written) co_return Fail(written.error());
    HintsApplied(*key, *change);
  }
  guard->Release();
  if (shard_->config->planted.Has(PlantedBug::kHintAckBeforeSync)) co_return sync;
  co_return co_await Settle(sync);
}

Async<Status> Replica::DropHint(KeyPtr key, NodeId owner, Hash128 digest) {
  Result<KeyLocks::Guard> guard = co_await locks_.Acquire(key->position);
  if (!guard) co_return Fail(std::move(guard.error()));
  const Result<std::vector<Hint>> existing = co_await ReadHints(key);
  if (!existing) co_return Fail(existing.error());
  HintChange change = hints_.Remove(owner, digest, *existing);
  if (change.ops.empty()) co_return Status{};
  if (!KeepsActorAfterDelivery(shard_->IsOwner(shard_->self, *key))) actors_.Retire(key->partition);
  const auto written = co_await Write(key, std::move(change.ops));
  if (!written) co_return Fail(written.error());
  HintsApplied(*key, change);
  co_return Status{};
}

// ---- The coordinator's critical section

Async<Result<Replica::LockedState>> Replica::ReadLocked(KeyPtr key) {
  LockedState state;
  Result<Bytes> stored = co_await ReadStored(key);
  if (!stored) co_return Fail(std::move(stored.error()));
  state.joined = std::move(*stored);
  Result<std::vector<Hint>> hints = co_await ReadHints(key);
  if (!hints) co_return Fail(std::move(hints.error()));
  state.hints = std::move(*hints);
  if (shard_->config->planted.Has(PlantedBug::kOwnHintsLeftOut)) co_return state;
  for (const Hint& hint : state.hints) {
    Result<Bytes> joined = JoinStates(std::move(state.joined), hint.object);
    if (!joined) {
      ReadFailed(*key, joined.error());
      co_return Fail(std::move(joined.error()));
    }
    state.joined = std::move(*joined);
  }
  co_return state;
}

std::optional<ObjectHeader> Replica::KnownLocked(const PlacedKey& key) const {
  if (hints_.Has(key.position)) return std::nullopt;
  std::optional<CachedState> known = cache_.Lookup(key.position);
  (known ? shard_->metrics->cache_hits : shard_->metrics->cache_misses).Add();
  if (!known) return std::nullopt;
  return std::move(known->header);
}

Async<Result<WriteSequence>> Replica::WriteLocked(KeyPtr key, LocalWrite write, std::shared_ptr<const Minted> minted,
                                                  std::vector<Hint> existing) {
  // It was stamped before: a generation adopted meanwhile is not clean.
  std::optional<ReapGenerations::Writing> writing;
  if (!write.hints_for.empty()) writing.emplace(generations_.WritingHint(key->partition));
  WriteOps ops;
  std::vector<HintChange> changes;
  if (write.replica) {
    ops.push_back(ObjectOp(*key, minted->encoded));
  }
  for (const NodeId owner : write.hints_for) {
    Result<HintChange> change = hints_.Add(*key, owner, minted->encoded, existing);
    // An owner's hints for others count for nothing; a stand-in's are all it has.
    if (!change && write.replica) continue;
    if (!change) {
      actors_.Retire(key->partition);
      co_return Fail(std::move(change.error()));
    }
    std::move(change->ops.begin(), change->ops.end(), std::back_inserter(ops));
    changes.push_back(std::move(*change));
  }
  const std::optional<uint64_t> mark = hybrid_clock_.MarkToWrite();
  const bool stamped = mark && minted->object.stamp != 0;
  if (stamped) ops.push_back(ClockMarkOp(shard_->env.link->self(), *mark));
  const auto written = co_await Write(key, std::move(ops));
  if (!written) {
    if (!shard_->config->planted.Has(PlantedBug::kActorKeptOnFailedWrite)) actors_.Retire(key->partition);
    co_return Fail(written.error());
  }
  if (stamped) hybrid_clock_.OnMarkWritten(*mark);
  const bool remember = write.replica && !shard_->config->planted.Has(PlantedBug::kStaleClockCache);
  if (remember) cache_.Store(key->position, {HeaderOf(minted->object), DigestOf(minted->encoded)});
  for (const HintChange& change : changes) HintsApplied(*key, change);
  co_return *written;
}

WriteOp Replica::ObjectOp(const PlacedKey& key, Bytes object) const {
  if (shard_->config->planted.Has(PlantedBug::kDeleteLeavesNothing)) {
    const Result<Object> decoded = DecodeObject(object);
    if (decoded && decoded->deleted()) return {WriteOp::Kind::kDelete, ColumnFamily::kObjects, key.storage_key, {}};
  }
  return {WriteOp::Kind::kPut, ColumnFamily::kObjects, key.storage_key, std::move(object)};
}

Async<Result<WriteSequence>> Replica::Write(KeyPtr key, WriteOps ops) {
  const bool of_object =
      std::any_of(ops.begin(), ops.end(), [](const WriteOp& op) { return op.family == ColumnFamily::kObjects; });
  Result<WriteSequence> written = co_await shard_->env.storage->Write(std::move(ops));
  if (of_object && object_written_) object_written_(*key);
  const bool full = !written && written.error().code == Errc::kReadOnly;
  if (full != read_only_) shard_->env.log.Warn("disk_full={} shard={}", full, shard_->env.link->self());
  read_only_ = full;
  if (written) {
    last_sequence_ = std::max(last_sequence_, *written);
  } else {
    cache_.Forget(key->position);
  }
  co_return written;
}

void Replica::Remember(const PlacedKey& key, const Bytes& object) {
  Result<ObjectHeader> header = object.empty() ? ObjectHeader{} : DecodeObjectHeader(object);
  if (header) cache_.Store(key.position, {std::move(*header), DigestOf(object)});
}

void Replica::HintsApplied(const PlacedKey& key, const HintChange& change) {
  hints_.Applied(key, change);
  if (hints_changed_) hints_changed_(hints_.AnyAstray(key, change));
}

void Replica::ReadFailed(const PlacedKey& key, const Error& error) {
  actors_.Retire(key.partition);
  if (error.code == Errc::kCorrupt) {
    shard_->metrics->corrupt.Add();
    if (corrupt_) corrupt_(key);
  }
  read_failures_.Failed(shard_->env.log, shard_->Now(),
                        fmt::format("key={} partition={} error={} message={}", ToString(key.key), key.partition,
                                    ErrcName(error.code), error.message));
}

void Replica::LogHintNotKept(const PlacedKey& key, NodeId owner, const Error& error) {
  hint_failures_.Failed(
      shard_->env.log, shard_->Now(),
      fmt::format("owner={} key={} error={}", ToString(owner), ToString(key.key), ErrcName(error.code)));
}

}  // namespace dynamo
