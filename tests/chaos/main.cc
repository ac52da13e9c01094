// dynamo-chaos: five nodes, clients, and everything that can go wrong with a machine.
//
// Wants a network, a mount and a process namespace of its own: tests/chaos/run gives
// it these. Exits with 1 if a property of the store does not hold, or if the machine
// cannot do the least.
#include <fmt/format.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "tests/chaos/command.h"
#include "tests/chaos/run_chaos.h"

namespace dynamo::chaos {
namespace {

struct Options {
  std::string binaries;
  uint64_t seed = 20071014;  // The first day of SOSP 2007.
  std::string form = "normal";
  std::optional<int> seconds;
  std::string summary, parent = std::filesystem::temp_directory_path();
  std::set<std::string> only;
};

std::chrono::seconds LengthOf(const Options& options) {
  if (options.seconds) return std::chrono::seconds(*options.seconds);
  if (options.form == "smoke") return std::chrono::seconds(60);
  return std::chrono::minutes(options.form == "long" ? 60 : 6);
}

// Ends the nodes and unmounts their disks; the images and logs of a failed run stay.
void CleanUp(const std::string& folder, bool failed) {
  (void)Execute(fmt::format("umount {}/node*/data", folder));
  if (failed) {
    std::cerr << "images of the disks and logs of the nodes are kept under " << folder << '\n';
  } else {
    std::filesystem::remove_all(folder);
  }
}

int Main(const Options& options, const std::string& command) {
  std::string folder = options.parent + "/dynamo-chaos-XXXXXX";
  if (::mkdtemp(folder.data()) == nullptr) {
    std::cerr << "cannot make a folder in " << options.parent << '\n';
    return 1;
  }
  const Tools tools(options.binaries);
  Machine machine = Inspect(tools, folder);
  std::cout << Describe(machine) << std::flush;
  if (const std::string why = WhyNoRun(machine); !why.empty()) {
    std::cerr << "dynamo-chaos: " << why << '\n';
    CleanUp(folder, /*failed=*/false);
    return 1;
  }
  if (!options.only.empty()) {
    std::erase_if(machine.kinds, [&](Kind kind) { return !options.only.contains(std::string(Name(kind))); });
  }
  const uint64_t seed = options.seed;
  const auto length = LengthOf(options);
  std::cout << fmt::format("seed {}, {} s of chaos", seed, length.count()) << std::endl;

  auto report = RunChaos({.seed = seed, .length = length, .folder = folder, .tools = tools}, machine);
  const bool failed = !report || !report->violations.empty();
  CleanUp(folder, failed);
  if (!report) {
    std::cerr << "dynamo-chaos: " << report.error().message << " (seed " << seed << ")\n";
    return 1;
  }
  report->command = fmt::format("{} --seed {}", command, seed);
  std::cout << report->Text() << std::flush;
  if (!options.summary.empty()) std::ofstream(options.summary) << report->Json();
  return failed ? 1 : 0;
}

}  // namespace
}  // namespace dynamo::chaos

int main(int argc, char** argv) {
  using namespace dynamo::chaos;
  // As the first process of its namespace it has no default action for these; all
  // others end with it.
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::signal(signal, [](int) { ::_exit(130); });
  Options options;
  CLI::App app("Chaos on real processes, judged by the oracle.", "dynamo-chaos");
  app.add_option("BINARIES", options.binaries, "Folder of dynamo-node and the tests' programs")->required();
  app.add_option("--seed", options.seed, "Of the faults and the clients; another one does other things")
      ->capture_default_str();
  app.add_option("--form", options.form, "smoke: 60 s, normal: 6 minutes, long: 60 minutes")
      ->envname("DYNAMO_TEST_FORM")
      ->check(CLI::IsMember({"smoke", "normal", "long"}));
  app.add_option("--seconds", options.seconds, "Another length");
  app.add_option("--only", options.only, "Only these kinds of faults")->delimiter(',');
  app.add_option("--summary", options.summary, "File for the report as JSON");
  app.add_option("--folder", options.parent, "Where the disks' images are kept while it runs");
  CLI11_PARSE(app, argc, argv);
  const std::string length = options.seconds ? fmt::format(" --seconds {}", *options.seconds) : "";
  return Main(options, fmt::format("DYNAMO_TEST_FORM={} tests/chaos/run BINARIES{}", options.form, length));
}
