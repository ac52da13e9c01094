// The models of ring changes and of voters. That they find what they should is told by
// the checker's table.
#include "tests/checker/rings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

namespace dynamo::checker {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr size_t kRingEnough = 1'000'000;

template <class Model>
std::vector<std::string> StepsFrom(const Model& model, const typename Model::State& state) {
  std::vector<typename Model::Step> steps;
  model.Steps(state, /*with_text=*/true, &steps);
  std::vector<std::string> texts;
  texts.reserve(steps.size());
  for (const auto& step : steps) texts.push_back(step.text);
  return texts;
}

// Follows steps by their words.
RingState After(const RingModel& model, RingState state, const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    std::vector<RingModel::Step> steps;
    model.Steps(state, /*with_text=*/true, &steps);
    const auto step =
        std::ranges::find_if(steps, [&](const auto& s) { return s.text.find(word) != std::string::npos; });
    if (step == steps.end()) {
      ADD_FAILURE() << "no step '" << word << "'";
      return state;
    }
    state = step->next;
  }
  return state;
}

TEST(RingModel, EveryStateOfOneChangeHolds) {
  const RingOutcome outcome = SearchRings({.name = "one", .changes = 1, .writes = 1}, RingRule::kNone, kRingEnough);
  EXPECT_EQ(outcome.broken, "");
  EXPECT_TRUE(outcome.whole);
  EXPECT_GT(outcome.states, 1000u);
  EXPECT_THAT(outcome.steps, IsEmpty());
}

TEST(RingModel, SaysThatItGaveUp) {
  EXPECT_FALSE(SearchRings({.name = "one", .changes = 1, .writes = 1}, RingRule::kNone, 100).whole);
}

TEST(RingModel, TellsTheStepsThatLeadToTheBreak) {
  const RingOutcome outcome =
      SearchRings({.name = "one", .changes = 1, .writes = 1}, RingRule::kTakeoverByProof, kRingEnough);
  EXPECT_THAT(outcome.broken, HasSubstr("P9"));
  ASSERT_EQ(outcome.steps.size(), 3u);
  EXPECT_THAT(outcome.steps.back(), HasSubstr("taken over"));
}

TEST(RingModel, NobodyTakesOverBeforeItHasCompared) {
  const RingModel model({.name = "one"}, RingRule::kNone);
  const RingState begun = After(model, model.Initial(), {"D is to own in place of B"});
  EXPECT_THAT(StepsFrom(model, begun), Not(Contains(HasSubstr("taken over"))));
  EXPECT_THAT(StepsFrom(model, begun), Not(Contains(HasSubstr("copies")))) << "no owner has heard of the change";
  const RingState heard = After(model, begun, {"A hears", "B hears", "C hears", "D copies from A", "D copies from B"});
  EXPECT_THAT(StepsFrom(model, heard), Not(Contains(HasSubstr("taken over"))));
  EXPECT_THAT(StepsFrom(model, After(model, heard, {"D copies from C"})), Contains(HasSubstr("taken over")));
}

TEST(RingModel, AnOwnerThatKnowsOfTheChangeRefusesWhatWasSentBefore) {
  const RingModel model({.name = "one"}, RingRule::kNone);
  const RingState begun = After(model, model.Initial(), {"D is to own in place of A", "A hears"});
  EXPECT_THAT(StepsFrom(model, begun), Not(Contains(HasSubstr("w1 at C, which holds epoch 0; AB get it"))));
  EXPECT_THAT(StepsFrom(model, begun), Contains(HasSubstr("w1 at C, which holds epoch 0; B get it; acknowledged")));
}

TEST(RingModel, WhoIsAboutToOwnCountsForNoQuorum) {
  const RingModel model({.name = "one"}, RingRule::kNone);
  const RingState begun = After(model, model.Initial(), {"D is to own in place of A", "A hears"});
  EXPECT_THAT(StepsFrom(model, begun), Contains(testing::EndsWith("w1 at A, which holds epoch 1; D get it")));
}

TEST(RingModel, ADeadOwnerIsReplacedFromTheOthers) {
  const RingModel model({.name = "dead", .losses = 1}, RingRule::kNone);
  const RingState begun =
      After(model, model.Initial(),
            {"w1 at A, which holds epoch 0; B get it; acknowledged", "the disk of A is destroyed",
             "D is to own in place of A, which is destroyed", "B hears", "C hears", "D copies from C"});
  EXPECT_THAT(StepsFrom(model, begun), Not(Contains(HasSubstr("taken over"))));
  EXPECT_EQ(model.Check(After(model, begun, {"D copies from B", "taken over"})), "");
}

TEST(VoterModel, OneTopologyIsDecidedWhateverTheOrder) {
  const RingOutcome outcome = SearchVoters(RingRule::kNone, kRingEnough);
  EXPECT_EQ(outcome.broken, "");
  EXPECT_TRUE(outcome.whole);
  EXPECT_THAT(SearchVoters(RingRule::kWipedVoterNeverVotes, kRingEnough).broken, HasSubstr("two topologies"));
}

TEST(VoterModel, AWipedVoterAnswersNoMore) {
  const VoterModel model(RingRule::kNone);
  VoterState state = model.Initial();
  state.voters[0].wiped = 1;
  EXPECT_THAT(StepsFrom(model, state), Not(Contains(HasSubstr("voter 1 promises"))));
  EXPECT_THAT(StepsFrom(VoterModel(RingRule::kWipedVoterNeverVotes), state), Contains(HasSubstr("voter 1 promises")));
}

TEST(RingScopes, EveryRuleHasOneAndItsName) {
  std::set<RingRule> rules;
  std::set<std::string_view> names;
  for (const NamedRingRule& named : AllRingRules()) {
    rules.insert(named.rule);
    names.insert(named.scope.name);
  }
  EXPECT_EQ(rules.size(), static_cast<size_t>(RingRule::kWipedVoterNeverVotes));
  EXPECT_EQ(names.size(), rules.size());
  EXPECT_LT(RingScopesOf("smoke").size(), RingScopesOf("normal").size());
  EXPECT_LT(RingScopesOf("normal").size(), RingScopesOf("long").size());
}

}  // namespace
}  // namespace dynamo::checker
