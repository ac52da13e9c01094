// What the register promises, however messages and crashes fall: at most one value
// for each epoch, what was chosen stays chosen, epochs step by one.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <iostream>
#include <iterator>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "common/base/random.h"
#include "tests/unit/core/consensus_model.h"

namespace dynamo {
namespace {

struct Searched {
  size_t states = 0;
  uint64_t decided = 1;  // The highest epoch that some state decides.
  std::string violation;
};

// Every state that can be reached, each once, up to `states_max`.
Searched SearchAll(const RegisterModelConfig& config, size_t states_max) {
  Searched searched;
  std::unordered_set<Hash128> seen;
  std::vector<RegisterModel> open{RegisterModel(config)};
  seen.insert(open.back().Key());
  while (!open.empty() && searched.violation.empty() && seen.size() < states_max) {
    const RegisterModel state = std::move(open.back());
    open.pop_back();
    searched.decided = std::max(searched.decided, state.decided());
    for (const RegisterModel::Step& step : state.Steps()) {
      RegisterModel next = state;
      next.Take(step);
      if (!next.violation().empty()) searched.violation = next.violation();
      if (seen.insert(next.Key()).second) open.push_back(std::move(next));
    }
  }
  searched.states = seen.size();
  if (!open.empty() && searched.violation.empty()) searched.violation = "not all states were searched";
  return searched;
}

RegisterModelConfig Config(std::vector<uint32_t> attempts, uint64_t epochs_max) {
  RegisterModelConfig config;
  config.attempts = std::move(attempts);
  config.epochs_max = epochs_max;
  config.refusals = false;
  return config;
}

TEST(Register, ChoosesOneValueForAnEpochInEveryOrderOfMessages) {
  const Searched searched = SearchAll(Config({1, 1}, 2), 2'000'000);
  std::cout << searched.states << " states\n";
  EXPECT_EQ(searched.violation, "");
  EXPECT_EQ(searched.decided, 2u);
}

TEST(Register, ChoosesOneValueThoughAProposerGivesUpAndComesBack) {
  const Searched searched = SearchAll(Config({2, 1}, 2), 2'000'000);
  std::cout << searched.states << " states\n";
  EXPECT_EQ(searched.violation, "");
}

TEST(Register, StepsFromEpochToEpochInEveryOrderOfMessages) {
  RegisterModelConfig config = Config({2}, 3);
  const Searched searched = SearchAll(config, 2'000'000);
  std::cout << searched.states << " states\n";
  EXPECT_EQ(searched.violation, "");
  EXPECT_EQ(searched.decided, 3u);
}

TEST(Register, LosesAChosenValueIfAVoterAnswersBeforeItHasSynced) {
  RegisterModelConfig config = Config({1, 1}, 2);
  config.syncs_before_answer = false;
  const Searched searched = SearchAll(config, 2'000'000);
  std::cout << searched.states << " states: " << searched.violation << '\n';
  EXPECT_NE(searched.violation.find("are both chosen"), std::string::npos) << searched.violation;
}

using Kind = RegisterModel::Step::Kind;
constexpr Kind kKinds[] = {Kind::kAttempt, Kind::kRequest, Kind::kAnswer, Kind::kLearn, Kind::kSync, Kind::kCrash};

// One walk at random through a larger register; its violation, if any.
std::string Walk(uint64_t seed, const RegisterModelConfig& config, uint64_t* decided) {
  Rng rng(seed);
  RegisterModel model(config);
  for (int taken = 0; taken < 800 && model.violation().empty(); ++taken) {
    const auto steps = model.Steps();
    if (steps.empty()) break;
    // Kinds of steps are drawn before steps: there are many messages, and a walk that
    // delivers them evenly gets nowhere. Attempts are few, or they disturb each other.
    const Kind kind = kKinds[rng.Below(std::size(kKinds))];
    std::vector<RegisterModel::Step> drawn;
    for (const auto& step : steps) {
      if (step.kind == kind) drawn.push_back(step);
    }
    if (kind == Kind::kAttempt && rng.Chance(0.9)) drawn.clear();
    if (!drawn.empty()) model.Take(drawn[rng.Below(drawn.size())]);
  }
  *decided = model.decided();
  return model.violation();
}

// Five voters of which each decision names others, three proposers.
RegisterModelConfig ChangingVoters() {
  RegisterModelConfig config;
  config.voters = 5;
  config.voter_sets = {{1, 2, 3}, {2, 3, 4}, {3, 4, 5}, {1, 2, 3, 4, 5}, {5}};
  config.attempts = {6, 6, 6};
  config.epochs_max = 9;
  return config;
}

RC_GTEST_PROP(Register, HoldsWhileTheVotersChangeWithEveryDecision, (uint64_t seed)) {
  uint64_t decided = 0;
  RC_ASSERT(Walk(seed, ChangingVoters(), &decided) == "");
  RC_TAG(decided);
}

TEST(Register, GetsThroughSeveralDecisionsInARandomWalk) {
  uint64_t furthest = 0;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    uint64_t decided = 0;
    EXPECT_EQ(Walk(seed, ChangingVoters(), &decided), "") << "seed " << seed;
    furthest = std::max(furthest, decided);
  }
  EXPECT_GE(furthest, 4u);
}

TEST(Register, ShowsInRandomWalksThatAnswersBeforeTheSyncLoseWhatWasChosen) {
  RegisterModelConfig config;
  config.attempts = {3, 3};
  config.syncs_before_answer = false;
  size_t violated = 0;
  for (uint64_t seed = 0; seed < 400; ++seed) {
    uint64_t decided = 0;
    violated += Walk(seed, config, &decided).empty() ? 0 : 1;
  }
  EXPECT_GT(violated, 0u);
}

}  // namespace
}  // namespace dynamo
