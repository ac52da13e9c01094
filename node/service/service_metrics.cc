#include "node/service/service_metrics.h"

#include <string>

namespace dynamo {
namespace {

constexpr std::array<const char*, 3> kOperationNames = {"get", "put", "delete"};

Counter& Refused(Metrics& metrics, const char* reason) {
  return metrics.counter("dynamo_replica_requests_refused_total",
                         "Reads and writes refused because their sender is no member", {{"reason", reason}});
}

}  // namespace

ServiceMetrics::ServiceMetrics(Metrics& metrics)
    : read_repairs(metrics.counter("dynamo_read_repairs_total", "Replicas that a read found behind and repaired")),
      hedged_reads(metrics.counter("dynamo_hedged_reads_total", "Data reads sent to a second replica")),
      forwards(metrics.counter("dynamo_forwards_total", "Client requests forwarded to another coordinator")),
      shed(metrics.counter("dynamo_requests_shed_total", "Requests refused early because too many were in flight")),
      hints_stored(metrics.counter("dynamo_hints_stored_total", "Hints taken for other nodes")),
      hints_delivered(metrics.counter("dynamo_hints_delivered_total", "Hints handed to their owners")),
      hints_refused(metrics.counter("dynamo_hints_refused_total", "Hints refused at the bound of stored hints")),
      hints_pending(metrics.gauge("dynamo_hints_pending", "Hints stored for other nodes now")),
      hints_pending_bytes(metrics.gauge("dynamo_hints_pending_bytes", "Bytes of hints stored for other nodes now")),
      cache_hits(metrics.counter("dynamo_clock_cache_hits_total", "Clock cache lookups that found the key")),
      cache_misses(metrics.counter("dynamo_clock_cache_misses_total", "Clock cache lookups that did not")),
      corrupt(metrics.counter("dynamo_corrupt_objects_total", "Stored objects that failed their checksum")),
      corrupt_repaired(metrics.counter("dynamo_corrupt_objects_repaired_total",
                                       "Stored objects that failed their checksum and were written again from peers")),
      tree_exchanges(metrics.counter("dynamo_anti_entropy_exchanges_total",
                                     "Merkle trees compared with another owner's, to the end")),
      tree_exchanges_failed(metrics.counter("dynamo_anti_entropy_exchanges_failed_total",
                                            "Comparisons of Merkle trees given up: the peer is away or refused")),
      tree_requests_refused(metrics.counter("dynamo_anti_entropy_requests_refused_total",
                                            "Peers' requests for Merkle trees refused: malformed, or not an owner's")),
      leaves_differing(metrics.counter("dynamo_anti_entropy_leaves_differing_total",
                                       "Leaves of Merkle trees found to differ from another owner's")),
      keys_repaired(metrics.counter("dynamo_anti_entropy_keys_repaired_total",
                                    "Objects found to differ from another owner's and made equal")),
      transfer_objects(
          metrics.counter("dynamo_transfer_objects_total", "Objects received of partitions that this node is to own")),
      transfer_bytes(
          metrics.counter("dynamo_transfer_bytes_total", "Bytes received of partitions that this node is to own")),
      transfer_failures(
          metrics.counter("dynamo_transfer_failures_total", "Copies and comparisons given up, to be tried again")),
      transfer_requests_refused(metrics.counter("dynamo_transfer_requests_refused_total",
                                                "Peers' requests about partitions on the move refused")),
      strays_handed_back(metrics.counter("dynamo_strays_handed_back_total",
                                         "Objects sent to an owner that lacked what this node held without owning it")),
      strays_dropped(
          metrics.counter("dynamo_strays_dropped_total", "Objects deleted here because every owner has them")),
      reap_rounds(metrics.counter("dynamo_reap_rounds_total", "Attempts to reap that came to the removal")),
      reap_rounds_abandoned(metrics.counter(
          "dynamo_reap_rounds_abandoned_total",
          "Attempts to reap given up: a member did not answer, held hints, or the owners were not equal")),
      tombstones_reaped(metrics.counter("dynamo_tombstones_reaped_total",
                                        "Objects removed here of which nothing but deletes was left")),
      clocks_cut(metrics.counter("dynamo_clocks_cut_total", "Objects whose version vectors were cut here")),
      reap_refused(metrics.counter("dynamo_reap_stale_refused_total",
                                   "Objects refused because they were read before a barrier of reaping")),
      reap_stopped(
          metrics.gauge("dynamo_reap_stopped", "1 while nothing is reaped because a member is away or members change")),
      refused_removed(Refused(metrics, "removed")),
      refused_strangers(Refused(metrics, "stranger")),
      refused_not_a_peer(Refused(metrics, "not_a_peer")) {
  for (size_t i = 0; i < operations_.size(); ++i) {
    const std::string operation = kOperationNames[i];
    operations_[i].latency = &metrics.histogram("dynamo_coordinator_latency_seconds", "Time a coordinated request took",
                                                {{"operation", operation}});
    for (size_t outcome = 0; outcome < kOutcomes; ++outcome) {
      const auto name = outcome == 0 ? std::string_view("ok") : ErrcName(static_cast<Errc>(outcome));
      operations_[i].outcomes[outcome] =
          &metrics.counter("dynamo_coordinator_requests_total", "Coordinated requests by outcome",
                           {{"operation", operation}, {"outcome", std::string(name)}});
    }
  }
}

void ServiceMetrics::OnCoordinated(Operation operation, const Error* error, Duration latency) {
  PerOperation& figures = operations_[static_cast<size_t>(operation)];
  figures.latency->Record(latency);
  figures.outcomes[error == nullptr ? 0 : static_cast<size_t>(error->code)]->Add();
}

}  // namespace dynamo
