// Certificates: the steps by table, what is made by OpenSSL's own eyes, and all of it through
// the whole operator.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>
#include <functional>
#include <vector>

#include "operator/controller/authority.h"
#include "tests/unit/operator/scene.h"
#include "tests/unit/operator/world.h"

namespace dynamo::op {
namespace {

using kube::Object;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using What = KeepCertificates::What;

constexpr WallMicros kToday = 1'700'000'000'000'000;

CertificateFacts Facts(const std::string& id, WallMicros age, WallMicros life) {
  return {id, kToday - age, kToday - age + life, {"dynamo://c"}};
}

// Two uses, at rest, of an authority "old".
struct CertificateScene {
  CertificatesView view;
  std::string token;

  CertificateScene() {
    view.authority = Facts("old", 30 * kDay, kAuthorityLife);
    for (const CertificateUse use : {CertificateUse::kPeer, CertificateUse::kClient}) {
      UseView each;
      each.use = use;
      each.names = {"dynamo://c"};
      each.leaf = Facts("leaf", 10 * kDay, kLeafLife);
      each.signed_by = "old";
      each.trusted = {"old"};
      view.uses.push_back(each);
    }
  }
  void Next() { view.next = Facts("new", kDay, kAuthorityLife); }
  void TrustBoth() {
    Next();
    for (UseView& use : view.uses) use.trusted = {"new", "old"};
  }
  void AllIssued() {
    TrustBoth();
    for (UseView& use : view.uses) use.signed_by = "new";
  }
  std::string Said() const {
    const auto next = NextCertificate(view, token, kToday);
    return next ? ToString(Action(*next)) : WaitsFor(view).empty() ? "nothing" : "waits: " + WaitsFor(view);
  }
};

struct CertificateRow {
  const char* what;
  std::function<void(CertificateScene&)> arrange;
  const char* expected;
};

void CheckCertificateSteps(const std::vector<CertificateRow>& table) {
  for (const CertificateRow& row : table) {
    CertificateScene scene;
    row.arrange(scene);
    EXPECT_THAT(scene.Said(), HasSubstr(row.expected)) << row.what;
  }
}

TEST(Certificates, AreMadeAndMadeAnewBeforeTheyEnd) {
  CheckCertificateSteps({
      {"at rest", [](CertificateScene&) {}, "nothing"},
      {"no authority", [](CertificateScene& s) { s.view.authority.reset(); }, "make the authority"},
      {"none is asked for", [](CertificateScene& s) { s.view.uses.clear(), s.view.authority.reset(); }, "nothing"},
      {"no certificate", [](CertificateScene& s) { s.view.uses[1].leaf.reset(); }, "issue client"},
      {"of another name", [](CertificateScene& s) { s.view.uses[0].names = {"dynamo://other"}; }, "issue peer"},
      {"of nobody's", [](CertificateScene& s) { s.view.uses[0].signed_by = ""; }, "issue peer"},
      {"two thirds are over", [](CertificateScene& s) { s.view.uses[0].leaf = Facts("l", 60 * kDay, kLeafLife); },
       "issue peer"},
      {"not quite", [](CertificateScene& s) { s.view.uses[0].leaf = Facts("l", 59 * kDay, kLeafLife); }, "nothing"},
      {"ended", [](CertificateScene& s) { s.view.uses[0].leaf = Facts("l", 200 * kDay, kLeafLife); }, "issue peer"},
      {"the authority is old",
       [](CertificateScene& s) { s.view.authority = Facts("old", 2434 * kDay, kAuthorityLife); },
       "make the next authority"},
      {"another is asked for", [](CertificateScene& s) { s.token = "now"; }, "make the next authority"},
      {"it was asked for before", [](CertificateScene& s) { s.token = s.view.token = "now"; }, "nothing"},
  });
}

TEST(Certificates, OfAnAuthorityThatIsGoneAreUsedUntilAllTrustTheNewOne) {
  const auto gone = [](CertificateScene& s) { s.view.uses[0].signed_by = "", s.view.uses[0].trusted = {"gone"}; };
  const auto trusted = [](CertificateScene& s) {
    s.view.uses[0].signed_by = "", s.view.uses[0].trusted = {"old", "gone"};
  };
  CheckCertificateSteps({
      {"it is gone", gone, "trust the new authority peer"},
      {"nobody is trusted", [](CertificateScene& s) { s.view.uses[0].signed_by = "", s.view.uses[0].trusted = {}; },
       "trust the new authority peer"},
      {"a node has not read it",
       [=](CertificateScene& s) { trusted(s), s.view.uses[0].behind_with_trust = "demo-b-0"; },
       "waits: demo-b-0 does not say yet that it trusts"},
      {"all have", trusted, "issue peer"},
      {"about to end", [=](CertificateScene& s) { gone(s), s.view.uses[0].leaf = Facts("l", 70 * kDay, kLeafLife); },
       "issue peer"},
      {"issued, and the one that is gone is trusted",
       [](CertificateScene& s) { s.view.uses[0].trusted = {"old", "gone"}; }, "trust the old authority no more peer"},
  });
}

TEST(Certificates, AnotherAuthorityGoesItsWayAndEachStepWaitsForAllNodes) {
  const auto behind = [](CertificateScene& s, bool trust) {
    (trust ? s.view.uses[0].behind_with_trust : s.view.uses[0].behind_with_leaf) = "demo-b-0";
  };
  CheckCertificateSteps({
      {"made", [](CertificateScene& s) { s.Next(); }, "trust the new authority peer"},
      {"trusted by one use", [](CertificateScene& s) { s.Next(), s.view.uses[0].trusted = {"new", "old"}; },
       "trust the new authority client"},
      {"a node has not read it", [=](CertificateScene& s) { s.TrustBoth(), behind(s, true); }, "waits: demo-b-0"},
      {"all have", [](CertificateScene& s) { s.TrustBoth(); }, "issue peer by the next"},
      {"one is issued", [](CertificateScene& s) { s.TrustBoth(), s.view.uses[0].signed_by = "new"; },
       "issue client by the next"},
      {"about to end while a node is behind",
       [=](CertificateScene& s) {
         s.TrustBoth(), behind(s, true), s.view.uses[0].leaf = Facts("l", 70 * kDay, kLeafLife);
       },
       "issue peer)"},
      {"a node does not use it", [=](CertificateScene& s) { s.AllIssued(), behind(s, false); }, "waits: demo-b-0"},
      {"all do", [](CertificateScene& s) { s.AllIssued(); }, "promote"},
      {"promoted", [](CertificateScene& s) { s.AllIssued(), s.view.authority = s.view.next, s.view.next.reset(); },
       "trust the old authority no more peer"},
      {"promoted, and a node is behind",
       [=](CertificateScene& s) {
         s.AllIssued(), s.view.authority = s.view.next, s.view.next.reset(), behind(s, false);
       },
       "waits: demo-b-0"},
  });
}

class Authority : public ::testing::Test {
 protected:
  Authority() : authority_(*MakeAuthority("dynamo shop/demo", kToday, *DrawP256Key())) {}
  KeyPair authority_;
};

TEST_F(Authority, SignsWhatItIssuesAndNothingElse) {
  const KeyPair other = *MakeAuthority("dynamo shop/demo", kToday, *DrawP256Key());
  const KeyPair leaf = *Issue(authority_, {"node", {"dynamo://c"}, {}}, kToday, *DrawP256Key());
  EXPECT_TRUE(IsSignedBy(leaf.certificate, authority_.certificate));
  EXPECT_FALSE(IsSignedBy(leaf.certificate, other.certificate)) << "of the same name, but of another key";
  EXPECT_FALSE(IsSignedBy(leaf.certificate, "nonsense"));
  const auto facts = Inspect(leaf.certificate);
  ASSERT_TRUE(facts);
  EXPECT_THAT(facts->front().names, ElementsAre("dynamo://c"));
  EXPECT_EQ(facts->front().not_after, kToday + kLeafLife);
  EXPECT_LT(facts->front().not_before, kToday) << "clocks differ";
}

TEST_F(Authority, OutlivesWhatItIssues) {
  const WallMicros late = kToday + kAuthorityLife - 10 * kDay;
  const KeyPair leaf =
      *Issue(authority_, {"node", {"dynamo://c"}, {"demo", "*.demo-nodes.shop.svc"}}, late, *DrawP256Key());
  const auto facts = Inspect(leaf.certificate);
  EXPECT_EQ(facts->front().not_after, Inspect(authority_.certificate)->front().not_after);
  EXPECT_THAT(facts->front().names, ElementsAre("dynamo://c", "demo", "*.demo-nodes.shop.svc"));
}

TEST_F(Authority, IsAFunctionOfTheTimeAndTheKey) {
  const std::string key = *DrawP256Key();
  const auto id = [&](WallMicros now) { return Inspect(MakeAuthority("a", now, key)->certificate)->front().not_after; };
  EXPECT_EQ(id(kToday), id(kToday));
  EXPECT_NE(id(kToday), id(kToday + kDay));
  EXPECT_NE(*DrawP256Key(), key);
}

TEST_F(Authority, NonsenseIsAnError) {
  EXPECT_FALSE(MakeAuthority("a", kToday, "no key"));
  EXPECT_FALSE(Issue({"no certificate", authority_.key}, {"a", {}, {"b"}}, kToday, *DrawP256Key()));
  EXPECT_FALSE(Issue(authority_, {"a", {}, {}}, kToday, *DrawP256Key())) << "of no name";
  EXPECT_FALSE(Inspect("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"));
  EXPECT_TRUE(Inspect("")->empty());
  EXPECT_EQ(Inspect(authority_.certificate + authority_.certificate)->size(), 2u);
}

class Tls : public ::testing::Test {
 protected:
  ~Tls() override { EXPECT_THAT(world_.violations(), IsEmpty()); }
  void Ask(const Object& tls) { world_.Apply({{"tls", tls}}); }
  void Settle() {
    ASSERT_TRUE(world_.RunUntilTrue("CertificatesReady"));
    ASSERT_TRUE(world_.RunUntilReady());
  }
  std::string AuthorityId() { return Inspect(world_.SecretText("demo-ca", "tls.crt"))->front().id; }
  std::string LeafId() { return Inspect(world_.SecretText("demo-peer-tls", "tls.crt"))->front().id; }
  std::vector<std::string> Uids() {
    std::vector<std::string> out;
    for (const char* pod : {"demo-a-0", "demo-b-0", "demo-c-0"}) out.push_back(world_.PodUidAt(pod));
    return out;
  }
  World world_;
};

TEST_F(Tls, OfANewClusterIsThereBeforeItsFirstPod) {
  Ask({{"peers", "OperatorManaged"}, {"clients", "Required"}});
  Settle();
  const auto leaf = Inspect(world_.SecretText("demo-peer-tls", "tls.crt"));
  EXPECT_THAT(leaf->front().names, ElementsAre("dynamo://" + kube::StringAt(world_.Cluster(), "status.clusterID")));
  EXPECT_THAT(Inspect(world_.SecretText("demo-client-tls", "tls.crt"))->front().names,
              Contains(std::string("demo.shop.svc")));
  EXPECT_EQ(kube::StringAt(world_.Cluster(), "status.tls.peers"), "required");
  EXPECT_EQ(world_.EventsOf("NodeRestarted"), 0);
  EXPECT_NE(kube::StringAt(world_.Cluster(), "status.tls.certificatesEnd"), "");
}

TEST_F(Tls, TheAuthoritysKeyIsInNoSecretThatAPodMounts) {
  Ask({{"peers", "OperatorManaged"}, {"clients", "Optional"}});
  Settle();
  const Object set = world_.api.Get("/apis/apps/v1/namespaces/shop/statefulsets/demo-a");
  const std::string pods = kube::json::serialize(*kube::Find(set, "spec.template"));
  EXPECT_THAT(pods, HasSubstr("\"secretName\":\"demo-peer-tls\""));
  EXPECT_THAT(pods, HasSubstr("\"secretName\":\"demo-client-tls\""));
  EXPECT_THAT(pods, HasSubstr("\"mountPath\":\"/etc/dynamo/tls/peer\""));
  EXPECT_THAT(pods, Not(HasSubstr("demo-ca")));
  const std::string key = world_.SecretText("demo-ca", "tls.key");
  ASSERT_THAT(key, HasSubstr("PRIVATE KEY"));
  for (const char* name : {"demo-peer-tls", "demo-client-tls"}) {
    for (const char* field : {"tls.crt", "tls.key", "ca.crt"}) {
      EXPECT_THAT(world_.SecretText(name, field), Not(HasSubstr(key))) << name;
    }
  }
}

TEST_F(Tls, AnotherAuthorityReachesAllNodesWithoutARestart) {
  Ask({{"peers", "OperatorManaged"}});
  Settle();
  const std::string before = AuthorityId();
  const auto pods = Uids();
  Ask({{"rotateToken", "now"}});
  Settle();
  EXPECT_NE(AuthorityId(), before);
  EXPECT_EQ(Uids(), pods);
  EXPECT_EQ(Inspect(world_.SecretText("demo-peer-tls", "ca.crt"))->size(), 1u);
  EXPECT_EQ(world_.SecretText("demo-ca", "next.key"), "");
  EXPECT_EQ(world_.EventsOf("AuthorityRotated"), 1);
  const int writes = world_.writes();
  world_.Turn(10);
  EXPECT_EQ(world_.writes(), writes) << "once for each token";
}

TEST_F(Tls, ANodeThatHasNotReadItIsNamedAndWaitedFor) {
  Ask({{"peers", "OperatorManaged"}});
  Settle();
  world_.set_kubelets_slow(true);
  Ask({{"rotateToken", "now"}});
  world_.Turn(10);
  EXPECT_EQ(world_.Said("CertificatesReady").reason, "AuthorityRotating");
  EXPECT_THAT(world_.Said("CertificatesReady").message, HasSubstr("demo-c-0 does not say yet that it trusts"));
  EXPECT_EQ(world_.Said("Ready").status, "True") << "nothing else waits for it";
  world_.set_kubelets_slow(false);
  Settle();
}

TEST_F(Tls, CertificatesAreMadeAnewWithTimeAlone) {
  Ask({{"peers", "OperatorManaged"}});
  Settle();
  const std::string authority = AuthorityId(), leaf = LeafId();
  world_.clock.Advance(std::chrono::hours(24 * 61));
  world_.Turn(5);
  EXPECT_NE(LeafId(), leaf);
  EXPECT_EQ(AuthorityId(), authority);
  world_.clock.Advance(std::chrono::hours(24 * 2450));
  world_.Turn(3);
  Settle();
  EXPECT_NE(AuthorityId(), authority);
}

TEST_F(Tls, PlaintextIsGivenUpInTwoRolloutsAndComesBackInTwo) {
  ASSERT_TRUE(world_.RunUntilReady());
  Ask({{"peers", "OperatorManaged"}});
  ASSERT_TRUE(world_.RunUntilTrue("CertificatesReady", 120));
  ASSERT_TRUE(world_.RunUntilReady(120));
  EXPECT_EQ(world_.EventsOf("NodeRestarted"), 3) << "one event a node, counted";
  EXPECT_EQ(kube::StringAt(world_.Cluster(), "status.tls.peers"), "required");
  Ask({{"peers", "Disabled"}});
  world_.Turn(60);
  ASSERT_TRUE(world_.RunUntilReady(120));
  EXPECT_EQ(kube::StringAt(world_.Cluster(), "status.tls.peers"), "off");
}

TEST_F(Tls, AnAuthorityThatSomebodyDeletedIsReplacedAndTheOldOneTrustedUntilNobodyUsesIt) {
  Ask({{"peers", "OperatorManaged"}});
  Settle();
  const std::string before = AuthorityId();
  world_.api.Do("DELETE", "/api/v1/namespaces/shop/secrets/demo-ca");
  world_.set_kubelets_slow(true);
  world_.Turn(3);
  EXPECT_EQ(Inspect(world_.SecretText("demo-peer-tls", "ca.crt"))->size(), 2u);
  world_.set_kubelets_slow(false);
  Settle();
  EXPECT_NE(AuthorityId(), before);
  EXPECT_EQ(Inspect(world_.SecretText("demo-peer-tls", "ca.crt"))->size(), 1u);
}

TEST_F(Tls, ASecretOfSomebodyElseIsMountedAndMissedByItsName) {
  Ask({{"peers", "SecretRef"}, {"peersSecret", "theirs"}});
  EXPECT_FALSE(world_.RunUntilReady(5));
  EXPECT_EQ(world_.Said("Degraded").reason, "SecretMissing");
  EXPECT_THAT(world_.Said("Degraded").message, HasSubstr("theirs"));
  world_.api.Do("POST", "/api/v1/namespaces/shop/secrets", {{"metadata", {{"name", "theirs"}}}});
  world_.RunUntilReady(5);
  const Object set = world_.api.Get("/apis/apps/v1/namespaces/shop/statefulsets/demo-a");
  EXPECT_THAT(kube::json::serialize(set), HasSubstr("\"secretName\":\"theirs\""));
  EXPECT_TRUE(world_.api.Get("/api/v1/namespaces/shop/secrets/demo-ca").empty());
}

}  // namespace
}  // namespace dynamo::op
