#include "tests/chaos/run_chaos.h"

#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <memory>
#include <set>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "tests/chaos/clocks.h"
#include "tests/chaos/disk.h"
#include "tests/chaos/injector.h"
#include "tests/chaos/network.h"
#include "tests/chaos/plan.h"
#include "tests/cluster/load.h"
#include "tests/cluster/real_cluster.h"
#include "tests/oracle/check.h"

namespace dynamo::chaos {
namespace {

using cluster::Eventually;
using std::chrono::milliseconds;
using std::chrono::seconds;
using SteadyClock = std::chrono::steady_clock;

constexpr size_t kNodes = 5;
constexpr uint64_t kDiskBytes = uint64_t{512} << 20;
constexpr seconds kHealLimit{120};
constexpr milliseconds kWatchInterval{50};
// Small buffers: tables are written, compacted and read, also in a short run.
constexpr char kMemoryBudget[] = "64MiB";

const cluster::LoadSettings kLoad = {
    .clients = 32,
    .keys_at_once = 64,
    .turns_per_key = 64,
    .think_time = milliseconds(40),
    .client = {.connect_timeout = seconds(2), .answer_timeout = seconds(3), .avoid = seconds(5)}};

double SecondsSince(SteadyClock::time_point start) {
  return std::chrono::duration<double>(SteadyClock::now() - start).count();
}

// A begin or an end in the plan.
struct Step {
  milliseconds at;
  bool begins;
  const Fault* fault;
};

std::vector<Step> StepsOf(const std::vector<Fault>& plan) {
  std::vector<Step> steps;
  for (const Fault& fault : plan) {
    steps.push_back({fault.begin, true, &fault});
    steps.push_back({fault.end, false, &fault});
  }
  // At the same moment an end goes before a begin, as the budget reckons.
  std::ranges::sort(steps, {}, [](const Step& step) { return std::tuple(step.at, step.begins, step.fault); });
  return steps;
}

std::string Describe(const Fault& fault) {
  std::string text(Name(fault.kind));
  for (const size_t node : fault.nodes) text += fmt::format(" node{}", node + 1);
  for (const auto& [from, to] : fault.cut) text += fmt::format(" {}>{}", from + 1, to + 1);
  if (fault.amount != 0) text += fmt::format(" {}", fault.amount);
  return text;
}

class ChaosRun {
 public:
  ChaosRun(const RunSettings& settings, const Machine& machine)
      : settings_(settings),
        machine_(machine),
        network_(settings.tools.packets),
        clocks_(settings.tools.clock, settings.folder) {}

  Result<Report> Do() {
    if (Status made = network_.Make(kNodes); !made) return Fail(made.error());
    if (Status made = MakeDisks(); !made) return Fail(made.error());
    if (Status made = MakeNodes(); !made) return Fail(made.error());
    cluster_->StartAll();
    if (Status created = cluster_->Create(); !created) return Fail(created.error());

    cluster::LoadSettings load_settings = kLoad;
    load_settings.seed = settings_.seed;
    load_ = std::make_unique<cluster::Load>(cluster_->http(), load_settings);
    load_->Start();
    const auto start = SteadyClock::now();
    if (Status done = Chaos(); !done) return Fail(done.error());
    report_.chaos_seconds = SecondsSince(start);
    Heal();
    Judge();
    return report_;
  }

 private:
  Status MakeDisks() {
    for (size_t node = 0; machine_.has_disks && node < kNodes; ++node) {
      disks_.emplace_back(fmt::format("{}/disk{}.img", settings_.folder, node + 1),
                          fmt::format("{}/node{}/data", settings_.folder, node + 1));
      if (Status made = disks_.back().Make(kDiskBytes); !made) return made;
      if (Status mounted = disks_.back().Mount(); !mounted) return mounted;
    }
    return {};
  }

  Status MakeNodes() {
    std::string seeds;
    for (size_t node = 0; node < kNodes; ++node) {
      seeds += fmt::format("{}{}:8099", node == 0 ? "" : ",", Network::Address(node));
    }
    std::vector<std::unique_ptr<cluster::NodeProcess>> nodes;
    for (size_t node = 0; node < kNodes; ++node) {
      cluster::NodeSettings place = {.folder = fmt::format("{}/node{}", settings_.folder, node + 1),
                                     .address = Network::Address(node),
                                     .arguments = {"--seeds", seeds, "--memory-budget-bytes", kMemoryBudget},
                                     .binary = settings_.tools.node,
                                     .network_namespace = Network::NamespaceOf(node)};
      if (machine_.kinds.contains(Kind::kClock)) {
        if (Status right = clocks_.Step(node, 0); !right) return right;
        place.environment = clocks_.EnvironmentOf(node);
      }
      nodes.push_back(std::make_unique<cluster::NodeProcess>(std::move(place)));
    }
    cluster_ = std::make_unique<cluster::RealCluster>(std::move(nodes));
    return {};
  }

  Status Chaos() {
    const std::vector<Fault> plan = MakePlan(settings_.seed, settings_.length, kNodes, machine_.kinds);
    Injector injector(settings_.seed, cluster_.get(), {&network_, &disks_, &clocks_},
                      [this] { return load_->RepairAll(); });
    const auto start = SteadyClock::now();
    milliseconds late{0};  // The plan's clock stands still while a step takes long.
    std::set<const Fault*> begun_faults;
    for (const Step& step : StepsOf(plan)) {
      // After a finding only what has begun is ended, so that its traces stay fresh.
      if (step.begins ? !injector.findings().empty() : !begun_faults.contains(step.fault)) continue;
      for (; SteadyClock::now() < start + late + step.at; std::this_thread::sleep_for(kWatchInterval)) injector.Watch();
      Say(SecondsSince(start), step);
      const auto begun = SteadyClock::now();
      if (Status done = step.begins ? injector.Begin(*step.fault) : injector.End(*step.fault); !done) return done;
      late += std::chrono::duration_cast<milliseconds>(SteadyClock::now() - begun);
      if (!step.begins) continue;
      begun_faults.insert(step.fault);
    }
    injector.FinishRingChange();
    report_.violations = injector.findings();
    report_.faults = injector.faults();
    report_.outcomes = injector.outcomes();
    return {};
  }

  // With what clients had of the time since the last step.
  void Say(double at_s, const Step& step) {
    const cluster::LoadCounts now = load_->counts();
    std::cout << fmt::format("[{:7.1f} s] reads {} of {}, writes {} of {} | {} {}", at_s, now.reads_ok - said_.reads_ok,
                             now.reads() - said_.reads(), now.puts_ok - said_.puts_ok, now.puts() - said_.puts(),
                             step.begins ? "begin" : "end", Describe(*step.fault))
              << std::endl;
    said_ = now;
  }

  void Heal() {
    const auto healed = SteadyClock::now();
    load_->Stop();
    report_.counts = load_->counts();
    report_.keys = load_->keys();
    const bool drained = Eventually(kHealLimit, [this] {
      const auto hints = cluster_->HintsAtRest();
      return hints && *hints == 0 && cluster_->IsWhole() && cluster_->AgreesOnOwners();
    });
    report_.drained_seconds = SecondsSince(healed);
    if (!drained) {
      report_.violations.push_back(
          "P10, P11: after heal hints are left, or nodes are not alive to others, or know other owners");
    }
    std::cout << fmt::format("healed; comparing the replicas of {} keys", report_.keys) << std::endl;
    report_.differing_first = load_->CountDiffering();
    report_.differing_second = load_->CountDiffering();
    report_.equal_seconds = SecondsSince(healed);
    if (report_.differing_second > 0) report_.violations.push_back("P6: replicas differ after they were read");
    if (report_.equal_seconds > static_cast<double>(kHealLimit.count())) {
      report_.violations.push_back("P6: replicas were found equal too late after heal");
    }
  }

  void Judge() {
    if (const uint64_t failed = load_->ReadAll(kNodes); failed > 0) {
      report_.violations.push_back(fmt::format("{} final reads failed", failed));
    }
    const oracle::History& history = load_->history();
    for (const oracle::Violation& found : oracle::Check(history)) {
      report_.violations.push_back(fmt::format("{} {}: {}", found.property, found.key, found.what));
    }
    report_.writes_judged = history.writes().size();
    report_.reads_judged = history.reads().size();
  }

  const RunSettings& settings_;
  const Machine& machine_;
  Report report_;
  cluster::LoadCounts said_;
  Network network_;
  Clocks clocks_;
  std::vector<Disk> disks_;
  std::unique_ptr<cluster::RealCluster> cluster_;
  std::unique_ptr<cluster::Load> load_;
};

}  // namespace

Result<Report> RunChaos(const RunSettings& settings, const Machine& machine) {
  auto report = ChaosRun(settings, machine).Do();
  if (!report) return report;
  report->seed = settings.seed;
  report->left_out = {machine.lacking.begin(), machine.lacking.end()};
  return report;
}

}  // namespace dynamo::chaos
