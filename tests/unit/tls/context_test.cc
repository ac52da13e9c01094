#include "common/tls/context.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/lib/tls/test_authority.h"
#include "tests/unit/tls/handshake.h"

namespace dynamo {
namespace {

using ::testing::HasSubstr;
using Kind = ClusterName::Kind;

TlsSession Session(TlsUse use, const TlsFiles& files) {
  const auto context = TlsContext::Make(use, files);
  EXPECT_TRUE(context.has_value()) << context.error().message;
  return context ? (*context)->NewSession() : nullptr;
}

Handshake PeersShake(const TlsFiles& caller, const TlsFiles& listener) {
  return {Session(TlsUse::kPeer, caller), Session(TlsUse::kPeer, listener)};
}

std::string WhyNot(TlsUse use, const TlsFiles& files) {
  const auto context = TlsContext::Make(use, files);
  return context ? "" : context.error().message;
}

class TlsContextTest : public ::testing::Test {
 protected:
  TestAuthority authority_{"first"};
  TestAuthority other_{"second"};
};

TEST_F(TlsContextTest, TwoNodesOfOneClusterShakeHandsInTls13) {
  const Handshake both = PeersShake(authority_.IssueNode("demo"), authority_.IssueNode("demo"));
  EXPECT_TRUE(both.ok());
  EXPECT_STREQ(SSL_get_version(both.caller.get()), "TLSv1.3");
  EXPECT_EQ(PeerName(both.caller.get(), TlsUse::kPeer), (ClusterName{"demo", Kind::kAnyNode, {}}));
  EXPECT_EQ(PeerName(both.listener.get(), TlsUse::kPeer), (ClusterName{"demo", Kind::kAnyNode, {}}));
}

TEST_F(TlsContextTest, TheNodeThatACertificateNamesIsKnownAfterTheHandshake) {
  const TlsFiles one = authority_.Issue({.uris = {"dynamo://demo/00000000000000ab"}});
  const Handshake both = PeersShake(one, authority_.IssueNode("demo"));
  ASSERT_TRUE(both.ok());
  EXPECT_EQ(PeerName(both.listener.get(), TlsUse::kPeer), (ClusterName{"demo", Kind::kNode, NodeId{0xab}}));
}

TEST_F(TlsContextTest, ANodeOfAnotherClusterIsRefusedByNameOnBothSides) {
  const Handshake both = PeersShake(authority_.IssueNode("theirs"), authority_.IssueNode("ours"));
  ASSERT_TRUE(both.caller_refused);
  EXPECT_EQ(both.caller_refused->reason, TlsReason::kWrongName);
  EXPECT_THAT(both.caller_refused->detail, HasSubstr("certificate of dynamo://ours: wanted dynamo://theirs"));
  ASSERT_TRUE(both.listener_refused);
  EXPECT_EQ(both.listener_refused->reason, TlsReason::kRefusedByPeer);
}

TEST_F(TlsContextTest, AnAdministratorIsNoPeer) {
  const TlsFiles admin = authority_.Issue({.uris = {"dynamo://demo/admin"}});
  const Handshake both(Session(TlsUse::kClient, admin), Session(TlsUse::kPeer, authority_.IssueNode("demo")));
  ASSERT_TRUE(both.listener_refused);
  EXPECT_EQ(both.listener_refused->reason, TlsReason::kWrongName);
  EXPECT_THAT(WhyNot(TlsUse::kPeer, admin), HasSubstr("tls.crt: names no cluster"));
}

TEST_F(TlsContextTest, ACertificateOfAForeignAuthorityIsRefused) {
  TlsFiles foreign = other_.IssueNode("demo");
  foreign.authorities = authority_.pem();  // It would take us.
  const Handshake both = PeersShake(foreign, authority_.IssueNode("demo"));
  ASSERT_TRUE(both.listener_refused);
  EXPECT_EQ(both.listener_refused->reason, TlsReason::kUnknownAuthority);
  EXPECT_THAT(both.listener_refused->detail, HasSubstr("dynamo://demo"));
  ASSERT_TRUE(both.caller_refused);
  EXPECT_EQ(both.caller_refused->reason, TlsReason::kRefusedByPeer);
}

TEST_F(TlsContextTest, WhileAuthoritiesOverlapOldAndNewCertificatesMeet) {
  TlsFiles before = authority_.IssueNode("demo");
  TlsFiles after = other_.IssueNode("demo");
  before.authorities = after.authorities = authority_.pem() + other_.pem();
  EXPECT_TRUE(PeersShake(before, after).ok());
  EXPECT_TRUE(PeersShake(after, before).ok());
}

TEST_F(TlsContextTest, ACertificateThatHasExpiredSinceItWasReadIsRefused) {
  TlsFiles brief = authority_.Issue({.uris = {"dynamo://demo"}, .valid_until = std::chrono::seconds(1)});
  TlsSession session = Session(TlsUse::kPeer, brief);
  const auto expired = [&] { return WhyNot(TlsUse::kPeer, brief).find("expired at") != std::string::npos; };
  while (!expired()) {
  }
  const Handshake both(std::move(session), Session(TlsUse::kPeer, authority_.IssueNode("demo")));
  ASSERT_TRUE(both.listener_refused);
  EXPECT_EQ(both.listener_refused->reason, TlsReason::kExpired);
}

TEST_F(TlsContextTest, APeerWithoutACertificateIsRefused) {
  SSL_CTX* bare = SSL_CTX_new(TLS_client_method());
  const Handshake both(TlsSession(SSL_new(bare)), Session(TlsUse::kPeer, authority_.IssueNode("demo")));
  SSL_CTX_free(bare);
  ASSERT_TRUE(both.listener_refused);
  EXPECT_EQ(both.listener_refused->reason, TlsReason::kNoCertificate);
}

TEST_F(TlsContextTest, ClientsNeedNoCertificate) {
  SSL_CTX* bare = SSL_CTX_new(TLS_client_method());
  const Handshake both(TlsSession(SSL_new(bare)), Session(TlsUse::kClient, authority_.Issue({})));
  SSL_CTX_free(bare);
  EXPECT_TRUE(both.ok());
}

TEST_F(TlsContextTest, OnlyAnAdministratorsCertificateIsTakenAtTheAdminPort) {
  const TlsFiles port = authority_.IssueNode("demo");
  const TlsFiles admin = authority_.Issue({.uris = {"dynamo://demo/admin"}});
  const Handshake good(Session(TlsUse::kClient, admin), Session(TlsUse::kAdmin, port));
  ASSERT_TRUE(good.ok());
  EXPECT_EQ(PeerName(good.listener.get(), TlsUse::kAdmin), (ClusterName{"demo", Kind::kAdmin, {}}));

  const Handshake node(Session(TlsUse::kClient, port), Session(TlsUse::kAdmin, port));
  ASSERT_TRUE(node.listener_refused);
  EXPECT_EQ(node.listener_refused->reason, TlsReason::kWrongName);

  SSL_CTX* bare = SSL_CTX_new(TLS_client_method());
  const Handshake nobody(TlsSession(SSL_new(bare)), Session(TlsUse::kAdmin, port));
  SSL_CTX_free(bare);
  EXPECT_TRUE(nobody.ok());
  EXPECT_EQ(PeerName(nobody.listener.get(), TlsUse::kAdmin), std::nullopt);
}

TEST_F(TlsContextTest, WhatIsWrongWithTheFilesIsSaidByName) {
  const TlsFiles good = authority_.IssueNode("demo");
  TlsFiles files = good;
  files.certificate = "nonsense";
  EXPECT_THAT(WhyNot(TlsUse::kPeer, files), HasSubstr("tls.crt: holds no certificate in PEM"));
  files = good;
  files.key = "nonsense";
  EXPECT_THAT(WhyNot(TlsUse::kPeer, files), HasSubstr("tls.key: holds no key in PEM"));
  files = good;
  files.key = authority_.IssueNode("demo").key;
  EXPECT_THAT(WhyNot(TlsUse::kPeer, files), HasSubstr("tls.key: is not the key of tls.crt"));
  files = good;
  files.authorities = "nonsense";
  EXPECT_THAT(WhyNot(TlsUse::kPeer, files), HasSubstr("ca.crt: holds no certificate in PEM"));
  files.authorities.clear();
  EXPECT_THAT(WhyNot(TlsUse::kPeer, files), HasSubstr("ca.crt: is needed"));
  EXPECT_EQ(WhyNot(TlsUse::kClient, files), "");
  EXPECT_EQ(WhyNot(TlsUse::kAdmin, files), "");
  EXPECT_THAT(WhyNot(TlsUse::kPeer, authority_.Issue({.hosts = {"demo"}})), HasSubstr("tls.crt: names no cluster"));
  const WantedCertificate expired{
      .uris = {"dynamo://demo"}, .valid_from = std::chrono::hours(-2), .valid_until = std::chrono::hours(-1)};
  EXPECT_THAT(WhyNot(TlsUse::kPeer, authority_.Issue(expired)), HasSubstr("tls.crt: expired at 20"));
  const WantedCertificate early{.uris = {"dynamo://demo"}, .valid_from = std::chrono::hours(1)};
  EXPECT_THAT(WhyNot(TlsUse::kPeer, authority_.Issue(early)), HasSubstr("tls.crt: is not valid yet"));
}

TEST(ClusterNameTest, IsReadAsItIsWritten) {
  for (const char* text : {"dynamo://demo", "dynamo://demo/admin", "dynamo://demo/00000000000000ab"}) {
    const auto name = ParseClusterName(text);
    ASSERT_TRUE(name) << text;
    EXPECT_EQ(ToString(*name), text);
  }
  for (const char* text : {"", "demo", "https://demo", "dynamo://", "dynamo:///admin", "dynamo://demo/",
                           "dynamo://demo/x", "dynamo://demo/admin/", "dynamo://demo/0000000000000000"}) {
    EXPECT_EQ(ParseClusterName(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace dynamo
