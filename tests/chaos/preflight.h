// What this machine can do of all that a run of chaos would like to do.
#ifndef DYNAMO_TESTS_CHAOS_PREFLIGHT_H_
#define DYNAMO_TESTS_CHAOS_PREFLIGHT_H_

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/chaos/plan.h"

namespace dynamo::chaos {

// The programs and libraries of this test, all in one folder.
struct Tools {
  explicit Tools(const std::string& binaries)
      : node(binaries + "/dynamo-node"),
        packets(binaries + "/chaos-packets"),
        clock(binaries + "/libskewed-clock.so") {}
  std::string node, packets, clock;
};

struct Machine {
  std::set<Kind> kinds;  // That can be done.
  bool has_disks = false;
  std::vector<std::pair<std::string, std::string>> lacking;  // Names of kinds, and why.
};

// Tries everything once, in `folder` and in this program's own namespaces.
Machine Inspect(const Tools& tools, const std::string& folder);

// Empty, or why there is no point in a run: kill, stop or a partition is missing.
std::string WhyNoRun(const Machine& machine);

// What can be done and what not, for people.
std::string Describe(const Machine& machine);

}  // namespace dynamo::chaos

#endif  // DYNAMO_TESTS_CHAOS_PREFLIGHT_H_
