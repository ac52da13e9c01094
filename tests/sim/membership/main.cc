// membership_scale: prints what membership costs and gives at several numbers of
// members; exits with 1 if a bound is broken.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "tests/lib/test_form.h"
#include "tests/sim/membership/scale.h"

namespace dynamo::sim {
namespace {

// By the form in which the tests run (tests/run).
std::vector<int> MembersOfForm() {
  switch (FormOfThisRun()) {
    case TestForm::kSmoke: return {10};
    case TestForm::kLong: return {10, 100, 1000};
    default: return {10, 100};
  }
}

struct Row {
  const char* name;
  double ScaleFigures::* figure;
  const char* format;
};
constexpr Row kRows[] = {
    {"rounds until one hash: all start at once", &ScaleFigures::start_rounds, "{:.1f}"},
    {"rounds until one ring and hash: the cluster is created", &ScaleFigures::create_rounds, "{:.1f}"},
    {"rounds until one hash: a member returns at another address", &ScaleFigures::return_rounds, "{:.1f}"},
    {"rounds until one ring and hash: one member is given a new epoch", &ScaleFigures::ring_rounds, "{:.1f}"},
    {"bytes a second sent per member: nothing happens", &ScaleFigures::quiet_bytes, "{:.0f}"},
    {"... while all start", &ScaleFigures::start_bytes, "{:.0f}"},
    {"... while a new epoch spreads", &ScaleFigures::ring_bytes, "{:.0f}"},
    {"... under loss", &ScaleFigures::loss_bytes, "{:.0f}"},
    {"false suspicions per member and minute, under loss", &ScaleFigures::suspected_rate, "{:.3f}"},
    {"share of living members held for dead, under loss", &ScaleFigures::dead_share, "{:.6f}"},
    {"share of living members not sent requests, under loss", &ScaleFigures::down_share, "{:.6f}"},
    {"a machine is lost: seconds until the first suspects it", &ScaleFigures::suspect_seconds, "{:.2f}"},
    {"... until nobody sends requests to it", &ScaleFigures::all_down_seconds, "{:.2f}"},
    {"... until all hold it for dead", &ScaleFigures::all_dead_seconds, "{:.2f}"},
};

void PrintTable(const std::vector<ScaleFigures>& all) {
  std::string head = "| members |", rule = "| --- |", bound = "| bound on rounds |";
  for (const ScaleFigures& figures : all) {
    head += fmt::format(" {} |", figures.members);
    rule += " ---: |";
    bound += fmt::format(" {:.1f} |", RoundsMax(figures.members));
  }
  std::printf("%s\n%s\n%s\n", head.c_str(), rule.c_str(), bound.c_str());
  for (const Row& row : kRows) {
    std::string line = fmt::format("| {} |", row.name);
    for (const ScaleFigures& figures : all) {
      line += fmt::format(fmt::runtime(fmt::format(" {} |", row.format)), figures.*row.figure);
    }
    std::printf("%s\n", line.c_str());
  }
}

int Main(int argc, char** argv) {
  ScaleOptions options;
  std::vector<int> members = MembersOfForm();
  CLI::App app("Measures membership at several numbers of members, in simulation");
  app.add_option("--members", members, "how many, one run each")->delimiter(',')->check(CLI::Range(4, 4000));
  app.add_option("--seed", options.seed, "of the simulation");
  app.add_option("--loss", options.loss, "share of messages lost in that part")->check(CLI::Range(0.0, 0.5));
  CLI11_PARSE(app, argc, argv);

  std::vector<ScaleFigures> all;
  std::vector<std::string> broken;
  for (const int count : members) {
    options.members = count;
    const auto began = std::chrono::steady_clock::now();
    all.push_back(MeasureScale(options));
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    std::fprintf(stderr, "%d members: %.1f s\n", count, took.count());
    for (std::string& bound : BrokenBounds(all.back())) broken.push_back(std::move(bound));
  }
  PrintTable(all);
  for (const std::string& bound : broken) std::printf("BROKEN: %s\n", bound.c_str());
  return broken.empty() ? 0 : 1;
}

}  // namespace
}  // namespace dynamo::sim

int main(int argc, char** argv) { return dynamo::sim::Main(argc, argv); }
