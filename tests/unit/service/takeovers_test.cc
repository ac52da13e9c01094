// What shard 0 asks of the register by itself: takeovers, and its own departure.
#include "node/service/takeovers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "node/service/departure.h"
#include "tests/sim/clock.h"
#include "tests/sim/world.h"

namespace dynamo {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Decides after a tenth of a second, or refuses.
class TakeoversTest : public testing::Test {
 protected:
  ~TakeoversTest() override {
    scope_.Kill();
    world_.Settle();
  }

  Async<Result<uint64_t>> Decide(TopologyChange change) {
    co_await SleepUntil(scope_, clock_, clock_.Now() + Duration(100'000));
    asked_.push_back(std::move(change));
    if (refuse_) co_return Fail(Errc::kQuorumUnmet, "2 of 5 voters answered");
    co_return uint64_t{10};
  }
  std::vector<PartitionId> TakenOver(size_t at) { return std::get<TakeOver>(asked_.at(at).what).partitions; }

  sim::SimWorld world_{1};
  Scope scope_{world_.executor()};
  sim::SimClock clock_{&world_, sim::kNobody, TimePoint{}, 0};
  std::vector<TopologyChange> asked_;
  bool refuse_ = false;
  Takeovers takeovers_{&scope_, Logger{}, [this](TopologyChange change) { return Decide(std::move(change)); }};
  // Of a node that is let go two seconds after it was drained.
  Departure departure_{&scope_, &clock_, Logger{}, std::chrono::seconds(2),
                       [this](TopologyChange change) { return Decide(std::move(change)); }};
};

TEST_F(TakeoversTest, WhatComesMeanwhileGoesIntoTheNextChange) {
  takeovers_.OnCovered(5, {3});
  world_.Settle();
  takeovers_.OnCovered(5, {1, 3});
  takeovers_.OnCovered(5, {2});
  world_.RunFor(std::chrono::seconds(5));
  ASSERT_THAT(asked_, SizeIs(2));
  EXPECT_THAT(TakenOver(0), ElementsAre(3u));
  EXPECT_THAT(TakenOver(1), ElementsAre(1u, 2u, 3u));
  EXPECT_EQ(std::get<TakeOver>(asked_[0].what).since, 5u);
  EXPECT_EQ(asked_[0].operation_id, "");
}

TEST_F(TakeoversTest, WhatWasRefusedIsNotAskedAgainUntilSomebodySaysSo) {
  refuse_ = true;
  takeovers_.OnCovered(5, {3});
  world_.RunFor(std::chrono::seconds(5));
  ASSERT_THAT(asked_, SizeIs(1));
  refuse_ = false;
  takeovers_.OnCovered(5, {3});
  world_.RunFor(std::chrono::seconds(5));
  EXPECT_THAT(asked_, SizeIs(2));
}

TEST_F(TakeoversTest, WhatWasShownInAnEarlierChangeIsForgotten) {
  takeovers_.OnCovered(5, {1});
  world_.Settle();
  takeovers_.OnCovered(5, {2});
  takeovers_.OnCovered(6, {3});
  takeovers_.OnCovered(5, {4});
  world_.RunFor(std::chrono::seconds(5));
  ASSERT_THAT(asked_, SizeIs(2));
  EXPECT_THAT(TakenOver(1), ElementsAre(3u));
  EXPECT_EQ(std::get<TakeOver>(asked_[1].what).since, 6u);
}

TEST_F(TakeoversTest, ANodeDepartsWhenEveryShardHoldsNothing) {
  departure_.OnDrained(NodeId{7}, 5, 0, 2);
  world_.RunFor(std::chrono::seconds(5));
  EXPECT_THAT(asked_, IsEmpty());
  departure_.OnDrained(NodeId{7}, 5, 1, 2);
  world_.RunFor(std::chrono::seconds(5));
  ASSERT_THAT(asked_, SizeIs(1));
  EXPECT_EQ(std::get<Depart>(asked_[0].what).node, NodeId{7});
}

TEST_F(TakeoversTest, ShardsThatHeldNothingAtDifferentEpochsAreNotEnough) {
  departure_.OnDrained(NodeId{7}, 5, 0, 2);
  departure_.OnDrained(NodeId{7}, 6, 1, 2);
  departure_.OnDrained(NodeId{7}, 5, 0, 2);
  world_.RunFor(std::chrono::seconds(5));
  EXPECT_THAT(asked_, IsEmpty());
  departure_.OnDrained(NodeId{7}, 6, 0, 2);
  world_.RunFor(std::chrono::seconds(5));
  EXPECT_THAT(asked_, SizeIs(1));
}

TEST_F(TakeoversTest, ADepartureThatIsNotDecidedIsAskedAgain) {
  refuse_ = true;
  departure_.OnDrained(NodeId{7}, 5, 0, 1);
  world_.RunFor(std::chrono::milliseconds(4500));
  EXPECT_THAT(asked_, SizeIs(3));
  refuse_ = false;
  world_.RunFor(std::chrono::seconds(10));
  EXPECT_THAT(asked_, SizeIs(4));
}

TEST_F(TakeoversTest, ClientsHaveTheGraceToGoElsewhereBeforeANodeDeparts) {
  departure_.OnDrained(NodeId{7}, 5, 0, 1);
  world_.RunFor(std::chrono::milliseconds(1900));
  departure_.OnDrained(NodeId{7}, 5, 0, 1);
  EXPECT_THAT(asked_, IsEmpty());
  world_.RunFor(std::chrono::milliseconds(300));
  EXPECT_THAT(asked_, SizeIs(1)) << "saying it again does not make it longer";
}

TEST_F(TakeoversTest, AnotherEpochBeginsTheGraceAnew) {
  departure_.OnDrained(NodeId{7}, 5, 0, 2);
  departure_.OnDrained(NodeId{7}, 5, 1, 2);
  world_.RunFor(std::chrono::seconds(1));
  departure_.OnDrained(NodeId{7}, 6, 0, 2);
  world_.RunFor(std::chrono::seconds(5));
  EXPECT_THAT(asked_, IsEmpty()) << "one shard has not said so of this epoch";
  departure_.OnDrained(NodeId{7}, 6, 1, 2);
  world_.RunFor(std::chrono::milliseconds(1900));
  EXPECT_THAT(asked_, IsEmpty());
  world_.RunFor(std::chrono::milliseconds(300));
  EXPECT_THAT(asked_, SizeIs(1));
}

TEST_F(TakeoversTest, ShardsThatSayItOfANewEpochWhileTheOldOneIsWaitedForAreHeard) {
  departure_.OnDrained(NodeId{7}, 5, 0, 1);
  world_.RunFor(std::chrono::seconds(1));
  departure_.OnDrained(NodeId{7}, 6, 0, 1);
  world_.RunFor(std::chrono::seconds(10));
  EXPECT_THAT(asked_, SizeIs(1)) << "they do not say it twice";
}

}  // namespace
}  // namespace dynamo
