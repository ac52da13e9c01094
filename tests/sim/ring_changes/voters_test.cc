// Members, and with them voters, come and go while nodes crash and the network cuts:
// one topology an epoch all the same, and one in the end. What moves is not looked at
// here: partitions are taken over as if somebody had proved that they may be.
#include <gtest/gtest.h>

#include <iostream>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/sim/ring_changes/fixture.h"

namespace dynamo::sim {
namespace {

class ChangingVoters {
 public:
  explicit ChangingVoters(uint64_t seed)
      : cluster_(seed, WithSpares(3 + seed % 3, 3)), rng_(cluster_.world().MakeRng("administrators")) {
    for (size_t i = 0; i < cluster_.cluster().size(); ++i) newcomers_.push_back(cluster_.Newcomer(i));
    NetworkConfig& network = cluster_.cluster().network().config();
    network.drop = 0.02;
    network.duplicate = 0.05;
    network.reorder = 0.05;
  }

  void Run() {
    for (int step = 0; step < 150; ++step) {
      const size_t at = rng_.Below(cluster_.cluster().size());
      Break(at);
      if (cluster_.node(at).started() && cluster_.node(at).start_outcome()) Administer(at);
      cluster_.world().RunFor(Duration(rng_.Between(1'000, 400'000)));
      cluster_.Look();
    }
    cluster_.cluster().network().HealAll();
    cluster_.StartAll();
    cluster_.world().RunFor(std::chrono::seconds(20));
    EndChange();
    cluster_.Look();
    Judge();
  }
  size_t acknowledged() const { return acknowledged_; }
  size_t voters_seen() const { return voters_seen_.size(); }

 private:
  void Break(size_t at) {
    const uint64_t what = rng_.Below(12);
    SimNode& node = cluster_.node(at);
    if (what == 0 && node.running()) node.Crash();
    if (what <= 3 && !node.running()) node.Start();
    if (what == 4) cluster_.CutOff({at});
    if (what >= 5 && what <= 7) cluster_.cluster().network().HealAll();
  }

  void Administer(size_t at) {
    const auto topology = cluster_.TopologyAt(at);
    if (!topology) return;
    voters_seen_.insert(topology->voters);
    if (rng_.Chance(0.5)) {
      if (!topology->pending.empty()) TakeSomeOver(at, *topology);
      for (const Member& member : topology->members) {
        if (member.state == MemberState::kLeaving) cluster_.Ask(at, ChangeTo(Depart{member.id}, ""));
      }
      return;
    }
    const std::string id = "operation-" + std::to_string(asked_.size());
    const size_t other = rng_.Below(newcomers_.size());
    const uint64_t what = rng_.Below(4);
    if (what == 0) asked_[id] = cluster_.Ask(at, ChangeTo(ChangeMembers{{newcomers_[other]}, {}, {}}, id));
    if (what == 1) asked_[id] = cluster_.Ask(at, ChangeTo(ChangeMembers{{}, {newcomers_[other].id}, {}}, id));
    if (what == 2) asked_[id] = cluster_.Ask(at, ChangeTo(ChangeMembers{{}, {}, {{newcomers_[other].id, 2}}}, id));
    if (what == 3 && rng_.Chance(0.3)) asked_[id] = cluster_.Ask(at, ChangeTo(CancelChange{}, id));
  }

  void TakeSomeOver(size_t at, const Topology& topology) {
    TakeOver some{topology.change_since, {}};
    for (PartitionId partition = 0; partition < topology.partitions; ++partition) {
      if (rng_.Chance(0.3)) some.partitions.push_back(partition);
    }
    if (!some.partitions.empty()) cluster_.Ask(at, ChangeTo(some, ""));
  }

  // Nodes that are members by the newest topology.
  std::vector<size_t> Members() {
    std::shared_ptr<const Topology> newest;
    std::vector<size_t> members;
    for (size_t i = 0; i < cluster_.cluster().size(); ++i) {
      if (!cluster_.node(i).start_outcome()) continue;
      const auto held = cluster_.TopologyAt(i);
      if (held && (!newest || newest->version < held->version)) newest = held;
    }
    for (size_t i = 0; i < cluster_.cluster().size(); ++i) {
      if (newest->StandingOf(newcomers_[i].id) == MemberStanding::kMember) members.push_back(i);
    }
    return members;
  }

  void EndChange() {
    ASSERT_TRUE(cluster_.AwaitAgreedAt(Members())) << "no agreement after heal";
    // One that stays.
    size_t at = 0;
    while (cluster_.TopologyAt(Members().front())->Find(newcomers_[at].id) == nullptr ||
           cluster_.TopologyAt(Members().front())->Find(newcomers_[at].id)->state != MemberState::kNormal) {
      ++at;
    }
    const auto topology = cluster_.TopologyAt(at);
    if (!topology->pending.empty()) {
      TakeOver all{topology->change_since, {}};
      for (PartitionId partition = 0; partition < topology->partitions; ++partition)
        all.partitions.push_back(partition);
      const auto done = cluster_.Change(at, ChangeTo(all, ""));
      ASSERT_TRUE(done.has_value()) << done.error().message;
    }
    const auto before = cluster_.TopologyAt(at);  // Each departure makes another one.
    for (const Member& member : before->members) {
      if (member.state != MemberState::kLeaving) continue;
      const auto left = cluster_.Change(at, ChangeTo(Depart{member.id}, ""));
      EXPECT_TRUE(left.has_value()) << left.error().message;
    }
    ASSERT_TRUE(cluster_.AwaitAgreedAt(Members())) << "no agreement at the end";
  }

  void Judge() {
    EXPECT_EQ(cluster_.violation(), "");
    const auto topology = cluster_.TopologyAt(Members().front());
    EXPECT_EQ(topology->change_since, 0u);
    EXPECT_EQ(topology->voters, ChooseVoters(topology->members));
    for (const Member& member : topology->members) {
      const bool gone = topology->StandingOf(member.id) == MemberStanding::kRemoved;
      EXPECT_EQ(topology->current.TokensOf(member.id) == 0, gone) << member.name;
    }
    for (const auto& [id, outcome] : asked_) {
      if (!outcome->has_value() || !(*outcome)->has_value()) continue;
      ++acknowledged_;
      EXPECT_LE(***outcome, topology->version.epoch) << id << " was acknowledged and is lost";
      const auto made = std::ranges::find(topology->operations, id, &TopologyOperation::id);
      if (made != topology->operations.end()) EXPECT_EQ(made->epoch, ***outcome) << id;
    }
  }

  RingCluster cluster_;
  Rng rng_;
  std::vector<Member> newcomers_;  // Of every node, as it would join.
  std::map<std::string, RegisterCluster::Outcome> asked_;
  std::set<std::vector<NodeId>> voters_seen_;
  size_t acknowledged_ = 0;
};

TEST(ChangingVoters, KeepOneTopologyAnEpochAndLoseNothingAcknowledged) {
  size_t acknowledged = 0, voters = 0;
  for (uint64_t seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    ChangingVoters cluster(seed);
    cluster.Run();
    acknowledged += cluster.acknowledged();
    voters += cluster.voters_seen();
  }
  std::cout << acknowledged << " changes acknowledged, " << voters << " sets of voters seen\n";
  EXPECT_GT(acknowledged, 40u);
  EXPECT_GT(voters, 24u);
}

}  // namespace
}  // namespace dynamo::sim
