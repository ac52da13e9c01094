// The checker's own parts. That it finds what it should is told by its table.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "tests/checker/scopes.h"
#include "tests/checker/search.h"

namespace dynamo::checker {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr size_t kEnough = 1'000'000;
constexpr Scope kOneWrite{.name = "one write", .writes = 1};

std::string BytesOf(const State& state) { return {reinterpret_cast<const char*>(&state), sizeof state}; }

// All states, each as it was met.
std::vector<State> AllStates(const Scope& scope, bool symmetry) {
  Model model(scope, {});
  const Canonical canonical(scope, symmetry);
  std::vector<State> states{model.Initial()};
  canonical.Apply(&states[0]);
  std::set<std::string> met{BytesOf(states[0])};
  std::vector<Step> steps;
  for (size_t at = 0; at < states.size(); ++at) {
    model.Steps(states[at], false, &steps);
    for (Step& step : steps) {
      canonical.Apply(&step.next);
      if (met.insert(BytesOf(step.next)).second) states.push_back(step.next);
    }
  }
  return states;
}

TEST(Search, EndsWhenEveryStateWasMet) {
  const Outcome outcome = Search(kOneWrite, {}, kEnough);
  EXPECT_EQ(outcome.broken, Property::kNone);
  EXPECT_TRUE(outcome.whole);
  EXPECT_EQ(outcome.states, AllStates(kOneWrite, true).size());
  EXPECT_THAT(outcome.steps, IsEmpty());
}

TEST(Search, SaysThatItGaveUp) {
  const Outcome outcome = Search(kOneWrite, {}, 50);
  EXPECT_FALSE(outcome.whole);
  EXPECT_EQ(outcome.broken, Property::kNone);
}

TEST(Search, TellsTheStepsThatLeadToTheBreak) {
  const Outcome outcome = Search(kOneWrite, {Rule::kHintsNeverExpire}, kEnough);
  EXPECT_EQ(outcome.broken, Property::kMargin);
  EXPECT_THAT(outcome.steps, ElementsAre(HasSubstr("w1 is minted"), HasSubstr("expires")));
}

TEST(Search, FindsEveryBreakAsSoonWithoutSymmetry) {
  for (const Rule rule : {Rule::kHintsNeverExpire, Rule::kFallbackAbsenceProvesNothing}) {
    const Outcome with = Search(kOneWrite, {rule}, kEnough, true);
    const Outcome without = Search(kOneWrite, {rule}, kEnough, false);
    EXPECT_EQ(with.broken, without.broken);
    EXPECT_EQ(with.steps.size(), without.steps.size());
    EXPECT_LE(with.states, without.states);
  }
}

// Renaming is sound only if it commutes with steps: then every state met without it
// is a renamed one of those met with it.
TEST(Canonical, LeavesOutNoStateButRenamedOnes) {
  for (const Scope& scope : {Scope{.name = "N=3", .writes = 1, .reads = 1, .losses = 1},
                             Scope{.name = "N=2", .n = 2, .writes = 1, .reads = 1, .crashes = 1},
                             Scope{.name = "duplicate", .nodes = 3, .writes = 1, .reads = 0, .duplicates = 1}}) {
    const Canonical canonical(scope);
    std::set<std::string> reduced, renamed;
    for (const State& state : AllStates(scope, true)) reduced.insert(BytesOf(state));
    for (State state : AllStates(scope, false)) {
      canonical.Apply(&state);
      renamed.insert(BytesOf(state));
    }
    EXPECT_EQ(reduced, renamed) << scope.name;
    EXPECT_GT(reduced.size(), 10u);
  }
}

TEST(Canonical, IsTheSameForAllNamesOfTheNodes) {
  const Scope scope{.name = "N=3"};
  const Canonical canonical(scope);
  State one{}, other{};
  one.node(1) = {.life = Life::kUp, .actor = 1, .memory = 2, .disk = 1, .hint_count = 0, .unused = 0, .hints = {}};
  one.messages[0] = {MessageKind::kPut, 1, 2, 0, 1, 0, 2};
  one.ops[0] = {1, 1, Bit(3), 0, 1, {4, 0}, 0, 2};
  one.crashes = other.crashes = one.puts = other.puts = 1;
  other.node(3) = one.node(1);
  other.messages[2] = {MessageKind::kPut, 3, 1, 0, 1, 0, 2};
  other.ops[1] = {1, 3, Bit(2), 0, 1, {4, 0}, 0, 2};
  canonical.Apply(&one);
  canonical.Apply(&other);
  EXPECT_EQ(BytesOf(one), BytesOf(other));
}

TEST(Canonical, ForgetsTheDiskWhenNothingCanCrash) {
  const Canonical canonical({.name = "no crash"});
  State state{};
  state.node(4).memory = 3;
  state.node(4).hint_count = 2;
  state.node(4).hints[0] = {1, kOnDisk, 1};
  state.node(4).hints[1] = {1, kInMemory, 2};
  canonical.Apply(&state);
  EXPECT_EQ(state.node(4).disk, 3);
  EXPECT_EQ(state.node(4).hint_count, 1);
  EXPECT_EQ(state.node(4).hints[0], (HeldHint{1, kInMemory | kOnDisk, 2}));
}

TEST(Objects, AreTheStoresOwn) {
  Objects objects(3);
  const ObjectNo first = objects.Mint(0, 0, 1, 1, false);
  const ObjectNo beside = objects.Mint(0, 0, 2, 2, false);
  const ObjectNo both = objects.Join(first, beside);
  EXPECT_EQ(objects.Join(beside, first), both);
  EXPECT_EQ(objects.Receive(first, beside), both);
  EXPECT_EQ(objects.live(both), Bit(1) | Bit(2));
  EXPECT_EQ(objects.Text(both), "{w1, w2} [a1:1 a2:1]");
  const ObjectNo deleted = objects.Mint(both, both, 1, 3, true);
  EXPECT_EQ(objects.live(deleted), Bit(3));
  EXPECT_EQ(objects.Counter(deleted, 1), 2);
  EXPECT_TRUE(objects.sound(deleted));
  EXPECT_FALSE(objects.Admit(first, {both}).needed);
  EXPECT_EQ(objects.Admit(deleted, {first, beside}).superseded, Bit(1) | Bit(2));
  EXPECT_TRUE(objects.IsDelivered(1, first, 1, first));
  EXPECT_FALSE(objects.IsDelivered(1, first, 1, beside));
}

TEST(Objects, AReadJoinsWhatDiffersAndNamesWhoIsBehind) {
  Objects objects(3);
  const ObjectNo first = objects.Mint(0, 0, 1, 1, false);
  const ObjectNo beside = objects.Mint(0, 0, 2, 2, false);
  const ReadOutcome& differs = objects.Read({{1, true, true, true, first}, {2, true, true, true, beside}});
  EXPECT_TRUE(differs.met && differs.met_by_owners);
  EXPECT_EQ(differs.joined, objects.Join(first, beside));
  EXPECT_THAT(differs.behind, ElementsAre(1, 2));
  // A fallback that has nothing counts for nothing, one that has something does.
  EXPECT_FALSE(objects.Read({{1, true, true, true, 0}, {4, false, false, true, 0}}).met);
  const ReadOutcome& hint = objects.Read({{1, true, true, true, 0}, {4, false, false, true, first}});
  EXPECT_TRUE(hint.met);
  EXPECT_FALSE(hint.met_by_owners);
  EXPECT_FALSE(objects.Read({{1, true, true, true, first}, {2, true, true, false, 0}}).met);
}

TEST(Scopes, EveryRuleHasOneAndItsName) {
  std::set<Rule> rules;
  std::set<std::string_view> names;
  for (const NamedRule& named : AllRules()) {
    rules.insert(named.rule);
    names.insert(named.scope.name);
  }
  EXPECT_EQ(rules.size(), static_cast<size_t>(Rule::kReplicaPutJoins));
  EXPECT_EQ(names.size(), rules.size());
  EXPECT_LT(ScopesOf("smoke").size(), ScopesOf("normal").size());
  EXPECT_LT(ScopesOf("normal").size(), ScopesOf("long").size());
}

}  // namespace
}  // namespace dynamo::checker
