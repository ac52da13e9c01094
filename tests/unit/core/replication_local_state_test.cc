// A node's own state of a key and its hints.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "node/core/replication/hint.h"
#include "node/core/replication/local_state.h"
#include "node/core/version/object.h"

namespace dynamo {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr NodeId kA{1}, kB{2};

Object Written(uint64_t actor, const Object& before = {}, const CausalContext& context = {}) {
  return Mint(before, context, {.actor = {actor}, .tombstone = false, .content = {}, .now_us = 0, .stamp = 0});
}

Hint HintOf(NodeId owner, const Object& object) {
  const Bytes encoded = EncodeObject(object);
  return {"key", owner, DigestOf(encoded), encoded};
}

TEST(LocalState, NothingIsTheBottomOfTheJoin) {
  const Bytes one = EncodeObject(Written(1));
  EXPECT_EQ(*JoinStates(one, {}), one);
  EXPECT_EQ(*JoinStates({}, one), one);
  const Object joined = *DecodeObject(*JoinStates(one, EncodeObject(Written(2))));
  EXPECT_EQ(joined.siblings.size(), 2u);
  EXPECT_EQ(JoinStates(one, "damaged").error().code, Errc::kCorrupt);
}

TEST(LocalState, AnIncomingStateIsNewerCoveredOrToBeJoined) {
  const Object first = Written(1);
  const Object second = Written(1, first, ContextOf(first));
  EXPECT_EQ(StandingOf(HeaderOf(first), HeaderOf(second)), Standing::kNewer);
  EXPECT_EQ(StandingOf(HeaderOf(second), HeaderOf(first)), Standing::kCovered);
  EXPECT_EQ(StandingOf(HeaderOf(first), HeaderOf(first)), Standing::kCovered);
  EXPECT_EQ(StandingOf(HeaderOf(first), HeaderOf(Written(2))), Standing::kUnknown);
}

TEST(LocalState, OnlyAContextThatCoversAllThereIsSupersedesAll) {
  const Object first = Written(1);
  const Object both = Written(2, first);
  EXPECT_TRUE(SupersedesAll({}, ConflictPolicy::kSiblings, {}));
  EXPECT_TRUE(SupersedesAll(HeaderOf(both), ConflictPolicy::kSiblings, ContextOf(both)));
  EXPECT_FALSE(SupersedesAll(HeaderOf(both), ConflictPolicy::kSiblings, ContextOf(first)));
  EXPECT_FALSE(SupersedesAll(HeaderOf(both), ConflictPolicy::kLastWriterWins, ContextOf(both)));
}

TEST(AdmitHint, ConcurrentHintsForOneOwnerStayBesideEachOther) {
  const HintAdmission admission = AdmitHint(kA, EncodeObject(Written(2)), {HintOf(kA, Written(1))});
  EXPECT_TRUE(admission.needed);
  EXPECT_THAT(admission.superseded, IsEmpty());
}

TEST(AdmitHint, ANewerHintTakesThePlaceOfWhatItCoversForThatOwnerOnly) {
  const Object first = Written(1);
  const std::vector<Hint> existing{HintOf(kA, first), HintOf(kB, first)};
  const HintAdmission admission = AdmitHint(kA, EncodeObject(Written(2, first)), existing);
  EXPECT_TRUE(admission.needed);
  EXPECT_THAT(admission.superseded, ElementsAre(existing.data()));
}

TEST(AdmitHint, AHintThatIsCoveredChangesNothing) {
  const Object first = Written(1);
  const std::vector<Hint> existing{HintOf(kA, Written(2, first))};
  EXPECT_FALSE(AdmitHint(kA, EncodeObject(first), existing).needed);
  EXPECT_FALSE(AdmitHint(kA, existing[0].object, existing).needed);
  EXPECT_TRUE(AdmitHint(kB, EncodeObject(first), existing).needed);
}

TEST(HintsDelivered, NamesWhatWasSentAndNothingThatCameSince) {
  const Hint sent = HintOf(kA, Written(1));
  const std::vector<Hint> existing{sent, HintOf(kA, Written(2)), HintOf(kB, Written(1))};
  EXPECT_THAT(HintsDelivered(kA, sent.digest, existing), ElementsAre(existing.data()));
  EXPECT_THAT(HintsDelivered(kA, Hash128{1, 2}, existing), IsEmpty());
}

}  // namespace
}  // namespace dynamo
