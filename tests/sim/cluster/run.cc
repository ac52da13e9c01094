#include "tests/sim/cluster/run.h"

#include <fmt/format.h>

#include "tests/oracle/check.h"
#include "tests/sim/cluster/convergence.h"

namespace dynamo::sim {
namespace {

constexpr Duration kFaultFreeMax = std::chrono::minutes(10);

// One run in progress.
class Run {
 public:
  Run(uint64_t seed, const RunOptions& options)
      : options_(options), world_(seed), plan_(DrawPlan(world_.MakeRng("plan"))) {
    result_.seed = seed;
    result_.plan = Describe(plan_);
    if (options_.say) {
      say_ = [this](const std::string& line) {
        options_.say(
            fmt::format("{:12.6f} {}", static_cast<double>(world_.now().time_since_epoch().count()) / 1e6, line));
      };
      plan_.cluster.log = [this](size_t node, LogLevel, std::string_view line) {
        say_(fmt::format("    node {}: {}", node, line));
      };
    }
#if defined(DYNAMO_PLANTED_BUGS)
    plan_.cluster.service.planted.active = options_.plant;
#endif
  }

  RunResult Go() {
    SimCluster cluster(&world_, plan_.cluster);
    if (const Status created = cluster.Create(); !created) {
      Report("create: " + created.error().message);
      return Finish(cluster);
    }
    Workload workload(&cluster, plan_.workload, say_);
    Chaos chaos(&cluster, plan_.chaos, say_);
    workload.Start();
    chaos.Start();
    world_.RunFor(plan_.chaos.duration);
    auto enough = [&] { return workload.counts().total() >= plan_.workload.operations_min; };
    world_.RunUntil(enough, world_.now() + kFaultFreeMax);
    chaos.Heal();
    workload.Stop();
    Settle(cluster, workload);
    Judge(cluster, workload);
    result_.operations = workload.counts();
    result_.faults = chaos.counts();
    return Finish(cluster);
  }

 private:
  void Report(std::string violation) { result_.violations.push_back(std::move(violation)); }

  // Everything that was interrupted comes to its end.
  void Settle(SimCluster& cluster, const Workload& workload) {
    const TimePoint limit = world_.now() + kFaultFreeMax;
    if (!world_.RunUntil([&] { return workload.idle(); }, limit)) Report("P15 a client call never ended");
    bool whole = false;
    while (!whole && world_.now() < limit) {
      world_.RunFor(std::chrono::seconds(1));
      whole = cluster.IsWhole() && cluster.HintsAtRest() == 0;
    }
    if (whole) return;
    for (size_t i = 0; i < cluster.size(); ++i) {
      SimNode& node = cluster.node(i);
      if (!node.started()) {
        Report(fmt::format("P15 node {} does not start", i));
      } else if (!node.start_outcome()) {
        Report(fmt::format("P15 node {} failed to start: {}", i, node.start_outcome().error().message));
      }
    }
    Report(fmt::format("P11 after {} s without faults: whole {}, hints at rest {}",
                       std::chrono::duration_cast<std::chrono::seconds>(kFaultFreeMax).count(), cluster.IsWhole(),
                       cluster.HintsAtRest()));
  }

  void Judge(SimCluster& cluster, Workload& workload) {
    for (std::string& failure : world_.Await(cluster.clients(), workload.ReadAll())) Report("P15 " + failure);
    for (const oracle::Violation& violation : oracle::Check(workload.history())) {
      Report(fmt::format("{} {}: {}", violation.property, violation.key, violation.what));
    }
    for (const std::string& conflict : workload.dot_conflicts()) Report("P8 " + conflict);
    for (const std::string& answer : workload.wrong_answers()) Report("P14 " + answer);
    // The reads have repaired whoever was behind.
    world_.RunFor(std::chrono::seconds(5));
    for (std::string& difference : CompareReplicas(cluster, workload.keys())) Report("P6 " + difference);
  }

  RunResult Finish(SimCluster& cluster) {
    result_.network = cluster.network().counts();
    result_.trace_hash = world_.trace_hash();
    result_.events = world_.events();
    result_.simulated = world_.now() - TimePoint{};
    return std::move(result_);
  }

  RunOptions options_;
  SimWorld world_;
  Plan plan_;
  std::function<void(const std::string&)> say_;
  RunResult result_;
};

}  // namespace

RunResult RunSeed(uint64_t seed, const RunOptions& options) { return Run(seed, options).Go(); }

}  // namespace dynamo::sim
