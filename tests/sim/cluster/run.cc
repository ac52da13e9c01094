#include "tests/sim/cluster/run.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "tests/oracle/sessions.h"
#include "tests/sim/cluster/availability.h"
#include "tests/sim/cluster/convergence.h"
#include "tests/sim/cluster/invariants.h"
#include "tests/sim/cluster/trees.h"

namespace dynamo::sim {
namespace {

// Without faults everything has to be right again in this time (P6, P15).
constexpr Duration kHealMax = std::chrono::seconds(120);
constexpr Duration kLookAtRing = std::chrono::milliseconds(100);
// More chaos, until there are enough operations.
constexpr Duration kExtraChaosMax = std::chrono::minutes(10);

// Any quorum of owners that is read meets any that was written.
bool PromisesSessions(const Plan& plan) {
  return plan.workload.pr.value_or(0) + plan.workload.pw.value_or(0) > plan.cluster.n_val;
}

// One run in progress.
class Run {
 public:
  Run(uint64_t seed, const RunOptions& options)
      : options_(options), world_(seed), plan_(DrawPlan(world_.MakeRng("plan"), options.reduction.ring_always)) {
    options_.reduction.ApplyTo(&plan_);
    plan_.AddSpares();
    result_.seed = seed;
    result_.plan = plan_;
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
      Report({"P15", "", "the cluster is not created: " + created.error().message});
      return Finish(cluster);
    }
    Workload workload(&cluster, plan_.workload, say_);
    Chaos chaos(&cluster, plan_.chaos, say_, [this](oracle::Violation found) { Report(found); });
    Invariants invariants(&cluster, &workload, plan_.workload, [this](oracle::Violation found) { Report(found); });
    const TimePoint start = world_.now();
    workload.Start();
    chaos.Start();
    if (plan_.chaos.ChangesRing()) LookAtRing(&invariants);
    auto worked_enough = [&] { return workload.counts().total() >= plan_.workload.operations_min; };
    if (!RunTo(start + plan_.chaos.duration, [] { return false; })) RunTo(world_.now() + kExtraChaosMax, worked_enough);
    result_.chaos = world_.now() - start;
    if (!broken()) {
      healed_ = world_.now();
      chaos.Heal();
      workload.Stop();
      Settle(cluster, workload, chaos, &invariants);
    }
    if (!broken()) Judge(cluster, workload, invariants);
    result_.operations = workload.counts();
    result_.faults = chaos.counts();
    result_.begun = workload.begun();
    result_.struck = chaos.struck();
    return Finish(cluster);
  }

 private:
  void Report(oracle::Violation violation) {
    if (say_) say_(fmt::format("VIOLATION {} {}: {}", violation.property, violation.key, violation.what));
    result_.violations.push_back(std::move(violation));
  }
  bool broken() const { return !result_.violations.empty(); }

  // Runs the world until it is done, an invariant breaks, or the time has come;
  // whether it ended before its time.
  template <class Done>
  bool RunTo(TimePoint limit, Done done) {
    return world_.RunUntil([&] { return broken() || done(); }, limit);
  }
  // The same, for what costs something to ask: once a second.
  template <class Done>
  bool PollTo(TimePoint limit, Done done) {
    bool now = done();
    while (!now && !broken() && world_.now() < limit) {
      RunTo(std::min(limit, world_.now() + std::chrono::seconds(1)), [] { return false; });
      now = done();
    }
    return now && !broken();
  }

  void LookAtRing(Invariants* invariants) {
    world_.At(kNobody, world_.now() + kLookAtRing, [this, invariants] {
      invariants->LookAtRing();
      LookAtRing(invariants);
    });
  }

  // Every change of the members that was begun is over, and nothing lies where nobody
  // owns it.
  void SettleRing(SimCluster& cluster, const Chaos& chaos, TimePoint limit) {
    if (!plan_.chaos.ChangesRing()) return;
    std::string why;
    const auto rests = [&] {
      why = chaos.changes_ended() ? WhyRingMoves(cluster) : "administrators wait for an answer";
      if (why.empty() && !Strays(cluster).empty()) why = Strays(cluster).front();
      return why.empty();
    };
    if (!PollTo(limit, rests) && !broken()) {
      Report({"P9", "", fmt::format("{} s after heal the ring moves: {}", Seconds(kHealMax), why)});
    }
    result_.ring_rested = world_.now() - healed_;
  }

  // Everything that was interrupted comes to its end.
  void Settle(SimCluster& cluster, const Workload& workload, const Chaos& chaos, Invariants* invariants) {
    const TimePoint limit = world_.now() + kHealMax;
    if (!RunTo(limit, [&] { return workload.idle(); })) Report({"P15", "", "a client call never ended"});
    SettleRing(cluster, chaos, limit);
    if (PollTo(limit, [&] { return cluster.IsWhole() && cluster.HintsAtRest() == 0; })) {
      return invariants->CheckRest();
    }
    if (broken()) return;
    for (size_t i = 0; i < cluster.size(); ++i) {
      SimNode& node = cluster.node(i);
      if (!node.started()) {
        Report({"P15", "", fmt::format("node {} does not start", i)});
      } else if (!node.start_outcome()) {
        Report({"P15", "", fmt::format("node {} failed to start: {}", i, node.start_outcome().error().message)});
      }
    }
    Report({"P11", "",
            fmt::format("{} s after heal: whole {}, hints at rest {}", Seconds(kHealMax), cluster.IsWhole(),
                        cluster.HintsAtRest())});
  }

  void Judge(SimCluster& cluster, Workload& workload, Invariants& invariants) {
    result_.keys = workload.keys().size();
    // Whoever compares Merkle trees needs no reads to become equal.
    if (plan_.cluster.service.anti_entropy_interval > Duration(0)) AwaitEqualReplicas(cluster, workload);
    if (broken()) return;
    result_.keys_repaired_by_reads = CompareReplicas(cluster, workload.keys()).size();
    for (std::string& failure : world_.Await(cluster.clients(), workload.ReadAll())) Report({"P15", "", failure});
    for (oracle::Violation& violation : oracle::Check(workload.history())) Report(std::move(violation));
    for (const std::string& conflict : workload.dot_conflicts()) Report({"P8", "", conflict});
    for (const std::string& answer : workload.wrong_answers()) Report({"P14", "", answer});
    JudgeSessions(workload, invariants);
    // The reads have repaired whoever was behind.
    AwaitEqualReplicas(cluster, workload);
    result_.converged = world_.now() - healed_;
    if (broken()) return;
    // A round of reaping may be in the middle of its removals.
    const bool reaps = plan_.cluster.service.reap_interval > Duration(0);
    std::vector<std::string> wrong;
    PollTo(world_.now() + (reaps ? std::chrono::seconds(10) : std::chrono::seconds(0)), [&] {
      wrong = CompareTrees(cluster);
      return wrong.empty();
    });
    for (const std::string& what : wrong) Report({"P6", "", what});
    // A member whose disk is lost waits for its replacement: others stand in for ever.
    if (broken() || cluster.DisksHurt() > 0) return;
    for (const std::string& failure : PutWithNNodesLeft(cluster, plan_.workload.w)) Report({"P15", "", failure});
  }

  void AwaitEqualReplicas(SimCluster& cluster, const Workload& workload) {
    std::vector<oracle::Violation> differences;
    PollTo(std::max(world_.now(), healed_ + kHealMax), [&] {
      differences = CompareReplicas(cluster, workload.keys());
      return differences.empty();
    });
    for (oracle::Violation& difference : differences) Report(std::move(difference));
  }

  void JudgeSessions(const Workload& workload, const Invariants& invariants) {
    if (!PromisesSessions(plan_) || invariants.disks_destroyed() > 0 || plan_.chaos.ChangesRing()) return;
    for (oracle::Violation& violation : oracle::CheckSessions(workload.history())) Report(std::move(violation));
    for (int i = 0; i < std::min(plan_.workload.loop_keys, plan_.workload.keys); ++i) {
      const std::string key = ToString(workload.keys()[static_cast<size_t>(i)]);
      const auto clients = static_cast<size_t>(plan_.workload.clients);
      for (oracle::Violation& found : oracle::CheckLoops(workload.history(), key, clients)) Report(std::move(found));
    }
  }

  static int64_t Seconds(Duration duration) {
    return std::chrono::duration_cast<std::chrono::seconds>(duration).count();
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
  TimePoint healed_{};
  RunResult result_;
};

}  // namespace

std::string WhyNotCounted(const RunResult& result) {
  const size_t nodes = result.plan.cluster.nodes;
  if (nodes < 3 || nodes > 9) return fmt::format("{} nodes", nodes);
  const double seconds = static_cast<double>(result.chaos.count()) / 1e6;
  if (seconds < 120) return fmt::format("{:.1f} s of chaos", seconds);
  const uint64_t operations = result.operations.total();
  if (operations < 200) return fmt::format("{} operations", operations);
  if (static_cast<double>(operations) < 10 * seconds) {
    return fmt::format("{:.1f} operations a second", static_cast<double>(operations) / seconds);
  }
  const auto kinds = std::ranges::count_if(result.faults.fired, [](uint64_t times) { return times > 0; });
  if (kinds < 5) return fmt::format("{} kinds of faults", kinds);
  return {};
}

RunResult RunSeed(uint64_t seed, const RunOptions& options) { return Run(seed, options).Go(); }

}  // namespace dynamo::sim
