// The storage port of one shard over a simulated disk.
#ifndef DYNAMO_TESTS_SIM_STORAGE_H_
#define DYNAMO_TESTS_SIM_STORAGE_H_

#include <deque>
#include <utility>
#include <vector>

#include "node/env/scope.h"
#include "node/env/storage.h"
#include "tests/sim/disk.h"
#include "tests/sim/world.h"

namespace dynamo::sim {

// To end a process: kill its scopes and its events, then destroy this, then
// SimDisk::Crash.
class SimStorage : public Storage {
 public:
  SimStorage(SimWorld* world, ProcessId process, Scope* scope, SimDisk* disk)
      : world_(world), process_(process), scope_(scope), disk_(disk) {}

  std::optional<Result<std::optional<Bytes>>> TryGet(ColumnFamily family, const Bytes& key) override;
  Async<Result<std::optional<Bytes>>> Get(ColumnFamily family, Bytes key) override;
  Async<Result<std::vector<KeyValue>>> Scan(ColumnFamily family, Bytes begin, Bytes end, size_t max_items,
                                            size_t max_bytes) override;
  Async<Result<WriteSequence>> Write(WriteOps ops) override;
  Async<Status> Sync(WriteSequence sequence) override;

 private:
  // The writes of one wake-up.
  struct Batch {
    WriteOps ops;
    WriteSequence last = 0;
    std::vector<Scope::Ticket> waiters;
  };

  // Suspends for the time of a disk read.
  Async<> WaitForDisk(uint64_t bytes);
  std::optional<Bytes> Look(ColumnFamily family, const Bytes& key) const;
  std::vector<KeyValue> Range(ColumnFamily family, const Bytes& begin, const Bytes& end, size_t max_items,
                              size_t max_bytes) const;
  void HandDown();
  void ApplyNext();

  SimWorld* world_;
  ProcessId process_;
  Scope* scope_;
  SimDisk* disk_;
  WriteSequence written_ = 0;
  Batch gathering_;
  std::deque<Batch> on_the_way_;  // Handed down, not yet visible.
  TimePoint last_visible_{};
  WriteSequence visible_ = 0;
  WriteSequence durable_ = 0;
};

}  // namespace dynamo::sim

#endif  // DYNAMO_TESTS_SIM_STORAGE_H_
