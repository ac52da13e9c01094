// What the clients of a benchmark do: which key next, read or write.
#ifndef DYNAMO_TOOLS_BENCH_WORKLOAD_H_
#define DYNAMO_TOOLS_BENCH_WORKLOAD_H_

#include <cstdint>
#include <string>

#include "common/base/random.h"

namespace dynamo::bench {

struct WorkloadConfig {
  std::string bucket_type = "lww";
  std::string bucket = "bench";
  uint64_t keys = 100'000;
  uint64_t value_bytes = 1024;
  double read_fraction = 0.5;
  bool zipfian = false;  // With YCSB's constant of 0.99, spread over the key space.
  uint64_t seed = 1;
};

// Draws ranks 0..n-1, rank 0 the most frequent (Gray et al. 1994, as YCSB does).
class Zipfian {
 public:
  explicit Zipfian(uint64_t n, double theta = 0.99);
  uint64_t Next(Rng& rng) const;

 private:
  uint64_t n_;
  double theta_, zeta_n_, alpha_, eta_;
};

class Workload {
 public:
  explicit Workload(const WorkloadConfig& config);

  struct Operation {
    bool read = false;
    uint64_t key = 0;
  };
  Operation Next();

  // A whole frame of Riak's Protocol Buffers API.
  std::string GetFrame(uint64_t key) const;
  std::string PutFrame(uint64_t key);
  const WorkloadConfig& config() const { return config_; }

 private:
  WorkloadConfig config_;
  Rng rng_;
  Zipfian zipfian_;
  std::string value_;
};

}  // namespace dynamo::bench

#endif  // DYNAMO_TOOLS_BENCH_WORKLOAD_H_
