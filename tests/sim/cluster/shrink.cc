#include "tests/sim/cluster/shrink.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <utility>
#include <vector>

#include "tests/sim/cluster/ddmin.h"

namespace dynamo::sim {
namespace {

constexpr int kRunsMax = 200;

std::set<uint64_t> SetOf(const std::vector<uint64_t>& items) { return {items.begin(), items.end()}; }

class Shrinker {
 public:
  Shrinker(uint64_t seed, const RunOptions& options, int runs_max)
      : seed_(seed), options_(options), runs_max_(runs_max) {
    options_.say = nullptr;
    best_.reduction = options.reduction;
  }

  std::optional<Shrunk> Run() {
    best_.result = RunSeed(seed_, options_);
    ++best_.runs;
    if (best_.result.violations.empty()) return std::nullopt;
    property_ = best_.result.violations[0].property;
    LessTime();
    // Where no key is at fault the operations matter least.
    if (!best_.result.violations[0].key.empty()) FewerOperations();
    FewerFaults();
    SmallerCluster();
    FewerOperations();
    FewerFaults();
    Count();
    return std::move(best_);
  }

 private:
  // Takes the reduction if it fails as before.
  bool Try(const Reduction& reduction) {
    if (best_.runs >= runs_max_) return false;
    ++best_.runs;
    RunOptions options = options_;
    options.reduction = reduction;
    RunResult result = RunSeed(seed_, options);
    const bool same = std::ranges::any_of(
        result.violations, [this](const oracle::Violation& violation) { return violation.property == property_; });
    if (!same) return false;
    best_.reduction = reduction;
    best_.result = std::move(result);
    return true;
  }

  // An invariant ends the run itself; the rest is judged at the end, which may come
  // earlier.
  void LessTime() {
    for (;;) {
      const int64_t chaos_ms = best_.result.chaos.count() / 1000;
      Reduction reduction = best_.reduction;
      reduction.chaos_ms = static_cast<uint64_t>(chaos_ms) + 1;
      const bool cut = best_.result.chaos < best_.result.plan.chaos.duration;
      if (!cut) reduction.chaos_ms = static_cast<uint64_t>(chaos_ms) / 2;
      if (*reduction.chaos_ms < 100 || !Try(reduction) || cut) return;
    }
  }

  void FewerOperations() {
    const std::string key = best_.result.violations[0].key;
    std::vector<uint64_t> all, of_key;
    for (const Workload::Begun& begun : best_.result.begun) {
      all.push_back(begun.ordinal);
      if (begun.key == key) of_key.push_back(begun.ordinal);
    }
    Reduction reduction = best_.reduction;
    reduction.operations = SetOf(of_key);
    if (!of_key.empty() && Try(reduction)) all = of_key;
    Minimize<uint64_t>(all, [this](const std::vector<uint64_t>& left) {
      Reduction fewer = best_.reduction;
      fewer.operations = SetOf(left);
      return Try(fewer);
    });
  }

  void FewerFaults() {
    Minimize<uint64_t>(best_.result.struck, [this](const std::vector<uint64_t>& left) {
      Reduction fewer = best_.reduction;
      fewer.faults = SetOf(left);
      return Try(fewer);
    });
    // Those that come with others, or are a matter of rates and clients.
    for (int kind = 0; kind < kFaultKinds; ++kind) {
      if (!best_.result.plan.chaos.enabled[kind]) continue;
      Reduction fewer = best_.reduction;
      fewer.off.insert(std::string(Name(static_cast<FaultKind>(kind))));
      Try(fewer);
    }
  }

  // Everything falls out differently then: mostly in vain, but cheap by now.
  void SmallerCluster() {
    Reduction fewer = best_.reduction;
    fewer.shards = 1;
    if (best_.result.plan.cluster.shards > 1) Try(fewer);
    for (size_t nodes = 3; nodes < best_.result.plan.cluster.nodes; ++nodes) {
      fewer = best_.reduction;
      fewer.nodes = nodes;
      if (Try(fewer)) return;
    }
  }

  void Count() {
    best_.faults = best_.result.struck.size();
    const std::string& key = best_.result.violations[0].key;
    best_.operations = static_cast<size_t>(std::ranges::count_if(
        best_.result.begun, [&](const Workload::Begun& begun) { return key.empty() || begun.key == key; }));
  }

  uint64_t seed_;
  RunOptions options_;
  int runs_max_;
  std::string property_;
  Shrunk best_;
};

}  // namespace

std::optional<Shrunk> Shrink(uint64_t seed, const RunOptions& options, int runs_max) {
  return Shrinker(seed, options, runs_max).Run();
}

bool PrintShrunk(uint64_t seed, const RunOptions& options) {
  std::optional<Shrunk> shrunk = Shrink(seed, options, kRunsMax);
  if (!shrunk) {
    std::printf("seed %llu violates nothing\n", static_cast<unsigned long long>(seed));
    return false;
  }
  RunOptions again = options;
  again.reduction = shrunk->reduction;
  const std::string key = shrunk->result.violations[0].key;
  std::string write;
  // What nodes log is left out, and what clients do to other keys.
  again.say = [&](const std::string& line) {
    const bool log = line.find("    node ") != std::string::npos;
    const bool client = line.find(" client ") != std::string::npos;
    if (!log && (!client || line.find(key) != std::string::npos)) std::printf("%s\n", line.c_str());
  };
  std::printf("%s\n", Describe(shrunk->result.plan).c_str());
  RunSeed(seed, again);
  std::printf("%zu faults and %zu operations are left after %d runs:\nsimulate --replay %llu --only %s\n",
              shrunk->faults, shrunk->operations, shrunk->runs, static_cast<unsigned long long>(seed),
              shrunk->reduction.ToString().c_str());
  return true;
}

}  // namespace dynamo::sim
