#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "common/base/base64.h"
#include "common/kube/conditions.h"
#include "common/kube/event_recorder.h"
#include "common/kube/kube_config.h"
#include "tests/lib/kube/fake_api_server.h"
#include "tests/lib/kube/manual_clock.h"
#include "tests/lib/temporary_folder.h"

namespace dynamo::kube {
namespace {

using ::testing::HasSubstr;

const std::string kKubeConfigText =
    "apiVersion: v1\ncurrent-context: here\n"
    "contexts: [{name: here, context: {cluster: c, user: u, namespace: shop}}]\n"
    "clusters: [{name: c, cluster: {server: 'https://10.0.0.1:6443', certificate-authority-data: " +
    Base64Encode("CA") +
    "}}]\n"
    "users: [{name: u, user: {token: secret}}]\n";

TEST(KubeConfig, ReadsTheCurrentContext) {
  const auto config = ParseKubeConfig(kKubeConfigText);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->where(), "https://10.0.0.1:6443");
  EXPECT_EQ(config->ca_pem, "CA");
  EXPECT_EQ(config->token, "secret");
  EXPECT_EQ(config->default_namespace, "shop");
}

TEST(KubeConfig, SaysWhatItDoesNotUnderstand) {
  const auto message = [](std::string text, const std::string& from, const std::string& to) {
    text.replace(text.find(from), from.size(), to);
    const auto config = ParseKubeConfig(text);
    return config ? "accepted" : config.error().message;
  };
  EXPECT_THAT(message(kKubeConfigText, "current-context: here", "current-context: there"), HasSubstr("there"));
  EXPECT_THAT(message(kKubeConfigText, "https://10.0.0.1:6443", "ftp://x"), HasSubstr("https://HOST:PORT"));
  EXPECT_THAT(message(kKubeConfigText, ":6443", ":x"), HasSubstr("no port"));
  EXPECT_THAT(message(kKubeConfigText, "token: secret", "exec: {command: aws}"), HasSubstr("plugin"));
  EXPECT_THAT(message(kKubeConfigText, "server:", "insecure-skip-tls-verify: true, server:"), HasSubstr("insecure"));
  EXPECT_THAT(message(kKubeConfigText, "users: [", "users: {"), HasSubstr("YAML"));
  EXPECT_FALSE(ParseKubeConfig("[]"));
  EXPECT_FALSE(ParseKubeConfig(""));
}

TEST(KubeConfig, ReadsWhatTheKubeletGivesToAPod) {
  const TemporaryFolder folder;
  EXPECT_EQ(InClusterConfig(folder.path()).error().code, Errc::kNotFound);
  std::ofstream(folder.path() + "/token") << "t";
  std::ofstream(folder.path() + "/ca.crt") << "CA";
  std::ofstream(folder.path() + "/namespace") << "shop";
  setenv("KUBERNETES_SERVICE_HOST", "fd00::1", 1);
  setenv("KUBERNETES_SERVICE_PORT", "443", 1);
  const auto config = InClusterConfig(folder.path());
  unsetenv("KUBERNETES_SERVICE_HOST");
  unsetenv("KUBERNETES_SERVICE_PORT");
  ASSERT_TRUE(config);
  EXPECT_EQ(config->host, "fd00::1");
  EXPECT_EQ(config->token_file, folder.path() + "/token");
  EXPECT_EQ(config->default_namespace, "shop");
}

TEST(KubeObject, PathsAreThoseOfTheApi) {
  EXPECT_EQ(Pods().Path("ns", "p"), "/api/v1/namespaces/ns/pods/p");
  EXPECT_EQ(StatefulSets().Path("ns", "s", "status"), "/apis/apps/v1/namespaces/ns/statefulsets/s/status");
  EXPECT_EQ(Nodes().Path("", "n1"), "/api/v1/nodes/n1");
  EXPECT_EQ(Pods().Path(""), "/api/v1/pods");
}

TEST(KubeObject, TimesGoThereAndBack) {
  EXPECT_EQ(Time(1'700'000'000'000'000), "2023-11-14T22:13:20Z");
  EXPECT_EQ(MicroTime(1'700'000'000'000'042), "2023-11-14T22:13:20.000042Z");
  EXPECT_EQ(ParseTime("2023-11-14T22:13:20.000042Z"), 1'700'000'000'000'042u);
  EXPECT_EQ(ParseTime("2023-11-14T22:13:20Z"), 1'700'000'000'000'000u);
  for (const char* wrong : {"", "yesterday", "2023-11-14", "2023-11-14T22:13:20+01:00"}) EXPECT_FALSE(ParseTime(wrong));
}

TEST(KubeObject, WhatIsNotThereReadsAsEmpty) {
  const Object object{{"a", {{"b", "text"}}}, {"n", "no number"}};
  EXPECT_EQ(StringAt(object, "a.b"), "text");
  EXPECT_EQ(StringAt(object, "a.b.c"), "");
  EXPECT_EQ(StringAt(object, "x.y"), "");
  EXPECT_EQ(IntAt(object, "n", 7), 7);
  EXPECT_EQ(SplitKey(MakeKey("ns", "name")), std::pair(std::string("ns"), std::string("name")));
}

TEST(Conditions, TheTimeChangesWithTheStatusOnly) {
  Conditions conditions;
  conditions.Set("Ready", "False", "Creating", "wait", 1, "t1");
  conditions.Set("Ready", "False", "Joining", "still", 2, "t2");
  EXPECT_EQ(conditions.Get("Ready")->since, "t1");
  EXPECT_EQ(conditions.Get("Ready")->observed_generation, 2);
  conditions.Set("Ready", "True", "Ready", "", 2, "t3");
  EXPECT_EQ(conditions.Get("Ready")->since, "t3");
  EXPECT_TRUE(conditions.IsTrue("Ready"));
  EXPECT_FALSE(conditions.IsTrue("Degraded"));
  EXPECT_EQ(Conditions::FromStatus({{"status", {{"conditions", conditions.ToJson()}}}}), conditions);
}

TEST(EventRecorder, TheSameEventAgainRaisesItsCount) {
  dynamo::testing::ManualClock clock;
  dynamo::testing::FakeApiServer server;
  const auto client = *RestClient::Make(server.config(), &clock, nullptr, {});
  EventRecorder events(client.get(), Logger(), "dynamo-operator");
  const Object about{{"kind", "DynamoCluster"}, {"metadata", {{"name", "demo"}, {"namespace", "ns"}, {"uid", "u"}}}};
  events.Record(about, EventType::kNormal, "NodeJoined", "demo-a-0");
  events.Record(about, EventType::kNormal, "NodeJoined", "demo-a-0");
  events.Record(about, EventType::kWarning, "QuorumAtRisk", "x");
  const auto list = server.List("/api/v1/namespaces/ns/events");
  ASSERT_EQ(list.size(), 2u);
  EXPECT_EQ(IntAt(list[0], "count") + IntAt(list[1], "count"), 3);
  // The server has dropped it meanwhile.
  for (const Object& event : list) server.Do("DELETE", "/api/v1/namespaces/ns/events/" + NameOf(event));
  events.Record(about, EventType::kNormal, "NodeJoined", "demo-a-0");
  ASSERT_EQ(server.List("/api/v1/namespaces/ns/events").size(), 1u);
  EXPECT_EQ(IntAt(server.List("/api/v1/namespaces/ns/events")[0], "count"), 3);
}

}  // namespace
}  // namespace dynamo::kube
