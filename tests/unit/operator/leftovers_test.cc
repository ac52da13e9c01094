#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/cluster/objects.h"
#include "tests/unit/operator/world.h"

namespace dynamo::op {
namespace {

using ::testing::IsEmpty;

constexpr char kPolicy[] = "/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies/demo";
constexpr char kBudget[] = "/apis/policy/v1/namespaces/shop/poddisruptionbudgets/demo";
constexpr char kMonitor[] = "/apis/monitoring.coreos.com/v1/namespaces/shop/podmonitors/demo";

kube::Object Asking(bool asks) {
  return {{"networkPolicy", {{"enabled", asks}}},
          {"disruptionBudget", {{"enabled", asks}}},
          {"monitoring", {{"podMonitor", asks}}}};
}

class Leftovers : public ::testing::Test {
 protected:
  Leftovers() { world_.InstallPrometheusOperator(); }
  bool Exists(const char* path) { return !world_.api.Get(path).empty(); }
  void ApplyAndSettle(const kube::Object& spec) {
    world_.Apply(spec);
    world_.Turn(2);
    ASSERT_TRUE(world_.RunUntilReady());
    EXPECT_THAT(world_.violations(), IsEmpty());
  }
  World world_;
};

TEST_F(Leftovers, WhatTheResourceAsksForNoMoreIsDeletedAndComesBackWhenItDoes) {
  for (const bool asks : {true, false, true}) {
    ApplyAndSettle(Asking(asks));
    for (const char* path : {kPolicy, kBudget, kMonitor}) EXPECT_EQ(Exists(path), asks) << path;
  }
}

TEST_F(Leftovers, WhatIsOfAnotherOwnerStays) {
  ApplyAndSettle(Asking(false));
  world_.api.Do("POST", "/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies",
                {{"apiVersion", "networking.k8s.io/v1"},
                 {"kind", "NetworkPolicy"},
                 {"metadata", {{"name", "demo"}, {"namespace", "shop"}}}});
  ApplyAndSettle(Asking(false));
  EXPECT_TRUE(Exists(kPolicy));
}

TEST_F(Leftovers, OneThatCannotBeDeletedIsNamed) {
  ApplyAndSettle(Asking(true));
  world_.api.set_intercept([](const testing::FakeRequest& request) -> std::optional<testing::FakeReply> {
    if (request.method != "DELETE") return std::nullopt;
    return testing::FakeReply{
        403, R"({"kind":"Status","reason":"Forbidden","message":"no right to delete networkpolicies"})", {}};
  });
  world_.Apply(Asking(false));
  world_.Turn(2);
  EXPECT_THAT(world_.Said("Ready").message + world_.Said("Degraded").message + world_.Said("Progressing").message,
              ::testing::HasSubstr("no right to delete networkpolicies"));
}

}  // namespace
}  // namespace dynamo::op
