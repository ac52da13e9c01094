// Faults, drawn from the seed, while the clients work; and the end of all faults.
#ifndef DYNAMO_TESTS_SIM_CLUSTER_CHAOS_H_
#define DYNAMO_TESTS_SIM_CLUSTER_CHAOS_H_

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tests/sim/cluster/cluster.h"
#include "tests/sim/cluster/plan.h"

namespace dynamo::sim {

struct FaultCounts {
  std::array<uint64_t, kFaultKinds> fired{};
  uint64_t lost_batches = 0;  // Unsynced, in crashes.
  uint64_t& operator[](FaultKind kind) { return fired[static_cast<size_t>(kind)]; }
};

class Chaos {
 public:
  Chaos(SimCluster* cluster, ChaosPlan plan, std::function<void(const std::string&)> say);

  // Faults come and go as events of the world from now on.
  void Start();
  // Ends all faults: everybody runs, the network is whole and quiet, clocks are
  // right again.
  void Heal();

  const FaultCounts& counts();
  // Of the faults that were not left out, in the order of their ordinals.
  const std::vector<uint64_t>& struck() const { return struck_; }

 private:
  void Next();
  void Strike();
  void Crash();
  void Pause();
  void Partition();
  void Noise();
  void Skew();
  void After(Duration delay, std::function<void()> work);
  Duration Length(Duration max);
  void Say(const std::string& line);

  SimCluster* cluster_;
  ChaosPlan plan_;
  std::function<void(const std::string&)> say_;
  Rng rng_;               // Of the fault that strikes: each has its own, so that none disturbs the next.
  Rng rngs_;              // Makes them.
  uint64_t ordinal_ = 0;  // Of the last fault.
  std::vector<uint64_t> struck_;
  FaultCounts counts_;
  NetworkConfig calm_;
  uint64_t partitions_ = 0;  // The newest heals what came before.
  uint64_t noises_ = 0;
  bool over_ = false;
};

}  // namespace dynamo::sim

#endif  // DYNAMO_TESTS_SIM_CLUSTER_CHAOS_H_
