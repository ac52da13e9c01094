// The reap generation of each partition of one shard: what this node stamps its reads
// with, and what it refuses. See docs/reaping.md.
//
// On stable storage before it counts; a generation never falls. Costs nothing while it
// stands still.
#ifndef DYNAMO_NODE_SERVICE_REAP_GENERATIONS_H_
#define DYNAMO_NODE_SERVICE_REAP_GENERATIONS_H_

#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "node/core/reap/generation.h"
#include "node/service/hint_store.h"
#include "node/service/key_locks.h"
#include "node/service/shard_context.h"

namespace dynamo {

class ReapGenerations {
 public:
  // All outlive it.
  ReapGenerations(ShardContext* shard, const HintStore* hints);

  // Needs a topology, and the hints.
  Async<Status> Load();
  // Partitions that this volume has no word of: it is new, or they came to this shard
  // now. Others are asked where they stand, before anything is held there.
  std::vector<PartitionId> Unknown() const;
  // Durably. Of those that are unknown.
  Async<Status> SetFirst(std::map<PartitionId, ReapGeneration> generations);
  // Nothing of the partition is stored here, neither object nor hint.
  Async<Result<bool>> HoldsNothing(PartitionId partition);

  // To stamp what is read from now on.
  ReapGeneration Of(PartitionId partition) const;
  // What one who holds the key's lock may write. kConflict: it was read before a
  // barrier that this node stands behind, and nothing of it may be taken.
  Status Admit(PartitionId partition, ReapGeneration stamp) const;
  // Adopts it, if it is the next. Resumes when it counts. kUnavailable: it is further on
  // than that: this node's disk is an old copy, and says so.
  Async<Status> Raise(PartitionId partition, ReapGeneration to);

  // As the present generation was adopted there was no hint and no stray.
  bool clean(PartitionId partition) const;
  bool HasHints(PartitionId partition) const;
  // Names the start of the process: its time in microseconds, by the wall clock.
  uint64_t run() const { return run_; }
  void OnOldDisk(std::function<void()> listener) { old_disk_ = std::move(listener); }

  // What is between its admission and its being visible.
  class Writing {
   public:
    Writing(std::map<PartitionId, uint32_t>* counts, PartitionId partition) : counts_(counts), partition_(partition) {
      ++(*counts_)[partition_];
    }
    ~Writing() {
      if (counts_ != nullptr && --(*counts_)[partition_] == 0) counts_->erase(partition_);
    }
    Writing(const Writing&) = delete;
    Writing& operator=(const Writing&) = delete;
    Writing(Writing&& other) noexcept : counts_(std::exchange(other.counts_, nullptr)), partition_(other.partition_) {}
    Writing& operator=(Writing&&) = delete;

   private:
    std::map<PartitionId, uint32_t>* counts_;
    PartitionId partition_;
  };
  // To be held across the write of a hint, and of a replica, from before Admit.
  Writing WritingHint(PartitionId partition) { return {&hints_being_written_, partition}; }
  Writing WritingObject(PartitionId partition) { return {&objects_being_written_, partition}; }

 private:
  struct State {
    ReapGeneration generation = 0;
    ReapGeneration refuses_below = 0;  // The same, or the next while it is being adopted.
    bool clean = false;
  };

  Async<Status> RaiseAlone(PartitionId partition, ReapGeneration to);
  // Something of the partition that is stored here belongs to others alone.
  Async<Result<bool>> HasStrays(PartitionId partition);
  bool OwnsAll(PartitionId partition);

  ShardContext* shard_;
  const HintStore* hints_;
  KeyLocks raising_;
  uint64_t run_;
  std::map<PartitionId, State> states_;
  std::map<PartitionId, uint32_t> hints_being_written_, objects_being_written_;
  std::function<void()> old_disk_;
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_SERVICE_REAP_GENERATIONS_H_
