#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "node/core/ring/preference_list.h"
#include "node/core/ring/safety.h"
#include "tests/unit/core/ring_testing.h"

namespace dynamo {
namespace {

using ::testing::Each;
using ::testing::Field;
using ::testing::IsEmpty;

Topology ClusterOf(size_t members, uint32_t n_val = 3) {
  ClusterSpec spec;
  spec.cluster = ClusterId{{1, 2}};
  spec.context_secret = "secret";
  spec.members = MakeMembers(members);
  spec.partitions = 16;
  spec.n_val = n_val;
  return *CreateTopology(spec);
}

std::set<NodeId> Nodes(std::initializer_list<uint64_t> ids) {
  std::set<NodeId> nodes;
  for (const uint64_t id : ids) nodes.insert(NodeId{id});
  return nodes;
}

TEST(SafetyOf, IsSilentWhereEveryOwnerIsReady) {
  EXPECT_THAT(SafetyOf(ClusterOf(4), Nodes({1, 2, 3, 4}), NodeId{}), IsEmpty());
}

TEST(SafetyOf, CountsTheHarmOfOneNodeMoreBesideWhatIsThereAlready) {
  const auto weak = SafetyOf(ClusterOf(3), Nodes({1, 3}), NodeId{1});
  ASSERT_EQ(weak.size(), 16u) << "three members own everything";
  EXPECT_THAT(weak, Each(Field(&PartitionSafety::owners, 3u)));
  EXPECT_THAT(weak, Each(Field(&PartitionSafety::ready, 2u)));
  EXPECT_THAT(weak, Each(Field(&PartitionSafety::ready_without, 1u)));
}

TEST(SafetyOf, NamesTheWeakestFirst) {
  const auto weak = SafetyOf(ClusterOf(6), Nodes({1, 2, 3, 4, 5}), NodeId{1});
  ASSERT_FALSE(weak.empty());
  EXPECT_TRUE(std::ranges::is_sorted(weak, {}, &PartitionSafety::ready_without));
  EXPECT_LT(weak.size(), 16u) << "some have neither among their owners";
}

TEST(SafetyOf, ANodeThatOwnsNothingIsMissedByNobody) {
  EXPECT_THAT(SafetyOf(ClusterOf(3), Nodes({1, 2, 3}), NodeId{9}), IsEmpty());
}

TEST(SafetyOf, SpeaksOfEachNThatABucketTypeHas) {
  Topology topology = ClusterOf(3, 2);
  topology.types["all"] = {ConflictPolicy::kSiblings, 3};
  std::set<uint32_t> ns;
  for (const PartitionSafety& weak : SafetyOf(topology, Nodes({1, 2}), NodeId{})) ns.insert(weak.n_val);
  EXPECT_EQ(ns, (std::set<uint32_t>{2, 3}));
}

RC_GTEST_PROP(SafetyOf, CountsOwnersAsTheWalkHasThem, (uint64_t seed)) {
  Rng rng(seed);
  const Topology topology = RandomTopology(rng);
  std::set<NodeId> ready;
  for (const Member& member : topology.members) {
    if (rng.Chance(0.7)) ready.insert(member.id);
  }
  const NodeId without = topology.members[rng.Below(topology.members.size())].id;
  for (const PartitionSafety& weak : SafetyOf(topology, ready, without)) {
    const std::vector<NodeId> owners = WalkRing(topology, weak.partition, weak.n_val).owners;
    RC_ASSERT(owners.size() == weak.owners);
    const auto up = [&](NodeId owner) { return ready.contains(owner); };
    RC_ASSERT(std::ranges::count_if(owners, up) == weak.ready);
    RC_ASSERT(weak.ready_without + (up(without) && std::ranges::count(owners, without) ? 1u : 0u) == weak.ready);
    RC_ASSERT(weak.ready_without < weak.owners);
  }
}

}  // namespace
}  // namespace dynamo
