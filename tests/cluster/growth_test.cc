// A loaded cluster of real processes grows from three nodes to six and shrinks
// to four, has a leave turned round, and rebuilds a node whose disk is gone:
// clients hardly notice, and nothing acknowledged is lost.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <map>
#include <string>

#include "common/admin/client.h"
#include "tests/cluster/load.h"
#include "tests/cluster/real_cluster.h"
#include "tests/oracle/check.h"

namespace dynamo::cluster {
namespace {

using std::chrono::seconds;

constexpr size_t kMembersAtFirst = 3;

class Growth : public testing::Test {
 protected:
  Growth() : cluster_(23, 6), load_(&cluster_, LoadOf()) {
    cluster_.StartAll();
    const Status created = cluster_.Create(64, kMembersAtFirst);
    EXPECT_TRUE(created.has_value()) << created.error().message;
  }

  // Clients know the first three nodes, which stay.
  static LoadSettings LoadOf() {
    LoadSettings settings;
    settings.clients = 4;
    settings.think_time = std::chrono::milliseconds(5);
    settings.client.nodes = kMembersAtFirst;
    return settings;
  }

  admin::Client AdminOf(size_t index) { return admin::Client(cluster_.node(index).admin(), seconds(10)); }
  std::string IdOf(size_t index) {
    std::string id;
    Eventually(seconds(20), [&] {
      const auto identity = AdminOf(index).GetIdentity();
      if (identity) id = identity->node_id;
      return identity.has_value();
    });
    return id;
  }

  // Until the register has decided on it.
  Status Ask(const std::string& id, const std::string& type, const admin::MemberOperation& operation) {
    Status last;
    Eventually(seconds(30), [&] {
      const auto asked = AdminOf(0).Change(id, type, operation);
      last = asked ? Status{} : Fail(asked.error());
      return asked.has_value();
    });
    return last;
  }
  std::string AwaitEnd(const std::string& id) {
    admin::Operation operation;
    const auto began = std::chrono::steady_clock::now();
    Eventually(seconds(240), [&] {
      const auto now = AdminOf(0).GetOperation(id);
      if (now) operation = *now;
      return operation.state == "done" || operation.state == "cancelled" || operation.state == "failed";
    });
    const auto took = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    std::cout << fmt::format("{}: {} after {:.1f} s, {} of {} partitions moved {}\n", id, operation.state, took,
                             operation.moved, operation.to_move, operation.message);
    return operation.state;
  }

  // Tokens of every member that has any; printed.
  std::map<std::string, int> Balance() {
    std::map<std::string, int> tokens;
    const auto topology = AdminOf(0).GetTopology();
    if (topology) {
      for (const std::string& owner : topology->owners) ++tokens[owner];
    }
    std::string text;
    for (const auto& [id, count] : tokens) text += fmt::format(" {}", count);
    std::cout << "tokens:" << text << '\n';
    return tokens;
  }
  void ExpectBalanced(size_t members) {
    const auto tokens = Balance();
    EXPECT_EQ(tokens.size(), members);
    const auto [least, most] = std::ranges::minmax_element(tokens, {}, [](const auto& entry) { return entry.second; });
    EXPECT_LE(most->second - least->second, 1) << "tokens of equal members";
  }

  void ExpectNothingLost() {
    load_.Stop();
    const LoadCounts counts = load_.counts();
    std::cout << fmt::format(
        "reads ok {} failed {}, writes ok {} failed {} "
        "unknown {}, refused {}\n",
        counts.reads_ok, counts.reads_failed, counts.puts_ok, counts.puts_failed, counts.puts_unknown, counts.refused);
    EXPECT_EQ(load_.ReadAll(/*observers=*/2), 0u) << "final reads that failed";
    for (const oracle::Violation& violation : oracle::Check(load_.history())) {
      ADD_FAILURE() << violation.property << ' ' << violation.key << ": " << violation.what;
    }
    EXPECT_GE(counts.puts(), 200u);
  }
  void ExpectNoFailures() {
    const LoadCounts counts = load_.counts();
    EXPECT_EQ(counts.reads_failed + counts.puts_failed + counts.puts_unknown, 0u);
  }

  RealCluster cluster_;
  Load load_;
};

TEST_F(Growth, FromThreeToSixToFourUnderLoadNoOperationFailsAndNothingIsLost) {
  load_.Start();
  admin::MemberOperation grow;
  for (size_t index = kMembersAtFirst; index < cluster_.size(); ++index) grow.join.push_back({IdOf(index), "", 0});
  const Status asked = Ask("grow", "change", grow);
  ASSERT_TRUE(asked.has_value()) << asked.error().message;
  EXPECT_EQ(AwaitEnd("grow"), "done");
  ExpectBalanced(6);

  admin::MemberOperation shrink;
  shrink.leave = {IdOf(4), IdOf(5)};
  ASSERT_TRUE(Ask("shrink", "change", shrink).has_value());
  EXPECT_EQ(AwaitEnd("shrink"), "done");
  ExpectBalanced(4);
  ExpectNothingLost();
  ExpectNoFailures();
}

TEST_F(Growth, ALeaveTurnedRoundAndALostDiskUnderLoad) {
  load_.Start();
  admin::MemberOperation join;
  join.node_id = IdOf(3);
  ASSERT_TRUE(Ask("join", "join", join).has_value());
  EXPECT_EQ(AwaitEnd("join"), "done");

  admin::MemberOperation leave;
  leave.node_id = IdOf(3);
  ASSERT_TRUE(Ask("leave", "leave", leave).has_value());
  ASSERT_TRUE(Ask("turn-round", "cancel", {}).has_value());
  EXPECT_EQ(AwaitEnd("leave"), "cancelled");
  const bool stays = Eventually(seconds(120), [this] {
    const auto topology = AdminOf(0).GetTopology();
    return topology && topology->change.empty();
  });
  EXPECT_TRUE(stays);
  ExpectBalanced(4);

  const std::string lost = IdOf(3);
  cluster_.node(3).Kill();
  std::filesystem::remove_all(cluster_.node(3).data_folder());
  cluster_.node(3).Start();
  ASSERT_TRUE(Eventually(seconds(30), [&] { return IdOf(3) != lost; }));
  admin::MemberOperation replace;
  replace.old_id = lost;
  replace.node_id = IdOf(3);
  const Status replaced = Ask("replace", "replace", replace);
  ASSERT_TRUE(replaced.has_value()) << replaced.error().message;
  EXPECT_EQ(AwaitEnd("replace"), "done");
  ExpectBalanced(4);
  ExpectNothingLost();
}

}  // namespace
}  // namespace dynamo::cluster
