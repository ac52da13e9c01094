// One run: nodes, load, faults, heal, judgement.
#ifndef DYNAMO_TESTS_CHAOS_RUN_CHAOS_H_
#define DYNAMO_TESTS_CHAOS_RUN_CHAOS_H_

#include <chrono>
#include <cstdint>
#include <string>

#include "common/base/result.h"
#include "tests/chaos/preflight.h"
#include "tests/chaos/report.h"

namespace dynamo::chaos {

struct RunSettings {
  uint64_t seed = 1;
  std::chrono::milliseconds length{0};
  std::string folder;  // Empty at first: disks' images, logs.
  Tools tools;
};

// Prints each fault as it happens. An error is the machine's or this program's; what
// the store did wrong is in the report.
Result<Report> RunChaos(const RunSettings& settings, const Machine& machine);

}  // namespace dynamo::chaos

#endif  // DYNAMO_TESTS_CHAOS_RUN_CHAOS_H_
