// Clients in threads that read, write and delete over HTTP, and tell the oracle.
#ifndef DYNAMO_TESTS_CLUSTER_LOAD_H_
#define DYNAMO_TESTS_CLUSTER_LOAD_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "common/base/random.h"
#include "tests/cluster/store_client.h"
#include "tests/oracle/history.h"

namespace dynamo::cluster {

struct LoadCounts {
  uint64_t reads_ok = 0, reads_failed = 0;
  uint64_t puts_ok = 0, puts_failed = 0, puts_unknown = 0;
  uint64_t refused = 0;  // Connections; each was tried at another node once.
  uint64_t retried = 0;  // Operations that failed at first.
  uint64_t reads() const { return reads_ok + reads_failed; }
  uint64_t puts() const { return puts_ok + puts_failed + puts_unknown; }
};

struct LoadSettings {
  int clients = 5;
  uint64_t seed = 1;
  // Clients meet on a few keys at a time, and move on, so that no history grows long.
  uint64_t keys_at_once = 16;
  uint64_t turns_per_key = 24;              // On average; a turn is a write, mostly after a read.
  std::chrono::milliseconds think_time{0};  // Of a client between two turns.
  // Whether what fails or stays unknown is done once more, as applications do: only that
  // counts then. A write done again is another write to the oracle.
  bool retries = false;
  ClientSettings client = {};
};

class Load {
 public:
  // `nodes`: where each serves HTTP, as host:port.
  Load(std::vector<std::string> nodes, LoadSettings settings);
  ~Load();

  void Start();
  // Waits for the clients' last operations.
  void Stop();
  // After Stop: whom the reads below ask.
  void AskFromNowOn(std::vector<std::string> nodes) { nodes_ = std::move(nodes); }

  // Reads every key with R = N at `observers` nodes into the final reads; how many of
  // these reads failed.
  uint64_t ReadAll(size_t observers);
  // Reads every key once with R = N, as a client that the oracle need not know, so
  // that read repair finds what a replica has lost; how many of these reads failed.
  uint64_t RepairAll();
  // Keys that not all nodes read alike with R = 1: whose replicas differ, as a rule.
  // Such a read repairs in passing.
  uint64_t CountDiffering();

  // While it runs: counts only.
  LoadCounts counts();
  // Waits until the clients have written `more` times since now; false: not in a minute.
  bool AwaitWrites(uint64_t more);
  size_t keys();
  // After Stop.
  const oracle::History& history() const { return history_; }

 private:
  using Visit = std::function<void(StoreClient& client, const std::string& key)>;

  void Run(int id);
  std::string NextKey(Rng& rng);
  void ReadThenWrite(StoreClient& client, int id, const std::string& key);
  std::optional<Reading> Read(StoreClient& client, int id, const std::string& key, bool is_retry);
  struct Intent {
    const std::string& key;
    const oracle::Context& context;
    const std::string& token;  // The context, as the store gave it.
    bool erase;
  };
  void Write(StoreClient& client, int id, const Intent& intent);
  // Whether it was acknowledged.
  bool Attempt(StoreClient& client, int id, const Intent& intent, bool is_retry);
  // Visits every key used so far, by some clients in threads of their own.
  void ForEachKey(const Visit& visit);

  std::vector<std::string> nodes_;
  const LoadSettings settings_;
  std::atomic<bool> stopping_{false};
  std::vector<std::thread> threads_;

  std::mutex mutex_;  // Guards what follows.
  oracle::History history_;
  LoadCounts counts_;
  std::set<std::string> used_keys_;
  uint64_t turns_ = 0;
};

// Of a load that was stopped: prints what became of its operations; the running test fails
// unless 999 in a thousand reads, and as many writes, were answered.
void ExpectHardlyAFailure(Load& load);

// Of a load that was stopped: the running test fails for every final read that fails, and
// for everything acknowledged that is not there.
void ExpectNothingLost(Load& load);

}  // namespace dynamo::cluster

#endif  // DYNAMO_TESTS_CLUSTER_LOAD_H_
