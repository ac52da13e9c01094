#include "tests/sim/cluster/totals.h"

#include <fmt/format.h>

#include <type_traits>

namespace dynamo::sim {
namespace {

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
  events += result.events;
  simulated_us += result.simulated.count();
  Sum(operations, result.operations);
  Sum(faults, result.faults);
  Sum(network, result.network);
}

void Totals::Add(const Totals& other) {
  seeds += other.seeds;
  violated += other.violated;
  repeated += other.repeated;
  died += other.died;
  events += other.events;
  simulated_us += other.simulated_us;
  Sum(operations, other.operations);
  Sum(faults, other.faults);
  Sum(network, other.network);
}

std::string Totals::Report(double wall_seconds) const {
  const double hours = static_cast<double>(simulated_us) / 3.6e9;
  return fmt::format(
      "{} seeds, {} with violations, {} jobs died, {} run twice and compared\n"
      "{}\n"
      "faults: {}\n"
      "messages: {}; dropped {}, duplicated {}, reordered {}, slowed {}, corrupted {}, resets {}, cut {}, refused {}\n"
      "{:.1f} simulated cluster-hours in {:.1f} s: {:.0f} an hour; {:.2f} M events/s\n",
      seeds, violated, died, repeated, Operations(operations), Faults(faults), network.messages, network.dropped,
      network.duplicated, network.reordered, network.slowed, network.corrupted, network.resets, network.cut,
      network.refused, hours, wall_seconds, hours * 3600 / wall_seconds,
      static_cast<double>(events) / 1e6 / wall_seconds);
}

std::string Summary(const RunResult& result) {
  return fmt::format("{}; {}; {}; {:.0f} s, {} events, hash {:016x}", Describe(result.plan),
                     Operations(result.operations), Faults(result.faults),
                     static_cast<double>(result.simulated.count()) / 1e6, result.events, result.trace_hash);
}

}  // namespace dynamo::sim
