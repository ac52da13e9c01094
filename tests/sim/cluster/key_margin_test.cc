#include "tests/sim/cluster/key_margin.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

namespace dynamo::sim {
namespace {

using ::testing::HasSubstr;

constexpr ActorId kActor{7};
constexpr ActorId kRetired{2};
constexpr ActorId kNotReaped{3};
constexpr char kKey[] = "cart";

// Three disks and one key of siblings; writes are numbered by the history, and the
// n-th dot is that of the n-th write.
class KeyMarginTest : public ::testing::Test {
 protected:
  oracle::WriteId Begin(std::vector<oracle::WriteId> context) {
    const oracle::WriteId id = history_.BeginPut(1, kKey, {std::move(context), false});
    margin_.OnBegin(history_.writes().at(id));
    return id;
  }
  oracle::WriteId BeginDelete(std::optional<oracle::Context> context) {
    const oracle::WriteId id = history_.BeginDelete(1, kKey, std::move(context));
    margin_.OnBegin(history_.writes().at(id));
    return id;
  }
  std::optional<oracle::Violation> Acknowledge(oracle::WriteId id, int required) {
    history_.EndWrite(id, oracle::Outcome::kOk);
    const oracle::WriteRecord& write = history_.writes().at(id);
    margin_.OnEnd(write, last());
    return margin_.OnAcknowledged(write, required);
  }
  oracle::WriteId last() const { return history_.writes().rbegin()->first; }

  // The state in which `seen` have been, and `shown` are left.
  static Object State(std::vector<oracle::WriteId> seen, const std::vector<oracle::WriteId>& shown) {
    Object object;
    for (const oracle::WriteId id : seen) object.clock.Add(DotOf(id));
    for (const oracle::WriteId id : shown) {
      Sibling sibling;
      sibling.dot = DotOf(id);
      sibling.content.value = fmt::format("w{}:value", id);
      object.siblings.push_back(std::move(sibling));
    }
    return object;
  }
  SummaryPtr SummaryOf(const Object& object) { return summaries_.Of(EncodeObject(object)); }
  static Dot DotOf(oracle::WriteId id) { return {kActor, id}; }

  // What a disk has as its replica, or as a hint; nothing if none.
  std::optional<oracle::Violation> Store(size_t disk, const std::optional<Object>& object, NodeId hint_for = {},
                                         bool destroyed = false) {
    const auto place = std::pair(hint_for == NodeId{} ? ColumnFamily::kObjects : ColumnFamily::kHints, Bytes(kKey));
    if (object) {
      margin_.copies(disk)[place] = {summaries_.Of(EncodeObject(*object)), hint_for};
      for (const Sibling& sibling : object->siblings) margin_.OnDot(sibling.dot.counter, sibling.dot);
    } else {
      margin_.copies(disk).erase(place);
    }
    return margin_.OnChanged(disk, destroyed);
  }

  oracle::History history_;
  Summaries summaries_;
  KeyMargin margin_{3, oracle::Policy::kSiblings};
};

TEST_F(KeyMarginTest, AWriteOnAsManyDisksAsPromisedIsWell) {
  const auto a = Begin({});
  EXPECT_FALSE(Store(0, State({a}, {a})));
  EXPECT_FALSE(Store(1, State({a}, {a})));
  EXPECT_FALSE(Acknowledge(a, 2));
  EXPECT_EQ(margin_.ReplicasOf(a, {0, 1, 2}), 2);
}

TEST_F(KeyMarginTest, FindsAWriteThatIsAcknowledgedBeforeEnoughDisksHaveIt) {
  const auto a = Begin({});
  Store(0, State({a}, {a}));
  const auto wrong = Acknowledge(a, 2);
  ASSERT_TRUE(wrong);
  EXPECT_EQ(wrong->property, "P14");
  EXPECT_THAT(wrong->what, HasSubstr("is on 1 disks, hints included; 2 are promised"));
}

TEST_F(KeyMarginTest, FindsAnAcknowledgedWriteThatWasNeverOnADisk) {
  const auto wrong = Acknowledge(Begin({}), 1);
  ASSERT_TRUE(wrong);
  EXPECT_EQ(wrong->property, "P14");
}

TEST_F(KeyMarginTest, AHintCountsAsADiskButNotAsAReplica) {
  const auto a = Begin({});
  Store(0, State({a}, {a}));
  Store(2, State({a}, {a}), NodeId{5});
  EXPECT_FALSE(Acknowledge(a, 2));
  EXPECT_EQ(margin_.ReplicasOf(a, {0, 1, 2}), 1);
}

TEST_F(KeyMarginTest, KnowsWhichAcknowledgedWritesAllOfSomeDisksHaveAsReplicas) {
  const auto a = Begin({});
  const auto b = Begin({});
  EXPECT_FALSE(Store(0, State({a, b}, {a, b})));
  EXPECT_FALSE(Store(1, State({a}, {a})));
  EXPECT_FALSE(Store(2, State({b}, {b}), NodeId{5}));
  EXPECT_TRUE(margin_.HeldByAll({0}).empty()) << "not acknowledged yet";
  EXPECT_FALSE(Acknowledge(a, 2));
  EXPECT_FALSE(Acknowledge(b, 2));
  EXPECT_EQ(margin_.HeldByAll({0}), (std::vector<oracle::WriteId>{a, b}));
  EXPECT_EQ(margin_.HeldByAll({0, 1}), std::vector<oracle::WriteId>{a});
  EXPECT_TRUE(margin_.HeldByAll({0, 2}).empty()) << "a hint is no replica";
}

TEST_F(KeyMarginTest, FindsADiskThatDropsWhatIsPromised) {
  const auto a = Begin({});
  Store(0, State({a}, {a}));
  Store(1, State({a}, {a}));
  ASSERT_FALSE(Acknowledge(a, 2));
  const auto wrong = Store(1, std::nullopt);
  ASSERT_TRUE(wrong);
  EXPECT_EQ(wrong->property, "P13");
  EXPECT_THAT(wrong->what, HasSubstr("that of node 1 no longer has it"));
}

TEST_F(KeyMarginTest, AHintMayGoOnceItsOwnerHasIt) {
  const auto a = Begin({});
  Store(0, State({a}, {a}));
  Store(2, State({a}, {a}), NodeId{5});
  ASSERT_FALSE(Acknowledge(a, 2));
  Store(1, State({a}, {a}));
  EXPECT_FALSE(Store(2, std::nullopt, NodeId{5}));
}

TEST_F(KeyMarginTest, ADestroyedDiskLowersWhatIsPromised) {
  const auto a = Begin({});
  Store(0, State({a}, {a}));
  Store(1, State({a}, {a}));
  ASSERT_FALSE(Acknowledge(a, 2));
  EXPECT_FALSE(Store(0, std::nullopt, {}, /*destroyed=*/true));
  EXPECT_TRUE(Store(1, std::nullopt));  // The other one still counts.
}

TEST_F(KeyMarginTest, ASwapOfDisksThatLosesNothingLowersNothing) {
  const auto a = Begin({});
  Store(0, State({a}, {a}));
  Store(1, State({a}, {a}));
  ASSERT_FALSE(Acknowledge(a, 2));
  std::swap(margin_.copies(0), margin_.copies(2));
  margin_.OnReplaced();
  EXPECT_TRUE(Store(2, std::nullopt));
}

TEST_F(KeyMarginTest, WhatALaterWriteHasSupersededNeedNotBeShown) {
  const auto a = Begin({});
  Store(0, State({a}, {a}));
  Store(1, State({a}, {a}));
  ASSERT_FALSE(Acknowledge(a, 2));
  const auto b = Begin({a});
  EXPECT_FALSE(Store(0, State({a, b}, {b})));
  EXPECT_FALSE(Store(1, State({a, b}, {b})));
  EXPECT_FALSE(Acknowledge(b, 2));
  EXPECT_EQ(margin_.ReplicasOf(a, {0, 1}), std::nullopt);  // No longer promised.
}

TEST_F(KeyMarginTest, FindsASiblingThatVanishesWithoutAWriteThatHasSeenIt) {
  const auto a = Begin({});
  const auto b = Begin({});
  Store(0, State({a, b}, {a, b}));
  Store(1, State({a, b}, {a, b}));
  ASSERT_FALSE(Acknowledge(a, 2));
  ASSERT_FALSE(Acknowledge(b, 2));
  const auto wrong = Store(1, State({a, b}, {b}));
  ASSERT_TRUE(wrong);
  EXPECT_EQ(wrong->property, "P13");
}

TEST_F(KeyMarginTest, ADeleteIsHeldWhereWhatItHasSeenIsGoneAndKnown) {
  const auto a = Begin({});
  Store(0, State({a}, {a}));
  Store(1, State({a}, {a}));
  ASSERT_FALSE(Acknowledge(a, 2));
  const auto remove = BeginDelete(oracle::Context{{a}, false});
  Store(0, State({a}, {}));
  Store(1, State({a}, {}));
  EXPECT_FALSE(Acknowledge(remove, 2));
  EXPECT_TRUE(Store(0, State({a}, {a})));  // It came back.
}

TEST_F(KeyMarginTest, ABlindDeleteMayRemoveWhatItMeets) {
  const auto a = Begin({});
  Store(0, State({a}, {a}));
  Store(1, State({a}, {a}));
  ASSERT_FALSE(Acknowledge(a, 2));
  BeginDelete(std::nullopt);
  EXPECT_FALSE(Store(0, State({a}, {})));
  EXPECT_FALSE(Store(1, State({a}, {})));
}

TEST_F(KeyMarginTest, CoversWhatAnotherHoldsOrHasSeenSuperseded) {
  const auto a = Begin({});
  const auto b = Begin({a});
  const SummaryPtr older = summaries_.Of(EncodeObject(State({a}, {a})));
  const SummaryPtr newer = summaries_.Of(EncodeObject(State({a, b}, {b})));
  EXPECT_TRUE(margin_.Covers({newer.get()}, *older));
  EXPECT_FALSE(margin_.Covers({older.get()}, *newer));
  EXPECT_FALSE(margin_.Covers({}, *older));
}

TEST_F(KeyMarginTest, ADeleteThatIsReapedIsPromisedNoMore) {
  const auto a = Begin({});
  Store(0, State({a}, {a}));
  Store(1, State({a}, {a}));
  Acknowledge(a, 2);
  const auto remove = BeginDelete(oracle::Context{{a}, false});
  Store(0, State({a}, {}));
  Store(1, State({a}, {}));
  ASSERT_FALSE(Acknowledge(remove, 2));
  margin_.OnReaped(*SummaryOf(State({a}, {})), nullptr);
  EXPECT_FALSE(Store(0, std::nullopt));
  EXPECT_FALSE(Store(1, std::nullopt));
}

TEST_F(KeyMarginTest, CoversByAVectorThatWasCutOnlyWhatIsAliveThere) {
  const auto a = Begin({});
  const auto b = Begin({});
  const auto with = [](Object object, ActorId retired) {
    object.clock.Add({retired, 3});
    return object;
  };
  const SummaryPtr whole = SummaryOf(with(State({a}, {a}), kRetired));
  const SummaryPtr cut = SummaryOf(State({a}, {a}));
  EXPECT_FALSE(margin_.Covers({cut.get()}, *whole));
  margin_.OnReaped(*whole, cut.get());
  EXPECT_TRUE(margin_.Covers({cut.get()}, *whole));
  EXPECT_FALSE(margin_.Covers({cut.get()}, *SummaryOf(with(State({a}, {a}), kNotReaped))));
  EXPECT_FALSE(margin_.Covers({SummaryOf(State({a, b}, {b})).get()}, *whole));
}

TEST_F(KeyMarginTest, WhatWasAliveIsNotExcusedByBeingReaped) {
  const auto a = Begin({});
  Store(0, State({a}, {a}));
  ASSERT_FALSE(Acknowledge(a, 1));
  margin_.OnReaped(*SummaryOf(State({a}, {a})), nullptr);
  EXPECT_TRUE(Store(0, std::nullopt));
}

}  // namespace
}  // namespace dynamo::sim
