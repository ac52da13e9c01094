// kill -9 of a node at every step of a join, a leave and a replacement: the change goes on
// to the same end, with all replicas equal and nothing left over.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <string>

#include "tests/cluster/changing_cluster.h"
#include "tests/lib/test_form.h"

namespace dynamo::cluster {
namespace {

using std::chrono::seconds;

constexpr int kSweepSubnet = 32;
constexpr size_t kSweepNodes = 4, kSweepFirst = 3, kChanging = 3;
constexpr uint32_t kPartitions = 16;
constexpr seconds kLimit{60};

// All steps once, by --long; else one in four.
uint32_t StrideOfThisRun() { return FormOfThisRun() == TestForm::kLong ? 1 : 4; }

class RingSweep : public testing::Test, public ChangingCluster {
 protected:
  RingSweep() : ChangingCluster(kSweepSubnet, kSweepNodes, kSweepFirst, kPartitions) {}

  // Asks for the change, and kills a node once `step` partitions have moved: in turn the
  // node that comes or goes, and two of the others.
  void ChangeAndKill(const std::string& type, const admin::MemberOperation& operation, uint32_t step) {
    const std::string id = fmt::format("{}-{}", type, step);
    ASSERT_TRUE(Change(id, type, operation));
    to_move_ = std::max(to_move_, Follow(id, step, kLimit).to_move);
    NodeProcess& victim = node((kChanging + kills_++) % kSweepNodes);
    victim.Kill();
    victim.Start();
    Follow(id, kAllMoved, kLimit);
    ExpectSettled(id);
  }

  void ExpectSettled(const std::string& id) {
    EXPECT_TRUE(Eventually(kLimit,
                           [this] {
                             const auto hints = all().HintsAtRest();
                             return hints && *hints == 0 && asked()->AgreesOnOwners();
                           }))
        << id << ": hints are left, or the nodes do not agree on the owners";
  }

  uint32_t to_move_ = 1;
  size_t kills_ = 0;
};

TEST_F(RingSweep, AKillAtAnyStepOfAChangeEndsWithEqualReplicasAndNothingLeftOver) {
  Load load(asked()->http(), {.clients = 2, .seed = 5, .think_time = std::chrono::milliseconds(2), .retries = true});
  load.Start();
  ASSERT_TRUE(load.AwaitWrites(300));
  uint32_t steps = 0;
  for (uint32_t step = 0; step < to_move_ && !HasFailure(); step += StrideOfThisRun(), ++steps) {
    admin::MemberOperation join;
    join.node_id = IdOf(kChanging);
    ASSERT_NO_FATAL_FAILURE(ChangeAndKill("join", join, step));

    admin::MemberOperation replace;
    replace.old_id = join.node_id;
    replace.node_id = EmptyDisk(kChanging);
    ASSERT_NO_FATAL_FAILURE(ChangeAndKill("replace", replace, step));

    admin::MemberOperation leave;
    leave.node_id = replace.node_id;
    ASSERT_NO_FATAL_FAILURE(ChangeAndKill("leave", leave, step));
    for (const std::string& gone : {replace.old_id, leave.node_id}) {
      admin::MemberOperation forget;
      forget.node_id = gone;
      ASSERT_TRUE(Change("forget-" + gone, "forget", forget));
    }
    EmptyDisk(kChanging);
  }
  Judge(load);
  const uint64_t differing = load.CountDiffering();
  std::cout << fmt::format("{} steps of three changes, {} kills; replicas of {} of {} keys differ\n", steps, kills_,
                           differing, load.keys());
  EXPECT_EQ(differing, 0u);
}

}  // namespace
}  // namespace dynamo::cluster
