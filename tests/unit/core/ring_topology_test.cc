#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <set>

#include "node/core/ring/topology.h"
#include "tests/unit/core/ring_testing.h"

namespace dynamo {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

ClusterSpec GoodSpec(size_t members = 5) {
  ClusterSpec spec;
  spec.cluster = ClusterId{{1, 2}};
  spec.members = MakeMembers(members, 3);
  spec.context_secret = "a secret of the cluster";
  spec.ring_seed = 42;
  return spec;
}

TEST(CreateTopology, MakesTheFirstTopologyOfACluster) {
  const Result<Topology> topology = CreateTopology(GoodSpec());
  ASSERT_TRUE(topology);
  EXPECT_EQ(topology->version, (TopologyVersion{1, 1}));
  EXPECT_EQ(topology->cluster, (ClusterId{{1, 2}}));
  EXPECT_EQ(topology->ring_seed, 42u);
  EXPECT_EQ(topology->current.partitions(), kPartitionsDefault);
  EXPECT_TRUE(topology->pending.empty());
  EXPECT_EQ(topology->voters.size(), 5u);
  for (const Member& member : topology->members) EXPECT_GT(topology->current.TokensOf(member.id), 0u);
  ASSERT_EQ(topology->context_keys.size(), 1u);
  EXPECT_EQ(topology->context_keys[0].secret, "a secret of the cluster");
  EXPECT_TRUE(topology->context_keys[0].signs);
}

TEST(CreateTopology, KnowsThreeBucketTypesWithTheAskedN) {
  ClusterSpec spec = GoodSpec();
  spec.n_val = 2;
  const Result<Topology> topology = CreateTopology(spec);
  ASSERT_TRUE(topology);
  ASSERT_EQ(topology->types.size(), 3u);
  EXPECT_EQ(topology->types.at("default").policy, ConflictPolicy::kLastWriterWins);
  EXPECT_EQ(topology->types.at("siblings").policy, ConflictPolicy::kSiblings);
  EXPECT_EQ(topology->types.at("lww").policy, ConflictPolicy::kLastWriterWins);
  for (const auto& [name, type] : topology->types) {
    EXPECT_EQ(type.n_val, 2u) << name;
    EXPECT_EQ(type.durability, BucketType::Durability::kSync) << name;
  }
}

TEST(CreateTopology, TheOrderOfTheMembersDoesNotMatter) {
  ClusterSpec reversed = GoodSpec();
  std::reverse(reversed.members.begin(), reversed.members.end());
  EXPECT_EQ(CreateTopology(GoodSpec()).value(), CreateTopology(reversed).value());
}

struct BadSpec {
  const char* name;
  void (*spoil)(ClusterSpec&);
  const char* says;
};

class CreateTopologyRefuses : public testing::TestWithParam<BadSpec> {};

TEST_P(CreateTopologyRefuses, AndNamesWhatIsWrong) {
  ClusterSpec spec = GoodSpec();
  GetParam().spoil(spec);
  const Result<Topology> topology = CreateTopology(spec);
  ASSERT_FALSE(topology);
  EXPECT_EQ(topology.error().code, Errc::kInvalidArgument);
  EXPECT_THAT(topology.error().message, HasSubstr(GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(
    Spec, CreateTopologyRefuses,
    testing::Values(
        BadSpec{"NoMembers", [](ClusterSpec& spec) { spec.members.clear(); }, "at least one member"},
        BadSpec{"EqualIds", [](ClusterSpec& spec) { spec.members[1].id = spec.members[0].id; }, "0000000000000001"},
        BadSpec{"NoId", [](ClusterSpec& spec) { spec.members[1].id = {}; }, "node-2 has no id"},
        BadSpec{"EqualNames", [](ClusterSpec& spec) { spec.members[1].name = "node-1"; }, "node-1"},
        BadSpec{"NoName", [](ClusterSpec& spec) { spec.members[1].name = ""; }, "has no name"},
        BadSpec{"CapacityZero", [](ClusterSpec& spec) { spec.members[4].capacity = 0; }, "node-5 has capacity 0"},
        BadSpec{"MemberLeaving", [](ClusterSpec& spec) { spec.members[2].state = MemberState::kLeaving; }, "node-3"},
        BadSpec{"PartitionsNoPowerOfTwo", [](ClusterSpec& spec) { spec.partitions = 100; }, "100 partitions"},
        BadSpec{"TooFewPartitions", [](ClusterSpec& spec) { spec.partitions = 4; }, "4 partitions"},
        BadSpec{"FewerPartitionsThanMembers",
                [](ClusterSpec& spec) {
                  spec.partitions = 8;
                  spec.members = MakeMembers(9);
                },
                "too few for 9 members"},
        BadSpec{"NoCopies", [](ClusterSpec& spec) { spec.n_val = 0; }, "N must be"},
        BadSpec{"NoCluster", [](ClusterSpec& spec) { spec.cluster = {}; }, "needs an id"},
        BadSpec{"NoSecret", [](ClusterSpec& spec) { spec.context_secret.clear(); }, "secret"}),
    [](const auto& param) { return param.param.name; });

TEST(Topology, FindsMembersByIdAndByName) {
  Topology topology = CreateTopology(GoodSpec()).value();
  EXPECT_EQ(topology.Find(NodeId{3})->name, "node-3");
  EXPECT_EQ(topology.Find(NodeId{9}), nullptr);
  EXPECT_EQ(topology.FindByName("node-4")->id, NodeId{4});
  EXPECT_EQ(topology.FindByName("node-9"), nullptr);
}

TEST(Topology, ANameMeansTheReplacementRatherThanTheReplaced) {
  Topology topology = CreateTopology(GoodSpec()).value();
  topology.members[0].state = MemberState::kReplaced;
  EXPECT_EQ(topology.FindByName("node-1")->id, NodeId{1});
  topology.members[4].name = "node-1";
  EXPECT_EQ(topology.FindByName("node-1")->id, NodeId{5});
}

TEST(ChooseVoters, AreOddAndAtMostSeven) {
  const std::vector<size_t> expected = {0, 1, 1, 3, 3, 5, 5, 7, 7, 7, 7};
  for (size_t members = 0; members < expected.size(); ++members) {
    EXPECT_EQ(ChooseVoters(MakeMembers(members)).size(), expected[members]) << members;
  }
  EXPECT_EQ(ChooseVoters(MakeMembers(64, 8)).size(), 7u);
}

RC_GTEST_PROP(ChooseVoters, SpreadOverZonesAsFarAsTheseGo, (uint64_t seed)) {
  Rng rng(seed);
  const std::vector<Member> members = RandomTopology(rng).members;
  const std::vector<NodeId> voters = ChooseVoters(members);
  RC_ASSERT(voters.size() % 2 == 1);
  RC_ASSERT(std::is_sorted(voters.begin(), voters.end()));
  RC_ASSERT(std::adjacent_find(voters.begin(), voters.end()) == voters.end());
  std::map<std::string, std::pair<size_t, size_t>> zones;  // Voters and eligible members.
  for (const Member& member : members) {
    const bool votes = std::binary_search(voters.begin(), voters.end(), member.id);
    RC_ASSERT(!votes || member.state == MemberState::kNormal);
    if (member.state != MemberState::kNormal) continue;
    zones[member.zone].first += votes ? 1 : 0;
    zones[member.zone].second += 1;
  }
  // No zone has two voters more than one that could give another.
  for (const auto& [zone, has] : zones) {
    for (const auto& [other, could] : zones) {
      if (could.first < could.second) RC_ASSERT(has.first <= could.first + 1);
    }
  }
}

TEST(ChooseVoters, TheOrderOfTheMembersDoesNotMatter) {
  std::vector<Member> members = MakeMembers(20, 3);
  const std::vector<NodeId> voters = ChooseVoters(members);
  std::reverse(members.begin(), members.end());
  EXPECT_EQ(ChooseVoters(members), voters);
}

}  // namespace
}  // namespace dynamo
