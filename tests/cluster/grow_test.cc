// A loaded cluster of processes grows from three to six and shrinks to four, with a
// leave reversed in the middle: nothing acknowledged is lost.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <filesystem>
#include <iostream>
#include <string>
#include <thread>

#include "tests/cluster/changing_cluster.h"

namespace dynamo::cluster {
namespace {

using std::chrono::seconds;

constexpr int kSubnet = 31;
constexpr size_t kNodes = 6, kFirst = 3;

class Grow : public testing::Test, public ChangingCluster {
 protected:
  Grow() : ChangingCluster(kSubnet, kNodes, kFirst, /*partitions=*/64) {}

  static void StopAndJudge(Load& load) {
    Judge(load);
    const LoadCounts counts = load.counts();
    EXPECT_EQ(counts.reads_failed + counts.puts_failed + counts.puts_unknown, 0u) << "failed after one retry";
  }
  void ExpectBalance(size_t members) {
    const admin::Topology topology = Admin(0).GetTopology().value();
    const double ideal = static_cast<double>(topology.partitions) / static_cast<double>(members);
    for (const admin::Member& member : topology.members) {
      std::cout << fmt::format("  {} {}: {} tokens\n", member.name, member.state, member.tokens);
      if (member.state == "normal") EXPECT_LT(std::abs(member.tokens - ideal), 1.0 + 1e-9) << member.name;
    }
  }
};

TEST_F(Grow, FromThreeToSixToFourUnderLoadNothingAcknowledgedIsLost) {
  Load load(asked()->http(), {.clients = 4, .seed = 3, .retries = true});
  load.Start();
  ASSERT_TRUE(load.AwaitWrites(3000));

  admin::MemberOperation grow;
  for (size_t i = kFirst; i < kNodes; ++i) grow.join.push_back({IdOf(i), "", 0});
  ASSERT_TRUE(Change("grow", "change", grow));
  Follow("grow", kAllMoved, seconds(120));
  ExpectBalance(6);

  admin::MemberOperation leave;
  leave.node_id = IdOf(4);
  ASSERT_TRUE(Change("leave", "leave", leave));
  Follow("leave", 3, seconds(60));
  ASSERT_TRUE(Change("reverse", "cancel", {}));
  Follow("reverse", kAllMoved, seconds(120));
  ExpectBalance(6);

  admin::MemberOperation shrink;
  shrink.leave = {IdOf(4), IdOf(5)};
  ASSERT_TRUE(Change("shrink", "change", shrink));
  Follow("shrink", kAllMoved, seconds(180));
  ExpectBalance(4);
  StopAndJudge(load);
}

TEST_F(Grow, ANodeWhoseDiskWasDeletedIsReplacedAndRebuiltUnderLoad) {
  constexpr size_t kLost = kFirst, kNew = kFirst + 1;
  admin::MemberOperation join;
  join.node_id = IdOf(kLost);
  ASSERT_TRUE(Change("join", "join", join));
  Follow("join", kAllMoved, seconds(120));

  Load load(asked()->http(), {.clients = 4, .seed = 4, .retries = true});
  load.Start();
  ASSERT_TRUE(load.AwaitWrites(3000));
  admin::MemberOperation replace;
  replace.old_id = IdOf(kLost);
  replace.node_id = IdOf(kNew);
  node(kLost).Kill();
  std::filesystem::remove_all(node(kLost).data_folder());
  ASSERT_TRUE(load.AwaitWrites(1000));
  // Refused while it is thought to be alive.
  EXPECT_TRUE(Eventually(seconds(60), [&] { return Admin(0).Change("replace", "replace", replace).has_value(); }));
  Follow("replace", kAllMoved, seconds(120));
  admin::MemberOperation forget;
  forget.node_id = replace.old_id;
  ASSERT_TRUE(Change("forget", "forget", forget));
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
