#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "node/core/version/clock.h"
#include "tests/unit/core/version_generators.h"

namespace dynamo {
namespace {

using testing::AnyVector;
using testing::kActors;
using testing::Pick;

VersionVector Joined(VersionVector a, const VersionVector& b) {
  a.Join(b);
  return a;
}

RC_GTEST_PROP(VersionVector, JoinIsALeastUpperBound, ()) {
  const VersionVector a = *AnyVector(), b = *AnyVector(), c = *AnyVector();
  RC_ASSERT(Joined(a, b) == Joined(b, a));
  RC_ASSERT(Joined(Joined(a, b), c) == Joined(a, Joined(b, c)));
  RC_ASSERT(Joined(a, a) == a);
  RC_ASSERT(Joined(a, b).Dominates(a));
  RC_ASSERT(a.Dominates(b) == (Joined(a, b) == a));
  for (const ActorId actor : kActors) RC_ASSERT(Joined(a, b).Get(actor) == std::max(a.Get(actor), b.Get(actor)));
}

RC_GTEST_PROP(VersionVector, CoversEveryEarlierDotOfAnActor, ()) {
  const VersionVector vector = *AnyVector();
  for (const ActorId actor : kActors) {
    for (uint64_t counter = 1; counter <= 5; ++counter) {
      RC_ASSERT(vector.Covers({actor, counter}) == (counter <= vector.Get(actor)));
    }
  }
}

RC_GTEST_PROP(VersionVector, AddRaisesAndNeverLowers, ()) {
  const VersionVector before = *AnyVector();
  const Dot dot{kActors[Pick(0, 3)], Pick(0, 6)};
  VersionVector after = before;
  after.Add(dot);
  RC_ASSERT(after.Get(dot.actor) == std::max(before.Get(dot.actor), dot.counter));
  for (const ActorId actor : kActors) {
    if (actor != dot.actor) RC_ASSERT(after.Get(actor) == before.Get(actor));
  }
}

RC_GTEST_PROP(VersionVector, HasOneEncoding, ()) {
  const VersionVector vector = *AnyVector();
  Bytes encoded;
  ByteWriter writer(&encoded);
  vector.EncodeTo(writer);
  ByteReader whole(encoded);
  RC_ASSERT(VersionVector::DecodeFrom(whole) == vector);
  RC_ASSERT(whole.at_end());
  encoded[Pick(0, encoded.size() - 1)] = static_cast<char>(Pick(0, 255));
  ByteReader changed(encoded);
  const VersionVector decoded = VersionVector::DecodeFrom(changed);
  if (!changed.at_end()) return;
  Bytes again;
  ByteWriter rewriter(&again);
  decoded.EncodeTo(rewriter);
  RC_ASSERT(again == encoded);
}

TEST(VersionVector, KeepsNoZeroCounters) {
  VersionVector vector;
  vector.Add({{1}, 0});
  EXPECT_TRUE(vector.empty());
  EXPECT_EQ(vector, VersionVector());
}

TEST(VersionVectorDeathTest, ACounterThatWouldOverflowStopsTheProcess) {
  VersionVector vector;
  vector.Add({{1}, kCounterMax});
  EXPECT_DEATH(vector.Add({{1}, kCounterMax + 1}), "kCounterMax");
  EXPECT_DEATH(vector.Add({{0}, 1}), "actor");
}

}  // namespace
}  // namespace dynamo
