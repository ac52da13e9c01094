// Clients that read, write and delete, and tell the oracle what they saw.
#ifndef DYNAMO_TESTS_SIM_CLUSTER_WORKLOAD_H_
#define DYNAMO_TESTS_SIM_CLUSTER_WORKLOAD_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tests/oracle/history.h"
#include "tests/sim/cluster/cluster.h"
#include "tests/sim/cluster/plan.h"

namespace dynamo::sim {

struct OperationCounts {
  uint64_t reads = 0, reads_failed = 0;
  uint64_t writes_ok = 0, writes_failed = 0, writes_unknown = 0;
  uint64_t total() const { return reads + reads_failed + writes_ok + writes_failed + writes_unknown; }
};

class Workload {
 public:
  // `say` (may be empty) gets a line for each operation.
  Workload(SimCluster* cluster, WorkloadPlan plan, std::function<void(const std::string&)> say);

  // Spawns the clients; they go on until Stop.
  void Start();
  void Stop() { stopping_ = true; }
  bool idle() const { return running_ == 0; }

  // Reads every key through every member from all owners whose disks are not lost,
  // into the final reads. Returns those that fail however often they are tried.
  Async<std::vector<std::string>> ReadAll();

  const oracle::History& history() const { return history_; }
  // Told by who watches the disks.
  void OnReaped(const std::string& key) { history_.OnReaped(key); }
  const OperationCounts& counts() const { return counts_; }
  // Dots that named two different writes (P8).
  const std::vector<std::string>& dot_conflicts() const { return dot_conflicts_; }
  const std::vector<ObjectKey>& keys() const { return keys_; }
  // What a node must never answer, and did: one line each.
  const std::vector<std::string>& wrong_answers() const { return wrong_answers_; }
  // Called when the fate of a write is known to its client.
  void OnEnd(std::function<void(const oracle::WriteRecord&)> listener) { on_end_ = std::move(listener); }
  // The n-th operation of a client.
  static uint64_t OrdinalOf(int client, uint64_t n) { return static_cast<uint64_t>(client) * 1'000'000 + n; }
  // The operations that were not left out, in the order they began.
  struct Begun {
    uint64_t ordinal = 0;
    std::string key;
  };
  const std::vector<Begun>& begun() const { return begun_; }

 private:
  // What a client remembers of a read.
  struct Memory {
    Bytes token;
    oracle::Context context;
  };
  struct Client {
    int id = 0;
    Rng rng{0};
    std::map<ObjectKey, Memory> memories;  // Of the last read of each key, for stale contexts.
  };

  Async<> Run(int id);
  Async<> Operate(Client* client);
  bool IsLoopKey(const ObjectKey& key) const;
  Async<bool> Read(Client* client, const ObjectKey& key);
  Async<> Put(Client* client, ObjectKey key, Memory memory);
  Async<> Delete(Client* client, ObjectKey key, std::optional<Memory> memory);
  Async<Status> PutOnce(int client, Rng rng, PutRequest request, oracle::WriteId id);

  // ---- workload_faults.cc: what no client should do. Whether it did one.

  Async<bool> Misbehave(Client* client, ObjectKey key);
  // Writes at once through several nodes, all with one context, and waits for all.
  Async<> PutAtOnce(Client* client, ObjectKey key, Memory memory, int writes);
  Async<> PutRefused(Client* client, ObjectKey key, PutRequest request, const char* what);
  Bytes ForgeContext(Client* client, const ObjectKey& key);

  void EndWrite(oracle::WriteId id, const Status& status, std::optional<oracle::LwwOrder> order);
  Async<Result<GetReply>> ReadOwners(size_t node, ObjectKey key);
  // Lets read repair bring all owners to one state, where a read cannot ask for all.
  Async<> RepairAll();
  oracle::Observation Observe(const ObjectKey& key, const Object& object);
  ReadOptions DrawReadOptions(Rng& rng, Duration timeout) const;
  WriteOptions DrawWriteOptions(Duration timeout) const;
  Duration DrawTimeout(Rng& rng) const;

  SimCluster* cluster_;
  WorkloadPlan plan_;
  std::function<void(const std::string&)> say_;
  std::vector<ObjectKey> keys_;
  std::function<void(const oracle::WriteRecord&)> on_end_;
  std::vector<Begun> begun_;
  oracle::History history_;
  OperationCounts counts_;
  std::map<std::pair<std::string, Dot>, std::string> dots_;
  std::vector<std::string> dot_conflicts_, wrong_answers_;
  bool stopping_ = false;
  int running_ = 0;
};

}  // namespace dynamo::sim

#endif  // DYNAMO_TESTS_SIM_CLUSTER_WORKLOAD_H_
