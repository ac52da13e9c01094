// Drives connections from one thread with epoll: a closed loop (each connection
// sends the next request when it has its answer) or an open one (requests arrive
// at a fixed rate, and latency counts from when they were due).
#ifndef DYNAMO_TOOLS_BENCH_DRIVER_H_
#define DYNAMO_TOOLS_BENCH_DRIVER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "tools/bench/latency.h"
#include "tools/bench/workload.h"

namespace dynamo::bench {

struct Endpoint {
  std::string host;  // A numeric address.
  uint16_t port = 8087;
};

struct Tally {
  LatencyHistogram reads, writes;
  uint64_t errors = 0;
  std::string first_error;
  double seconds = 0;

  uint64_t operations() const { return reads.count() + writes.count(); }
};

class Driver {
 public:
  // Connections are spread over the endpoints in turn. kUnavailable: names the one
  // that cannot be reached.
  static Result<std::unique_ptr<Driver>> Connect(const std::vector<Endpoint>& endpoints, int connections);
  ~Driver();

  // Each second: operations so far, and in the last second.
  using Progress = std::function<void(uint64_t total, uint64_t last_second)>;

  // Writes every key once.
  Result<Tally> Load(Workload& workload, const Progress& progress);
  // `rate_per_second` 0: a closed loop. kUnavailable: a connection was lost.
  Result<Tally> Run(Workload& workload, double seconds, double rate_per_second, const Progress& progress);

 private:
  struct State;
  explicit Driver(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace dynamo::bench

#endif  // DYNAMO_TOOLS_BENCH_DRIVER_H_
