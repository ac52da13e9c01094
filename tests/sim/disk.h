// A simulated disk: what is in memory, what is on the platter, and the log between.
//
// It outlives the processes that use it. A crash loses what was not synced, all
// but a prefix of the log: the log is sequential, so what survives of it does so
// from the front, batch by batch. Where it ends in the middle of a batch, that
// batch is dropped whole: its checksum fails (RocksDB's kPointInTimeRecovery, which
// the storage contract shows for the real one).
#ifndef DYNAMO_TESTS_SIM_DISK_H_
#define DYNAMO_TESTS_SIM_DISK_H_

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "node/env/storage.h"
#include "tests/sim/world.h"

namespace dynamo::sim {

struct SimDiskConfig {
  Duration memtable_min{5}, memtable_max{50};
  Duration sync_min{200}, sync_max{3000};
  Duration read_min{50}, read_max{3000};
  double memory_misses = 0.2;  // How often TryGet cannot tell.
  // What is read or synced goes through the device one after the other, at this rate;
  // 0: it takes no time for its size.
  uint64_t bytes_per_second = 0;
};

// How the operands of kMerge are joined.
using MergeFunction = std::function<Result<Bytes>(std::string_view existing, std::string_view operand)>;
Result<Bytes> MergeObjects(std::string_view existing, std::string_view operand);

// Sees what happens to a disk, each after it has happened.
struct DiskWatch {
  std::function<void(const WriteOps&)> visible;  // A batch is in memory, and in the log.
  std::function<void(const WriteOps&)> durable;  // A batch is on the platter.
  std::function<void()> replaced;                // Wiped, set back or swapped: the platter holds something else.
  // What is stored there can be read no more.
  std::function<void(ColumnFamily, const Bytes& key)> spoiled;
};

class SimDisk {
 public:
  using Family = std::map<Bytes, Bytes>;
  // Counts batches since the disk was made.
  using LogIndex = uint64_t;

  SimDisk(SimWorld* world, Rng rng, SimDiskConfig config, MergeFunction merge = MergeObjects);

  // The process that uses the disk from now on.
  void Attach(ProcessId process) { process_ = process; }
  // After its process was killed.
  void Crash();

  void Watch(DiskWatch watch) { watch_ = std::move(watch); }

  // Visible at once, in the log.
  LogIndex Apply(const WriteOps& ops);
  // Calls `done` when the log is on the platter as far as it goes now.
  void Sync(std::function<void()> done);

  LogIndex log_end() const { return log_begin_ + log_.size(); }
  const Family& applied(ColumnFamily family) const { return applied_[static_cast<size_t>(family)]; }
  const Family& durable(ColumnFamily family) const { return durable_[static_cast<size_t>(family)]; }

  // ---- Faults of the device: they stay when the contents are replaced.

  // While full, writes are refused, and whoever waits for a sync goes on waiting.
  void SetFull(bool full);
  bool full() const { return full_; }
  // How often a read fails. Memory is not the disk: what it can tell it still tells.
  void SetReadErrors(double rate) { read_errors_ = rate; }
  bool DrawReadError();
  // The next sync fails: the process has to stop, which `failed` sees to. It is
  // called in the middle of an event of the process.
  void FailNextSync(bool fail) { fail_next_sync_ = fail; }
  void OnSyncFailed(std::function<void()> failed) { sync_failed_ = std::move(failed); }
  // How many times longer everything takes.
  void SetSlowness(int64_t factor) { slowness_ = factor; }
  Duration DrawLatency(Duration min, Duration max) {
    return Duration(rng_.Between(min.count(), max.count())) * slowness_;
  }
  // Queues so many bytes at the device. Returns how long from now until they are through.
  Duration Occupy(uint64_t bytes);

  // ---- Faults of the contents. While no process uses the disk, but for SpoilOne.

  // Nothing is left: it is another disk.
  void Wipe();
  // The same, before it is put to use as a new one: nothing is expected of it.
  void Renew();
  // The platter as it is now, kept beside it.
  void TakeSnapshot() { contents_.snapshot = durable_; }
  bool has_snapshot() const { return contents_.snapshot.has_value(); }
  void RestoreSnapshot();
  void SwapContents(SimDisk& other);
  // Acknowledged writes may be missing: it was wiped, or a snapshot was restored.
  bool lost() const { return contents_.lost; }
  // Flips a bit of a stored object, on the platter and in memory; false: there is none.
  // Some of such bits the engine's checksum finds, others only the object's own.
  bool SpoilOne();
  // Whether the engine's checksum fails as the object is read.
  bool EngineRefuses(ColumnFamily family, const Bytes& key) const;
  bool spoiled() const { return contents_.spoiled; }
  // Turns every bit back that was flipped and not overwritten since.
  void Mend();

  const SimDiskConfig& config() const { return config_; }
  Rng& rng() { return rng_; }
  uint64_t lost_batches() const { return lost_batches_; }
  uint64_t torn_batches() const { return torn_batches_; }
  uint64_t failed_reads() const { return failed_reads_; }
  uint64_t failed_syncs() const { return failed_syncs_; }

 private:
  using Families = std::array<Family, 3>;
  // What moves with the platter when it is put into another machine.
  struct Contents {
    std::optional<Families> snapshot;
    struct Flip {
      uint64_t bit = 0;
      bool engine_finds = false;
    };
    std::map<Bytes, Flip> flipped;  // By the object's key.
    bool lost = false;
    bool spoiled = false;  // Ever.
  };

  void ApplyTo(Families& families, const WriteOps& ops) const;
  void MakeDurable(const WriteOps& ops);
  void StartSync();
  void FinishSync(LogIndex end);

  SimWorld* world_;
  Rng rng_;
  SimDiskConfig config_;
  MergeFunction merge_;
  ProcessId process_ = kNobody;
  Families applied_, durable_;
  std::deque<WriteOps> log_;  // Applied, not yet durable.
  LogIndex log_begin_ = 0;
  bool syncing_ = false;
  std::vector<std::function<void()>> waiting_;  // For the sync after the one that runs.
  std::vector<std::function<void()>> served_;   // By the one that runs.
  DiskWatch watch_;
  Contents contents_;
  bool full_ = false;
  double read_errors_ = 0;
  bool fail_next_sync_ = false;
  std::function<void()> sync_failed_;
  int64_t slowness_ = 1;
  TimePoint busy_until_{};
  uint64_t lost_batches_ = 0, torn_batches_ = 0;
  uint64_t failed_reads_ = 0, failed_syncs_ = 0;
};

}  // namespace dynamo::sim

#endif  // DYNAMO_TESTS_SIM_DISK_H_
