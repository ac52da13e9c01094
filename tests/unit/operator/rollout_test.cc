// Other images and settings through the whole operator, against an acted Kubernetes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>

#include "tests/unit/operator/world.h"

namespace dynamo::op {
namespace {

using kube::Object;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kPlaces[] = {"demo-a-0", "demo-b-0", "demo-c-0"};

class Rollout : public ::testing::Test {
 protected:
  Rollout() {
    EXPECT_TRUE(world_.RunUntilReady());
    Remember();
  }
  ~Rollout() override { EXPECT_THAT(world_.violations(), IsEmpty()); }

  void Remember() {
    for (const char* pod : kPlaces) uids_[pod] = world_.PodUidAt(pod), ids_[pod] = world_.NodeIdAt(pod);
  }
  // "abc": the racks whose pods were made anew.
  std::string Restarted() {
    std::string out;
    for (const char* pod : kPlaces) out += world_.PodUidAt(pod) == uids_[pod] ? "" : std::string(1, pod[5]);
    return out;
  }
  bool RunUntilDegraded(const std::string& reason) {
    for (int i = 0; i < 60 && world_.Said("Degraded").reason != reason; ++i) world_.Pass(), world_.Act();
    return world_.Said("Degraded").reason == reason;
  }

  World world_;
  std::map<std::string, std::string> uids_, ids_;
};

TEST_F(Rollout, AnotherImageRestartsEveryNodeOnceAndEachIsTheSameNode) {
  world_.Apply({{"version", "1.1.0"}});
  ASSERT_TRUE(world_.RunUntilReady());
  EXPECT_EQ(Restarted(), "abc");
  for (const char* pod : kPlaces) {
    EXPECT_EQ(world_.ImageAt(pod), "dynamo:1.1.0");
    EXPECT_EQ(world_.NodeIdAt(pod), ids_[pod]);
  }
  EXPECT_EQ(world_.EventsOf("NodeRestarted"), 3);
  EXPECT_EQ(world_.Said("UpdatePending").status, "False");
  Remember();
  world_.Turn(10);
  EXPECT_EQ(Restarted(), "");
}

TEST_F(Rollout, SettingsAndTheRestartTokenRestartNodesAndOtherFieldsDoNot) {
  world_.Apply({{"config", {{"siblings-max", "50"}}}});
  ASSERT_TRUE(world_.RunUntilReady());
  EXPECT_EQ(Restarted(), "abc");
  Remember();
  world_.Apply({{"restartToken", "again"}});
  ASSERT_TRUE(world_.RunUntilReady());
  EXPECT_EQ(Restarted(), "abc");
  Remember();
  world_.Apply({{"storage", {{"retention", {{"whenScaled", "Retain"}}}}}, {"update", {{"minReadySeconds", 5}}}});
  ASSERT_TRUE(world_.RunUntilReady());
  world_.Turn(5);
  EXPECT_EQ(Restarted(), "");
}

TEST_F(Rollout, AnotherOperatorRestartsNothingAndSaysThatItsTemplateIsNewer) {
  world_.StartOperator(Plan, "registry.example/dynamo");
  world_.Turn(10);
  ASSERT_TRUE(world_.RunUntilReady());
  EXPECT_EQ(Restarted(), "");
  EXPECT_EQ(world_.Said("UpdatePending").status, "True");
  EXPECT_EQ(world_.Said("UpdatePending").reason, "PodsOfOlderTemplate");
  world_.Apply({{"restartToken", "now"}});
  ASSERT_TRUE(world_.RunUntilReady());
  EXPECT_EQ(Restarted(), "abc");
  EXPECT_EQ(world_.ImageAt("demo-a-0"), "registry.example/dynamo:1.0.0");
  EXPECT_EQ(world_.Said("UpdatePending").status, "False");
}

TEST_F(Rollout, PodsOfAnOperatorThatWroteNoHashAreRestartedByTheNextChangeOnly) {
  for (const char* pod : kPlaces) {
    world_.api.Do("PATCH", std::string("/api/v1/namespaces/shop/pods/") + pod,
                  {{"metadata", {{"annotations", nullptr}}}});
  }
  world_.Turn(10);
  EXPECT_EQ(Restarted(), "");
  world_.Apply({{"version", "1.1.0"}});
  ASSERT_TRUE(world_.RunUntilReady());
  EXPECT_EQ(Restarted(), "abc");
}

TEST_F(Rollout, ABrokenImageStopsAtTheFirstPodAndSettingItBackHeals) {
  world_.Apply({{"image", "broken:1"}});
  ASSERT_TRUE(RunUntilDegraded("PodsBlocked"));
  EXPECT_THAT(world_.Said("Degraded").message, HasSubstr("demo-c-0: ErrImagePull"));
  world_.Turn(30);
  EXPECT_EQ(Restarted(), "c");
  EXPECT_EQ(world_.Said("Available").status, "True");
  world_.Apply({{"image", ""}});
  ASSERT_TRUE(world_.RunUntilReady());
  EXPECT_EQ(Restarted(), "c");
  EXPECT_EQ(world_.ImageAt("demo-c-0"), "dynamo:1.0.0");
  EXPECT_EQ(world_.Said("Degraded").status, "False");
}

TEST_F(Rollout, APartitionKeepsACanary) {
  world_.Apply({{"version", "1.1.0"}, {"update", {{"partition", 2}}}});
  ASSERT_TRUE(world_.RunUntilReady());
  world_.Turn(5);
  EXPECT_EQ(Restarted(), "c");
  EXPECT_EQ(world_.Said("UpdatePending").reason, "RolloutPending");
  EXPECT_THAT(world_.Said("UpdatePending").message, HasSubstr("2 of 3 pods"));
  world_.Apply({{"update", {{"partition", 0}}}});
  ASSERT_TRUE(world_.RunUntilReady());
  EXPECT_EQ(Restarted(), "abc");
}

TEST_F(Rollout, ANodeThatCannotBeSparedIsNotRestartedAndTheDeadlineNamesThePartition) {
  world_.set_ready_without(1);
  world_.Apply({{"version", "1.1.0"}, {"update", {{"progressDeadline", "60s"}}}});
  ASSERT_TRUE(RunUntilDegraded("RolloutBlocked"));
  EXPECT_THAT(world_.Said("Degraded").message, HasSubstr("partition 5 has 1 owners that serve, and needs 2"));
  world_.Turn(10);
  EXPECT_EQ(Restarted(), "");
  EXPECT_EQ(world_.EventsOf("RolloutBlocked"), 1);
  world_.set_ready_without(2);
  ASSERT_TRUE(world_.RunUntilReady());
  EXPECT_EQ(Restarted(), "abc");
}

TEST_F(Rollout, ASilentNodeIsRestartedFirstAndStopsTheOthersUntilItIsBack) {
  world_.set_node_silent("demo-a-0", true);
  world_.Apply({{"version", "1.1.0"}});
  world_.Turn(20);
  EXPECT_EQ(Restarted(), "a");
  world_.set_node_silent("demo-a-0", false);
  ASSERT_TRUE(world_.RunUntilReady());
  EXPECT_EQ(Restarted(), "abc");
}

TEST_F(Rollout, AVolumeThatIsLostMeanwhileComesFirst) {
  world_.Apply({{"version", "1.1.0"}});
  for (int i = 0; i < 20 && world_.OperationStep() != "Rollout/AwaitReady"; ++i) world_.Pass(), world_.Act();
  ASSERT_EQ(world_.OperationStep(), "Rollout/AwaitReady");
  world_.LoseVolume("demo-c-0");
  world_.Act();
  ASSERT_TRUE(world_.RunUntilReady());
  EXPECT_EQ(world_.EventsOf("RolloutInterrupted"), 1);
  EXPECT_EQ(world_.EventsOf("ReplacementCompleted"), 1);
  EXPECT_NE(world_.NodeIdAt("demo-c-0"), ids_["demo-c-0"]);
  EXPECT_EQ(world_.NodeIdAt("demo-b-0"), ids_["demo-b-0"]);
  EXPECT_EQ(Restarted(), "abc");
}

TEST_F(Rollout, AViewOfThePodsOfBeforeDeletesNone) {
  kube::json::array before;
  for (const Object& pod : world_.api.List("/api/v1/namespaces/shop/pods")) before.push_back(pod);
  const Object stale{{"kind", "PodList"}, {"metadata", {{"resourceVersion", "1"}}}, {"items", before}};
  world_.Apply({{"version", "1.1.0"}});
  ASSERT_TRUE(world_.RunUntilReady());
  Remember();
  world_.api.set_intercept([&](const testing::FakeRequest& request) -> std::optional<testing::FakeReply> {
    if (request.method != "GET" || !request.path.ends_with("/pods")) return std::nullopt;
    return testing::FakeReply{200, kube::json::serialize(stale), {}};
  });
  world_.Turn(10);
  EXPECT_EQ(world_.OperationStep(), "Rollout/Restart") << "it believed them to be of the older template";
  EXPECT_EQ(Restarted(), "") << "what was to be deleted is a pod, not a name";
  world_.api.set_intercept([](const testing::FakeRequest&) { return std::nullopt; });
  EXPECT_TRUE(world_.RunUntilReady());
  EXPECT_EQ(Restarted(), "");
}

TEST_F(Rollout, ABrokenImageOfTheFirstPodsIsMendedByAnother) {
  World fresh;
  fresh.Apply({{"image", "broken:1"}});
  EXPECT_FALSE(fresh.RunUntilReady(10));
  EXPECT_EQ(fresh.OperationStep(), "Create/Objects");
  fresh.Apply({{"image", "dynamo:1.0.0"}});
  EXPECT_TRUE(fresh.RunUntilReady());
  EXPECT_THAT(fresh.violations(), IsEmpty());
}

TEST_F(Rollout, SizeAndVersionAtOnceGrowFirstAndShrinkLast) {
  world_.Apply({{"version", "1.1.0"}, {"replicas", 4}});
  ASSERT_TRUE(world_.RunUntilReady());
  EXPECT_EQ(world_.EventsOf("NodeJoined"), 1);
  EXPECT_EQ(world_.EventsOf("NodeRestarted"), 3) << "the new one is of the new template";
  world_.Apply({{"version", "1.2.0"}, {"replicas", 3}});
  ASSERT_TRUE(world_.RunUntilReady(120));
  EXPECT_EQ(world_.EventsOf("Decommissioned"), 1);
  EXPECT_EQ(world_.ImageAt("demo-b-0"), "dynamo:1.2.0");
}

}  // namespace
}  // namespace dynamo::op
