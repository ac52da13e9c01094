// A loaded cluster of processes grows from three to six and shrinks to four, with a
// leave reversed in the middle: nothing acknowledged is lost.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <iostream>
#include <string>
#include <thread>

#include "common/admin/client.h"
#include "tests/cluster/load.h"
#include "tests/cluster/real_cluster.h"
#include "tests/oracle/check.h"

namespace dynamo::cluster {
namespace {

using std::chrono::seconds;

constexpr int kSubnet = 31;
constexpr size_t kNodes = 6, kFirst = 3;

class Grow : public testing::Test {
 protected:
  Grow() : cluster_(kSubnet, kNodes), asked_(Asked(cluster_.folder())) {
    cluster_.StartAll();
    admin::CreateOperation create;
    create.partitions = 64;
    for (size_t i = 0; i < kFirst; ++i) create.members.push_back({cluster_.node(i).peer(), "", 0});
    EXPECT_TRUE(Eventually(seconds(30), [&] { return Admin(0).Create("create", create).has_value(); }));
    EXPECT_TRUE(Eventually(seconds(30), [&] {
      for (size_t i = 0; i < kFirst; ++i) {
        if (!Admin(i).IsReady().value_or(false)) return false;
      }
      return Admin(0).GetMembers().value_or(admin::Members{}).members.size() == kNodes;
    })) << "not all nodes have been heard of";
  }

  // The nodes that stay from the first to the last: they are whom clients ask. Started
  // by the other cluster.
  static std::vector<std::unique_ptr<NodeProcess>> Asked(const std::string& folder) {
    std::vector<std::unique_ptr<NodeProcess>> nodes;
    nodes.reserve(kFirst);
    for (size_t i = 0; i < kFirst; ++i) {
      nodes.push_back(std::make_unique<NodeProcess>(folder + "/asked", fmt::format("127.0.{}.{}", kSubnet, i + 1),
                                                    std::vector<std::string>{}));
    }
    return nodes;
  }

  // Of the load: what failed, and whether what was acknowledged is there.
  static void StopAndJudge(Load& load) {
    load.Stop();
    const LoadCounts counts = load.counts();
    std::cout << fmt::format(
        "reads ok {}, writes ok {}; after one retry of {}, reads failed {}, writes failed {} unknown {}\n",
        counts.reads_ok, counts.puts_ok, counts.retried, counts.reads_failed, counts.puts_failed, counts.puts_unknown);
    EXPECT_EQ(counts.reads_failed + counts.puts_failed + counts.puts_unknown, 0u) << "failed after one retry";
    EXPECT_EQ(load.ReadAll(/*observers=*/2), 0u) << "final reads that failed";
    const auto violations = oracle::Check(load.history());
    for (const oracle::Violation& violation : violations) {
      ADD_FAILURE() << violation.property << ' ' << violation.key << ": " << violation.what;
    }
    std::cout << fmt::format("oracle: {} writes judged, {} violations\n", load.history().writes().size(),
                             violations.size());
  }
  admin::Client Admin(size_t node) { return admin::Client(cluster_.node(node).admin(), std::chrono::seconds(20)); }
  std::string IdOf(size_t node) { return Admin(node).GetIdentity().value().node_id; }

  // Asks again if nobody can tell what came of it, or if the node has not yet heard that
  // the change before is over: the id makes it one operation.
  void Change(const std::string& id, const std::string& type, const admin::MemberOperation& operation) {
    Result<admin::Operation> done = Fail(Errc::kUnavailable, "not asked");
    Eventually(seconds(15), [&] {
      done = Admin(0).Change(id, type, operation);
      return done.has_value() || (done.error().code != Errc::kConflict && done.error().code != Errc::kTimeout);
    });
    ASSERT_TRUE(done.has_value()) << id << ": " << done.error().message;
  }
  // Until the operation is done, or has moved so many partitions.
  admin::Operation Follow(const std::string& id, uint32_t moved, seconds limit) {
    admin::Operation last;
    const auto began = std::chrono::steady_clock::now();
    EXPECT_TRUE(Eventually(limit,
                           [&] {
                             last = Admin(0).GetOperation(id).value_or(admin::Operation{});
                             return last.state == "done" || last.state == "cancelled" ||
                                    (last.state == "running" && last.moved >= moved);
                           }))
        << id << " " << last.state << ": " << last.message;
    const auto took = std::chrono::steady_clock::now() - began;
    std::cout << fmt::format("{}: {}, {:.1f} s\n", id, last.message, std::chrono::duration<double>(took).count());
    return last;
  }
  void ExpectBalance(size_t members) {
    const admin::Topology topology = Admin(0).GetTopology().value();
    const double ideal = static_cast<double>(topology.partitions) / static_cast<double>(members);
    for (const admin::Member& member : topology.members) {
      std::cout << fmt::format("  {} {}: {} tokens\n", member.name, member.state, member.tokens);
      if (member.state == "normal") EXPECT_LT(std::abs(member.tokens - ideal), 1.0 + 1e-9) << member.name;
    }
  }

  RealCluster cluster_, asked_;
};

TEST_F(Grow, FromThreeToSixToFourUnderLoadNothingAcknowledgedIsLost) {
  constexpr uint32_t kAll = 1u << 20;
  Load load(&asked_, {.clients = 4, .seed = 3, .retries = true});
  load.Start();
  ASSERT_TRUE(load.AwaitWrites(3000));

  admin::MemberOperation grow;
  for (size_t i = kFirst; i < kNodes; ++i) grow.join.push_back({IdOf(i), "", 0});
  ASSERT_NO_FATAL_FAILURE(Change("grow", "change", grow));
  Follow("grow", kAll, seconds(120));
  ExpectBalance(6);

  admin::MemberOperation leave;
  leave.node_id = IdOf(4);
  ASSERT_NO_FATAL_FAILURE(Change("leave", "leave", leave));
  Follow("leave", 3, seconds(60));
  ASSERT_NO_FATAL_FAILURE(Change("reverse", "cancel", {}));
  Follow("reverse", kAll, seconds(120));
  ExpectBalance(6);

  admin::MemberOperation shrink;
  shrink.leave = {IdOf(4), IdOf(5)};
  ASSERT_NO_FATAL_FAILURE(Change("shrink", "change", shrink));
  Follow("shrink", kAll, seconds(180));
  ExpectBalance(4);
  StopAndJudge(load);
}

TEST_F(Grow, ANodeWhoseDiskWasDeletedIsReplacedAndRebuiltUnderLoad) {
  constexpr size_t kLost = kFirst, kNew = kFirst + 1;
  admin::MemberOperation join;
  join.node_id = IdOf(kLost);
  ASSERT_NO_FATAL_FAILURE(Change("join", "join", join));
  Follow("join", 1u << 20, seconds(120));

  Load load(&asked_, {.clients = 4, .seed = 4, .retries = true});
  load.Start();
  ASSERT_TRUE(load.AwaitWrites(3000));
  admin::MemberOperation replace;
  replace.old_id = IdOf(kLost);
  replace.node_id = IdOf(kNew);
  cluster_.node(kLost).Kill();
  std::filesystem::remove_all(cluster_.node(kLost).data_folder());
  ASSERT_TRUE(load.AwaitWrites(1000));
  // Refused while it is thought to be alive.
  EXPECT_TRUE(Eventually(seconds(60), [&] { return Admin(0).Change("replace", "replace", replace).has_value(); }));
  Follow("replace", 1u << 20, seconds(120));
  admin::MemberOperation forget;
  forget.node_id = replace.old_id;
  ASSERT_NO_FATAL_FAILURE(Change("forget", "forget", forget));
  ExpectBalance(4);
  StopAndJudge(load);
}

TEST_F(Grow, OfTwoAdministratorsAtOnceOneWinsAndTheOtherIsTold) {
  std::vector<Result<admin::Operation>> outcomes(2, Fail(Errc::kUnavailable, "not asked"));
  std::vector<std::thread> administrators;
  administrators.reserve(outcomes.size());
  for (size_t i = 0; i < outcomes.size(); ++i) {
    administrators.emplace_back([this, i, &outcomes] {
      admin::MemberOperation join;
      join.node_id = IdOf(kFirst + i);
      outcomes[i] = Admin(i).Change("join-" + std::to_string(i), "join", join);
    });
  }
  for (std::thread& administrator : administrators) administrator.join();
  ASSERT_NE(outcomes[0].has_value(), outcomes[1].has_value());
  const Error& told = outcomes[0] ? outcomes[1].error() : outcomes[0].error();
  EXPECT_EQ(told.code, Errc::kConflict);
  EXPECT_NE(told.message.find(outcomes[0] ? "'join-0'" : "'join-1'"), std::string::npos) << told.message;
}

}  // namespace
}  // namespace dynamo::cluster
