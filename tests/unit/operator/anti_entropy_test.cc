// Every node compares what it owns: asked for, or by schedule.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/operator/lost_scene.h"
#include "tests/unit/operator/world.h"

namespace dynamo::op {
namespace {

using kube::Object;
using ::testing::IsEmpty;
using Step = Operation::Step;

void AskFor(LostScene& s) { s.spec.repair_token = "now"; }
void Schedule(LostScene& s, uint64_t done_seconds_ago) {
  s.spec.repair_every_ms = 3'600'000;
  s.status.anti_entropy_completed = SecondsAgo(done_seconds_ago);
}
void Comparing(LostScene& s, const std::string& node, const std::string& state, uint64_t failed = 0) {
  s.status.operation = Operation{
      "op", Operation::Type::kAntiEntropy, Step::kRepair, "a", node, "id-" + node, "", "", 5, SecondsAgo(9), ""};
  s.status.operation->attempts = 1;
  s.status.operation->keys_repaired = 5;
  s.observed.repair.emplace().state = state;
  s.observed.repair->keys_repaired = 17;
  s.observed.repair->exchanges_failed = failed;
}

TEST(AntiEntropyPlan, BeginsWhenItIsAskedForOrDue) {
  CheckPlans<LostScene>({
      {"never asked for", [](LostScene&) {}, "Settled"},
      {"asked for", AskFor, "Record(AntiEntropy/Repair demo-a-0"},
      {"done for whoever asked", [](LostScene& s) { AskFor(s), s.status.anti_entropy_token = "now"; }, "Settled"},
      {"asked for while a node is away",
       [](LostScene& s) { AskFor(s), s.Away("demo-b-0", MachineView::State::kThere); }, "Wait(NodeDown"},
      {"due", [](LostScene& s) { Schedule(s, 3600); }, "Record(AntiEntropy/Repair demo-a-0"},
      {"not due yet", [](LostScene& s) { Schedule(s, 3599); }, "Settled"},
      {"never done", [](LostScene& s) { Schedule(s, 0), s.status.anti_entropy_completed = ""; },
       "Record(AntiEntropy/Repair"},
      {"due, but a node is away: later",
       [](LostScene& s) { Schedule(s, 3600), s.Away("demo-b-0", MachineView::State::kThere); }, "Settled"},
      {"the size goes first", [](LostScene& s) { AskFor(s), s.spec.replicas = 4; }, "Record(ScaleUp"},
      {"a lost volume goes first", [](LostScene& s) { AskFor(s), s.Empty("demo-b-0"); }, "Suspect(demo-b-0)"},
  });
}

TEST(AntiEntropyPlan, GoesFromNodeToNode) {
  CheckPlans<LostScene>({
      {"asked", [](LostScene& s) { Comparing(s, "demo-a-0", ""); }, "AskNode(repair demo-a-0)"},
      {"running", [](LostScene& s) { Comparing(s, "demo-a-0", "running"); }, "Wait(NodeRepairing"},
      {"nobody says", [](LostScene& s) { Comparing(s, "demo-a-0", ""), s.observed.repair.reset(); }, "Wait(NodeDown"},
      {"the next one", [](LostScene& s) { Comparing(s, "demo-a-0", "done"); }, "Record(AntiEntropy/Repair demo-b-0"},
      {"some of it failed: again", [](LostScene& s) { Comparing(s, "demo-a-0", "done", 1); },
       "Record(AntiEntropy/Repair demo-a-0"},
      {"failed often: left to the next time",
       [](LostScene& s) { Comparing(s, "demo-a-0", "done", 1), s.status.operation->attempts = 3; },
       "Record(AntiEntropy/Repair demo-b-0"},
      {"the last one", [](LostScene& s) { Comparing(s, "demo-c-0", "done"); }, "Finish(AntiEntropyCompleted"},
      {"it is silent: nothing waits for it",
       [](LostScene& s) { Comparing(s, "demo-a-0", "running"), s.Away("demo-a-0", MachineView::State::kThere); },
       "Finish(AntiEntropyInterrupted"},
      {"the next one is silent",
       [](LostScene& s) { Comparing(s, "demo-a-0", "done"), s.Away("demo-b-0", MachineView::State::kThere); },
       "Finish(AntiEntropyInterrupted"},
      {"a volume is lost", [](LostScene& s) { Comparing(s, "demo-a-0", "running"), s.Empty("demo-b-0"); },
       "Finish(AntiEntropyInterrupted"},
  });
}

TEST(AntiEntropyPlan, CountsWhatAllNodesHaveRepaired) {
  LostScene scene;
  Comparing(scene, "demo-b-0", "done");
  const Action next = Plan(scene.spec, scene.status, scene.observed);
  EXPECT_EQ(std::get<Record>(next).operation.keys_repaired, 22);
  Comparing(scene, "demo-c-0", "done");
  const Action end = Plan(scene.spec, scene.status, scene.observed);
  EXPECT_EQ(std::get<Finish>(end).keys_repaired, 22);
  Comparing(scene, "demo-c-0", "running"), scene.Away("demo-c-0", MachineView::State::kThere);
  const Action interrupted = Plan(scene.spec, scene.status, scene.observed);
  EXPECT_FALSE(std::get<Finish>(interrupted).keys_repaired) << "it is still due";
}

TEST(AntiEntropy, ThatIsAskedForIsDoneByEveryNodeOnceAndSetDown) {
  World world;
  ASSERT_TRUE(world.RunUntilReady());
  world.Apply({{"antiEntropy", {{"requestToken", "today"}}}});
  ASSERT_TRUE(world.RunUntilReady());
  const Object cluster = world.Cluster();
  EXPECT_EQ(kube::IntAt(cluster, "status.antiEntropy.keysRepaired"), 3 * 17);
  EXPECT_EQ(kube::StringAt(cluster, "status.antiEntropy.token"), "today");
  EXPECT_EQ(world.EventsOf("AntiEntropyCompleted"), 1);
  const int writes = world.writes();
  for (int i = 0; i < 5; ++i) world.Pass(), world.Act();
  EXPECT_EQ(world.writes(), writes) << "once for each token";
  EXPECT_THAT(world.violations(), IsEmpty());
}

TEST(AntiEntropy, BySchedule) {
  World world;
  world.Apply({{"antiEntropy", {{"mode", "Scheduled"}, {"interval", "5m"}}}});
  ASSERT_TRUE(world.RunUntilReady());
  EXPECT_EQ(world.EventsOf("AntiEntropyCompleted"), 1);
  const auto due = kube::ParseTime(kube::StringAt(world.Cluster(), "status.antiEntropy.nextScheduled"));
  const auto done = kube::ParseTime(kube::StringAt(world.Cluster(), "status.antiEntropy.lastCompleted"));
  EXPECT_EQ(*due - *done, 300'000'000u);
  for (int i = 0; i < 45; ++i) world.Pass(), world.Act();
  EXPECT_EQ(world.EventsOf("AntiEntropyStarted"), 1) << "one event, counted";
  EXPECT_GT(*kube::ParseTime(kube::StringAt(world.Cluster(), "status.antiEntropy.lastCompleted")), *done);
}

}  // namespace
}  // namespace dynamo::op
