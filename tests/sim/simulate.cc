// simulate: runs seeds of the simulator and judges them; exits with 1 and names the
// seed if a property does not hold.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <string>

#include "tests/lib/test_form.h"
#include "tests/sim/cluster/bug_table.h"
#include "tests/sim/cluster/regressions.h"
#include "tests/sim/cluster/run.h"
#include "tests/sim/cluster/seeds.h"
#include "tests/sim/cluster/shrink.h"
#include "tests/sim/cluster/totals.h"

namespace dynamo::sim {
namespace {

struct Options {
  SeedsOptions seeds;
  RunOptions run;
  std::string range, replay, plant = "none", summary, regressions, command;
  std::vector<std::string> reduction;
  uint64_t shrink = 0;
  bool trace = false, bug_table = false, expect_violation = false;
};

// How many, by the form in which the tests run (tests/run): under sanitizers every
// tenth of the same seeds.
void SeedsOfForm(Options* options) {
  const TestForm form = FormOfThisRun();
  options->range = form == TestForm::kLong ? "1..50000" : "1..2000";
  if (form != TestForm::kSmoke) return;
  options->range = "10..2000";
  options->seeds.every = 10;
}

bool ParseSeeds(const std::string& text, SeedsOptions* options) {
  const size_t dots = text.find("..");
  try {
    options->first = std::stoull(text);
    options->last = dots == std::string::npos ? options->first : std::stoull(text.substr(dots + 2));
  } catch (const std::exception&) {
    return false;
  }
  return options->first <= options->last;
}

int RunRange(const Options& options) {
  const auto start = std::chrono::steady_clock::now();
  const Totals totals = RunSeeds(options.seeds, options.run);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::printf("%s", totals.Report(seconds).c_str());
  if (options.expect_violation) {
    const bool found = totals.violated > 0 && totals.died == 0;
    std::printf("the planted bug %s was %s\n", options.plant.c_str(), found ? "found" : "NOT found");
    return found ? 0 : 1;
  }
  if (!options.summary.empty()) {
    std::ofstream(options.summary) << ToJson(totals, options.command, options.seeds.first, options.seeds.last,
                                             options.seeds.every, seconds);
  }
  if (!options.replay.empty()) return totals.violated == 0 ? 0 : 1;
  const std::vector<std::string> shortcomings = totals.Shortcomings();
  for (const std::string& line : shortcomings) std::printf("NO PROOF: %s\n", line.c_str());
  return shortcomings.empty() ? 0 : 1;
}

int Main(Options& options) {
  const auto bug = FindPlantedBug(options.plant);
  if (!bug) {
    std::fprintf(stderr, "simulate: no planted bug is named %s\n", options.plant.c_str());
    return 2;
  }
  options.run.plant = *bug;
  for (const std::string& word : options.reduction) {
    if (const Status read = options.run.reduction.Read(word); !read) {
      std::fprintf(stderr, "simulate: %s\n", read.error().message.c_str());
      return 2;
    }
  }
  if (options.trace) options.run.say = [](const std::string& line) { std::printf("%s\n", line.c_str()); };
  if (options.bug_table) return PrintBugTable(options.seeds.jobs) ? 0 : 1;
  if (!options.regressions.empty()) return ReplayRegressions(options.regressions) ? 0 : 1;
  if (options.shrink > 0) return PrintShrunk(options.shrink, options.run) ? 0 : 1;
  return RunRange(options);
}

}  // namespace
}  // namespace dynamo::sim

int main(int argc, char** argv) {
  CLI::App app("Runs seeds of the cluster simulator and judges each by the oracle.");
  dynamo::sim::Options options;
  dynamo::sim::SeedsOfForm(&options);
  dynamo::sim::SeedsOptions& seeds = options.seeds;
  app.add_option("--seeds", options.range, "A..B, both included")->capture_default_str();
  app.add_option("--every", seeds.every, "Only every so many of them")->check(CLI::PositiveNumber);
  app.add_option("--replay", options.replay, "One seed, with its summary");
  app.add_option("--only", options.reduction, "What of the seeds' plan to keep, as --shrink prints it");
  app.add_flag("--trace", options.trace, "Print every operation, fault and log line (with --replay)");
  app.add_flag("--verbose", seeds.verbose, "Print a line for each seed");
  app.add_option("--jobs", seeds.jobs, "Processes")->check(CLI::Range(1, 64));
  app.add_option("--twice-every", seeds.twice_every, "Run every so many seeds twice and compare; 0: none");
  app.add_option("--summary", options.summary, "Write what was found to this file, as JSON");
  app.add_option("--shrink", options.shrink, "Make this failing seed small, and print what is left");
  app.add_option("--regressions", options.regressions, "Replay the seeds of this file: none may fail again");
  app.add_option("--plant", options.plant, "A planted bug (simulate_bugs only)");
  app.add_flag("--expect-violation", options.expect_violation, "Succeed if, and as soon as, a property is violated");
  app.add_flag("--bug-table", options.bug_table, "Find and shrink every planted bug (simulate_bugs only)");
  CLI11_PARSE(app, argc, argv);
  for (int i = 0; i < argc; ++i) options.command += (i > 0 ? " " : "") + std::string(i > 0 ? argv[i] : "simulate");
  if (app.count("--seeds") > 0 && app.count("--every") == 0) seeds.every = 1;
  if (!options.replay.empty()) {
    options.range = options.replay;
    seeds.every = 1;
    seeds.verbose = true;
    seeds.twice_every = 0;
  }
  seeds.until_violation = options.expect_violation;
  if (!dynamo::sim::ParseSeeds(options.range, &seeds)) {
    std::fprintf(stderr, "simulate: --seeds wants A..B with A <= B, got %s\n", options.range.c_str());
    return 2;
  }
  return dynamo::sim::Main(options);
}
