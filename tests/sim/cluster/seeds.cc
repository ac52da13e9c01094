#include "tests/sim/cluster/seeds.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <utility>
#include <vector>

namespace dynamo::sim {
namespace {

// One job's share: every jobs-th of the seeds.
// `at` always names the seed that runs, so that a crash can be told from outside.
Totals RunShare(const SeedsOptions& options, const RunOptions& run, int job, uint64_t* at) {
  Totals totals;
  const uint64_t step = options.every * static_cast<uint64_t>(options.jobs);
  for (uint64_t seed = options.first + static_cast<uint64_t>(job) * options.every; seed <= options.last; seed += step) {
    *at = seed;
    RunResult result = RunSeed(seed, run);
    if (options.twice_every > 0 && seed % options.twice_every == 0) {
      ++totals.repeated;
      if (RunSeed(seed, run).trace_hash != result.trace_hash) {
        result.violations.push_back({"P8", "", "the same seed ran differently the second time"});
      }
    }
    totals.Add(result);
    if (options.verbose || !result.violations.empty()) Print(result);
    if (options.until_violation && totals.violated > 0) break;
  }
  return totals;
}

}  // namespace

void Print(const RunResult& result) {
  std::printf("seed %llu: %s\n", static_cast<unsigned long long>(result.seed), Summary(result).c_str());
  for (const oracle::Violation& violation : result.violations) {
    std::printf("  VIOLATION %s %s: %s\n", violation.property.c_str(), violation.key.c_str(), violation.what.c_str());
  }
  std::fflush(stdout);
}

// Children by fork, one a job: results come back as bytes of a plain struct.
Totals RunSeeds(const SeedsOptions& options, const RunOptions& run) {
  uint64_t here = 0;
  if (options.jobs == 1) return RunShare(options, run, 0, &here);
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
      const Totals totals = RunShare(options, run, job, &at[job]);
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

}  // namespace dynamo::sim
