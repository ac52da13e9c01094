// Who may speak to whom between nodes, by their certificates.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/lib/temporary_folder.h"
#include "tests/lib/tls/test_authority.h"
#include "tests/unit/adapter/tcp_testing.h"

namespace dynamo {
namespace {

using tcp_testing::Answer;
using tcp_testing::Node;
using tcp_testing::Shared;

// A node with certificates in a folder of its own.
struct SecureNode {
  SecureNode(uint64_t id, TlsMode mode, const TlsFiles& files) {
    WriteTlsFolder(folder.path(), files);
    TcpTransportOptions options;
    if (mode != TlsMode::kOff) {
      auto opened = TlsKeeper::Open(TlsUse::kPeer, mode, folder.path(), &metrics, Logger());
      EXPECT_TRUE(opened) << opened.error().message;
      tls = std::move(*opened);
      options.channel.connection.tls = tls.get();
    }
    node = std::make_unique<Node>(id, /*listen=*/true, options);
  }
  uint64_t Refused(const char* reason) {
    return metrics.counter("dynamo_tls_refused_total", "", {{"use", "peer"}, {"reason", reason}}).value();
  }
  uint64_t Handshakes() { return metrics.counter("dynamo_tls_handshakes_total", "", {{"use", "peer"}}).value(); }

  TemporaryFolder folder;
  Metrics metrics;
  std::unique_ptr<TlsKeeper> tls;
  std::unique_ptr<Node> node;
};

class TcpTlsTest : public ::testing::Test {
 protected:
  static void Turn(SecureNode& a, SecureNode& b) {
    a.node->loop.Drain();
    b.node->loop.Drain();
  }
  // From a to b.
  static Answer Ask(SecureNode& a, SecureNode& b, const std::string& body = "hello") {
    a.node->transport.SetAddress(NodeId{2}, b.node->address());
    Answer answer;
    const TimePoint end = a.node->clock.Now() + std::chrono::seconds(10);
    a.node->transport.Call(NodeId{2}, Shared(body), end, answer.Keep());
    while (!answer.value) Turn(a, b);
    return answer;
  }
  static void Until(SecureNode& a, SecureNode& b, const std::function<bool()>& done) {
    const TimePoint end = a.node->clock.Now() + std::chrono::seconds(10);
    while (!done() && a.node->clock.Now() < end) Turn(a, b);
    EXPECT_TRUE(done());
  }

  TestAuthority authority_{"ours"};
  TestAuthority foreign_{"theirs"};
  TlsFiles good_ = authority_.IssueNode("demo");
};

TEST_F(TcpTlsTest, ALongMessageAndItsAnswerPass) {
  SecureNode a(1, TlsMode::kRequired, good_), b(2, TlsMode::kRequired, good_);
  const std::string body(20 << 20, 'x');
  const Answer answer = Ask(a, b, body);
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(**answer.value, "echo:" + body);
  EXPECT_EQ(a.Handshakes(), 1u);
  EXPECT_EQ(b.Handshakes(), 1u);
}

TEST_F(TcpTlsTest, ACallerOfAForeignAuthorityIsRefusedBeforeItsRequestHasLeft) {
  TlsFiles files = foreign_.IssueNode("demo");
  files.authorities = authority_.pem();
  SecureNode a(1, TlsMode::kRequired, files), b(2, TlsMode::kRequired, good_);
  EXPECT_EQ(Ask(a, b).code(), Errc::kUnavailable);
  EXPECT_EQ(b.Refused("unknown_ca"), 1u);
  EXPECT_EQ(a.Refused("refused_by_peer"), 1u);
  EXPECT_TRUE(b.node->handler.requests.empty());
}

TEST_F(TcpTlsTest, ACallerOfAnotherClusterIsRefusedByName) {
  SecureNode a(1, TlsMode::kRequired, authority_.IssueNode("theirs")), b(2, TlsMode::kRequired, good_);
  const Answer answer = Ask(a, b);
  EXPECT_EQ(answer.code(), Errc::kUnavailable);
  EXPECT_NE(answer.value->error().message.find("wanted dynamo://theirs"), std::string::npos)
      << answer.value->error().message;
  EXPECT_EQ(a.Refused("wrong_name"), 1u);
  Until(a, b, [&] { return b.Refused("refused_by_peer") == 1; });
}

TEST_F(TcpTlsTest, ACallerInPlaintextIsRefusedWhereTlsIsRequired) {
  SecureNode a(1, TlsMode::kOff, good_), b(2, TlsMode::kRequired, good_);
  EXPECT_EQ(Ask(a, b).code(), Errc::kUnavailable);
  EXPECT_EQ(b.Refused("plaintext"), 1u);
  EXPECT_TRUE(b.node->handler.requests.empty());
}

TEST_F(TcpTlsTest, ACallerThatRequiresTlsNeverSpeaksPlaintext) {
  SecureNode a(1, TlsMode::kRequired, good_), b(2, TlsMode::kOff, good_);
  EXPECT_EQ(Ask(a, b).code(), Errc::kUnavailable);
  EXPECT_EQ(a.Refused("plaintext"), 1u);
  EXPECT_TRUE(b.node->handler.requests.empty());
}

TEST_F(TcpTlsTest, ARequestIsNotLostWhereTheCallerFallsBackToPlaintext) {
  SecureNode a(1, TlsMode::kOptional, good_), b(2, TlsMode::kOff, good_);
  EXPECT_TRUE(Ask(a, b).ok());
  EXPECT_EQ(a.Handshakes(), 0u);
  EXPECT_EQ(a.Refused("plaintext"), 0u);
}

TEST_F(TcpTlsTest, WhereTlsIsOptionalABadCertificateIsNoWayToPlaintext) {
  SecureNode a(1, TlsMode::kOptional, authority_.IssueNode("theirs")), b(2, TlsMode::kOptional, good_);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Ask(a, b).code(), Errc::kUnavailable);
  EXPECT_TRUE(b.node->handler.requests.empty());
}

TEST_F(TcpTlsTest, ANodesOwnCertificateIsGoodForItsFramesOnly) {
  const TlsFiles of_one = authority_.Issue({.uris = {"dynamo://demo/0000000000000001"}});
  SecureNode b(2, TlsMode::kRequired, good_);
  SecureNode one(1, TlsMode::kRequired, of_one);
  EXPECT_TRUE(Ask(one, b).ok());
  SecureNode pretender(3, TlsMode::kRequired, of_one);
  EXPECT_FALSE(Ask(pretender, b).ok());
  EXPECT_EQ(b.Refused("wrong_name"), 1u);
  EXPECT_EQ(b.node->handler.requests.size(), 1u);
}

TEST_F(TcpTlsTest, OpenConnectionsGoOnWhenCertificatesChangeAndNewOnesUseTheNew) {
  SecureNode a(1, TlsMode::kRequired, good_), b(2, TlsMode::kRequired, good_);
  ASSERT_TRUE(Ask(a, b).ok());
  const TlsFiles next = foreign_.IssueNode("demo");
  for (SecureNode* node : {&a, &b}) {
    WriteTlsFolder(node->folder.path(), next);
    node->tls->Look();
  }
  EXPECT_TRUE(Ask(a, b).ok());
  EXPECT_EQ(a.Handshakes(), 1u);
  SecureNode late(3, TlsMode::kRequired, next);
  EXPECT_TRUE(Ask(late, b).ok());
  SecureNode behind(4, TlsMode::kRequired, good_);
  EXPECT_FALSE(Ask(behind, b).ok());
}

TEST_F(TcpTlsTest, AnExpiredCertificateIsRefused) {
  SecureNode b(2, TlsMode::kRequired, good_);
  const TlsFiles brief = authority_.Issue({.uris = {"dynamo://demo"}, .valid_until = std::chrono::seconds(1)});
  SecureNode a(1, TlsMode::kRequired, brief);
  while (TlsContext::Make(TlsUse::kPeer, brief)) {
  }
  EXPECT_EQ(Ask(a, b).code(), Errc::kUnavailable);
  EXPECT_EQ(b.Refused("expired"), 1u);
}

}  // namespace
}  // namespace dynamo
