// Changes of the members one after the other, drawn from a seed, while nodes crash,
// stop and lose sight of each other, and one disk is lost.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "tests/lib/test_form.h"
#include "tests/sim/transfer/moving_cluster.h"

namespace dynamo::sim {
namespace {

using ::testing::IsEmpty;

constexpr int kChanges = 4;

class DrawnChanges {
 public:
  explicit DrawnChanges(uint64_t seed) : cluster_(seed, Draw(seed), 2), rng_(seed * 7919) {}

  std::vector<std::string> Run() {
    cluster_.WriteBase(80);
    cluster_.StartLoad(2, /*reads_may_lag=*/true);
    for (int change = 0; change < kChanges; ++change) {
      Begin();
      const auto faults = rng_.Between(0, 4);
      for (int64_t fault = 0; fault < faults; ++fault) Strike();
      Heal();
      if (!cluster_.AwaitSettled()) return Unsettled(change);
    }
    cluster_.StopLoad();
    if (!cluster_.AwaitSettled()) return Unsettled(kChanges);
    std::vector<std::string> wrong = cluster_.violations();
    for (std::string& lost : cluster_.Lost()) wrong.push_back("lost: " + std::move(lost));
    return wrong;
  }

 private:
  static SimClusterConfig Draw(uint64_t seed) {
    Rng rng(seed);
    SimClusterConfig config;
    config.nodes = static_cast<size_t>(rng.Between(6, 8));
    config.shards = static_cast<ShardIndex>(rng.Between(1, 3));
    config.n_val = static_cast<uint32_t>(rng.Between(2, 3));
    config.partitions = 8u << rng.Below(3);
    config.zones = static_cast<size_t>(rng.Between(1, 3));
    config.service.transfer_chunk_bytes = static_cast<size_t>(rng.Between(200, 5000));
    config.service.transfer_bytes_per_second = static_cast<uint64_t>(rng.Between(20'000, 200'000));
    config.service.anti_entropy_interval = Duration(0);
    config.disk.sync_max = std::chrono::milliseconds(rng.Between(1, 20));
    config.disk.read_max = std::chrono::milliseconds(rng.Between(1, 10));
    return config;
  }

  std::vector<size_t> Members() {
    const auto topology = cluster_.topology();
    std::vector<size_t> members;
    for (size_t i = 0; i < cluster_.cluster().size(); ++i) {
      const Member* member = topology->Find(cluster_.IdOf(i));
      if (member != nullptr && member->state == MemberState::kNormal) members.push_back(i);
    }
    return members;
  }

  void Begin() {
    std::vector<size_t> members = Members();
    std::vector<size_t> spares;
    for (size_t i = 0; i < cluster_.cluster().size(); ++i) {
      if (cluster_.node(i).started() && cluster_.topology()->Find(cluster_.IdOf(i)) == nullptr) spares.push_back(i);
    }
    const size_t chosen = members[rng_.Below(members.size())];
    if (!lost_ && rng_.Chance(0.3)) {
      lost_ = true;
      return Replace(chosen);
    }
    const bool may_leave = members.size() > cluster_.cluster().config().n_val + 1;
    if (!spares.empty() && (!may_leave || rng_.Chance(0.5))) {
      cluster_.Join({spares[rng_.Below(spares.size())]});
    } else if (may_leave) {
      cluster_.Leave({chosen});
    }
    if (rng_.Chance(0.2)) {
      cluster_.RunFor(std::chrono::milliseconds(rng_.Between(0, 4000)));
      if (!cluster_.topology()->pending.empty()) cluster_.Change("cancel" + std::to_string(++cancels_), CancelChange{});
    }
  }

  void Replace(size_t index) {
    const NodeId lost = cluster_.IdOf(index);
    cluster_.node(index).Crash();
    cluster_.node(index).disk().Wipe();
    cluster_.node(index).Start();
    const auto is_new = [&] { return cluster_.node(index).started() && cluster_.IdOf(index) != lost; };
    if (cluster_.RunUntil(is_new, std::chrono::minutes(1))) {
      cluster_.Change("replace", ReplaceMember{lost, cluster_.MemberOf(index)});
    }
  }

  // One thing goes wrong for a while, and is over.
  void Strike() {
    cluster_.RunFor(std::chrono::milliseconds(rng_.Between(0, 3000)));
    const std::vector<size_t> members = Members();
    const size_t victim = members[rng_.Below(members.size())];
    SimNode& node = cluster_.node(victim);
    const Duration length = std::chrono::milliseconds(rng_.Between(100, 20'000));
    switch (rng_.Below(3)) {
      case 0:
        node.Crash();
        cluster_.RunFor(length);
        node.Start();
        break;
      case 1:
        node.Pause();
        cluster_.RunFor(length);
        node.Resume();
        break;
      default:
        for (size_t i = 0; i < cluster_.cluster().size(); ++i) {
          if (i == victim || rng_.Chance(0.3)) continue;
          cluster_.cluster().network().Cut(node.config().host, cluster_.node(i).config().host);
          if (rng_.Chance(0.7)) cluster_.cluster().network().Cut(cluster_.node(i).config().host, node.config().host);
        }
        cluster_.RunFor(length);
        break;
    }
    if (rng_.Chance(0.5)) cluster_.cluster().network().HealAll();
  }

  void Heal() { cluster_.cluster().network().HealAll(); }

  std::vector<std::string> Unsettled(int change) {
    std::vector<std::string> wrong = cluster_.violations();
    wrong.push_back(fmt::format("change {} never came to rest: {}", change, cluster_.WhyNotSettled()));
    return wrong;
  }

  MovingCluster cluster_;
  Rng rng_;
  bool lost_ = false;
  int cancels_ = 0;
};

class ChangesUnderChaos : public testing::TestWithParam<uint64_t> {};

TEST_P(ChangesUnderChaos, LoseNothingAndComeToRest) { EXPECT_THAT(DrawnChanges(GetParam()).Run(), IsEmpty()); }

// Sanitizers slow each down fivefold.
uint64_t SeedsOfThisRun() { return FormOfThisRun() == TestForm::kSmoke ? 8 : 40; }

INSTANTIATE_TEST_SUITE_P(Seeds, ChangesUnderChaos, testing::Range(uint64_t{1}, 1 + SeedsOfThisRun()));

}  // namespace
}  // namespace dynamo::sim
