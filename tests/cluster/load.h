// Clients in threads that read, write and delete over HTTP, and tell the oracle.
#ifndef DYNAMO_TESTS_CLUSTER_LOAD_H_
#define DYNAMO_TESTS_CLUSTER_LOAD_H_

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "common/base/random.h"
#include "tests/cluster/real_cluster.h"
#include "tests/oracle/history.h"

namespace dynamo::cluster {

struct LoadCounts {
  uint64_t reads_ok = 0, reads_failed = 0;
  uint64_t puts_ok = 0, puts_failed = 0, puts_unknown = 0;
  uint64_t refused = 0;  // Connections; each was tried at another node once.
  uint64_t puts() const { return puts_ok + puts_failed + puts_unknown; }
};

class Load {
 public:
  Load(RealCluster* cluster, int clients, uint64_t seed);
  ~Load();

  void Start();
  // Waits for the clients' last operations.
  void Stop();

  // Reads every key with R = N at two nodes into the final reads; how many of
  // these reads failed however often they were tried.
  uint64_t ReadAll();
  const oracle::History& history() const { return history_; }
  const LoadCounts& counts() const { return counts_; }
  size_t keys() const { return used_keys_.size(); }

 private:
  struct Client;
  struct Answer;

  void Run(int id);
  std::string NextKey(Rng& rng);
  void ReadThenWrite(Client& client, const std::string& key);
  void Write(Client& client, const std::string& key, const oracle::Context& context, const std::string& token,
             bool erase);

  RealCluster* cluster_;
  int clients_;
  uint64_t seed_;
  std::atomic<bool> stopping_{false};
  std::vector<std::thread> threads_;

  std::mutex mutex_;  // Guards what follows.
  oracle::History history_;
  LoadCounts counts_;
  std::map<std::string, int> used_keys_;
  uint64_t operations_ = 0;
};

}  // namespace dynamo::cluster

#endif  // DYNAMO_TESTS_CLUSTER_LOAD_H_
