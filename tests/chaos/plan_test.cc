#include "tests/chaos/plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

namespace dynamo::chaos {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr size_t kNodes = 5;
const std::set<Kind> kAll(kAllKinds.begin(), kAllKinds.end());

Fault At(Kind kind, std::vector<size_t> nodes = {}) {
  return {.kind = kind, .end = seconds(9), .nodes = std::move(nodes)};
}

// Calls check(active, next) for every fault of the plan with those it begins beside.
template <class Check>
void Replay(const std::vector<Fault>& plan, Check check) {
  std::vector<Fault> active;
  for (const Fault& next : plan) {
    std::erase_if(active, [&next](const Fault& fault) { return fault.end <= next.begin; });
    check(active, next);
    active.push_back(next);
  }
}

std::map<Kind, size_t> CountByKind(const std::vector<Fault>& plan) {
  std::map<Kind, size_t> counts;
  for (const Fault& fault : plan) ++counts[fault.kind];
  return counts;
}

TEST(Plan, IsTheSameForTheSameSeedAndAnotherForAnother) {
  const auto plan = MakePlan(7, minutes(10), kNodes, kAll);
  EXPECT_TRUE(std::ranges::equal(plan, MakePlan(7, minutes(10), kNodes, kAll)));
  EXPECT_FALSE(std::ranges::equal(plan, MakePlan(8, minutes(10), kNodes, kAll)));
}

TEST(Plan, KeepsItsBudgetAtEveryMoment) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    Replay(MakePlan(seed, minutes(30), kNodes, kAll), [seed](const std::vector<Fault>& active, const Fault& next) {
      EXPECT_TRUE(Fits({}, active, next)) << "seed " << seed << " at " << next.begin.count() << " ms";
    });
  }
}

TEST(Plan, HasEveryKindInSixMinutesAndThreeHundredFaultsInAnHour) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    EXPECT_EQ(CountByKind(MakePlan(seed, minutes(6), kNodes, kAll)).size(), kAllKinds.size()) << "seed " << seed;
    const auto hour = MakePlan(seed, minutes(60), kNodes, kAll);
    EXPECT_GE(hour.size(), 300u) << "seed " << seed;
    EXPECT_GE(CountByKind(hour)[Kind::kPowerLoss], 3u) << "seed " << seed;
  }
}

TEST(Plan, LetsSeveralFaultsLastAtOnce) {
  size_t together = 0;
  Replay(MakePlan(1, minutes(30), kNodes, kAll), [&together](const std::vector<Fault>& active, const Fault&) {
    together = std::max(together, active.size() + 1);
  });
  EXPECT_EQ(together, Budget().faults_max);
}

TEST(Plan, IsOrderedAndEndsInTime) {
  const auto plan = MakePlan(3, minutes(6), kNodes, kAll);
  EXPECT_TRUE(std::ranges::is_sorted(plan, {}, &Fault::begin));
  for (const Fault& fault : plan) {
    EXPECT_LT(fault.begin, fault.end);
    EXPECT_LE(fault.end, minutes(6));
    if (fault.kind == Kind::kStop) {
      EXPECT_GE(fault.end - fault.begin, seconds(1));
      EXPECT_LE(fault.end - fault.begin, seconds(60));
    }
  }
}

TEST(Plan, TakesOnlyTheKindsThatItMay) {
  const std::set<Kind> some = {Kind::kKill, Kind::kAlone};
  const auto counts = CountByKind(MakePlan(5, minutes(6), kNodes, some));
  EXPECT_EQ(counts.size(), some.size());
  for (const auto& [kind, count] : counts) EXPECT_TRUE(some.contains(kind)) << Name(kind);
  EXPECT_TRUE(MakePlan(5, minutes(6), kNodes, {}).empty());
}

TEST(Plan, CutsTheNetworkAsTheKindSays) {
  std::map<Kind, size_t> seen;
  for (const Fault& fault : MakePlan(11, minutes(60), kNodes, kAll)) {
    const std::set<Link> cut(fault.cut.begin(), fault.cut.end());
    const bool both_ways =
        std::ranges::all_of(cut, [&cut](Link link) { return cut.contains({link.second, link.first}); });
    std::set<size_t> touched;
    for (const Link& link : cut) touched.insert({link.first, link.second});
    ++seen[fault.kind];
    switch (fault.kind) {
      case Kind::kHalves:
        EXPECT_TRUE(both_ways);
        EXPECT_EQ(cut.size(), 2u * 2 * 3);
        break;
      case Kind::kBridge:
        EXPECT_TRUE(both_ways);
        EXPECT_EQ(touched.size(), kNodes - 1) << "one node sees all";
        break;
      case Kind::kAlone:
        EXPECT_TRUE(both_ways);
        EXPECT_EQ(cut.size(), 2 * (kNodes - 1));
        break;
      case Kind::kOneWay:
        EXPECT_FALSE(both_ways);
        for (const Link& link : cut) EXPECT_EQ(link.first, cut.begin()->first);
        break;
      default: EXPECT_TRUE(cut.empty()) << Name(fault.kind);
    }
  }
  EXPECT_EQ(seen.size(), kAllKinds.size());
}

TEST(Budget, LetsNothingElseGoWrongWhileADiskIsDestroyed) {
  for (const Kind destroying : {Kind::kWalFlip, Kind::kReplace}) {
    EXPECT_TRUE(Fits({}, {}, At(destroying, {1})));
    for (const Kind kind : kAllKinds) {
      EXPECT_FALSE(Fits({}, {At(destroying, {1})}, At(kind, {2}))) << Name(kind);
      EXPECT_FALSE(Fits({}, {At(kind, {2})}, At(destroying, {1}))) << Name(kind);
    }
  }
}

TEST(Budget, ChangesTheRingOnceAtATimeAndBesideAnythingElse) {
  EXPECT_FALSE(Fits({}, {At(Kind::kLeave, {1})}, At(Kind::kCapacity, {2})));
  for (const Kind kind : {Kind::kKill, Kind::kHalves, Kind::kDiskFull, Kind::kPowerLoss}) {
    EXPECT_TRUE(Fits({}, {At(Kind::kLeave, {1})}, At(kind, {2}))) << Name(kind);
    EXPECT_TRUE(Fits({}, {At(kind, {2})}, At(Kind::kLeave, {1}))) << Name(kind);
  }
}

TEST(Budget, LetsPowerFailOnlyWhereAllNodesAreUpAndAllDisksWell) {
  const Fault power_loss = At(Kind::kPowerLoss);
  for (const Kind kind : {Kind::kKill, Kind::kStop, Kind::kDiskFull, Kind::kSstFlip}) {
    EXPECT_FALSE(Fits({}, {At(kind, {1})}, power_loss)) << Name(kind);
    EXPECT_FALSE(Fits({}, {power_loss}, At(kind, {1}))) << Name(kind);
  }
  for (const Kind kind : {Kind::kHalves, Kind::kDelay, Kind::kClock}) {
    EXPECT_TRUE(Fits({}, {At(kind, {1})}, power_loss)) << Name(kind);
  }
}

TEST(Budget, HurtsOneDiskAndTakesTwoNodesAwayAtMost) {
  EXPECT_FALSE(Fits({}, {At(Kind::kDiskFull, {1})}, At(Kind::kSstFlip, {2})));
  EXPECT_TRUE(Fits({}, {At(Kind::kSstFlip, {1})}, At(Kind::kKill, {2})));
  EXPECT_FALSE(Fits({}, {At(Kind::kSstFlip, {1}), At(Kind::kKill, {2})}, At(Kind::kStop, {3})));
}

TEST(Budget, GivesANodeOneFaultAndTheNetworkOnePartition) {
  EXPECT_FALSE(Fits({}, {At(Kind::kKill, {1})}, At(Kind::kDelay, {1})));
  EXPECT_TRUE(Fits({}, {At(Kind::kKill, {1})}, At(Kind::kDelay, {2})));
  EXPECT_FALSE(Fits({}, {At(Kind::kHalves)}, At(Kind::kOneWay)));
  EXPECT_TRUE(Fits({}, {At(Kind::kHalves)}, At(Kind::kKill, {1})));
  EXPECT_FALSE(Fits({.faults_max = 1}, {At(Kind::kHalves)}, At(Kind::kKill, {1})));
}

}  // namespace
}  // namespace dynamo::chaos
