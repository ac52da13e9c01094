// Searches all states of one key on a few nodes: with each rule switched off, which
// must break something, and with all of them, which must not. docs/checker.md.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <string>
#include <vector>

#include "tests/checker/scopes.h"
#include "tests/checker/search.h"

namespace dynamo::checker {
namespace {

void PrintSteps(const Outcome& outcome) {
  size_t number = 0;
  for (const std::string& step : outcome.steps) fmt::print("    {}. {}\n", ++number, step);
}

// Whether switching it off breaks something, as it must.
bool CheckRule(const NamedRule& named, bool verbose) {
  const Outcome outcome = Search(named.scope, {named.rule}, kStatesMax);
  const bool broken = outcome.broken != Property::kNone;
  const std::string verdict =
      broken ? fmt::format("{} in {} steps", Name(outcome.broken), outcome.steps.size()) : "NOTHING BREAKS";
  fmt::print("  without: {:<46} -> {:<60} {:>9} states {:>6.1f} s\n", named.scope.name, verdict, outcome.states,
             outcome.seconds);
  std::fflush(stdout);
  if (verbose) PrintSteps(outcome);
  return broken;
}

// Whether the whole scope holds with all rules, as it must.
bool CheckScope(const Scope& scope) {
  const Outcome outcome = Search(scope, {}, kStatesMax);
  const bool holds = outcome.broken == Property::kNone && outcome.whole;
  const std::string_view verdict = holds           ? "no error"
                                   : outcome.whole ? Name(outcome.broken)
                                                   : "NOT SEARCHED TO ITS END";
  fmt::print("  all rules: {:<44} -> {} in {} states, {} transitions, {} deep, {:.1f} s\n", scope.name,
             outcome.broken == Property::kNone ? verdict : Name(outcome.broken), outcome.states, outcome.transitions,
             outcome.depth, outcome.seconds);
  std::fflush(stdout);
  if (!holds) PrintSteps(outcome);
  return holds;
}

}  // namespace
}  // namespace dynamo::checker

int main(int argc, char** argv) {
  using namespace dynamo::checker;
  bool verbose = false;
  std::string only;
  const char* const form = std::getenv("DYNAMO_TEST_FORM");
  std::string form_name = form == nullptr ? "normal" : form;
  CLI::App app("Searches all states of one key on a few nodes for a broken promise.");
  app.add_flag("--verbose", verbose, "Print the steps of every counter-example");
  app.add_option("--only", only, "Rules and scopes whose name holds these words");
  app.add_option("--form", form_name, "smoke, normal or long; default: DYNAMO_TEST_FORM, or normal")
      ->check(CLI::IsMember({"smoke", "normal", "long"}));
  CLI11_PARSE(app, argc, argv);

  bool good = true;
  for (const NamedRule& named : AllRules()) {
    if (named.scope.name.find(only) != std::string_view::npos) good = CheckRule(named, verbose) && good;
  }
  for (const Scope& scope : ScopesOf(form_name)) {
    if (scope.name.find(only) != std::string_view::npos) good = CheckScope(scope) && good;
  }
  return good ? 0 : 1;
}
