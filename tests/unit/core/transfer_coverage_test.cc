#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "node/core/transfer/coverage.h"

namespace dynamo {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr NodeId kA{1}, kB{2}, kC{3}, kD{4}, kE{5};

// D comes where B goes.
const OwnersChange kBToD{{kA, kB, kC}, {kA, kD, kC}};

auto AllUp() {
  return [](NodeId) { return true; };
}
auto AllUpBut(std::set<NodeId> away) {
  return [away](NodeId node) { return !away.contains(node); };
}

TEST(Coverage, WhoBecomesAnOwnerReceives) {
  EXPECT_THAT(ReceiversOf(kBToD), ElementsAre(kD));
  EXPECT_THAT(ReceiversOf({{kA, kB}, {kE, kA, kD}}), ElementsAre(kE, kD));
  EXPECT_THAT(ReceiversOf({{kA, kB, kC}, {kC, kA, kB}}), IsEmpty());
  EXPECT_THAT(ReceiversOf({{kA, kB, kC}, {}}), IsEmpty());
}

TEST(Coverage, EachReceiverTakesThePlaceOfOneThatGoes) {
  EXPECT_EQ(PredecessorOf(kBToD, kD), kB);
  const OwnersChange two{{kA, kB, kC}, {kD, kB, kE}};
  EXPECT_EQ(PredecessorOf(two, kD), kA);
  EXPECT_EQ(PredecessorOf(two, kE), kC);
  const OwnersChange grows{{kA, kB}, {kA, kB, kC}};
  EXPECT_EQ(PredecessorOf(grows, kC), NodeId{});
}

TEST(Coverage, CopiesComeFromThePredecessorWhileThatIsUp) {
  EXPECT_THAT(DonorsOf(kBToD, kD, AllUp()), ElementsAre(kB, kA, kC));
  EXPECT_THAT(DonorsOf(kBToD, kD, AllUpBut({kB})), ElementsAre(kA, kC));
  EXPECT_THAT(DonorsOf(kBToD, kD, AllUpBut({kA, kB, kC})), IsEmpty());
}

TEST(Coverage, ThePredecessorIsEnoughWhileNobodyElseIsUp) {
  EXPECT_TRUE(IsCovered(kBToD, kD, {kB}, AllUpBut({kA, kC})));
}

TEST(Coverage, WhoIsGivenUpIsNotWaitedForWhileItIsAway) {
  EXPECT_FALSE(IsCovered(kBToD, kD, {kA}, AllUpBut({kB, kC}), {}));
  EXPECT_TRUE(IsCovered(kBToD, kD, {kA}, AllUpBut({kB, kC}), {kC}));
  EXPECT_FALSE(IsCovered(kBToD, kD, {kA}, AllUpBut({kB}), {kC})) << "it is up: what it has costs nothing";
  EXPECT_FALSE(IsCovered(kBToD, kD, {}, AllUpBut({kA, kB, kC}), {kC}));
  EXPECT_TRUE(IsCovered(kBToD, kD, {}, AllUpBut({kA, kB, kC}), {kA, kB, kC})) << "nobody has anything";
}

TEST(Coverage, WaitsForTheOthersWhileThePredecessorIsAway) {
  EXPECT_THAT(WaitsFor(kBToD, kD, AllUp(), {}), IsEmpty());
  EXPECT_THAT(WaitsFor(kBToD, kD, AllUpBut({kA, kC}), {}), IsEmpty());
  EXPECT_THAT(WaitsFor(kBToD, kD, AllUpBut({kB}), {}), IsEmpty());
  EXPECT_THAT(WaitsFor(kBToD, kD, AllUpBut({kA, kB, kC}), {}), ElementsAre(kA, kC));
  EXPECT_THAT(WaitsFor(kBToD, kD, AllUpBut({kA, kB, kC}), {kA}), ElementsAre(kC));
}

TEST(Coverage, AnOwnerThatIsUpIsNeverLeftOut) {
  EXPECT_FALSE(IsCovered(kBToD, kD, {kB}, AllUp()));
  EXPECT_FALSE(IsCovered(kBToD, kD, {kB, kA}, AllUp()));
  EXPECT_TRUE(IsCovered(kBToD, kD, {kA, kB, kC}, AllUp()));
}

TEST(Coverage, WithoutThePredecessorEveryOtherOwnerIsNeeded) {
  // A write with W=1 may be on any one of them.
  EXPECT_FALSE(IsCovered(kBToD, kD, {kA}, AllUpBut({kB, kC})));
  EXPECT_TRUE(IsCovered(kBToD, kD, {kA, kC}, AllUpBut({kB})));
}

TEST(Coverage, AnOnlyOwnerIsWaitedForAndNotTakenForOneThatHasNothing) {
  const OwnersChange moves{{kA}, {kB}};
  EXPECT_FALSE(IsCovered(moves, kB, {}, AllUpBut({kA})));
  EXPECT_THAT(WaitsFor(moves, kB, AllUpBut({kA}), {}), ElementsAre(kA));
  EXPECT_TRUE(IsCovered(moves, kB, {kA}, AllUpBut({kA})));
  EXPECT_TRUE(IsCovered(moves, kB, {}, AllUpBut({kA}), {kA})) << "its loss was accepted";
  EXPECT_THAT(WaitsFor(moves, kB, AllUpBut({kA}), {kA}), IsEmpty());
  EXPECT_THAT(WaitsFor(moves, kB, AllUp(), {}), IsEmpty()) << "it can be asked";
}

TEST(Coverage, WhoseNumberGrowsNeedsEveryOwner) {
  const OwnersChange grows{{kA, kB}, {kA, kB, kC}};
  EXPECT_FALSE(IsCovered(grows, kC, {kA}, AllUpBut({kB})));
  EXPECT_TRUE(IsCovered(grows, kC, {kA, kB}, AllUp()));
}

TEST(Coverage, NothingComparedCoversNothing) {
  EXPECT_FALSE(IsCovered(kBToD, kD, {}, AllUp()));
  EXPECT_FALSE(IsCovered(kBToD, kD, {}, AllUpBut({kA, kB, kC})));
}

std::set<NodeId> DrawSome(const std::vector<NodeId>& from) {
  std::set<NodeId> some;
  for (const NodeId node : from) {
    if (*rc::gen::arbitrary<bool>()) some.insert(node);
  }
  return some;
}

// Of six nodes.
std::vector<NodeId> DrawOwners() {
  const std::set<NodeId> some = DrawSome({kA, kB, kC, kD, kE, NodeId{6}});
  return {some.begin(), some.end()};
}

// As it goes: one owner after another, until it is enough.
std::set<NodeId> DrawUntilCovered(const OwnersChange& change, NodeId receiver, const std::set<NodeId>& away) {
  std::set<NodeId> compared;
  std::vector<NodeId> left = change.current;
  while (!IsCovered(change, receiver, compared, AllUpBut(away))) {
    const auto next = left.begin() + *rc::gen::inRange<ptrdiff_t>(0, static_cast<ptrdiff_t>(left.size()));
    compared.insert(*next);
    left.erase(next);
  }
  return compared;
}

RC_GTEST_PROP(Coverage, WhateverEveryCoveredReceiverHoldsNoAcknowledgedWriteHasFewerOwners, ()) {
  const OwnersChange change{DrawOwners(), DrawOwners()};
  const std::vector<NodeId> receivers = ReceiversOf(change);
  RC_PRE(!receivers.empty());
  const std::set<NodeId> away = DrawSome(change.current);
  // A write that some of the owners hold.
  const std::set<NodeId> holders = DrawSome(change.current);
  RC_PRE(!holders.empty());
  size_t holders_after = 0;
  for (const NodeId owner : change.pending) {
    if (std::find(receivers.begin(), receivers.end(), owner) == receivers.end()) {
      holders_after += holders.contains(owner) ? 1 : 0;
      continue;
    }
    const std::set<NodeId> compared = DrawUntilCovered(change, owner, away);
    const bool got_it =
        std::any_of(compared.begin(), compared.end(), [&](NodeId node) { return holders.contains(node); });
    // What nobody has any more who could have been asked is lost with its disk.
    const NodeId predecessor = PredecessorOf(change, owner);
    if (predecessor && holders.contains(predecessor) && !away.contains(predecessor)) RC_ASSERT(got_it);
    holders_after += got_it ? 1 : 0;
  }
  std::set<NodeId> lost;  // With disks that are away and go.
  for (const NodeId node : holders) {
    const bool stays = std::find(change.pending.begin(), change.pending.end(), node) != change.pending.end();
    if (away.contains(node) && !stays) lost.insert(node);
  }
  // Owners that go with nobody in their place take theirs with them.
  const size_t places_lost =
      change.current.size() > change.pending.size() ? change.current.size() - change.pending.size() : 0;
  RC_ASSERT(holders_after + lost.size() + places_lost >= holders.size());
}

// Nobody is named who is not waited for, and nobody waits unnamed.
RC_GTEST_PROP(Coverage, WhoHasComparedWithAllThatAreUpWaitsForThoseNamedAndNobodyElse,
              (std::set<int> away_numbers, std::set<int> given_up_numbers)) {
  const auto nodes = [](const std::set<int>& numbers) {
    std::set<NodeId> out;
    for (const int number : numbers) out.insert(NodeId{1 + static_cast<uint64_t>(std::abs(number % 4))});
    return out;
  };
  const std::set<NodeId> away = nodes(away_numbers), given_up = nodes(given_up_numbers);
  std::set<NodeId> compared;
  for (const NodeId owner : kBToD.current) {
    if (!away.contains(owner)) compared.insert(owner);
  }
  const bool waits = !WaitsFor(kBToD, kD, AllUpBut(away), given_up).empty();
  RC_ASSERT(IsCovered(kBToD, kD, compared, AllUpBut(away), given_up) == !waits);
}

RC_GTEST_PROP(Coverage, WhoHasComparedWithAllIsCovered, ()) {
  const OwnersChange change{DrawOwners(), DrawOwners()};
  const std::set<NodeId> all(change.current.begin(), change.current.end());
  for (const NodeId receiver : ReceiversOf(change)) RC_ASSERT(IsCovered(change, receiver, all, AllUp()));
}

}  // namespace
}  // namespace dynamo
