#include "tests/sim/cluster/regressions.h"

#include <cstdio>
#include <fstream>
#include <sstream>

#include "tests/sim/cluster/run.h"
#include "tests/sim/cluster/seeds.h"

namespace dynamo::sim {

bool ReplayRegressions(const std::string& path) {
  std::ifstream file(path);
  bool good = file.is_open();
  if (!good) std::printf("cannot read %s\n", path.c_str());
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line.substr(0, line.find('#')));
    uint64_t seed = 0;
    if (!(words >> seed)) continue;
    RunOptions options;
    for (std::string word; words >> word;) {
      if (options.reduction.Read(word)) continue;
      std::printf("%s: cannot read %s\n", path.c_str(), word.c_str());
      good = false;
    }
    const RunResult result = RunSeed(seed, options);
    std::printf("%s %s\n", result.violations.empty() ? "ok  " : "FAIL", line.c_str());
    if (result.violations.empty()) continue;
    Print(result);
    good = false;
  }
  return good;
}

}  // namespace dynamo::sim
