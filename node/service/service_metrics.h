// The figures of the data path. Shards of a node share them.
#ifndef DYNAMO_NODE_SERVICE_SERVICE_METRICS_H_
#define DYNAMO_NODE_SERVICE_SERVICE_METRICS_H_

#include <array>

#include "common/base/metrics.h"
#include "common/base/result.h"

namespace dynamo {

enum class Operation : uint8_t { kGet, kPut, kDelete };

class ServiceMetrics {
 public:
  explicit ServiceMetrics(Metrics& metrics);

  // One coordinated request: how it ended and how long it took.
  void OnCoordinated(Operation operation, const Error* error, Duration latency);

  Counter& read_repairs;
  Counter& hedged_reads;
  Counter& forwards;
  Counter& shed;
  Counter& hints_stored;
  Counter& hints_delivered;
  Counter& hints_refused;
  Gauge& hints_pending;
  Gauge& hints_pending_bytes;
  Counter& cache_hits;
  Counter& cache_misses;
  Counter& corrupt;
  Counter& corrupt_repaired;
  Counter& tree_exchanges;
  Counter& tree_exchanges_failed;
  Counter& tree_requests_refused;
  Counter& leaves_differing;
  Counter& keys_repaired;
  Counter& transfer_objects;
  Counter& transfer_bytes;
  Counter& transfer_failures;
  Counter& transfer_requests_refused;
  Counter& strays_handed_back;
  Counter& strays_dropped;
  Counter& reap_rounds;
  Counter& reap_rounds_abandoned;
  Counter& tombstones_reaped;
  Counter& clocks_cut;
  Counter& reap_refused;
  Gauge& reap_stopped;
  // Requests of the data path that came from whom they must not come from.
  Counter& refused_removed;
  Counter& refused_strangers;
  Counter& refused_not_a_peer;

 private:
  static constexpr size_t kOutcomes = static_cast<size_t>(Errc::kInternal) + 1;
  struct PerOperation {
    Histogram* latency = nullptr;
    std::array<Counter*, kOutcomes> outcomes{};  // [0]: success; else by Errc.
  };
  std::array<PerOperation, 3> operations_;
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_SERVICE_SERVICE_METRICS_H_
