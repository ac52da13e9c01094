// What the operator makes of pods, volumes and StatefulSets, and of their absence.
#include "operator/controller/observer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/cluster/template_hash.h"
#include "tests/lib/kube/fake_api_server.h"
#include "tests/lib/kube/manual_clock.h"

namespace dynamo::op {
namespace {

using kube::Object;
namespace json = kube::json;

constexpr char kSets[] = "/apis/apps/v1/namespaces/shop/statefulsets";
constexpr char kPods[] = "/api/v1/namespaces/shop/pods";
constexpr char kClaims[] = "/api/v1/namespaces/shop/persistentvolumeclaims";

// A cluster of the racks a and b, whose nodes do not answer.
class ObserverTest : public ::testing::Test {
 protected:
  ObserverTest() {
    kube::RestClientOptions options;
    options.field_manager = "test";
    client_ = *kube::RestClient::Make(api_.config(), &clock_, nullptr, options);
    spec_.name = "demo";
    spec_.namespace_ = "shop";
    spec_.racks = {{"a", "", 1}, {"b", "", 1}};
    // Nobody listens there.
    options_.nodes.endpoint = [](const NodeView&) { return std::string("127.0.0.1:1"); };
  }
  Object Labels() const { return SelectorLabels(spec_); }
  void AddSet(const std::string& name, int replicas) {
    api_.Do("POST", kSets, {{"metadata", {{"name", name}, {"labels", Labels()}}}, {"spec", {{"replicas", replicas}}}});
  }
  void AddPod(const std::string& name, const Object& status) {
    api_.Do("POST", kPods, {{"metadata", {{"name", name}, {"labels", Labels()}}}, {"status", status}});
  }
  void AddClaim(const std::string& name, const std::string& phase) {
    Object labels = Labels();
    labels[kClusterIdLabel] = "c1";
    api_.Do("POST", kClaims, {{"metadata", {{"name", name}, {"labels", labels}}}, {"status", {{"phase", phase}}}});
  }
  kube::Answer<Observed> Look() { return Observe(kube::LiveReader(client_.get()), spec_, status_, options_); }

  testing::FakeApiServer api_;
  testing::ManualClock clock_;
  std::unique_ptr<kube::RestClient> client_;
  ClusterSpec spec_;
  ClusterStatus status_;
  OperatorOptions options_;
};

TEST_F(ObserverTest, EveryPlaceOfAStatefulSetIsExpectedWhetherItsPodIsThereOrNot) {
  AddSet("demo-a", 2);
  AddSet("demo-b", 1);
  AddPod("demo-a-0", {{"phase", "Running"}, {"podIP", "10.0.0.1"}});
  const auto seen = Look();
  ASSERT_TRUE(seen);
  ASSERT_EQ(seen->ExpectedNodes().size(), 3u);
  EXPECT_EQ(seen->Replicas(), 3);
  EXPECT_TRUE(seen->FindNode("demo-a-0")->pod_exists);
  EXPECT_FALSE(seen->FindNode("demo-a-1")->pod_exists);
  EXPECT_EQ(seen->FindNode("demo-a-0")->pod_address, "10.0.0.1");
  EXPECT_EQ(seen->FindNode("demo-a-1")->rack, "a");
  EXPECT_EQ(seen->FindNode("demo-a-1")->ordinal, 1);
  EXPECT_FALSE(seen->FindNode("demo-a-0")->identity) << "silence is not an empty answer";
  EXPECT_FALSE(seen->safety);
}

TEST_F(ObserverTest, WhatIsLeftOverIsSeenAndNotExpected) {
  AddSet("demo-a", 1);
  AddSet("demo-b", 0);
  AddPod("demo-a-1", {{"phase", "Running"}});
  AddClaim("data-demo-b-0", "Bound");
  const auto seen = Look();
  ASSERT_TRUE(seen);
  EXPECT_TRUE(seen->FindNode("demo-a-1")->pod_exists);
  EXPECT_FALSE(seen->FindNode("demo-a-1")->expected);
  EXPECT_FALSE(seen->FindNode("demo-b-0")->expected);
  EXPECT_TRUE(seen->FindNode("demo-b-0")->volume_bound);
  EXPECT_EQ(seen->FindNode("demo-b-0")->volume_cluster_id, "c1");
}

TEST_F(ObserverTest, NamesThatAreNoPlaceOfOursAreLeftAlone) {
  AddSet("demo-a", 1);
  AddSet("demo-b", 1);
  for (const char* name :
       {"demo-c-0", "demo-a", "demo-a-x", "demo-a-0x", "demo-a--1", "other-a-0", "demo-a-99999999999"}) {
    AddPod(name, {{"phase", "Running"}});
  }
  AddClaim("demo-a-0", "Bound");
  AddClaim("data-demo-c-0", "Bound");
  const auto seen = Look();
  ASSERT_TRUE(seen);
  ASSERT_EQ(seen->nodes.size(), 2u);
  EXPECT_FALSE(seen->FindNode("demo-a-0")->pod_exists);
  EXPECT_EQ(seen->FindNode("demo-a-0")->volume_uid, "");
}

TEST_F(ObserverTest, WhyAPodDoesNotStartIsSaidInKubernetesOwnWords) {
  AddSet("demo-a", 3);
  AddSet("demo-b", 1);
  const auto waiting = [](const char* reason) {
    return Object{
        {"containerStatuses", json::array{Object{{"state", {{"waiting", {{"reason", reason}, {"message", "why"}}}}}}}}};
  };
  AddPod("demo-a-0", waiting("ErrImagePull"));
  AddPod("demo-a-1", waiting("ContainerCreating"));
  AddPod("demo-a-2",
         {{"conditions",
           json::array{Object{
               {"type", "PodScheduled"}, {"status", "False"}, {"reason", "Unschedulable"}, {"message", "no room"}}}}});
  AddPod("demo-b-0", {{"conditions", json::array{Object{{"type", "Ready"}, {"status", "True"}}}}});
  const auto seen = Look();
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->FindNode("demo-a-0")->trouble, "ErrImagePull: why");
  EXPECT_EQ(seen->FindNode("demo-a-1")->trouble, "") << "that is how every pod begins";
  EXPECT_EQ(seen->FindNode("demo-a-2")->trouble, "Unschedulable: no room");
  EXPECT_TRUE(seen->FindNode("demo-b-0")->pod_ready);
  EXPECT_FALSE(seen->FindNode("demo-a-0")->pod_ready);
}

TEST_F(ObserverTest, APodSaysWhatItWasMadeOfAndSinceWhenItServes) {
  AddSet("demo-a", 2);
  AddSet("demo-b", 0);
  const auto ready = [](const char* status) {
    return Object{
        {"conditions",
         json::array{Object{{"type", "Ready"}, {"status", status}, {"lastTransitionTime", "2026-01-02T03:04:05Z"}}}}};
  };
  AddPod("demo-a-0", ready("True"));
  AddPod("demo-a-1", ready("False"));
  api_.Do("PATCH", std::string(kPods) + "/demo-a-0", {{"metadata", {{"annotations", {{kTemplateAnnotation, "h"}}}}}});
  const auto seen = Look();
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->FindNode("demo-a-0")->pod_template, "h");
  EXPECT_EQ(seen->FindNode("demo-a-0")->pod_ready_since, *kube::ParseTime("2026-01-02T03:04:05Z"));
  EXPECT_EQ(seen->FindNode("demo-a-1")->pod_template, "");
  EXPECT_EQ(seen->FindNode("demo-a-1")->pod_ready_since, 0u);
}

TEST_F(ObserverTest, AStatefulSetIsBehindUntilItHasSeenItsNewTemplate) {
  AddSet("demo-a", 1);
  AddSet("demo-b", 1);
  const int64_t generation = kube::IntAt(api_.Get(std::string(kSets) + "/demo-a"), "metadata.generation");
  const auto observe = [&](int64_t observed) {
    api_.Do("PATCH", std::string(kSets) + "/demo-a/status", {{"status", {{"observedGeneration", observed}}}});
    return Look()->FindRack("a")->template_current;
  };
  EXPECT_FALSE(Look()->FindRack("a")->template_current);
  EXPECT_FALSE(observe(generation - 1));
  EXPECT_TRUE(observe(generation));
}

TEST_F(ObserverTest, MachinesAreLookedForOnlyOnceThereIsARing) {
  AddSet("demo-a", 1);
  AddSet("demo-b", 1);
  AddClaim("data-demo-a-0", "Bound");
  api_.Do("PATCH", std::string(kClaims) + "/data-demo-a-0", {{"spec", {{"volumeName", "v"}}}});
  ASSERT_TRUE(Look());
  const auto asked = [&] {
    const auto requests = api_.requests();
    return std::ranges::count(requests, "GET /api/v1/persistentvolumes/v");
  };
  EXPECT_EQ(asked(), 0);
  status_.ring_epoch = 3;
  ASSERT_TRUE(Look());
  EXPECT_EQ(asked(), 1);
}

TEST_F(ObserverTest, TheLastWordsOfANodeThatRefusesToStartAreHeard) {
  AddSet("demo-a", 1);
  AddSet("demo-b", 0);
  AddPod("demo-a-0",
         {{"containerStatuses",
           json::array{Object{{"state", {{"waiting", {{"reason", "CrashLoopBackOff"}, {"message", "back-off"}}}}},
                              {"lastState", {{"terminated", {{"message", "empty its volume"}}}}}}}}});
  EXPECT_EQ(Look()->FindNode("demo-a-0")->trouble, "CrashLoopBackOff: empty its volume");
}

TEST_F(ObserverTest, APodThatDoesNotRunHasNoAddressToAsk) {
  AddSet("demo-a", 1);
  AddSet("demo-b", 1);
  AddPod("demo-a-0", {{"phase", "Failed"}, {"podIP", "10.0.0.1"}});
  EXPECT_EQ(Look()->FindNode("demo-a-0")->pod_address, "");
}

TEST_F(ObserverTest, AStatefulSetThatIsGoneIsNotOneOfSizeZero) {
  AddSet("demo-a", 0);
  const auto seen = Look();
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->FindRack("a")->replicas, 0);
  EXPECT_EQ(seen->FindRack("b")->replicas, std::nullopt);
  EXPECT_FALSE(seen->objects_current);
}

TEST_F(ObserverTest, AnAnswerThatFailsIsNoObservationAtAll) {
  AddSet("demo-a", 1);
  AddSet("demo-b", 1);
  for (const char* what : {"statefulsets", "pods", "persistentvolumeclaims", "configmaps"}) {
    api_.set_intercept([what](const testing::FakeRequest& request) -> std::optional<testing::FakeReply> {
      if (request.path.find(what) == std::string::npos) return std::nullopt;
      return testing::FakeReply{403, R"({"kind":"Status","reason":"Forbidden","message":"no"})", {}};
    });
    const auto seen = Look();
    ASSERT_FALSE(seen) << what;
    EXPECT_EQ(seen.error().kind, kube::ApiError::Kind::kForbidden) << what;
  }
}

TEST_F(ObserverTest, ObjectsAreCurrentWhenEachStandsAsItWasApplied) {
  const RenderInput input = InputOf(spec_, status_, options_, Observed{}, {1, 1});
  for (const RenderedObject& rendered : RenderAll(input))
    ASSERT_TRUE(client_->Apply(rendered.resource, rendered.object));
  EXPECT_TRUE(Look()->objects_current);
  spec_.version = "2";
  EXPECT_FALSE(Look()->objects_current);
}

}  // namespace
}  // namespace dynamo::op
