// Certificates that cert-manager issues: asked for, waited for, mounted, and given back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>

#include "operator/controller/authority.h"
#include "tests/unit/operator/world.h"

namespace dynamo::op {
namespace {

using kube::Object;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class CertManager : public ::testing::Test {
 protected:
  ~CertManager() override { EXPECT_THAT(world_.violations(), IsEmpty()); }
  void Ask(const Object& tls) { world_.Apply({{"tls", tls}}); }
  void AskCertManager(const char* clients = "Disabled") {
    Ask({{"peers", "CertManager"},
         {"clients", clients},
         {"issuerRef", {{"name", "shop-ca"}, {"kind", "ClusterIssuer"}}}});
  }
  void Settle() {
    ASSERT_TRUE(world_.RunUntilTrue("CertificatesReady", 120));
    ASSERT_TRUE(world_.RunUntilReady(120));
  }
  Object Certificate(const std::string& name) {
    return world_.api.Get("/apis/cert-manager.io/v1/namespaces/shop/certificates/" + name);
  }
  std::vector<std::string> NamesIn(const std::string& secret) {
    return Inspect(world_.SecretText(secret, "tls.crt"))->front().names;
  }
  std::string PodsTemplate() {
    return kube::json::serialize(world_.api.Get("/apis/apps/v1/namespaces/shop/statefulsets/demo-a"));
  }
  std::string PeerMode() { return kube::StringAt(world_.Cluster(), "status.tls.peers"); }
  std::vector<std::string> Uids() {
    return {world_.PodUidAt("demo-a-0"), world_.PodUidAt("demo-b-0"), world_.PodUidAt("demo-c-0")};
  }
  // As where it is no more: a bare 404.
  void ForgetTheGroup() {
    world_.api.set_intercept([](const testing::FakeRequest& request) -> std::optional<testing::FakeReply> {
      if (request.path == "/apis") return testing::FakeReply{200, R"({"kind": "APIGroupList", "groups": []})", {}};
      if (!request.path.starts_with("/apis/cert-manager.io")) return std::nullopt;
      return testing::FakeReply{404, "404 page not found", {}};
    });
  }
  World world_;
};

TEST_F(CertManager, IsAskedForTheCertificatesOfANewClusterBeforeItsPodsStart) {
  world_.InstallCertManager();
  AskCertManager("Optional");
  Settle();
  EXPECT_EQ(kube::StringAt(Certificate("demo-peer-tls"), "spec.issuerRef.kind"), "ClusterIssuer");
  EXPECT_THAT(NamesIn("demo-peer-tls"),
              ElementsAre("dynamo://" + kube::StringAt(world_.Cluster(), "status.clusterID")));
  EXPECT_THAT(NamesIn("demo-client-tls"), Contains(std::string("demo.shop.svc")));
  EXPECT_THAT(PodsTemplate(), HasSubstr("\"secretName\":\"demo-peer-tls\""));
  EXPECT_THAT(PodsTemplate(), HasSubstr("\"secretName\":\"demo-client-tls\""));
  EXPECT_EQ(PeerMode(), "required");
  EXPECT_EQ(world_.EventsOf("NodeRestarted"), 0);
  EXPECT_TRUE(world_.api.Get("/api/v1/namespaces/shop/secrets/demo-ca").empty()) << "no authority of the operator's";
  const int writes = world_.writes();
  world_.Turn(5);
  EXPECT_EQ(world_.writes(), writes) << "applied once";
}

TEST_F(CertManager, IsWaitedForInItsOwnWords) {
  world_.InstallCertManager();
  world_.set_issuer_ready(false);
  AskCertManager();
  EXPECT_FALSE(world_.RunUntilReady(8));
  const auto said = world_.Said("CertificatesReady");
  EXPECT_EQ(said.reason, "CertificatesPending");
  EXPECT_THAT(said.message, HasSubstr("has not written the Secret demo-peer-tls"));
  EXPECT_THAT(said.message, HasSubstr("the issuer is not ready"));
  EXPECT_EQ(world_.Said("Degraded").status, "False");
  world_.set_issuer_ready(true);
  Settle();
}

TEST_F(CertManager, ThatIsNotInstalledIsSaidAndNoPodIsMadeUntilItIs) {
  AskCertManager();
  EXPECT_FALSE(world_.RunUntilReady(8));
  EXPECT_EQ(world_.Said("CertificatesReady").reason, "CertManagerUnknown");
  EXPECT_EQ(world_.Said("Degraded").reason, "CertManagerUnknown");
  EXPECT_THAT(world_.Said("Degraded").message, HasSubstr("install cert-manager"));
  EXPECT_TRUE(world_.api.List("/apis/apps/v1/namespaces/shop/statefulsets").empty());
  world_.InstallCertManager();
  Settle();
}

TEST_F(CertManager, ThatIsTakenAwayLeavesTheNodesTheirCertificates) {
  world_.InstallCertManager();
  AskCertManager();
  Settle();
  const auto pods = Uids();
  ForgetTheGroup();
  world_.Turn(5);
  EXPECT_EQ(world_.Said("CertificatesReady").reason, "CertManagerUnknown");
  EXPECT_EQ(world_.Said("Ready").status, "True") << "the nodes serve";
  EXPECT_EQ(Uids(), pods);
  world_.Apply({{"restartToken", "now"}});
  ASSERT_TRUE(world_.RunUntilReady(120)) << "the Secrets are there, so pods may be restarted";
  EXPECT_NE(Uids(), pods);
}

TEST_F(CertManager, ComesAndGoesInTwoRolloutsAndItsCertificatesStayAsLongAsNodesUseThem) {
  world_.InstallCertManager();
  ASSERT_TRUE(world_.RunUntilReady());
  EXPECT_TRUE(Certificate("demo-peer-tls").empty());
  AskCertManager();
  Settle();
  EXPECT_EQ(PeerMode(), "required");
  Ask({{"peers", "Disabled"}});
  int turns = 0;
  for (; turns < 120 && PeerMode() != "off"; ++turns) {
    EXPECT_FALSE(Certificate("demo-peer-tls").empty()) << "in mode " << PeerMode();
    world_.Turn(1);
  }
  EXPECT_LT(turns, 120);
  ASSERT_TRUE(world_.RunUntilReady(120));
  EXPECT_TRUE(Certificate("demo-peer-tls").empty());
}

TEST_F(CertManager, NoPodIsRestartedForASecretThatIsNotThereYet) {
  world_.InstallCertManager();
  AskCertManager();
  Settle();
  const auto pods = Uids();
  world_.set_issuer_ready(false);
  AskCertManager("Optional");
  EXPECT_FALSE(world_.RunUntilReady(10));
  EXPECT_EQ(Uids(), pods);
  EXPECT_THAT(world_.Said("CertificatesReady").message, HasSubstr("demo-client-tls"));
  world_.set_issuer_ready(true);
  Settle();
  EXPECT_NE(Uids(), pods);
  AskCertManager("Disabled");
  ASSERT_TRUE(world_.RunUntilReady(120));
  EXPECT_TRUE(Certificate("demo-client-tls").empty());
  EXPECT_FALSE(Certificate("demo-peer-tls").empty());
}

TEST_F(CertManager, AnIssuerThatTellsNoAuthorityIsNamed) {
  world_.InstallCertManager();
  AskCertManager();
  Settle();
  world_.api.Do("PATCH", "/api/v1/namespaces/shop/secrets/demo-peer-tls", {{"data", {{"ca.crt", nullptr}}}});
  world_.Pass();
  EXPECT_EQ(world_.Said("CertificatesReady").reason, "AuthorityMissing");
  EXPECT_THAT(world_.Said("CertificatesReady").message, HasSubstr("spec.tls.issuerRef"));
}

TEST_F(CertManager, IsFollowedByTheOperatorsOwnAuthorityWithoutANodeThatIsNotTrusted) {
  world_.InstallCertManager();
  AskCertManager();
  Settle();
  const auto pods = Uids();
  Ask({{"peers", "OperatorManaged"}});
  Settle();
  EXPECT_TRUE(Certificate("demo-peer-tls").empty());
  EXPECT_TRUE(IsSignedBy(world_.SecretText("demo-peer-tls", "tls.crt"), world_.SecretText("demo-ca", "tls.crt")));
  EXPECT_EQ(Inspect(world_.SecretText("demo-peer-tls", "ca.crt"))->size(), 1u);
  EXPECT_EQ(Uids(), pods);
}

TEST_F(CertManager, ACertificateOfAnotherClusterThatIsLeftOverIsNotTakenForThisOnes) {
  world_.InstallCertManager();
  AskCertManager();
  Settle();
  world_.api.Do("DELETE", "/apis/dynamo.internal/v1alpha1/namespaces/shop/dynamoclusters/demo");
  for (const char* pod : {"demo-a-0", "demo-b-0", "demo-c-0"})
    world_.api.Do("DELETE", "/api/v1/namespaces/shop/persistentvolumeclaims/data-" + std::string(pod));
  EXPECT_NE(world_.SecretText("demo-peer-tls", "tls.crt"), "") << "cert-manager leaves it";
  world_.Apply({{"version", "1.0.0"}});
  AskCertManager();
  EXPECT_FALSE(world_.RunUntilReady(5));
  EXPECT_EQ(world_.Said("CertificatesReady").reason, "CertificatesPending");
}

}  // namespace
}  // namespace dynamo::op
