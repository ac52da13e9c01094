#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <vector>

#include "node/core/membership/failure_detector.h"
#include "tests/unit/core/membership_model.h"

namespace dynamo {
namespace {

using namespace std::chrono_literals;
using Outcome = MemberTable::Outcome;

constexpr NodeId kSelf{1}, kPeer{2};

template <class T>
std::vector<T> Only(const DetectorActions& actions) {
  std::vector<T> chosen;
  for (const auto& action : actions) {
    if (const T* kind = std::get_if<T>(&action)) chosen.push_back(*kind);
  }
  return chosen;
}

// One detector, driven by hand.
class FailureDetectorTest : public testing::Test {
 protected:
  explicit FailureDetectorTest(uint64_t nodes = 2) {
    for (uint64_t id = 2; id <= nodes; ++id) table.Hear(ModelInfo(id));
  }
  // Ticks until a ping goes out.
  SendPing NextPing() {
    for (;;) {
      const auto pings = Only<SendPing>(detector.Tick(now));
      if (!pings.empty()) return pings.front();
      now = std::max(now, detector.NextWake());
    }
  }
  DetectorActions Hear(const NodeInfo& rumour) { return detector.OnRumour(rumour.id, table.Hear(rumour), now); }
  NodeInfo PeerAs(Liveness liveness) {
    NodeInfo info = *table.Find(kPeer);
    info.liveness = liveness;
    return info;
  }

  TimePoint now{1s};
  MemberTable table{ModelInfo(1)};
  FailureDetector detector{{}, &table, Rng(7)};
};

class FailureDetectorOfFive : public FailureDetectorTest {
 protected:
  FailureDetectorOfFive() : FailureDetectorTest(5) {}
};

TEST_F(FailureDetectorTest, ItsVerdictsAreCountedAsTheyChange) {
  const uint64_t before = detector.verdicts();
  const SendPing ping = NextPing();
  detector.OnAck(ping.sequence, kPeer, now);
  EXPECT_EQ(detector.verdicts(), before);
  detector.OnRequestFailed(kPeer, now);
  EXPECT_EQ(detector.verdicts(), before + 1);
  detector.OnRequestFailed(kPeer, now);
  EXPECT_EQ(detector.verdicts(), before + 1);
  NodeInfo restarted = *table.Find(kPeer);
  restarted.incarnation += uint64_t{1} << 32;
  Hear(restarted);
  EXPECT_TRUE(detector.IsUp(kPeer));
  EXPECT_EQ(detector.verdicts(), before + 2);
}

TEST_F(FailureDetectorTest, AFailedRequestTakesTheNodeOutAndProbesItAtOnce) {
  ASSERT_TRUE(detector.IsUp(kPeer));
  const auto actions = detector.OnRequestFailed(kPeer, now);
  EXPECT_FALSE(detector.IsUp(kPeer));
  EXPECT_EQ(table.Find(kPeer)->liveness, Liveness::kSuspect);
  ASSERT_EQ(Only<SendPing>(actions).size(), 1u);
  ASSERT_EQ(Only<Spread>(actions).size(), 1u);

  detector.OnAck(Only<SendPing>(actions)[0].sequence, kPeer, now + 1ms);
  EXPECT_TRUE(detector.IsUp(kPeer));
}

TEST_F(FailureDetectorTest, ManyFailedRequestsCostOneProbe) {
  size_t actions = 0;
  for (int i = 0; i < 100; ++i) actions += detector.OnRequestFailed(kPeer, now).size();
  EXPECT_EQ(actions, 2u);
}

TEST_F(FailureDetectorTest, ARumourOfSuspicionLeavesTheNodeUp) {
  Hear(PeerAs(Liveness::kSuspect));
  EXPECT_TRUE(detector.IsUp(kPeer));
}

TEST_F(FailureDetectorTest, ARumourOfDeathTakesTheNodeOutAndAsksItself) {
  const auto actions = Hear(PeerAs(Liveness::kDead));
  EXPECT_FALSE(detector.IsUp(kPeer));
  ASSERT_EQ(Only<SendPing>(actions).size(), 1u);
  detector.OnAck(Only<SendPing>(actions)[0].sequence, kPeer, now);
  EXPECT_TRUE(detector.IsUp(kPeer));
}

TEST_F(FailureDetectorTest, ARestartBringsTheNodeBackAtOnce) {
  detector.OnRequestFailed(kPeer, now);
  Hear(ModelInfo(2, /*boot=*/2));
  EXPECT_TRUE(detector.IsUp(kPeer));
  // The probe of the process that is gone says nothing about the new one.
  for (; now < TimePoint(1s) + 700ms; now += 50ms) detector.Tick(now);
  EXPECT_EQ(table.Find(kPeer)->liveness, Liveness::kAlive);
}

TEST_F(FailureDetectorTest, ARefutationByRumourIsCheckedByAProbe) {
  const auto out = Only<SendPing>(detector.OnRequestFailed(kPeer, now));
  detector.OnNack(out[0].sequence, kPeer, now);
  NodeInfo refuted = ModelInfo(2);
  ++refuted.incarnation;
  const auto actions = Hear(refuted);
  EXPECT_FALSE(detector.IsUp(kPeer));
  EXPECT_EQ(Only<SendPing>(actions).size(), 1u);
}

TEST_F(FailureDetectorTest, AWordFromAFailingNodeIsAnsweredWithAProbe) {
  const auto out = Only<SendPing>(detector.OnRequestFailed(kPeer, now));
  EXPECT_TRUE(detector.OnHeardFrom(kPeer, now).empty());  // One is out.
  detector.OnNack(out[0].sequence, kPeer, now);
  EXPECT_FALSE(detector.IsUp(kPeer));
  EXPECT_EQ(Only<SendPing>(detector.OnHeardFrom(kPeer, now)).size(), 1u);
}

TEST_F(FailureDetectorTest, SilenceForTheWholeSuspicionIsDeath) {
  detector.OnRequestFailed(kPeer, now);
  const TimePoint began = now;
  while (table.Find(kPeer)->liveness != Liveness::kDead && now < began + 20s) {
    now += 50ms;
    detector.Tick(now);
  }
  EXPECT_GE(now - began, 3s);
  EXPECT_LE(now - began, 3s + 100ms);
  EXPECT_FALSE(detector.IsUp(kPeer));
}

TEST_F(FailureDetectorTest, AWordDuringTheSuspicionPutsDeathOff) {
  Hear(PeerAs(Liveness::kSuspect));
  for (int i = 0; i < 200; ++i) {
    now += 100ms;
    detector.Tick(now);
    if (i % 20 == 0) detector.OnHeardFrom(kPeer, now);
    ASSERT_EQ(table.Find(kPeer)->liveness, Liveness::kSuspect) << i;
  }
}

TEST_F(FailureDetectorTest, ADeadNodeIsStillProbedEverySecondOrSo) {
  Hear(PeerAs(Liveness::kDead));
  size_t pings = 0;
  for (int i = 0; i < 100; ++i) {
    now += 100ms;
    pings += Only<SendPing>(detector.Tick(now)).size();
  }
  EXPECT_GE(pings, 5u);
  EXPECT_LE(pings, 11u);
}

TEST_F(FailureDetectorTest, IsNotWokenForANodeThatWasForgotten) {
  detector.OnRequestFailed(kPeer, now);
  table.Forget(kPeer);
  EXPECT_FALSE(detector.IsUp(kPeer));
  for (int i = 0; i < 200; ++i) {
    now = std::max(now + 1ms, detector.NextWake());
    EXPECT_TRUE(detector.Tick(now).empty());
  }
  EXPECT_GE(now, TimePoint(20s));
}

TEST_F(FailureDetectorTest, AlwaysHoldsItselfUpAndStrangersDown) {
  EXPECT_TRUE(detector.IsUp(kSelf));
  EXPECT_FALSE(detector.IsUp(NodeId{77}));
  EXPECT_TRUE(detector.OnRequestFailed(kSelf, now).empty());
  EXPECT_TRUE(detector.OnRequestFailed(NodeId{77}, now).empty());
  EXPECT_TRUE(detector.OnHeardFrom(NodeId{77}, now).empty());
  EXPECT_TRUE(detector.IsUp(kSelf));
}

TEST_F(FailureDetectorTest, RefutesAndDoubtsItselfWhenItIsSuspected) {
  NodeInfo rumour = table.self();
  rumour.liveness = Liveness::kSuspect;
  const auto actions = Hear(rumour);
  ASSERT_EQ(Only<Spread>(actions).size(), 1u);
  EXPECT_EQ(Only<Spread>(actions)[0].info, table.self());
  EXPECT_GT(table.self().incarnation, rumour.incarnation);
  EXPECT_EQ(detector.awareness(), 1);
}

// Between two rounds nobody clears away what is left of it.
TEST_F(FailureDetectorOfFive, ANodeForgottenDuringItsProbeIsProbedAgainOnceItIsBack) {
  const SendPing ping = NextPing();
  detector.OnRequestFailed(ping.to, now);
  const NodeInfo info = ModelInfo(ping.to.value);
  table.Forget(ping.to);
  detector.OnAck(ping.sequence, ping.to, now);
  Hear(info);
  EXPECT_TRUE(detector.IsUp(ping.to));
  EXPECT_EQ(Only<SendPing>(detector.OnRequestFailed(ping.to, now)).size(), 1u);
}

TEST_F(FailureDetectorOfFive, AMissedPingIsAskedOfOthersAndOneMissTakesNobodyOut) {
  const SendPing ping = NextPing();
  now += 300ms;
  const auto requests = Only<SendPingRequest>(detector.Tick(now));
  ASSERT_EQ(requests.size(), 3u);
  for (const auto& request : requests) {
    EXPECT_EQ(request.target, ping.to);
    EXPECT_NE(request.via, ping.to);
    EXPECT_NE(request.via, kSelf);
  }
  detector.OnAck(ping.sequence, requests[0].via, now);
  EXPECT_TRUE(detector.IsUp(ping.to));
  EXPECT_EQ(table.Find(ping.to)->liveness, Liveness::kAlive);
}

TEST_F(FailureDetectorOfFive, ANodeThatOnlyOthersReachIsNotRoutedToButNotSuspected) {
  const SendPing ping = NextPing();
  const auto requests = Only<SendPingRequest>(detector.OnNack(ping.sequence, ping.to, now));
  ASSERT_EQ(requests.size(), 3u);
  detector.OnAck(ping.sequence, requests[0].via, now);
  EXPECT_FALSE(detector.IsUp(ping.to));
  EXPECT_EQ(table.Find(ping.to)->liveness, Liveness::kAlive);
}

TEST_F(FailureDetectorOfFive, WhenAllAskedGotNoAnswerEitherTheProbeFailsAtOnce) {
  const SendPing ping = NextPing();
  DetectorActions last;
  for (const auto& request : Only<SendPingRequest>(detector.OnNack(ping.sequence, ping.to, now))) {
    EXPECT_EQ(table.Find(ping.to)->liveness, Liveness::kAlive);
    last = detector.OnNack(ping.sequence, request.via, now);
  }
  EXPECT_EQ(table.Find(ping.to)->liveness, Liveness::kSuspect);
  EXPECT_EQ(Only<Spread>(last).size(), 1u);
  EXPECT_EQ(detector.awareness(), 0);  // The others answered: it is not us.
}

TEST_F(FailureDetectorOfFive, WhenNobodyAnswersItDoubtsItselfAndWaitsLonger) {
  const SendPing ping = NextPing();
  const TimePoint began = now;
  detector.Tick(now += 300ms);
  detector.Tick(now += 300ms);
  EXPECT_EQ(detector.awareness(), 1);
  EXPECT_EQ(table.Find(ping.to)->liveness, Liveness::kSuspect);
  for (; now < began + 600ms + 5900ms; now += 100ms) {
    for (const auto& next : Only<SendPing>(detector.Tick(now))) {
      if (next.to != ping.to) detector.OnAck(next.sequence, NodeId{next.to.value % 5 + 1}, now);
    }
    ASSERT_NE(table.Find(ping.to)->liveness, Liveness::kDead);
  }
}

TEST_F(FailureDetectorOfFive, AnAckWhoseProbeIsOverChangesNothing) {
  detector.OnAck(12345, kPeer, now);
  EXPECT_TRUE(detector.OnNack(12345, kPeer, now).empty());
  EXPECT_TRUE(detector.IsUp(kPeer));
}

// ---- Whole clusters

RC_GTEST_PROP(FailureDetectorModel, EverybodyFindsADeadNodeWithinBoundedRounds, ()) {
  const auto nodes = *rc::gen::inRange<uint64_t>(2, 24);
  ModelCluster cluster(nodes, *rc::gen::arbitrary<uint64_t>());
  cluster.Run(5s);
  RC_ASSERT(cluster.EverybodyElse(1, [&](uint64_t id) { return cluster.IsUp(id, 1); }));
  cluster.Crash(1);
  // Everybody probes everybody within two shuffled rounds, whatever it hears.
  const auto limit = Duration(1s) * (2 * nodes) + 2s;
  const auto took = cluster.RunUntil(
      [&] { return cluster.EverybodyElse(1, [&](uint64_t id) { return !cluster.IsUp(id, 1); }); }, limit);
  RC_ASSERT(took < limit);
  cluster.Run(20s);
  RC_ASSERT(cluster.EverybodyElse(1, [&](uint64_t id) { return cluster.Seen(id, 1) == Liveness::kDead; }));
  for (uint64_t living = 2; living <= nodes; ++living) {
    RC_ASSERT(cluster.EverybodyElse(1, [&](uint64_t id) { return cluster.IsUp(id, living); }));
  }
  RC_ASSERT(cluster.bad_targets() == 0u);
}

TEST(FailureDetectorModel, NobodyLivingIsDeclaredDeadAtTenPercentLoss) {
  uint64_t refutations = 0;
  for (const uint64_t nodes : {3, 5, 12}) {
    for (uint64_t seed = 1; seed <= 10; ++seed) {
      ModelCluster cluster(nodes, seed);
      cluster.set_loss(0.10);
      cluster.Run(600s);
      EXPECT_EQ(cluster.deaths_declared(), 0u) << nodes << " nodes, seed " << seed;
      EXPECT_EQ(cluster.bad_targets(), 0u);
      refutations += cluster.incarnation(1) - (uint64_t{1} << 32);
    }
  }
  EXPECT_GT(refutations, 100u);  // The loss was enough to make suspicions.
}

TEST(FailureDetectorModel, ADeadNodeIsFoundDeadAtTenPercentLossToo) {
  ModelCluster cluster(8, 3);
  cluster.set_loss(0.10);
  cluster.Run(30s);
  cluster.Crash(4);
  cluster.Run(30s);
  EXPECT_TRUE(cluster.EverybodyElse(4, [&](uint64_t id) { return cluster.Seen(id, 4) == Liveness::kDead; }));
}

TEST(FailureDetectorModel, ARestartedNodeIsUpForAllTheMomentItSpeaks) {
  ModelCluster cluster(9, 5);
  cluster.Run(5s);
  cluster.Crash(3);
  cluster.Run(30s);
  cluster.Restart(3);
  cluster.Run(100ms);
  EXPECT_TRUE(cluster.EverybodyElse(3, [&](uint64_t id) { return cluster.IsUp(id, 3); }));
}

TEST(FailureDetectorModel, BothSidesOfAHealedPartitionFindEachOther) {
  ModelCluster cluster(6, 11);
  cluster.Run(5s);
  for (uint64_t left = 1; left <= 3; ++left) {
    for (uint64_t right = 4; right <= 6; ++right) {
      cluster.Cut(left, right);
      cluster.Cut(right, left);
    }
  }
  cluster.Run(60s);
  EXPECT_FALSE(cluster.IsUp(1, 4));
  EXPECT_TRUE(cluster.IsUp(1, 3));
  EXPECT_EQ(cluster.Seen(6, 2), Liveness::kDead);
  cluster.Heal();
  const auto all_up = [&] {
    for (uint64_t a = 1; a <= 6; ++a) {
      for (uint64_t b = 1; b <= 6; ++b) {
        if (!cluster.IsUp(a, b) || cluster.Seen(a, b) != Liveness::kAlive) return false;
      }
    }
    return true;
  };
  EXPECT_LT(cluster.RunUntil(all_up, 60s), 15s);
}

TEST(FailureDetectorModel, ALinkBrokenOneWayTakesTheNodeOutForOneObserverOnlyAndDoesNotFlap) {
  ModelCluster cluster(5, 13);
  cluster.Run(5s);
  cluster.Cut(1, 2);
  cluster.Run(10s);
  for (int i = 0; i < 600; ++i) {
    cluster.Run(100ms);
    ASSERT_FALSE(cluster.IsUp(1, 2)) << i;
    ASSERT_TRUE(cluster.IsUp(3, 2)) << i;
    ASSERT_TRUE(cluster.IsUp(4, 2)) << i;
  }
  EXPECT_EQ(cluster.deaths_declared(), 0u);
}

TEST(FailureDetectorModel, AFalseAlarmIsRefutedWithinARoundTrip) {
  ModelCluster cluster(5, 17);
  cluster.Run(5s);
  const uint64_t before = cluster.incarnation(2);
  cluster.RequestFailed(1, 2);
  EXPECT_FALSE(cluster.IsUp(1, 2));
  cluster.Run(200ms);
  EXPECT_TRUE(cluster.IsUp(1, 2));
  EXPECT_EQ(cluster.incarnation(2), before + 1);
  cluster.Run(10s);
  EXPECT_TRUE(cluster.EverybodyElse(2, [&](uint64_t id) { return cluster.Seen(id, 2) == Liveness::kAlive; }));
}

TEST(FailureDetectorModel, TheSameSeedGivesTheSameRun) {
  ModelCluster first(7, 23), second(7, 23);
  for (ModelCluster* cluster : {&first, &second}) {
    cluster->set_loss(0.2);
    cluster->Run(20s);
    cluster->Crash(5);
    cluster->Run(20s);
  }
  EXPECT_EQ(first.messages(), second.messages());
}

RC_GTEST_PROP(FailureDetectorModel, NoActionTargetsSelfOrAStrangerWhateverHappens, ()) {
  const auto nodes = *rc::gen::inRange<uint64_t>(2, 7);
  ModelCluster cluster(nodes, *rc::gen::arbitrary<uint64_t>());
  cluster.set_loss(*rc::gen::element(0.0, 0.3, 0.9));
  const auto any = rc::gen::inRange<uint64_t>(1, nodes + 1);
  for (int i = 0; i < 20; ++i) {
    switch (*rc::gen::inRange(0, 5)) {
      case 0: cluster.Crash(*any); break;
      case 1: cluster.Restart(*any); break;
      case 2: cluster.Cut(*any, *any); break;
      case 3: cluster.RequestFailed(*any, *any); break;
      default: cluster.Heal();
    }
    cluster.Run(Duration(*rc::gen::inRange(50'000, 3'000'000)));
  }
  RC_ASSERT(cluster.bad_targets() == 0u);
}

}  // namespace
}  // namespace dynamo
