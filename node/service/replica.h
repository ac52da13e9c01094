// This node's own state of the keys of one shard: the single writer of each key.
// Dynamo sections 4.4 and 4.6.
//
// The local state of a key is the join of its replica and of all hints that this
// node holds for it: a coordinator that left its own hints out could mint a dot
// twice. Every write takes the key's lock and holds it until the write is visible.
#ifndef DYNAMO_NODE_SERVICE_REPLICA_H_
#define DYNAMO_NODE_SERVICE_REPLICA_H_

#include <functional>
#include <optional>
#include <vector>

#include "common/base/failure_log.h"
#include "node/core/replication/local_state.h"
#include "node/core/replication/roles.h"
#include "node/core/version/clock_cache.h"
#include "node/core/version/hybrid_clock.h"
#include "node/service/actors.h"
#include "node/service/hint_store.h"
#include "node/service/key_locks.h"
#include "node/service/reap_generations.h"
#include "node/service/shard_context.h"

namespace dynamo {

// Encoded objects throughout; empty: nothing.
class Replica {
 public:
  explicit Replica(ShardContext* shard);

  // Counts hints, reads the clock's mark. Needs a topology.
  Async<Status> Load();

  // ---- Reads. kCorrupt: what is stored fails its checksum; never "nothing".
  // nullopt: memory alone cannot tell; use Read.
  std::optional<Result<Bytes>> TryRead(const PlacedKey& key);
  std::optional<Result<Hash128>> TryDigest(const PlacedKey& key);
  Async<Result<Bytes>> Read(KeyPtr key);

  // ---- Writes from elsewhere. `sync`: resumes only when it is on stable storage;
  // the result says whether it is. kConflict: `object` was read too long ago, see
  // ReapGenerations; its stamp is from before it was read, wherever that was.
  Async<Result<bool>> Merge(KeyPtr key, Bytes object, ReapGeneration stamp, bool sync);
  // As Merge, but puts `object` in the place of a state that fails its checksum.
  // It is the join of what all other owners have: with less, this node would vouch
  // for less than it acknowledged.
  Async<Result<bool>> Replace(KeyPtr key, Bytes object, ReapGeneration stamp);
  Async<Result<bool>> KeepHint(KeyPtr key, NodeId owner, Bytes object, ReapGeneration stamp, bool sync);
  // Where nobody is told in an answer.
  void LogHintNotKept(const PlacedKey& key, NodeId owner, const Error& error);
  // Deletes exactly this hint, which its owners have on stable storage.
  Async<Status> DropHint(KeyPtr key, NodeId owner, Hash128 digest);

  // ---- The coordinator's critical section: Lock, ReadLocked, Mint, WriteLocked.
  Async<Result<KeyLocks::Guard>> Lock(KeyPtr key) { return locks_.Acquire(key->position); }
  struct LockedState {
    Bytes joined;
    std::vector<Hint> hints;
  };
  Async<Result<LockedState>> ReadLocked(KeyPtr key);
  // The header of the whole local state, if memory has it: enough to mint a write
  // that supersedes all there is. Never written: there is nothing.
  std::optional<ObjectHeader> KnownLocked(const PlacedKey& key) const;
  struct Minted {
    Bytes encoded;
    Object object;
  };
  // On an error the partition's actor is retired: what was minted is not held.
  Async<Result<WriteSequence>> WriteLocked(KeyPtr key, LocalWrite write, std::shared_ptr<const Minted> minted,
                                           std::vector<Hint> existing);
  Async<Status> Sync(WriteSequence sequence) { return shard_->env.storage->Sync(sequence); }
  // Everything that is visible now.
  Async<Status> SyncAll() { return Sync(last_sequence_); }
  // Deletes the object if it is stored just so, and `may` still says yes once its key
  // is locked. Whoever asks has shown that all who own it have it. Whether it did.
  Async<Result<bool>> RemoveExactly(KeyPtr key, Hash128 digest, std::function<bool()> may);

  // What is stamped here from now on exceeds `stamp`, also after a crash.
  Async<Status> ObserveClock(uint64_t stamp);

  // Leaves of the object what remains of it (see core/reap/remains.h), if it is stored
  // just so. Whoever asks has shown that nothing exists that it superseded. Whether it did.
  Async<Result<bool>> Reap(KeyPtr key, Hash128 digest);

  Actors& actors() { return actors_; }
  ReapGenerations& generations() { return generations_; }
  HybridClock& hybrid_clock() { return hybrid_clock_; }
  HintStore& hints() { return hints_; }
  // The last write found the disk full.
  bool read_only() const { return read_only_; }
  // Called after hints were stored or deleted; `astray`: one was stored for a node that neither owns
  // the key nor is about to, by somebody who is behind.
  void OnHintsChanged(std::function<void(bool astray)> listener) { hints_changed_ = std::move(listener); }
  // Called after a write of the object has become visible, or may have.
  void OnObjectWritten(std::function<void(const PlacedKey&)> listener) { object_written_ = std::move(listener); }
  // Called when what is stored for the key fails its checksum.
  void OnCorrupt(std::function<void(const PlacedKey&)> listener) { corrupt_ = std::move(listener); }

 private:
  Async<Result<Bytes>> ReadStored(KeyPtr key);
  Async<Result<std::vector<Hint>>> ReadHints(KeyPtr key);
  // How an incoming state stands to the replica, as far as the cache knows.
  Standing Compare(const Hash128& position, const ObjectHeader& incoming);
  Async<Result<bool>> Settle(bool sync);
  Async<Result<bool>> MergeLocked(KeyPtr key, Bytes object, bool sync, KeyLocks::Guard guard);
  Async<Status> RemoveLocked(KeyPtr key);
  // Stores the object as the replica.
  WriteOp ObjectOp(const PlacedKey& key, Bytes object) const;
  Async<Result<WriteSequence>> Write(KeyPtr key, WriteOps ops);
  Async<Result<WriteSequence>> WriteObject(KeyPtr key, ObjectHeader header, Bytes object);
  void Remember(const PlacedKey& key, const Bytes& object);
  void HintsApplied(const PlacedKey& key, const HintChange& change);
  // Logs and counts corruption; the partition's actor is retired.
  void ReadFailed(const PlacedKey& key, const Error& error);

  ShardContext* shard_;
  KeyLocks locks_;
  ClockCache cache_;
  HintStore hints_;
  ReapGenerations generations_;
  Actors actors_;
  HybridClock hybrid_clock_{0};
  // Covers everything that is visible now.
  WriteSequence last_sequence_ = 0;
  bool read_only_ = false;
  FailureLog read_failures_{LogLevel::kError, "read_failed"};
  FailureLog hint_failures_{LogLevel::kWarn, "hint_not_kept"};
  std::function<void(bool)> hints_changed_;
  std::function<void(const PlacedKey&)> object_written_;
  std::function<void(const PlacedKey&)> corrupt_;
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_SERVICE_REPLICA_H_
