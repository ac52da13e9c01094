#include "tests/sim/cluster/bug_table.h"

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "tests/sim/cluster/shrink.h"

namespace dynamo::sim {
namespace {

constexpr uint64_t kSeedsMax = 500;
constexpr int kShrinkRuns = 60;

// Those of changes of the members: seeds that leave members alone cannot show them. The
// first three for --plant only: seeds do not find them soon, scenarios do
// (tests/sim/ring_changes_bugs, tests/sim/transfer).
constexpr std::array kRingBugs{
    PlantedBugName{PlantedBug::kPendingNotWritten, "pending-not-written"},
    PlantedBugName{PlantedBug::kEpochUnchecked, "epoch-unchecked"},
    PlantedBugName{PlantedBug::kTransferResumedByWiped, "wiped-receiver-resumed"},
    PlantedBugName{PlantedBug::kTakeoverBeforeCopy, "takeover-before-copy"},
    PlantedBugName{PlantedBug::kStrayDroppedEarly, "stray-dropped-early"},
};

constexpr size_t kRingBugsFound = 2;  // The last ones: seeds find them.

struct BugRow {
  PlantedBugName bug;
  bool ring_always = false;
};

std::vector<BugRow> BugRows() {
  std::vector<BugRow> rows;
  rows.reserve(std::size(kPlantedBugs) + kRingBugsFound);
  for (const PlantedBugName& bug : kPlantedBugs) rows.push_back({bug});
  for (size_t i = kRingBugs.size() - kRingBugsFound; i < kRingBugs.size(); ++i) {
    rows.push_back({kRingBugs[i], /*ring_always=*/true});
  }
  return rows;
}

// Of one bug; whether it was found.
bool PrintBugRow(const BugRow& row) {
  const PlantedBugName& bug = row.bug;
  RunOptions options;
  options.plant = bug.bug;
  options.reduction.ring_always = row.ring_always;
  for (uint64_t seed = 1; seed <= kSeedsMax; ++seed) {
    if (RunSeed(seed, options).violations.empty()) continue;
    const auto shrunk = Shrink(seed, options, kShrinkRuns);
    if (!shrunk) break;
    std::printf("%-28s %5llu  %-8s %6zu  (%zu faults, %zu operations)\n", bug.name.data(),
                static_cast<unsigned long long>(seed), shrunk->result.violations[0].property.c_str(), shrunk->length(),
                shrunk->faults, shrunk->operations);
    std::fflush(stdout);
    return true;
  }
  std::printf("%-28s NOT FOUND in %llu seeds\n", bug.name.data(), static_cast<unsigned long long>(kSeedsMax));
  std::fflush(stdout);
  return false;
}

}  // namespace

std::optional<PlantedBug> FindPlantedBug(std::string_view name) {
  if (name == "none") return PlantedBug::kNone;
  for (const PlantedBugName& known : kPlantedBugs) {
    if (known.name == name) return known.bug;
  }
  for (const PlantedBugName& known : kRingBugs) {
    if (known.name == name) return known.bug;
  }
  return std::nullopt;
}

bool PrintBugTable(int jobs) {
  std::printf("%-28s %5s  %-8s %6s\n", "bug", "seeds", "property", "length");
  std::fflush(stdout);
  const std::vector<BugRow> rows = BugRows();
  std::vector<pid_t> children;
  for (int job = 0; job < jobs; ++job) {
    const pid_t child = fork();
    if (child < 0) std::abort();
    if (child > 0) {
      children.push_back(child);
      continue;
    }
    bool all = true;
    for (size_t i = static_cast<size_t>(job); i < rows.size(); i += static_cast<size_t>(jobs)) {
      all = PrintBugRow(rows[i]) && all;
    }
    std::exit(all ? 0 : 1);
  }
  bool all = true;
  for (const pid_t child : children) {
    int status = 0;
    waitpid(child, &status, 0);
    all = all && status == 0;
  }
  std::printf("%zu planted bugs, %s\n", rows.size(), all ? "all found" : "NOT all found");
  return all;
}

}  // namespace dynamo::sim
