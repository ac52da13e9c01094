#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/cluster/objects.h"
#include "tests/unit/operator/world.h"

namespace dynamo::op {
namespace {

using kube::Object;
using kube::StringAt;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

kube::Condition ConditionOf(World& world, const char* type) {
  const auto conditions = kube::Conditions::FromStatus(world.Cluster());
  const kube::Condition* found = conditions.Get(type);
  return found == nullptr ? kube::Condition{} : *found;
}

TEST(Create, EndsReadyWithOneRingAndABinding) {
  World world;
  ASSERT_TRUE(world.RunUntilReady());
  EXPECT_THAT(world.violations(), IsEmpty());
  const Object cluster = world.Cluster();
  EXPECT_EQ(kube::IntAt(cluster, "status.readyReplicas"), 3);
  EXPECT_EQ(kube::IntAt(cluster, "status.ring.epoch"), 1);
  EXPECT_EQ(StringAt(cluster, "status.endpoint.host"), "demo.shop.svc");
  EXPECT_EQ(world.OperationStep(), "");
  const Object binding = world.api.Get("/api/v1/namespaces/shop/secrets/demo-binding");
  EXPECT_EQ(StringAt(binding, "stringData.uri"), "http://demo.shop.svc:8098");
  for (const char* type : {"Ready", "Available", "RingConverged", "VolumesReady", "ClusterIDMatched"}) {
    EXPECT_EQ(ConditionOf(world, type).status, "True") << type;
  }
  for (const char* type : {"Degraded", "Progressing", "Paused"})
    EXPECT_EQ(ConditionOf(world, type).status, "False") << type;
}

TEST(Create, SaysProgressingForANewGenerationBeforeAnythingElse) {
  World world;
  world.StopAfterWrites(1);
  world.Pass();
  const Object cluster = world.Cluster();
  EXPECT_EQ(kube::IntAt(cluster, "status.observedGeneration"), kube::IntAt(cluster, "metadata.generation"));
  EXPECT_EQ(ConditionOf(world, "Progressing").status, "True");
  EXPECT_EQ(StringAt(cluster, "status.clusterID"), "");
}

TEST(Create, ASettledClusterIsLeftAlone) {
  World world;
  ASSERT_TRUE(world.RunUntilReady());
  world.Pass();
  const int writes = world.writes();
  for (int i = 0; i < 5; ++i) world.Pass();
  EXPECT_EQ(world.writes(), writes);
}

TEST(Create, ANodeThatDoesNotAnswerKeepsTheRingFromBeingFormed) {
  World world;
  world.set_node_silent("demo-b-0", true);
  EXPECT_FALSE(world.RunUntilReady(8));
  EXPECT_EQ(world.OperationStep(), "Create/Objects");
  EXPECT_THAT(ConditionOf(world, "Progressing").message, HasSubstr("demo-b-0"));
  world.set_node_silent("demo-b-0", false);
  EXPECT_TRUE(world.RunUntilReady());
  EXPECT_THAT(world.violations(), IsEmpty());
}

TEST(Create, AVolumeThatIsNotEmptyIsNamedAndNotTouched) {
  World world;
  world.Pass(), world.Act();
  world.FillVolume("demo-c-0");
  EXPECT_FALSE(world.RunUntilReady(5));
  EXPECT_EQ(ConditionOf(world, "Degraded").reason, "VolumeNotEmpty");
  EXPECT_THAT(ConditionOf(world, "Degraded").message, HasSubstr("data-demo-c-0"));
}

TEST(Create, PausedChangesNothing) {
  World world;
  world.Apply({{"paused", true}});
  EXPECT_FALSE(world.RunUntilReady(3));
  EXPECT_EQ(ConditionOf(world, "Paused").status, "True");
  EXPECT_TRUE(world.api.List("/apis/apps/v1/namespaces/shop/statefulsets").empty());
  world.Apply({{"paused", false}});
  EXPECT_TRUE(world.RunUntilReady());
  EXPECT_EQ(ConditionOf(world, "Paused").status, "False");
}

TEST(Create, ASpecThatNoRuleCaughtIsSaidSo) {
  World world;
  world.Apply({{"replicas", 2}});
  EXPECT_FALSE(world.RunUntilReady(2));
  EXPECT_EQ(ConditionOf(world, "Degraded").reason, "SpecInvalid");
  EXPECT_THAT(ConditionOf(world, "Degraded").message, HasSubstr("spec.replication.factor"));
}

TEST(Create, AMissingPermissionIsNamed) {
  World world;
  bool forbid = true;
  world.api.set_intercept([&](const testing::FakeRequest& request) -> std::optional<testing::FakeReply> {
    if (!forbid || request.path.find("/roles") == std::string::npos || request.method != "PATCH") return std::nullopt;
    return testing::FakeReply{
        403, "{\"kind\":\"Status\",\"reason\":\"Forbidden\",\"message\":\"cannot patch resource roles\"}", {}};
  });
  world.RunUntilReady(2);
  EXPECT_EQ(ConditionOf(world, "Degraded").reason, "PermissionMissing");
  EXPECT_THAT(ConditionOf(world, "Degraded").message, HasSubstr("cannot patch resource roles"));
  forbid = false;
  EXPECT_TRUE(world.RunUntilReady());
}

TEST(Create, AnApiServerInTroubleNeverMakesAvailableStale) {
  World world;
  ASSERT_TRUE(world.RunUntilReady());
  world.api.set_intercept([&](const testing::FakeRequest& request) -> std::optional<testing::FakeReply> {
    if (request.path.find("/pods") == std::string::npos) return std::nullopt;
    return testing::FakeReply{500, "", {}};
  });
  world.Pass();
  EXPECT_EQ(ConditionOf(world, "Available").status, "Unknown");
  EXPECT_EQ(ConditionOf(world, "Degraded").reason, "ApiServerUnreachable");
}

TEST(Create, UnreachableNodesMakeAvailableUnknown) {
  World world;
  ASSERT_TRUE(world.RunUntilReady());
  world.set_node_silent("demo-a-0", true);
  world.Pass();
  EXPECT_EQ(ConditionOf(world, "Available").status, "True");  // One may be away.
  EXPECT_EQ(ConditionOf(world, "Ready").status, "False");
  world.set_node_silent("demo-b-0", true);
  world.Pass();
  EXPECT_EQ(ConditionOf(world, "Available").status, "Unknown");
}

TEST(Delete, WhatTheClusterOwnsGoesAndVolumesStay) {
  World world;
  ASSERT_TRUE(world.RunUntilReady());
  world.api.Do("DELETE", "/apis/dynamo.internal/v1alpha1/namespaces/shop/dynamoclusters/demo");
  world.Pass();
  EXPECT_TRUE(world.api.List("/apis/apps/v1/namespaces/shop/statefulsets").empty());
  EXPECT_TRUE(world.api.List("/api/v1/namespaces/shop/services").empty());
  const auto volumes = world.api.List("/api/v1/namespaces/shop/persistentvolumeclaims");
  ASSERT_EQ(volumes.size(), 3u);
  EXPECT_NE(kube::LabelOf(volumes[0], kClusterIdLabel), "");
}

TEST(Delete, OldVolumesAreTakenUpOnlyByTheirAnnotation) {
  World world;
  ASSERT_TRUE(world.RunUntilReady());
  const std::string old_id = StringAt(world.Cluster(), "status.clusterID");
  world.api.Do("DELETE", "/apis/dynamo.internal/v1alpha1/namespaces/shop/dynamoclusters/demo");
  world.Apply({{"version", "1.0.0"}});
  EXPECT_FALSE(world.RunUntilReady(4));
  EXPECT_EQ(ConditionOf(world, "Degraded").reason, "VolumesOfAnotherCluster");
  EXPECT_THAT(ConditionOf(world, "Degraded").message, HasSubstr(old_id));
  world.api.Do("PATCH", "/apis/dynamo.internal/v1alpha1/namespaces/shop/dynamoclusters/demo",
               {{"metadata", {{"annotations", {{kAdoptAnnotation, old_id}}}}}});
  EXPECT_TRUE(world.RunUntilReady());
  EXPECT_EQ(StringAt(world.Cluster(), "status.clusterID"), old_id);
  EXPECT_THAT(world.violations(), IsEmpty());
}

TEST(Monitoring, IsSetUpOnceThePrometheusOperatorIsThereAndKeepsNothingFromBeingDone) {
  constexpr char kMonitor[] = "/apis/monitoring.coreos.com/v1/namespaces/shop/podmonitors/demo";
  World world;
  world.Apply({{"monitoring", {{"podMonitor", true}}}});
  ASSERT_TRUE(world.RunUntilReady());
  EXPECT_EQ(world.Said("Monitored").reason, "PodMonitorUnknown");
  world.InstallPrometheusOperator();
  world.Turn(2);
  ASSERT_TRUE(world.RunUntilReady());
  EXPECT_EQ(world.Said("Monitored").status, "True");
  EXPECT_EQ(kube::LabelOf(world.api.Get(kMonitor), "app.kubernetes.io/instance"), "demo");
}

}  // namespace
}  // namespace dynamo::op
