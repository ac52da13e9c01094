// Searches all states of one key on a few nodes: with each rule switched off, which
// must break something, and with all of them, which must not. docs/checker.md.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <string>
#include <vector>

#include "tests/checker/rings.h"
#include "tests/checker/scopes.h"
#include "tests/checker/search.h"

namespace dynamo::checker {
namespace {

void PrintSteps(const std::vector<std::string>& steps) {
  size_t number = 0;
  for (const std::string& step : steps) fmt::print("    {}. {}\n", ++number, step);
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
  if (verbose) PrintSteps(outcome.steps);
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
  if (!holds) PrintSteps(outcome.steps);
  return holds;
}

// The same of changes of the ring, and of the register's voters.
bool CheckRingRule(const NamedRingRule& named, bool verbose) {
  const bool of_voters = named.rule == RingRule::kWipedVoterNeverVotes;
  const RingOutcome outcome =
      of_voters ? SearchVoters(named.rule, kStatesMax) : SearchRings(named.scope, named.rule, kStatesMax);
  const bool broken = !outcome.broken.empty();
  const std::string verdict =
      broken ? fmt::format("{} in {} steps", outcome.broken, outcome.steps.size()) : "NOTHING BREAKS";
  fmt::print("  without: {:<46} -> {:<60} {:>9} states {:>6.1f} s\n", named.scope.name, verdict, outcome.states,
             outcome.seconds);
  std::fflush(stdout);
  if (verbose) PrintSteps(outcome.steps);
  return broken;
}

bool RingHolds(std::string_view name, const RingOutcome& outcome) {
  const bool holds = outcome.broken.empty() && outcome.whole;
  const std::string verdict = holds ? "no error" : outcome.broken.empty() ? "NOT SEARCHED TO ITS END" : outcome.broken;
  fmt::print("  all rules: {:<44} -> {} in {} states, {} transitions, {} deep, {:.1f} s\n", name, verdict,
             outcome.states, outcome.transitions, outcome.depth, outcome.seconds);
  std::fflush(stdout);
  if (!holds) PrintSteps(outcome.steps);
  return holds;
}

bool CheckRings(std::string_view form, std::string_view only, bool verbose) {
  const auto wanted = [only](std::string_view name) { return name.find(only) != std::string_view::npos; };
  bool good = true;
  for (const NamedRingRule& named : AllRingRules()) {
    if (wanted(named.scope.name)) good = CheckRingRule(named, verbose) && good;
  }
  constexpr std::string_view kVoters = "3 voters, 2 proposers, one voter wiped";
  if (wanted(kVoters)) good = RingHolds(kVoters, SearchVoters(RingRule::kNone, kStatesMax)) && good;
  for (const RingScope& scope : RingScopesOf(form)) {
    if (wanted(scope.name)) good = RingHolds(scope.name, SearchRings(scope, RingRule::kNone, kStatesMax)) && good;
  }
  return good;
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
  good = CheckRings(form_name, only, verbose) && good;
  return good ? 0 : 1;
}
