// dynamo-bench: puts a load on a cluster and says how it was served.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cstdio>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include "tools/bench/cpu.h"
#include "tools/bench/driver.h"

namespace dynamo::bench {
namespace {

namespace json = boost::json;

struct Options {
  WorkloadConfig workload;
  std::vector<std::string> endpoints = {"127.0.0.1:8087", "127.0.0.2:8087", "127.0.0.3:8087"};
  int connections = 64;
  double seconds = 10, warm_up_seconds = 2, rate = 0;
  std::string distribution = "uniform", output = "text";
  double reads_percent = 50;
  bool no_load = false, quiet = false;
  std::vector<pid_t> server_pids;
};

void Declare(CLI::App& app, Options* options) {
  app.add_option("--endpoints", options->endpoints, "Protocol Buffers doors, HOST:PORT,...")
      ->delimiter(',')
      ->capture_default_str();
  app.add_option("--connections", options->connections, "Connections, spread over the endpoints")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  app.add_option("--seconds", options->seconds, "Seconds measured")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--warm-up", options->warm_up_seconds, "Seconds before that, not measured")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--rate", options->rate, "Operations a second, an open loop; 0: as fast as answers come")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--reads", options->reads_percent, "Percentage of reads")
      ->check(CLI::Range(0, 100))
      ->capture_default_str();
  app.add_option("--keys", options->workload.keys, "Keys")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--value-bytes", options->workload.value_bytes, "Bytes of a value")->capture_default_str();
  app.add_option("--distribution", options->distribution, "Of the keys: uniform or zipfian")
      ->check(CLI::IsMember({"uniform", "zipfian"}))
      ->capture_default_str();
  app.add_option("--type", options->workload.bucket_type,
                 "Bucket type; blind writes to `siblings` grow objects without bound")
      ->capture_default_str();
  app.add_option("--bucket", options->workload.bucket, "Bucket")->capture_default_str();
  app.add_option("--seed", options->workload.seed, "Of keys and values")->capture_default_str();
  app.add_flag("--no-load", options->no_load, "Do not write every key once first");
  app.add_option("--server-pids", options->server_pids, "Processes whose CPU time and memory to report")
      ->delimiter(',');
  app.add_flag("--quiet", options->quiet, "No progress line");
  app.add_option("-o,--output", options->output, "text or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
}

Result<std::vector<Endpoint>> ParseEndpoints(const std::vector<std::string>& texts) {
  std::vector<Endpoint> out;
  for (const std::string& text : texts) {
    const size_t colon = text.rfind(':');
    Endpoint endpoint;
    if (colon == std::string::npos || !CLI::detail::lexical_cast(text.substr(colon + 1), endpoint.port)) {
      return Fail(Errc::kInvalidArgument, fmt::format("'{}' is no endpoint: want HOST:PORT", text));
    }
    endpoint.host = text.substr(0, colon);
    out.push_back(std::move(endpoint));
  }
  return out;
}

Driver::Progress ProgressLine(const Options& options, const char* phase) {
  if (options.quiet) return [](uint64_t, uint64_t) {};
  return [phase](uint64_t total, uint64_t last_second) {
    std::fputs(fmt::format("\r{}: {} operations, {}/s   ", phase, total, last_second).c_str(), stderr);
  };
}

json::object LatencyJson(const LatencyHistogram& histogram) {
  return {{"count", histogram.count()},
          {"mean_us", histogram.MeanUs()},
          {"p50_us", histogram.QuantileUs(0.5)},
          {"p90_us", histogram.QuantileUs(0.9)},
          {"p95_us", histogram.QuantileUs(0.95)},
          {"p99_us", histogram.QuantileUs(0.99)},
          {"p999_us", histogram.QuantileUs(0.999)},
          {"max_us", histogram.max_us()}};
}

struct Costs {
  double client_cpu_us = 0;  // Per operation: the speed of the machine, for comparison.
  std::optional<double> server_cpu_us, server_memory_bytes;
};

void PrintText(const Tally& tally, const Costs& costs) {
  const auto operations = static_cast<double>(tally.operations());
  std::cout << fmt::format("throughput  {:.0f} operations/s over {:.1f} s, {} errors{}\n", operations / tally.seconds,
                           tally.seconds, tally.errors,
                           tally.first_error.empty() ? "" : " (first: " + tally.first_error + ")");
  for (const auto& [name, histogram] : {std::pair("reads", &tally.reads), std::pair("writes", &tally.writes)}) {
    if (histogram->count() == 0) continue;
    std::cout << fmt::format("{:11} {} at p50 {} p90 {} p99 {} p99.9 {} max {} us\n", name, histogram->count(),
                             histogram->QuantileUs(0.5), histogram->QuantileUs(0.9), histogram->QuantileUs(0.99),
                             histogram->QuantileUs(0.999), histogram->max_us());
  }
  std::cout << fmt::format("client CPU  {:.1f} us/operation\n", costs.client_cpu_us);
  if (costs.server_cpu_us) {
    std::cout << fmt::format("server CPU  {:.1f} us/operation, memory {:.0f} MiB in all\n", *costs.server_cpu_us,
                             *costs.server_memory_bytes / (1 << 20));
  }
}

void PrintJson(const Options& options, const Tally& tally, const Costs& costs) {
  json::object out{{"connections", options.connections},
                   {"reads_percent", options.reads_percent},
                   {"distribution", options.distribution},
                   {"keys", options.workload.keys},
                   {"value_bytes", options.workload.value_bytes},
                   {"rate_per_second", options.rate},
                   {"seconds", tally.seconds},
                   {"operations_per_second", static_cast<double>(tally.operations()) / tally.seconds},
                   {"errors", tally.errors},
                   {"reads", LatencyJson(tally.reads)},
                   {"writes", LatencyJson(tally.writes)},
                   {"client_cpu_us_per_operation", costs.client_cpu_us}};
  if (costs.server_cpu_us) {
    out["server_cpu_us_per_operation"] = *costs.server_cpu_us;
    out["server_memory_bytes"] = *costs.server_memory_bytes;
  }
  std::cout << json::serialize(out) << '\n';
}

Status Bench(const Options& options) {
  const auto endpoints = ParseEndpoints(options.endpoints);
  if (!endpoints) return Fail(endpoints.error());
  auto driver = Driver::Connect(*endpoints, options.connections);
  if (!driver) return Fail(driver.error());
  Workload workload(options.workload);
  if (!options.no_load) {
    const auto loaded = (*driver)->Load(workload, ProgressLine(options, "load"));
    if (!loaded) return Fail(loaded.error());
    if (loaded->errors > 0) return Fail(Errc::kUnavailable, "loading failed: " + loaded->first_error);
  }
  if (options.warm_up_seconds > 0) {
    const auto warm = (*driver)->Run(workload, options.warm_up_seconds, options.rate, ProgressLine(options, "warm-up"));
    if (!warm) return Fail(warm.error());
  }
  const double own_before = OwnCpuSeconds();
  const auto server_before = CpuSecondsOf(options.server_pids);
  if (!server_before) return Fail(server_before.error());
  const auto tally = (*driver)->Run(workload, options.seconds, options.rate, ProgressLine(options, "run"));
  if (!tally) return Fail(tally.error());
  const double own_after = OwnCpuSeconds();
  const auto server_after = CpuSecondsOf(options.server_pids);
  if (!server_after) return Fail(server_after.error());
  if (!options.quiet) std::fputc('\n', stderr);
  if (tally->operations() == 0) return Fail(Errc::kUnavailable, "no operation succeeded: " + tally->first_error);

  const auto operations = static_cast<double>(tally->operations());
  Costs costs;
  costs.client_cpu_us = 1e6 * (own_after - own_before) / operations;
  if (!options.server_pids.empty()) {
    const auto memory = ResidentBytesOf(options.server_pids);
    if (!memory) return Fail(memory.error());
    costs.server_cpu_us = 1e6 * (*server_after - *server_before) / operations;
    costs.server_memory_bytes = *memory;
  }
  if (options.output == "json") {
    PrintJson(options, *tally, costs);
  } else {
    PrintText(*tally, costs);
  }
  return {};
}

}  // namespace
}  // namespace dynamo::bench

int main(int argc, char** argv) {
  CLI::App app{"Puts a load on a Dynamo cluster over its Protocol Buffers door, and measures."};
  dynamo::bench::Options options;
  dynamo::bench::Declare(app, &options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  options.workload.read_fraction = options.reads_percent / 100;
  options.workload.zipfian = options.distribution == "zipfian";
  const dynamo::Status done = dynamo::bench::Bench(options);
  if (done) return 0;
  std::cerr << "dynamo-bench: " << done.error().message << '\n';
  return done.error().code == dynamo::Errc::kInvalidArgument ? 2 : 1;
}
