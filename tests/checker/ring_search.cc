#include <chrono>
#include <cstring>
#include <string_view>
#include <unordered_map>

#include "common/base/hash.h"
#include "tests/checker/rings.h"

namespace dynamo::checker {
namespace {

template <class State>
Hash128 RingHash(const State& state) {
  static_assert(std::has_unique_object_representations_v<State>);
  return HashOf(std::string_view(reinterpret_cast<const char*>(&state), sizeof state));
}

// The steps to the last of these states, told again.
template <class Model>
std::vector<std::string> RetellRing(const Model& model, const std::vector<typename Model::State>& states,
                                    const std::vector<uint32_t>& from) {
  std::vector<std::string> told;
  std::vector<typename Model::Step> steps;
  for (size_t at = states.size() - 1; at != 0; at = from[at]) {
    model.Steps(states[from[at]], /*with_text=*/true, &steps);
    for (const auto& step : steps) {
      if (std::memcmp(&step.next, &states[at], sizeof step.next) != 0) continue;
      told.insert(told.begin(), step.text);
      break;
    }
  }
  return told;
}

// Breadth first: what breaks is reached in as few steps as any.
template <class Model>
RingOutcome SearchAll(const Model& model, size_t states_max) {
  const auto began = std::chrono::steady_clock::now();
  RingOutcome outcome;
  std::vector<typename Model::State> states{model.Initial()};
  std::vector<uint32_t> from{0}, depth{0};
  std::unordered_map<Hash128, uint32_t> met{{RingHash(states[0]), 0}};
  std::vector<typename Model::Step> steps;
  size_t at = 0;
  for (; at < states.size() && outcome.broken.empty() && states.size() < states_max; ++at) {
    model.Steps(states[at], /*with_text=*/false, &steps);
    outcome.transitions += steps.size();
    for (const auto& step : steps) {
      if (!met.emplace(RingHash(step.next), static_cast<uint32_t>(states.size())).second) continue;
      states.push_back(step.next);
      from.push_back(static_cast<uint32_t>(at));
      depth.push_back(depth[at] + 1);
      outcome.broken = model.Check(step.next);
      if (!outcome.broken.empty()) break;
    }
  }
  outcome.states = states.size();
  outcome.depth = depth.back();
  outcome.whole = at == states.size();
  if (!outcome.broken.empty()) outcome.steps = RetellRing(model, states, from);
  outcome.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  return outcome;
}

}  // namespace

RingOutcome SearchRings(const RingScope& scope, RingRule off, size_t states_max) {
  return SearchAll(RingModel(scope, off), states_max);
}

RingOutcome SearchVoters(RingRule off, size_t states_max) { return SearchAll(VoterModel(off), states_max); }

std::vector<NamedRingRule> AllRingRules() {
  return {
      {RingRule::kPendingWritten, {.name = "pending owners are written, or owed a hint", .changes = 1, .writes = 1}},
      {RingRule::kEpochFencing,
       {.name = "what was sent before the change is refused", .changes = 1, .writes = 1, .suspects = 1}},
      {RingRule::kHintsGoToPending,
       {.name = "a hint for an owner goes to pending owners, too", .changes = 2, .writes = 1, .losses = 1}},
      {RingRule::kTakeoverByProof, {.name = "a takeover only by proof of coverage", .changes = 1, .writes = 1}},
      {RingRule::kSafeDrop, {.name = "a stray is dropped once every owner covers it", .changes = 1, .writes = 1}},
      {RingRule::kWipedReceiverStartsAgain,
       {.name = "a wiped receiver starts again", .changes = 1, .writes = 1, .wipes = 1}},
      {RingRule::kWipedVoterNeverVotes, {.name = "a wiped voter never votes under its id", .wipes = 1}},
  };
}

std::vector<RingScope> RingScopesOf(std::string_view form) {
  std::vector<RingScope> scopes{
      {.name = "2 ring changes, a write", .changes = 2, .writes = 1},
      {.name = "2 ring changes, a write, a suspect", .changes = 2, .writes = 1, .suspects = 1},
      {.name = "a ring change, a write, a wiped receiver", .changes = 1, .writes = 1, .wipes = 1},
      {.name = "a dead node replaced, a write", .changes = 1, .writes = 1, .losses = 1, .suspects = 1},
      {.name = "2 ring changes, one of a dead node, a write", .changes = 2, .writes = 1, .losses = 1},
  };
  if (form == "smoke") return {scopes.begin(), scopes.begin() + 1};
  if (form != "long") return scopes;
  scopes.push_back({.name = "a ring change, 2 writes, a wiped receiver", .changes = 1, .writes = 2, .wipes = 1});
  scopes.push_back({.name = "2 ring changes, 2 writes, a suspect", .changes = 2, .writes = 2, .suspects = 1});
  scopes.push_back({.name = "2 ring changes, one of a dead node, 2 writes", .changes = 2, .writes = 2, .losses = 1});
  return scopes;
}

}  // namespace dynamo::checker
