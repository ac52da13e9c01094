#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <limits>

#include "node/core/reap/remains.h"
#include "tests/unit/core/version_generators.h"

namespace dynamo {
namespace {

using testing::Bottom;
using testing::Delete;
using testing::kActors;
using testing::Put;

constexpr ReapLimits kAnyAge{50, std::numeric_limits<WallMicros>::max()};

Object Written(std::initializer_list<Write> writes) {
  Object object = Bottom(ConflictPolicy::kSiblings);
  for (const Write& write : writes) object = Mint(object, ContextOf(object), write);
  return object;
}

TEST(Remains, NothingRemainsOfADeletedObject) {
  const Object deleted = Written({Put(kActors[0], "a"), Put(kActors[1], "b"), Delete(kActors[2])});
  EXPECT_TRUE(RemainsOf(deleted).never_written());
  EXPECT_TRUE(IsWorthReaping(deleted, kAnyAge));
}

TEST(Remains, NothingRemainsOfADeletedObjectWhereTheLatestWins) {
  Object object = Bottom(ConflictPolicy::kLastWriterWins);
  object = Mint(object, {}, Put(kActors[0], "a", 10));
  EXPECT_EQ(RemainsOf(object), object);
  EXPECT_FALSE(IsWorthReaping(object, kAnyAge));
  object = Mint(object, ContextOf(object), Delete(kActors[1], 11));
  EXPECT_EQ(RemainsOf(object), Bottom(ConflictPolicy::kLastWriterWins));
  EXPECT_TRUE(IsWorthReaping(object, kAnyAge));
}

TEST(Remains, ASiblingKeepsItsActorsWholeEntryAndOthersLoseTheirs) {
  const Object object = Written({Put(kActors[0], "a"), Put(kActors[1], "b"), Put(kActors[1], "c")});
  const Object remains = RemainsOf(object);
  EXPECT_EQ(remains.siblings, object.siblings);
  EXPECT_EQ(remains.clock.size(), 1u);
  EXPECT_EQ(remains.clock.Get(kActors[1]), 2u);
}

TEST(Remains, OnlyLongVectorsAreWorthCutting) {
  Object object = Written({Put(kActors[0], "a"), Put(kActors[1], "b")});
  EXPECT_FALSE(IsWorthReaping(object, kAnyAge));
  for (uint64_t actor = 100; actor < 149; ++actor) object = Mint(object, ContextOf(object), Put({actor}, "x"));
  EXPECT_TRUE(IsWorthReaping(object, kAnyAge));
}

TEST(Remains, ALongVectorOfLivingSiblingsIsLeftAlone) {
  Object object = Bottom(ConflictPolicy::kSiblings);
  for (uint64_t actor = 100; actor < 160; ++actor) object = Mint(object, {}, Put({actor}, "x"));
  EXPECT_FALSE(IsWorthReaping(object, kAnyAge));
}

TEST(Remains, WhatWasWrittenJustNowIsLeftForLater) {
  Write remove = Delete(kActors[0]);
  remove.now_us = 1000;
  const Object object = Written({Put(kActors[1], "a"), remove});
  EXPECT_FALSE(IsWorthReaping(object, {50, 999}));
  EXPECT_TRUE(IsWorthReaping(object, {50, 1000}));
}

// A history of writes, some of them deletes, with and without contexts.
Object AnyHistory() {
  Object object = Bottom(ConflictPolicy::kSiblings);
  const auto writes = static_cast<size_t>(*rc::gen::inRange(1, 8));
  for (size_t i = 0; i < writes; ++i) {
    const ActorId actor = kActors[*rc::gen::inRange<size_t>(0, 4)];
    const CausalContext context = *rc::gen::arbitrary<bool>() ? ContextOf(object) : CausalContext{};
    object = Mint(object, context, *rc::gen::arbitrary<bool>() ? Delete(actor) : Put(actor, std::to_string(i)));
  }
  return object;
}

RC_GTEST_PROP(RemainsProperty, AreCanonicalAndNothingIsLeftToReap, ()) {
  const Object remains = RemainsOf(AnyHistory());
  RC_ASSERT(RemainsOf(remains) == remains);
  RC_ASSERT(!IsWorthReaping(remains, kAnyAge));
  if (remains.never_written()) return;
  const auto decoded = DecodeObject(EncodeObject(remains));
  RC_ASSERT(decoded.has_value());
  RC_ASSERT(*decoded == remains);
}

RC_GTEST_PROP(RemainsProperty, JoinedWithWhatTheyAreLeftOfTheyAreThatAgain, ()) {
  const Object object = AnyHistory();
  RC_ASSERT(Join(RemainsOf(object), object) == object);
  RC_ASSERT(Join(object, RemainsOf(object)) == object);
}

// One owner was reaped and took a new write; another was not and has all there was.
RC_GTEST_PROP(RemainsProperty, ANewWriteOverThemMeetsTheWholeObjectAsIfNothingHadGone, ()) {
  const Object object = AnyHistory();
  const Object remains = RemainsOf(object);
  const bool seen = *rc::gen::arbitrary<bool>();
  const ActorId fresh{99};
  const Object written = Mint(remains, seen ? ContextOf(remains) : CausalContext{}, Put(fresh, "new"));
  // Also by the vectors alone.
  const auto by_header = JoinEncoded(EncodeObject(object), EncodeObject(written));
  const Object joined = Join(written, object);
  RC_ASSERT(by_header.has_value());
  RC_ASSERT(*by_header == EncodeObject(joined));
  const size_t unseen = seen && !remains.never_written() ? 0 : object.siblings.size();
  RC_ASSERT(joined.clock.Covers({fresh, 1}));
  RC_ASSERT(joined.siblings.size() == unseen + 1);
}

}  // namespace
}  // namespace dynamo
