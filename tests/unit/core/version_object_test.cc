#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "node/core/version/object.h"
#include "tests/unit/core/version_generators.h"

namespace dynamo {
namespace {

using testing::AnyObject;
using testing::AnySiblingsObject;
using testing::AnyVector;
using testing::Bottom;
using testing::Delete;
using testing::kActors;
using testing::Pick;
using testing::Put;
using testing::Text;

std::vector<std::string> ValuesOf(const Object& object) {
  std::vector<std::string> values;
  for (const Sibling& sibling : object.siblings) values.push_back(sibling.content.value);
  return values;
}

RC_GTEST_PROP(Join, IsCommutative, ()) {
  const Object a = *AnyObject(), b = *AnyObject();
  RC_ASSERT(Join(a, b) == Join(b, a));
}

RC_GTEST_PROP(Join, IsAssociative, ()) {
  const Object a = *AnyObject(), b = *AnyObject(), c = *AnyObject();
  RC_ASSERT(Join(Join(a, b), c) == Join(a, Join(b, c)));
}

RC_GTEST_PROP(Join, IsIdempotent, ()) {
  const Object a = *AnyObject(), b = *AnyObject();
  RC_ASSERT(Join(a, a) == a);
  RC_ASSERT(Join(Join(a, b), b) == Join(a, b));
}

RC_GTEST_PROP(Join, LeavesWhatWasNeverWrittenBehind, ()) {
  const Object a = *rc::gen::suchThat(AnyObject(), [](const Object& object) { return !object.never_written(); });
  RC_ASSERT(Join(a, Bottom(ConflictPolicy::kSiblings)) == a);
  RC_ASSERT(Join(a, Bottom(ConflictPolicy::kLastWriterWins)) == a);
}

RC_GTEST_PROP(Join, KeepsTheInvariantsOfObjects, ()) {
  const Object joined = Join(*AnySiblingsObject(), *AnySiblingsObject());
  for (size_t i = 0; i < joined.siblings.size(); ++i) {
    RC_ASSERT(joined.clock.Covers(joined.siblings[i].dot));
    if (i > 0) RC_ASSERT(joined.siblings[i - 1].dot < joined.siblings[i].dot);
  }
}

RC_GTEST_PROP(Dominates, SaysWhetherTheJoinChangesNothing, ()) {
  const Object a = *AnyObject(), b = *AnyObject();
  RC_ASSERT(Dominates(a, b) == (Join(a, b) == a));
  RC_ASSERT(Dominates(Join(a, b), a));
  RC_ASSERT(Dominates(Join(a, b), b));
}

RC_GTEST_PROP(JoinOfEncodings, IsTheEncodingOfTheJoin, ()) {
  const Object a = *AnyObject(), b = *AnyObject();
  RC_ASSERT(JoinEncoded(EncodeObject(a), EncodeObject(b)) == EncodeObject(Join(a, b)));
}

RC_GTEST_PROP(Mint, SupersedesExactlyWhatTheContextCovers, ()) {
  const Object state = *AnySiblingsObject();
  const CausalContext context{*AnyVector(), 0};
  const ActorId actor = kActors[Pick(0, 3)];
  const Object next = Mint(state, context, Put(actor, "new"));

  const Dot fresh{actor, next.clock.Get(actor)};
  RC_ASSERT(!state.clock.Covers(fresh));
  RC_ASSERT(!context.clock.Covers(fresh));
  std::vector<Sibling> expected{Sibling{fresh, false, 0, Text("new")}};
  for (const Sibling& sibling : state.siblings) {
    if (!context.clock.Covers(sibling.dot)) expected.push_back(sibling);
  }
  std::ranges::sort(expected);
  RC_ASSERT(next.siblings == expected);
}

RC_GTEST_PROP(Mint, MovesUpwards, ()) {
  const Object state = *AnySiblingsObject();
  const CausalContext context{*AnyVector(), 0};
  const Object next = Mint(state, context, Put(kActors[Pick(0, 3)], "new"));
  RC_ASSERT(Dominates(next, state));
  RC_ASSERT(!Dominates(state, next));
  RC_ASSERT(next.clock.Dominates(context.clock));
  VersionVector least = state.clock;
  least.Join(context.clock);
  RC_ASSERT(next.clock.size() <= least.size() + 1);
}

TEST(Mint, WithoutAContextKeepsAllSiblings) {
  Object state = Mint({}, {}, Put({1}, "milk"));
  state = Mint(state, {}, Put({1}, "bread"));
  state = Mint(state, {}, Put({2}, "eggs"));
  EXPECT_EQ(ValuesOf(state), (std::vector<std::string>{"milk", "bread", "eggs"}));
}

TEST(Mint, WithTheContextOfTheWholeStateLeavesOneValue) {
  Object state = Mint({}, {}, Put({1}, "milk"));
  state = Mint(state, {}, Put({2}, "bread"));
  state = Mint(state, ContextOf(state), Put({2}, "milk and bread"));
  EXPECT_EQ(ValuesOf(state), std::vector<std::string>{"milk and bread"});
}

TEST(Mint, ADeleteLeavesATombstoneWithoutContent) {
  Object state = Mint({}, {}, Put({1}, "milk"));
  EXPECT_FALSE(state.deleted());
  state = Mint(state, ContextOf(state), Delete({1}));
  EXPECT_TRUE(state.deleted());
  EXPECT_EQ(ValuesOf(state), std::vector<std::string>{""});
  EXPECT_FALSE(Object().deleted());
}

TEST(Join, ADeleteDoesNotTouchAConcurrentWrite) {
  const Object base = Mint({}, {}, Put({1}, "milk"));
  const Object removed = Mint(base, ContextOf(base), Delete({2}));
  const Object updated = Mint(base, ContextOf(base), Put({3}, "milk, 2 l"));
  const Object joined = Join(removed, updated);
  EXPECT_EQ(joined.siblings.size(), 2u);
  EXPECT_FALSE(joined.deleted());
}

TEST(Join, AWriteThatWasSupersededDoesNotComeBack) {
  const Object old = Mint({}, {}, Put({1}, "old"));
  const Object next = Mint(old, ContextOf(old), Put({2}, "new"));
  EXPECT_EQ(Join(old, next), next);
  EXPECT_EQ(Join(next, old), next);
}

TEST(Join, ObjectsOfDifferentPoliciesSettleForTheSiblings) {
  const Object siblings = Mint(Bottom(ConflictPolicy::kSiblings), {}, Put({1}, "s"));
  const Object lww = Mint(Bottom(ConflictPolicy::kLastWriterWins), {}, Put({1}, "l", 7));
  EXPECT_EQ(Join(siblings, lww), siblings);
  EXPECT_EQ(Join(lww, siblings), siblings);
}

}  // namespace
}  // namespace dynamo
