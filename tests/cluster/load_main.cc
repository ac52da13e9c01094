// dynamo-load: the oracle's clients, for harnesses that are not written in C++.
//
// usage: dynamo-load SEED ADDRESS...
//
// Clients write, read and delete at the addresses (host:port of the HTTP door) until told
// otherwise on standard input, where each line is answered with one line of JSON:
//   counts           what was done so far
//   end ADDRESS...   the clients stop; every key is read at two of these addresses with
//                    R = N, and the history is judged. Ends with 1 if a property is violated.
#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <chrono>
#include <iostream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "tests/cluster/load.h"
#include "tests/oracle/check.h"

namespace dynamo::cluster {
namespace {

boost::json::object ToJson(const LoadCounts& counts) {
  return {{"reads_ok", counts.reads_ok},         {"reads_failed", counts.reads_failed},   {"writes_ok", counts.puts_ok},
          {"writes_failed", counts.puts_failed}, {"writes_unknown", counts.puts_unknown}, {"retried", counts.retried}};
}

int End(Load& load, std::vector<std::string> observers) {
  load.Stop();
  load.AskFromNowOn(std::move(observers));
  const uint64_t failed = load.ReadAll(/*observers=*/2);
  boost::json::array violations;
  for (const oracle::Violation& found : oracle::Check(load.history())) {
    violations.emplace_back(found.property + ' ' + found.key + ": " + found.what);
  }
  if (failed > 0) violations.emplace_back(std::to_string(failed) + " of the last reads failed");
  boost::json::object said = ToJson(load.counts());
  said["keys"] = load.keys();
  said["writes_judged"] = load.history().writes().size();
  said["reads_judged"] = load.history().reads().size();
  const bool is_fine = violations.empty();
  said["violations"] = std::move(violations);
  std::cout << boost::json::serialize(said) << std::endl;
  return is_fine ? 0 : 1;
}

int Main(uint64_t seed, std::vector<std::string> addresses) {
  // Few enough that the machine is not the bottleneck, and an hour's history fits into memory.
  Load load(std::move(addresses),
            {.clients = 4,
             .seed = seed,
             .think_time = std::chrono::milliseconds(10),
             .retries = true,
             .client = {.connect_timeout = std::chrono::seconds(2), .answer_timeout = std::chrono::seconds(5)}});
  load.Start();
  std::string line;
  while (std::getline(std::cin, line)) {
    std::istringstream words(line);
    std::string word;
    words >> word;
    if (word == "counts") {
      std::cout << boost::json::serialize(ToJson(load.counts())) << std::endl;
    } else if (word == "end") {
      std::vector<std::string> observers;
      while (words >> word) observers.push_back(word);
      if (observers.size() < 2) break;
      return End(load, std::move(observers));
    }
  }
  std::cerr << "dynamo-load: the end was not said, with two addresses at least: nothing was judged\n";
  return 2;
}

}  // namespace
}  // namespace dynamo::cluster

int main(int argc, char** argv) {
  CLI::App app("The oracle's clients, told on standard input when to stop and judge.");
  uint64_t seed = 0;
  std::vector<std::string> addresses;
  app.add_option("SEED", seed)->required();
  app.add_option("ADDRESS", addresses, "host:port of the HTTP door")->required();
  CLI11_PARSE(app, argc, argv);
  return dynamo::cluster::Main(seed, std::move(addresses));
}
