#include "tests/sim/cluster/totals.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <type_traits>

namespace dynamo::sim {
namespace {

constexpr uint64_t kSeedsForAllKinds = 200;

double Hours(int64_t microseconds) { return static_cast<double>(microseconds) / 3.6e9; }

static_assert(std::is_trivially_copyable_v<Totals>);

void Sum(OperationCounts& sum, const OperationCounts& add) {
  sum.reads += add.reads;
  sum.reads_failed += add.reads_failed;
  sum.writes_ok += add.writes_ok;
  sum.writes_failed += add.writes_failed;
  sum.writes_unknown += add.writes_unknown;
}

void Sum(FaultCounts& sum, const FaultCounts& add) {
  for (size_t i = 0; i < sum.fired.size(); ++i) sum.fired[i] += add.fired[i];
  sum.lost_batches += add.lost_batches;
}

void Sum(NetworkCounts& sum, const NetworkCounts& add) {
  sum.messages += add.messages;
  sum.dropped += add.dropped;
  sum.duplicated += add.duplicated;
  sum.reordered += add.reordered;
  sum.slowed += add.slowed;
  sum.corrupted += add.corrupted;
  sum.resets += add.resets;
  sum.cut += add.cut;
  sum.refused += add.refused;
  sum.foreign += add.foreign;
}

std::string Operations(const OperationCounts& counts) {
  return fmt::format("{} operations (reads {} ok {} failed; writes {} ok {} failed {} unknown)", counts.total(),
                     counts.reads, counts.reads_failed, counts.writes_ok, counts.writes_failed, counts.writes_unknown);
}

std::string Faults(const FaultCounts& faults) {
  std::string text;
  for (int kind = 0; kind < kFaultKinds; ++kind) {
    text += fmt::format("{} {}, ", Name(static_cast<FaultKind>(kind)), faults.fired[static_cast<size_t>(kind)]);
  }
  return text + fmt::format("unsynced batches lost {}", faults.lost_batches);
}

}  // namespace

void Totals::Add(const RunResult& result) {
  ++seeds;
  violated += result.violations.empty() ? 0 : 1;
  if (WhyNotCounted(result).empty()) {
    ++counted;
    counted_us += result.simulated.count();
  }
  events += result.events;
  simulated_us += result.simulated.count();
  keys += result.keys;
  keys_repaired_by_reads += result.keys_repaired_by_reads;
  converged_max_us = std::max<int64_t>(converged_max_us, result.converged.count());
  ring_seeds += result.plan.chaos.ChangesRing() ? 1 : 0;
  ring_max_us = std::max<int64_t>(ring_max_us, result.ring_rested.count());
  Sum(operations, result.operations);
  Sum(faults, result.faults);
  Sum(network, result.network);
}

void Totals::Add(const Totals& other) {
  seeds += other.seeds;
  violated += other.violated;
  repeated += other.repeated;
  died += other.died;
  counted += other.counted;
  counted_us += other.counted_us;
  events += other.events;
  simulated_us += other.simulated_us;
  keys += other.keys;
  keys_repaired_by_reads += other.keys_repaired_by_reads;
  converged_max_us = std::max(converged_max_us, other.converged_max_us);
  ring_seeds += other.ring_seeds;
  ring_max_us = std::max(ring_max_us, other.ring_max_us);
  Sum(operations, other.operations);
  Sum(faults, other.faults);
  Sum(network, other.network);
}

std::string Totals::Report(double wall_seconds) const {
  const double hours = Hours(counted_us);
  return fmt::format(
      "{} seeds, {} of them count, {} with violations, {} jobs died, {} run twice and compared\n"
      "{}\n"
      "faults: {}\n"
      "messages: {}; dropped {}, duplicated {}, reordered {}, slowed {}, corrupted {}, resets {}, cut {}, refused {}\n"
      "owners equal at most {:.0f} s after heal; {} of {} keys by the final reads, the rest by hints and earlier "
      "reads\n"
      "the ring changes in {} seeds; no change pending, no stray, one topology at most {:.0f} s after heal\n"
      "{:.1f} simulated cluster-hours that count in {:.1f} s: {:.0f} an hour; {:.2f} M events/s\n",
      seeds, counted, violated, died, repeated, Operations(operations), Faults(faults), network.messages,
      network.dropped, network.duplicated, network.reordered, network.slowed, network.corrupted, network.resets,
      network.cut, network.refused, static_cast<double>(converged_max_us) / 1e6, keys_repaired_by_reads, keys,
      ring_seeds, static_cast<double>(ring_max_us) / 1e6, hours, wall_seconds, hours * 3600 / wall_seconds,
      static_cast<double>(events) / 1e6 / wall_seconds);
}

std::vector<std::string> Totals::Shortcomings() const {
  std::vector<std::string> found;
  if (violated > 0) found.push_back(fmt::format("{} seeds violate a property", violated));
  if (died > 0) found.push_back(fmt::format("{} jobs died", died));
  if (counted * 100 < seeds * 95) found.push_back(fmt::format("only {} of {} seeds count", counted, seeds));
  // A kind that is rare need not come in a short run.
  if (seeds < kSeedsForAllKinds) return found;
  for (int kind = 0; kind < kFaultKinds; ++kind) {
    const auto named = static_cast<FaultKind>(kind);
    if (faults[named] == 0) found.push_back(fmt::format("the fault {} never fired", Name(named)));
  }
  return found;
}

std::string ToJson(const Totals& totals, const std::string& command, uint64_t first, uint64_t last, uint64_t every,
                   double wall_seconds) {
  boost::json::object faults;
  for (int kind = 0; kind < kFaultKinds; ++kind) {
    const auto named = static_cast<FaultKind>(kind);
    faults[std::string(Name(named))] = totals.faults[named];
  }
  const OperationCounts& operations = totals.operations;
  const boost::json::object summary{{"command", command},
                                    {"first_seed", first},
                                    {"last_seed", last},
                                    {"every", every},
                                    {"seeds", totals.seeds},
                                    {"seeds_counted", totals.counted},
                                    {"seeds_with_violations", totals.violated},
                                    {"jobs_died", totals.died},
                                    {"seeds_run_twice", totals.repeated},
                                    {"operations",
                                     {{"total", operations.total()},
                                      {"reads_ok", operations.reads},
                                      {"reads_failed", operations.reads_failed},
                                      {"writes_ok", operations.writes_ok},
                                      {"writes_failed", operations.writes_failed},
                                      {"writes_unknown", operations.writes_unknown}}},
                                    {"faults", faults},
                                    {"messages", totals.network.messages},
                                    {"keys", totals.keys},
                                    {"keys_repaired_by_final_reads", totals.keys_repaired_by_reads},
                                    {"converged_seconds_max", static_cast<double>(totals.converged_max_us) / 1e6},
                                    {"seeds_with_ring_changes", totals.ring_seeds},
                                    {"ring_rests_seconds_max", static_cast<double>(totals.ring_max_us) / 1e6},
                                    {"cluster_hours_counted", Hours(totals.counted_us)},
                                    {"cluster_hours", Hours(totals.simulated_us)},
                                    {"wall_seconds", wall_seconds},
                                    {"cluster_hours_counted_per_hour", Hours(totals.counted_us) * 3600 / wall_seconds}};
  return boost::json::serialize(summary) + "\n";
}

std::string Summary(const RunResult& result) {
  const std::string why_not = WhyNotCounted(result);
  return fmt::format("{}; {}; {}; {}{:.0f} s, {} events, hash {:016x}", Describe(result.plan),
                     Operations(result.operations), Faults(result.faults),
                     why_not.empty() ? "" : "does not count: " + why_not + "; ",
                     static_cast<double>(result.simulated.count()) / 1e6, result.events, result.trace_hash);
}

}  // namespace dynamo::sim
