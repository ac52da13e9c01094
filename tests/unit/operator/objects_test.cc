#include "operator/cluster/objects.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>

#include "operator/cluster/render_list.h"
#include "operator/cluster/template_hash.h"
#include "tests/unit/operator/spec_of.h"

namespace dynamo::op {
namespace {

using kube::Find;
using kube::Object;
using kube::StringAt;
namespace json = kube::json;
using ::testing::HasSubstr;

ClusterSpec Zones() {
  return SpecOf({{"replicas", 5},
                 {"version", "1.2.3"},
                 {"racks", json::array{Object{{"name", "a"}, {"zone", "z1"}},
                                       Object{{"name", "b"}, {"zone", "z2"}, {"capacity", 3}}}},
                 {"config", {{"siblings-max", "50"}}}});
}

RenderInput InputFor(const ClusterSpec& spec) {
  RenderInput input;
  input.spec = &spec;
  input.cluster_id = "c1";
  input.default_image = "registry/dynamo";
  input.operator_namespace = "dynamo-system";
  input.replicas = {3, 2};
  return input;
}

const Object& ContainerOf(const Object& set) {
  return Find(set, "spec.template.spec.containers")->get_array().at(0).get_object();
}

std::string Variable(const Object& container, std::string_view name) {
  std::string value = "(none)";
  for (const json::value& item : container.at("env").get_array()) {
    if (StringAt(item.get_object(), "name") != name) continue;
    const std::string plain = StringAt(item.get_object(), "value");
    value = plain.empty() ? StringAt(item.get_object(), "valueFrom.fieldRef.fieldPath") : plain;
  }
  return value;
}

TEST(Objects, AStatefulSetIsWhatItsRackAsksFor) {
  const ClusterSpec spec = Zones();
  const Object set = RenderStatefulSet(InputFor(spec), 1);
  EXPECT_EQ(kube::NameOf(set), "demo-b");
  EXPECT_EQ(kube::IntAt(set, "spec.replicas"), 2);
  EXPECT_EQ(StringAt(set, "spec.podManagementPolicy"), "Parallel");
  EXPECT_EQ(StringAt(set, "spec.updateStrategy.type"), "OnDelete");
  EXPECT_EQ(StringAt(set, "spec.serviceName"), "demo-nodes");
  const Object& container = ContainerOf(set);
  EXPECT_EQ(StringAt(container, "image"), "registry/dynamo:1.2.3");
  EXPECT_EQ(Variable(container, "DYNAMO_ZONE"), "z2");
  EXPECT_EQ(Variable(container, "DYNAMO_CAPACITY"), "3");
  EXPECT_EQ(Variable(container, "DYNAMO_NAME"), "metadata.name");
  EXPECT_EQ(Variable(container, "DYNAMO_ADVERTISE_ADDRESS"), "status.podIP");
  EXPECT_EQ(Variable(container, "DYNAMO_SEEDS_KUBERNETES"), "demo-nodes");
  EXPECT_EQ(Variable(container, "DYNAMO_SIBLINGS_MAX"), "50");
  EXPECT_EQ(StringAt(container, "readinessProbe.httpGet.path"), "/readyz");
  EXPECT_EQ(StringAt(container, "resources.requests.memory"), "1Gi");
  EXPECT_THAT(json::serialize(*Find(set, "spec.template.spec.affinity")), HasSubstr("\"values\":[\"z2\"]"));
}

TEST(Objects, PodsPassTheRestrictedStandard) {
  const ClusterSpec spec = Zones();
  const Object set = RenderStatefulSet(InputFor(spec), 0);
  EXPECT_TRUE(kube::BoolAt(set, "spec.template.spec.securityContext.runAsNonRoot"));
  EXPECT_EQ(StringAt(set, "spec.template.spec.securityContext.seccompProfile.type"), "RuntimeDefault");
  EXPECT_FALSE(kube::BoolAt(set, "spec.template.spec.automountServiceAccountToken", true));
  EXPECT_FALSE(kube::BoolAt(set, "spec.template.spec.enableServiceLinks", true));
  const Object& container = ContainerOf(set);
  EXPECT_FALSE(kube::BoolAt(container, "securityContext.allowPrivilegeEscalation", true));
  EXPECT_TRUE(kube::BoolAt(container, "securityContext.readOnlyRootFilesystem"));
  EXPECT_EQ(json::serialize(*Find(container, "securityContext.capabilities.drop")), "[\"ALL\"]");
}

TEST(Objects, ANodeMayFindTheOthersByTheApiAndNothingElse) {
  const ClusterSpec spec = Zones();
  const Object set = RenderStatefulSet(InputFor(spec), 0);
  const json::array& volumes = Find(set, "spec.template.spec.volumes")->get_array();
  ASSERT_EQ(volumes.size(), 1u);
  const Object& access = volumes.at(0).get_object();
  const json::array& sources = Find(access, "projected.sources")->get_array();
  EXPECT_EQ(StringAt(sources.at(0).get_object(), "serviceAccountToken.path"), "token");
  EXPECT_EQ(StringAt(sources.at(1).get_object(), "configMap.name"), "kube-root-ca.crt");
  EXPECT_THAT(json::serialize(sources.at(2)), HasSubstr("metadata.namespace"));
  bool mounted = false;
  for (const json::value& item : ContainerOf(set).at("volumeMounts").get_array()) {
    const Object& mount = item.get_object();
    if (StringAt(mount, "name") != StringAt(access, "name")) continue;
    mounted = kube::BoolAt(mount, "readOnly") &&
              StringAt(mount, "mountPath") == "/var/run/secrets/kubernetes.io/serviceaccount";
  }
  EXPECT_TRUE(mounted);
  EXPECT_EQ(StringAt(set, "spec.template.spec.serviceAccountName"), kube::NameOf(RenderServiceAccount(spec)));
  EXPECT_EQ(json::serialize(*Find(RenderRole(spec), "rules")),
            R"([{"apiGroups":["discovery.k8s.io"],"resources":["endpointslices"],"verbs":["get","list"]}])");
  const Object binding = RenderRoleBinding(spec);
  EXPECT_EQ(StringAt(binding, "roleRef.name"), kube::NameOf(RenderRole(spec)));
  EXPECT_EQ(StringAt(Find(binding, "subjects")->get_array().at(0).get_object(), "name"),
            kube::NameOf(RenderServiceAccount(spec)));
}

TEST(Objects, WhatAPodWritesBesideItsVolumeIsBounded) {
  const auto resources = [](const Object& pod) {
    const ClusterSpec spec = SpecOf({{"pod", pod}});
    return json::serialize(ContainerOf(RenderStatefulSet(InputFor(spec), 0)).at("resources"));
  };
  EXPECT_THAT(resources({}), HasSubstr(R"("memory":"1Gi","ephemeral-storage":"1Gi")"));
  EXPECT_EQ(resources({{"resources", {{"requests", {{"cpu", "1"}}}}}}),
            R"({"requests":{"cpu":"1","ephemeral-storage":"64Mi"},"limits":{"ephemeral-storage":"1Gi"}})");
  EXPECT_EQ(resources({{"resources", {{"limits", {{"ephemeral-storage", "9Gi"}}}, {"requests", Object{}}}}}),
            R"({"limits":{"ephemeral-storage":"9Gi"},"requests":{"ephemeral-storage":"64Mi"}})");
}

TEST(Objects, AVolumeSaysWhoseItIs) {
  const ClusterSpec spec = SpecOf(
      {{"storage", {{"size", "20Gi"}, {"storageClassName", "fast"}, {"retention", {{"whenDeleted", "Delete"}}}}}});
  RenderInput input = InputFor(spec);
  const Object set = RenderStatefulSet(input, 0);
  const Object& claim = Find(set, "spec.volumeClaimTemplates")->get_array().at(0).get_object();
  EXPECT_EQ(kube::LabelOf(claim, kClusterIdLabel), "c1");
  EXPECT_EQ(StringAt(claim, "spec.resources.requests.storage"), "20Gi");
  EXPECT_EQ(StringAt(claim, "spec.storageClassName"), "fast");
  EXPECT_EQ(StringAt(set, "spec.persistentVolumeClaimRetentionPolicy.whenDeleted"), "Delete");
  EXPECT_EQ(StringAt(set, "spec.persistentVolumeClaimRetentionPolicy.whenScaled"), "Retain");
  // Another operator, another image: the template is the resource's alone.
  input.default_image = "registry/dynamo";
  EXPECT_EQ(HashOfWish(RenderStatefulSet(input, 0)), HashOfWish(set));
}

TEST(Objects, TheBudgetLeavesAQuorumAndNothingDuringAnOperation) {
  const auto budget = [](int factor, int read, int write, bool running) {
    ClusterSpec spec = SpecOf({{"replicas", 5}});
    spec.factor = factor, spec.read_quorum = read, spec.write_quorum = write;
    return kube::IntAt(RenderDisruptionBudget(spec, running), "spec.maxUnavailable", -1);
  };
  EXPECT_EQ(budget(3, 2, 2, false), 1);
  EXPECT_EQ(budget(5, 2, 3, false), 2);
  EXPECT_EQ(budget(3, 3, 1, false), 1);
  EXPECT_EQ(budget(3, 2, 2, true), 0);
  const auto kinds = [](const ClusterSpec& spec) {
    std::string out;
    RenderInput input = InputFor(spec);
    for (const RenderedObject& rendered : RenderAll(input)) out += rendered.resource.kind + " ";
    return out;
  };
  const ClusterSpec one = SpecOf({{"replicas", 1}, {"replication", {{"factor", 1}}}});
  EXPECT_EQ(kinds(one), "ServiceAccount Role RoleBinding ConfigMap Service Service NetworkPolicy StatefulSet ");
  EXPECT_THAT(kinds(Zones()), HasSubstr("PodDisruptionBudget StatefulSet StatefulSet "));
}

TEST(Objects, TheirHashIsOfAllButTheReplicas) {
  const ClusterSpec spec = Zones();
  RenderInput input = InputFor(spec);
  const std::string before = HashOfWish(RenderStatefulSet(input, 0));
  input.replicas = {7, 7};
  EXPECT_EQ(HashOfWish(RenderStatefulSet(input, 0)), before);
  ClusterSpec other = spec;
  other.version = "1.2.4";
  input.spec = &other;
  EXPECT_NE(HashOfWish(RenderStatefulSet(input, 0)), before);
}

TEST(Objects, ServicesFindTheNodes) {
  const ClusterSpec spec = Zones();
  const Object client = RenderClientService(spec), headless = RenderHeadlessService(spec);
  EXPECT_EQ(kube::NameOf(client), "demo");
  EXPECT_EQ(StringAt(headless, "spec.clusterIP"), "None");
  EXPECT_TRUE(kube::BoolAt(headless, "spec.publishNotReadyAddresses"));
  EXPECT_EQ(*Find(client, "spec.selector"), json::value(SelectorLabels(spec)));
  EXPECT_EQ(StringAt(Find(client, "metadata.ownerReferences")->get_array().at(0).get_object(), "uid"), "u1");
  EXPECT_EQ(StringAt(RenderBinding(spec), "type"), "servicebinding.io/dynamo");
}

TEST(Objects, TheAdminPortIsForNodesAndTheOperator) {
  const std::string policy = json::serialize(RenderNetworkPolicy(Zones(), "dynamo-system"));
  EXPECT_THAT(policy, HasSubstr("\"kubernetes.io/metadata.name\":\"dynamo-system\""));
  EXPECT_THAT(policy,
              HasSubstr("{\"ports\":[{\"protocol\":\"TCP\",\"port\":8098},{\"protocol\":\"TCP\",\"port\":8087}]}"));
}

TEST(Objects, APodMonitorIsMadeWhereItIsAskedForAndKnown) {
  const ClusterSpec spec = SpecOf({{"monitoring", {{"podMonitor", true}, {"labels", {{"team", "shop"}}}}}});
  const Object monitor = RenderPodMonitor(spec);
  EXPECT_EQ(kube::LabelOf(monitor, "team"), "shop");
  EXPECT_EQ(*Find(monitor, "spec.selector.matchLabels"), json::value(SelectorLabels(spec)));
  const Object& endpoint = Find(monitor, "spec.podMetricsEndpoints")->get_array().at(0).get_object();
  EXPECT_EQ(StringAt(endpoint, "port"), "admin");
  EXPECT_EQ(StringAt(endpoint, "path"), "/metrics");
  const auto rendered = [](const ClusterSpec& asked, bool known) {
    RenderInput input = InputFor(asked);
    input.replicas = {3};
    input.pod_monitors = known;
    return std::ranges::count_if(RenderAll(input),
                                 [](const RenderedObject& object) { return object.resource.kind == "PodMonitor"; });
  };
  EXPECT_EQ(rendered(spec, true), 1);
  EXPECT_EQ(rendered(spec, false), 0);
  EXPECT_EQ(rendered(SpecOf({}), true), 0);
}

TEST(Objects, CertManagerIsAskedForTheNamesAndUsesThatNodesNeed) {
  const ClusterSpec spec =
      SpecOf({{"tls", {{"peers", "CertManager"}, {"clients", "Required"}, {"issuerRef", {{"name", "shop-ca"}}}}}});
  const Object peers = RenderPeerCertificate(spec, "c1"), doors = RenderClientCertificate(spec);
  EXPECT_EQ(StringAt(peers, "spec.secretName"), spec.PeerSecretName());
  EXPECT_EQ(StringAt(doors, "spec.secretName"), spec.ClientSecretName());
  EXPECT_EQ(json::serialize(*Find(peers, "spec.uris")), R"(["dynamo://c1"])");
  EXPECT_EQ(json::serialize(*Find(peers, "spec.usages")), R"(["digital signature","server auth","client auth"])");
  EXPECT_EQ(json::serialize(*Find(doors, "spec.usages")), R"(["digital signature","server auth"])");
  EXPECT_THAT(json::serialize(*Find(doors, "spec.dnsNames")), HasSubstr(R"("demo.shop.svc","demo.shop.svc.cluster)"));
  for (const Object& each : {peers, doors}) {
    EXPECT_EQ(json::serialize(*Find(each, "spec.issuerRef")),
              R"({"name":"shop-ca","kind":"Issuer","group":"cert-manager.io"})");
    EXPECT_EQ(StringAt(each, "spec.duration") + " " + StringAt(each, "spec.renewBefore"), "2160h 720h");
    EXPECT_EQ(StringAt(each, "spec.privateKey.rotationPolicy"), "Always");
    EXPECT_EQ(StringAt(Find(each, "metadata.ownerReferences")->get_array().at(0).get_object(), "uid"), "u1");
  }
  const auto rendered = [](const Object& tls, bool known) {
    const ClusterSpec asked = SpecOf({{"tls", tls}});
    RenderInput input = InputFor(asked);
    input.replicas = {3};
    input.cert_manager = known;
    return std::ranges::count_if(RenderAll(input),
                                 [](const RenderedObject& object) { return object.resource.kind == "Certificate"; });
  };
  Object tls{{"peers", "CertManager"}, {"clients", "Required"}, {"issuerRef", {{"name", "shop-ca"}}}};
  EXPECT_EQ(rendered(tls, true), 2);
  EXPECT_EQ(rendered(tls, false), 0);
  tls["clientsSecret"] = "theirs";
  EXPECT_EQ(rendered(tls, true), 1);
  EXPECT_EQ(rendered({{"peers", "OperatorManaged"}, {"clients", "Required"}}, true), 0);
}

TEST(Objects, AreShownWithoutAKubernetes) {
  const auto list =
      RenderList(R"({"metadata": {"name": "demo", "namespace": "shop"}, "spec": {"version": "1"}})", "dynamo");
  ASSERT_TRUE(list);
  const auto parsed = kube::ParseObject(*list);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->at("items").get_array().size(), 10u);
  EXPECT_FALSE(RenderList("[]", "dynamo"));
  EXPECT_FALSE(RenderList(R"({"spec": {"replicas": 1}})", "dynamo"));
}

TEST(Objects, UsersComeFromTheSecretWhereTheyAreWanted) {
  const auto spec_with = [](bool enabled) {
    return SpecOf(
        {{"auth", {{"enabled", enabled}, {"usersSecret", "shop-users"}}}, {"tls", {{"clients", "Required"}}}});
  };
  const ClusterSpec with = spec_with(true), without = spec_with(false);
  const Object set = RenderStatefulSet(InputFor(with), 0);
  EXPECT_EQ(Variable(ContainerOf(set), "DYNAMO_AUTH_USERS_FILE"), "/etc/dynamo/users/users.yaml");
  const std::string text = json::serialize(set);
  EXPECT_THAT(text, HasSubstr(R"({"name":"users","mountPath":"/etc/dynamo/users","readOnly":true})"));
  EXPECT_THAT(text, HasSubstr(R"({"name":"users","secret":{"secretName":"shop-users","defaultMode":288}})"));
  const Object plain = RenderStatefulSet(InputFor(without), 0);
  EXPECT_EQ(Variable(ContainerOf(plain), "DYNAMO_AUTH_USERS_FILE"), "(none)");
  EXPECT_EQ(json::serialize(plain).find("shop-users"), std::string::npos);
  EXPECT_NE(TemplateHashOf(with, with.racks[0]), TemplateHashOf(without, without.racks[0]));
}

TEST(Objects, WhatRunsInTheBackgroundIsSettingsOfTheNodes) {
  const auto settings = [](const Object& fields) {
    const ClusterSpec spec = SpecOf(fields);
    const Object container = ContainerOf(RenderStatefulSet(InputFor(spec), 0));
    return Variable(container, "DYNAMO_TRANSFER_MAX_CONCURRENT") + " " +
           Variable(container, "DYNAMO_TRANSFER_BYTES_PER_SECOND") + " " +
           Variable(container, "DYNAMO_ANTI_ENTROPY_INTERVAL_MS");
  };
  EXPECT_EQ(settings({}), "2 33554432 300000");
  EXPECT_EQ(
      settings({{"transfer", {{"maxConcurrent", 4}, {"bandwidth", "50M"}}}, {"antiEntropy", {{"interval", "1h"}}}}),
      "4 50000000 3600000");
  EXPECT_EQ(settings({{"antiEntropy", {{"mode", "Off"}, {"interval", "1h"}}}}), "2 33554432 0");
  EXPECT_EQ(settings({{"antiEntropy", {{"mode", "Scheduled"}, {"interval", "1h"}}}}), "2 33554432 0");
  EXPECT_EQ(settings({{"config", {{"anti-entropy-interval-ms", "7"}}}}), "2 33554432 300000")
      << "the resource's own fields go before spec.config";
}

}  // namespace
}  // namespace dynamo::op
