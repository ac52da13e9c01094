// Processes, links and clocks that misbehave.
#include "tests/oracle/history.h"
#include "tests/sim/faults/fixture.h"

namespace dynamo::sim {
namespace {

using ::testing::ElementsAre;

class MachineFaults : public FaultScenario {
 protected:
  MachineFaults() { Make(WithoutMemory(4, 3)); }
  HostId host(size_t index) { return node(index).config().host; }
  SimNetwork& network() { return cluster().network(); }
  // How long a put through the first owner takes; it must succeed.
  Duration TimeToPut(const std::string& value) {
    const TimePoint before = quiet_->world().now();
    const auto put = PutAt(owner(0), value);
    EXPECT_TRUE(put.has_value()) << put.error().message;
    return quiet_->world().now() - before;
  }
};

TEST_F(MachineFaults, ANodeThatCrashesAsItStartsComesUpInTheEndWithAllItHad) {
  Write("value", {3, 3, 3});
  const uint64_t boot = node(owner(0)).admin().Identity().boot_number;
  node(owner(0)).Crash();
  for (int i = 0; i < 20; ++i) {
    node(owner(0)).Start();
    RunFor(std::chrono::milliseconds(i));
    node(owner(0)).Crash();
  }
  Restart(owner(0));
  EXPECT_GT(node(owner(0)).admin().Identity().boot_number, boot);
  EXPECT_THAT(ValuesAt(owner(0), {3, 3, 3}), ElementsAre("value"));
}

TEST_F(MachineFaults, ALongPauseLosesNothingAndTheNodeCatchesUp) {
  node(owner(1)).Pause();
  Write("first");
  RunFor(std::chrono::minutes(10));
  Write("second");
  node(owner(1)).Resume();
  EXPECT_TRUE(Await([this] { return cluster().IsWhole() && cluster().HintsAtRest() == 0; }));
  EXPECT_THAT(ValuesAt(owner(1), {3, 3, 3}), ElementsAre("second"));
}

TEST_F(MachineFaults, ASlowNodeDoesNotHoldUpAWriteThatTwoOthersHave) {
  node(owner(2)).SetLag(std::chrono::milliseconds(400));
  EXPECT_LT(TimeToPut("value"), std::chrono::milliseconds(200));
  node(owner(2)).SetLag(Duration(0));
  EXPECT_TRUE(Await([this] { return cluster().HintsAtRest() == 0; }));
  EXPECT_THAT(ValuesAt(owner(2), {3, 3, 3}), ElementsAre("value"));
}

TEST_F(MachineFaults, HalfOpenConnectionsFailNoWriteAndAreLeftBehind) {
  Write("before");
  int half_open = 0;
  for (size_t index = 0; index < 4; ++index) {
    if (index == owner(0)) continue;
    half_open += network().MakeHalfOpen(host(owner(0)), host(index), /*responses_only=*/true);
  }
  ASSERT_GT(half_open, 0);
  // Its own copy is one; nobody's answer comes.
  const auto put = PutAt(owner(0), "meanwhile");
  EXPECT_FALSE(put.has_value());
  network().BreakHalfOpen();
  EXPECT_TRUE(Await([this] { return cluster().IsWhole() && cluster().HintsAtRest() == 0; }));
  Write("after");
  EXPECT_THAT(ValuesAt(owner(0), {3, 3, 3}), ElementsAre("after"));
}

TEST_F(MachineFaults, AWriteThatIsCutOffFromItsAnswersIsNotCalledFailedForCertain) {
  for (size_t index = 0; index < 4; ++index) {
    if (index != owner(0)) network().Cut(host(index), host(owner(0)));
  }
  const auto put = PutAt(owner(0), "heard one way");
  ASSERT_FALSE(put.has_value());
  EXPECT_EQ(oracle::OutcomeOf(put.error().code), oracle::Outcome::kUnknown);
  network().HealAll();
  EXPECT_TRUE(Await([this] { return cluster().IsWhole() && cluster().HintsAtRest() == 0; }));
  EXPECT_THAT(ValuesAt(owner(2), {3, 3, 3}), ElementsAre("heard one way"));
}

TEST_F(MachineFaults, WhatAClogHeldBackArrivesAndChangesNothingThatIsNewer) {
  const TimePoint until = quiet_->world().now() + std::chrono::seconds(8);
  network().Clog(host(owner(0)), host(owner(2)), until);
  Write("old");
  Write("new");
  quiet_->world().RunUntil(until + std::chrono::seconds(1));
  network().Unclog();
  EXPECT_TRUE(Await([this] { return cluster().IsWhole() && cluster().HintsAtRest() == 0; }));
  EXPECT_THAT(ValuesAt(owner(2), {3, 3, 3}), ElementsAre("new"));
}

TEST_F(MachineFaults, TwoWhoCannotTalkMeetThroughTheirNeighbours) {
  // a and b are cut apart; everybody else reaches both.
  network().Cut(host(owner(0)), host(owner(1)));
  network().Cut(host(owner(1)), host(owner(0)));
  RunFor(std::chrono::seconds(20));
  EXPECT_TRUE(PutAt(owner(0), "one").has_value());
  EXPECT_TRUE(PutAt(owner(1), "two").has_value());
  network().HealAll();
  EXPECT_TRUE(Await([this] { return cluster().IsWhole() && cluster().HintsAtRest() == 0; }));
  EXPECT_THAT(ValuesAt(owner(2), {3, 3, 3}), ::testing::UnorderedElementsAre("one", "two"));
}

TEST_F(MachineFaults, AWallClockThatGoesBackLosesNoLaterWrite) {
  const ObjectKey key{"lww", "bucket", "key"};
  const auto put = [&](size_t at, const std::string& value, const Bytes& context) {
    PutRequest request;
    request.key = key;
    request.content.value = value;
    request.context = context;
    auto call = cluster().Put(at, std::move(request), std::chrono::seconds(30));
    return quiet_->world().Await(cluster().clients(), std::move(call));
  };
  for (size_t i = 0; i < 4; ++i) node(i).SetSkew(std::chrono::hours(1));
  const auto first = put(0, "first", {});
  ASSERT_TRUE(first.has_value());
  for (size_t i = 0; i < 4; ++i) node(i).SetSkew(-std::chrono::hours(1));
  node(1).SetWallDrift(-50'000);
  ASSERT_TRUE(put(1, "later", first->context).has_value());
  RunFor(std::chrono::seconds(5));
  GetRequest request;
  request.key = key;
  request.options.r = QuorumValue::All();
  auto call = cluster().Get(2, std::move(request), std::chrono::seconds(30));
  const auto reply = quiet_->world().Await(cluster().clients(), std::move(call));
  ASSERT_TRUE(reply.has_value());
  EXPECT_THAT(QuietCluster::ValuesOf(*reply), ElementsAre("later"));
}

}  // namespace
}  // namespace dynamo::sim
