// simulate: runs seeds of the simulator and judges them; exits with 1 and names the
// seed if a property does not hold.
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "tests/sim/cluster/run.h"
#include "tests/sim/cluster/totals.h"

namespace dynamo::sim {
namespace {

struct Options {
  uint64_t first = 0, last = 0;
  int jobs = 1;
  uint64_t twice_every = 50;
  bool trace = false;
  bool verbose = false;
  std::string plant = "none";
  bool expect_violation = false;
};

// How many, by the form in which the tests run (tests/run).
std::string SeedsOfForm() {
  const char* const form = std::getenv("DYNAMO_TEST_FORM");
  const std::string name = form == nullptr ? "normal" : form;
  if (name == "smoke") return "1..200";
  return name == "long" ? "1..20000" : "1..1000";
}

bool ParseSeeds(const std::string& text, Options* options) {
  const size_t dots = text.find("..");
  try {
    options->first = std::stoull(text);
    options->last = dots == std::string::npos ? options->first : std::stoull(text.substr(dots + 2));
  } catch (const std::exception&) {
    return false;
  }
  return options->first <= options->last;
}

PlantedBug ParsePlant(const std::string& name) {
  for (const PlantedBugName& known : kPlantedBugs) {
    if (known.name == name) return known.bug;
  }
  return PlantedBug::kNone;
}

void Print(const RunResult& result) {
  std::printf("seed %llu: %s\n", static_cast<unsigned long long>(result.seed), Summary(result).c_str());
  for (const oracle::Violation& violation : result.violations) {
    std::printf("  VIOLATION %s %s: %s\n", violation.property.c_str(), violation.key.c_str(), violation.what.c_str());
  }
  std::fflush(stdout);
}

// One job's share: every jobs-th seed from first + job on.
// `at` always names the seed that runs, so that a crash can be told from outside.
Totals RunShare(const Options& options, int job, uint64_t* at) {
  Totals totals;
  RunOptions run;
  run.plant = ParsePlant(options.plant);
  if (options.trace) run.say = [](const std::string& line) { std::printf("%s\n", line.c_str()); };
  for (uint64_t seed = options.first + static_cast<uint64_t>(job); seed <= options.last;
       seed += static_cast<uint64_t>(options.jobs)) {
    *at = seed;
    RunResult result = RunSeed(seed, run);
    if (options.twice_every > 0 && seed % options.twice_every == 0) {
      ++totals.repeated;
      if (RunSeed(seed, run).trace_hash != result.trace_hash) {
        result.violations.push_back({"P8", "", "the same seed ran differently the second time"});
      }
    }
    totals.Add(result);
    if (options.verbose || (!result.violations.empty() && !options.expect_violation)) Print(result);
    // A planted bug is found, or the seeds run out.
    if (options.expect_violation && totals.violated > 0) {
      Print(result);
      break;
    }
  }
  return totals;
}

// Children by fork, one a job: results come back as bytes of a plain struct.
Totals RunAll(const Options& options) {
  uint64_t here = 0;
  if (options.jobs == 1) return RunShare(options, 0, &here);
  const size_t shared_bytes = static_cast<size_t>(options.jobs) * sizeof(uint64_t);
  void* const shared = mmap(nullptr, shared_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) std::abort();
  auto* const at = static_cast<uint64_t*>(shared);
  std::vector<std::pair<pid_t, int>> children;
  for (int job = 0; job < options.jobs; ++job) {
    int ends[2];
    if (pipe(ends) != 0) std::abort();
    const pid_t child = fork();
    if (child == 0) {
      close(ends[0]);
      const Totals totals = RunShare(options, job, &at[job]);
      const ssize_t written = write(ends[1], &totals, sizeof totals);
      // Not _exit: a leak checker has its say at the end.
      std::exit(written == static_cast<ssize_t>(sizeof totals) ? 0 : 1);
    }
    close(ends[1]);
    children.emplace_back(child, ends[0]);
  }
  Totals all;
  for (size_t job = 0; job < children.size(); ++job) {
    const auto [child, end] = children[job];
    Totals totals;
    const bool reported = read(end, &totals, sizeof totals) == static_cast<ssize_t>(sizeof totals);
    if (reported) all.Add(totals);
    close(end);
    int status = 0;
    waitpid(child, &status, 0);
    if (!reported || status != 0) {
      ++all.died;
      std::printf("VIOLATION the process died in seed %llu\n", static_cast<unsigned long long>(at[job]));
    }
  }
  munmap(shared, shared_bytes);
  return all;
}

int Main(const Options& options) {
  const auto start = std::chrono::steady_clock::now();
  const Totals totals = RunAll(options);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::printf("%s", totals.Report(seconds).c_str());
  if (totals.died > 0) return 1;
  if (options.expect_violation) {
    std::printf(totals.violated > 0 ? "the planted bug %s was found\n" : "the planted bug %s was NOT found\n",
                options.plant.c_str());
    return totals.violated > 0 ? 0 : 1;
  }
  return totals.violated == 0 ? 0 : 1;
}

}  // namespace
}  // namespace dynamo::sim

int main(int argc, char** argv) {
  CLI::App app("Runs seeds of the cluster simulator and judges each by the oracle.");
  dynamo::sim::Options options;
  std::string seeds = dynamo::sim::SeedsOfForm(), replay;
  app.add_option("--seeds", seeds, "A..B, both included")->capture_default_str();
  app.add_option("--replay", replay, "One seed, with its summary");
  app.add_flag("--trace", options.trace, "Print every operation, fault and log line (with --replay)");
  app.add_flag("--verbose", options.verbose, "Print a line for each seed");
  app.add_option("--jobs", options.jobs, "Processes")->check(CLI::Range(1, 64));
  app.add_option("--twice-every", options.twice_every, "Run every so many seeds twice and compare; 0: none");
  app.add_option("--plant", options.plant, "A planted bug (simulate_bugs only)");
  app.add_flag("--expect-violation", options.expect_violation, "Succeed if, and as soon as, a property is violated");
  CLI11_PARSE(app, argc, argv);
  if (!replay.empty()) {
    seeds = replay;
    options.verbose = true;
    options.twice_every = 0;
  }
  if (!dynamo::sim::ParseSeeds(seeds, &options)) {
    std::fprintf(stderr, "simulate: --seeds wants A..B with A <= B, got %s\n", seeds.c_str());
    return 2;
  }
  return dynamo::sim::Main(options);
}
