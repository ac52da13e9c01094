// Real nodes over TLS: certificates exchanged under load, and who is refused.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <initializer_list>
#include <iostream>
#include <iterator>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "common/admin/client.h"
#include "tests/cluster/load.h"
#include "tests/cluster/real_cluster.h"
#include "tests/lib/temporary_folder.h"
#include "tests/lib/tls/test_authority.h"
#include "tests/lib/tls/tls_client.h"

namespace dynamo::cluster {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

constexpr uint16_t kHttpPort = 8098;
constexpr uint16_t kPbPort = 8087;
constexpr uint16_t kPeerPort = 8099;

// The sum of a node's figures of this name with all these labels.
uint64_t FigureOf(const NodeProcess& node, const std::string& name, std::initializer_list<const char*> labels) {
  const auto text = admin::Client(node.admin(), seconds(5)).GetMetrics();
  if (!text) return 0;
  uint64_t sum = 0;
  std::istringstream lines(*text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(name + "{")) continue;
    const bool all = std::all_of(labels.begin(), labels.end(),
                                 [&](const char* label) { return line.find(label) != std::string::npos; });
    if (all) sum += std::stoull(line.substr(line.rfind(' ') + 1));
  }
  return sum;
}

uint64_t TlsRefusals(const NodeProcess& node, const char* use, const char* reason) {
  return FigureOf(node, "dynamo_tls_refused_total",
                  {fmt::format("use=\"{}\"", use).c_str(), fmt::format("reason=\"{}\"", reason).c_str()});
}

class TlsClusterTest : public ::testing::Test {
 protected:
  TlsClusterTest() { Write(IssueAll(before_, before_.pem())); }

  struct Sets {
    TlsFiles client, peer;
  };
  // Of all nodes, which trust `authorities`.
  Sets IssueAll(const TestAuthority& authority, const std::string& authorities) {
    Sets sets;
    sets.client = authority.Issue({.hosts = {"127.0.25.1", "127.0.25.2", "127.0.25.3"}});
    sets.peer = authority.IssueNode("demo");
    sets.client.authorities = sets.peer.authorities = authorities;
    return sets;
  }
  void Write(const Sets& sets) {
    WriteTlsFolder(Folder("client"), sets.client);
    WriteTlsFolder(Folder("peer"), sets.peer);
  }
  std::string Folder(const std::string& use) { return folder_.path() + "/" + use; }
  std::vector<std::string> With(const std::string& client, const std::string& peer) {
    return {"--tls-client",
            client,
            "--tls-client-folder",
            Folder("client"),
            "--tls-peer",
            peer,
            "--tls-peer-folder",
            Folder("peer"),
            "--tls-reload-interval-ms",
            "100"};
  }
  void Start(RealCluster& cluster) {
    cluster.StartAll();
    const Status created = cluster.Create();
    ASSERT_TRUE(created.has_value()) << created.error().message;
  }
  // Clients that trust both authorities from the start, as their bundles would.
  LoadSettings SecureLoad() {
    const std::string bundle = folder_.path() + "/clients.crt";
    std::ofstream(bundle) << before_.pem() << after_.pem();
    return {.seed = 20260202, .retries = true, .client = {.avoid = milliseconds(1000), .authorities = bundle}};
  }
  // Writes the files and waits until every node has taken both sets.
  void Rotate(RealCluster& cluster, Load& load, const Sets& sets) {
    std::vector<uint64_t> taken;
    taken.reserve(cluster.size());
    for (size_t i = 0; i < cluster.size(); ++i) taken.push_back(Reloads(cluster.node(i)));
    Write(sets);
    for (size_t i = 0; i < cluster.size(); ++i) {
      ASSERT_TRUE(Eventually(seconds(20), [&] { return Reloads(cluster.node(i)) >= taken[i] + 2; }));
    }
    ASSERT_TRUE(load.AwaitWrites(200));
  }
  static uint64_t Reloads(const NodeProcess& node) {
    return FigureOf(node, "dynamo_tls_reloads_total", {"outcome=\"ok\""});
  }
  // Shows a certificate at a node's peer port; what the node's counter for `reason` grows by.
  uint64_t RefusedAtPeerPort(NodeProcess& node, const TlsFiles& files, const char* reason) {
    const uint64_t refused = TlsRefusals(node, "peer", reason);
    TlsClient client(node.address(), kPeerPort);
    client.StartTls(files);
    EXPECT_EQ(client.ReadToEnd(), "");
    Eventually(seconds(5), [&] { return TlsRefusals(node, "peer", reason) > refused; });
    return TlsRefusals(node, "peer", reason) - refused;
  }

  TemporaryFolder folder_;
  TestAuthority before_{"before"};
  TestAuthority after_{"after"};
};

TEST_F(TlsClusterTest, CertificatesAndTheirAuthorityAreExchangedUnderLoadWithoutAFailedOperation) {
  RealCluster cluster(25, 3, With("required", "required"));
  Start(cluster);
  Load load(cluster.http(), SecureLoad());
  load.Start();
  ASSERT_TRUE(load.AwaitWrites(200));

  const std::string both = before_.pem() + after_.pem();
  Rotate(cluster, load, IssueAll(before_, both));
  Rotate(cluster, load, IssueAll(after_, both));
  Rotate(cluster, load, IssueAll(after_, after_.pem()));
  load.Stop();

  const LoadCounts counts = load.counts();
  uint64_t handshakes = 0;
  for (size_t i = 0; i < cluster.size(); ++i) {
    handshakes += FigureOf(cluster.node(i), "dynamo_tls_handshakes_total", {"use=\"client\""});
  }
  std::cout << fmt::format(
      "reads ok {} failed {}, writes ok {} failed {} unknown {}, refused {}, done again {}, handshakes "
      "{}\n",
      counts.reads_ok, counts.reads_failed, counts.puts_ok, counts.puts_failed, counts.puts_unknown, counts.refused,
      counts.retried, handshakes);
  EXPECT_EQ(counts.reads_failed + counts.puts_failed + counts.puts_unknown + counts.refused, 0u);
  ExpectNothingLost(load);

  // What is new from here on is of the new authority alone.
  TlsFiles late = before_.IssueNode("demo");
  late.authorities = after_.pem();
  EXPECT_EQ(RefusedAtPeerPort(cluster.node(0), late, "unknown_ca"), 1u);
  NodeProcess& restarted = cluster.node(2);
  EXPECT_EQ(restarted.Terminate(), 0);
  restarted.Start();
  EXPECT_TRUE(Eventually(seconds(60), [&] { return cluster.IsWhole(); }));
}

TEST_F(TlsClusterTest, EachKindOfStrangerIsRefusedAndCounted) {
  RealCluster cluster(25, 3, With("required", "required"));
  Start(cluster);
  NodeProcess& node = cluster.node(0);

  EXPECT_EQ(RefusedAtPeerPort(node, before_.IssueNode("theirs"), "wrong_name"), 1u);
  EXPECT_THAT(node.Log(), HasSubstr("certificate of dynamo://theirs: wanted dynamo://demo"));
  EXPECT_EQ(RefusedAtPeerPort(node, before_.Issue({.uris = {"dynamo://demo/admin"}}), "wrong_name"), 1u);
  TlsFiles foreign = after_.IssueNode("demo");
  foreign.authorities = before_.pem();
  EXPECT_EQ(RefusedAtPeerPort(node, foreign, "unknown_ca"), 1u);
  const WantedCertificate past{
      .uris = {"dynamo://demo"}, .valid_from = std::chrono::hours(-2), .valid_until = std::chrono::hours(-1)};
  EXPECT_EQ(RefusedAtPeerPort(node, before_.Issue(past), "expired"), 1u);
  EXPECT_EQ(RefusedAtPeerPort(node, {}, "no_certificate"), 1u);

  TlsClient peer(node.address(), kPeerPort);
  peer.Send("plaintext");
  EXPECT_EQ(peer.ReadToEnd(), "");
  EXPECT_EQ(TlsRefusals(node, "peer", "plaintext"), 1u);
  TlsClient http(node.address(), kHttpPort);
  http.Send("GET /ping HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(http.ReadToEnd(), HasSubstr("this port takes https only"));
  TlsClient pb(node.address(), kPbPort);
  pb.Send(std::string("\0\0\0\1\1", 5));
  EXPECT_THAT(pb.Read(50), HasSubstr("please STARTTLS first"));
  EXPECT_EQ(TlsRefusals(node, "client", "plaintext"), 2u);
}

TEST_F(TlsClusterTest, ANodeOfAnotherClusterNeverGetsInAndIsNamed) {
  RealCluster cluster(25, 3, With("required", "required"));
  Start(cluster);
  WriteTlsFolder(Folder("other"), before_.IssueNode("theirs"));
  std::vector<std::string> arguments = With("off", "required");
  arguments.insert(arguments.end(), {"--seeds", cluster.node(0).peer()});
  *std::ranges::find(arguments, Folder("peer")) = Folder("other");
  NodeProcess by_certificate(folder_.path() + "/by-certificate", "127.0.25.8", arguments);
  by_certificate.Start();
  EXPECT_TRUE(Eventually(seconds(20), [&] {
    return by_certificate.Log().find("certificate of dynamo://demo: wanted dynamo://theirs") != std::string::npos &&
           TlsRefusals(cluster.node(0), "peer", "refused_by_peer") > 0;
  }));

  // Its certificate is ours, its disk is not.
  arguments = With("off", "required");
  NodeProcess by_disk(folder_.path() + "/by-disk", "127.0.25.9", arguments);
  by_disk.Start();
  admin::CreateOperation create;
  create.partitions = 64;
  create.members = {{by_disk.peer(), "", 0}};
  ASSERT_TRUE(Eventually(
      seconds(20), [&] { return admin::Client(by_disk.admin(), seconds(5)).Create("create", create).has_value(); }));
  const auto identity = admin::Client(by_disk.admin(), seconds(5)).GetIdentity();
  ASSERT_TRUE(identity.has_value());
  EXPECT_EQ(by_disk.Terminate(), 0);
  arguments.insert(arguments.end(), {"--seeds", cluster.node(0).peer()});
  by_disk.set_arguments(arguments);
  by_disk.Start();
  EXPECT_TRUE(Eventually(seconds(20), [&] {
    return cluster.node(0).Log().find("event=peer_of_other_cluster node=" + identity->node_id) != std::string::npos;
  }));
  EXPECT_TRUE(cluster.IsWhole());
}

TEST_F(TlsClusterTest, ARunningClusterGoesFromPlaintextToTlsNodeByNode) {
  RealCluster cluster(25, 3, With("off", "off"));
  Start(cluster);
  Load load(cluster.http(), {.seed = 20260203, .retries = true, .client = {.avoid = milliseconds(1000)}});
  load.Start();
  for (const char* mode : {"optional", "required"}) {
    for (size_t i = 0; i < cluster.size(); ++i) {
      NodeProcess& node = cluster.node(i);
      ASSERT_TRUE(load.AwaitWrites(100));
      ASSERT_EQ(node.Terminate(), 0) << node.Log();
      std::vector<std::string> arguments = node.arguments();
      *std::next(std::ranges::find(arguments, "--tls-peer")) = mode;
      node.set_arguments(arguments);
      node.Start();
      ASSERT_TRUE(Eventually(seconds(60), [&] { return cluster.IsWhole(); }));
    }
  }
  ASSERT_TRUE(load.AwaitWrites(100));
  load.Stop();
  ExpectHardlyAFailure(load);
  for (size_t i = 0; i < cluster.size(); ++i) {
    EXPECT_GT(FigureOf(cluster.node(i), "dynamo_tls_handshakes_total", {"use=\"peer\""}), 0u);
  }
  ExpectNothingLost(load);
}

}  // namespace
}  // namespace dynamo::cluster
