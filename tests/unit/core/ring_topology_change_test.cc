#include <gtest/gtest.h>

#include <string>

#include "node/core/ring/topology_change.h"
#include "tests/unit/core/ring_testing.h"

namespace dynamo {
namespace {

Topology AtEpochSeven() {
  ClusterSpec spec;
  spec.cluster = ClusterId{{1, 2}};
  spec.context_secret = "secret";
  spec.members = MakeMembers(3);
  spec.partitions = 16;
  spec.ring_seed = 1;
  Topology topology = *CreateTopology(spec);
  topology.version.epoch = 7;
  return topology;
}

TopologyChange Create(const std::string& name, BucketType type = {}, const std::string& id = "operation-1") {
  TopologyChange change;
  change.operation_id = id;
  change.what = CreateBucketType{name, type};
  return change;
}

Errc CodeOf(const Topology& topology, const TopologyChange& change) {
  const auto changed = ApplyChange(topology, change);
  return changed ? Errc{} : changed.error().code;
}

TEST(TopologyChange, AddsABucketTypeInTheNextEpochAndTouchesNothingElse) {
  const Topology before = AtEpochSeven();
  const BucketType carts{ConflictPolicy::kSiblings, 5, BucketType::Durability::kInterval};
  const auto changed = ApplyChange(before, Create("carts", carts));
  ASSERT_TRUE(changed.has_value());
  EXPECT_EQ(changed->epoch, 8u);
  ASSERT_TRUE(changed->next.has_value());
  EXPECT_EQ(changed->next->types.at("carts"), carts);
  Topology expected = before;
  expected.version.epoch = 8;
  expected.types["carts"] = carts;
  expected.operations = changed->next->operations;
  EXPECT_EQ(*changed->next, expected);
}

TEST(TopologyChange, GivesTheSameIdTheSameOutcomeInLaterEpochsToo) {
  Topology topology = *ApplyChange(AtEpochSeven(), Create("carts"))->next;
  topology = *ApplyChange(topology, Create("orders", {}, "operation-2"))->next;
  EXPECT_EQ(topology.version.epoch, 9u);
  TopologyChange again = Create("carts");
  again.epoch = 7;  // What it asked for then.
  const auto changed = ApplyChange(topology, again);
  ASSERT_TRUE(changed.has_value());
  EXPECT_EQ(changed->epoch, 8u);
  EXPECT_FALSE(changed->next.has_value());
}

TEST(TopologyChange, RefusesAnIdThatWasUsedForSomethingElse) {
  const Topology topology = *ApplyChange(AtEpochSeven(), Create("carts"))->next;
  EXPECT_EQ(CodeOf(topology, Create("orders")), Errc::kInvalidArgument);
  EXPECT_EQ(CodeOf(topology, Create("carts", {ConflictPolicy::kLastWriterWins})), Errc::kInvalidArgument);
}

TEST(TopologyChange, TellsWhoComesSecondThePresentEpoch) {
  TopologyChange change = Create("carts");
  change.epoch = 6;
  const auto changed = ApplyChange(AtEpochSeven(), change);
  ASSERT_FALSE(changed);
  EXPECT_EQ(changed.error().code, Errc::kConflict);
  EXPECT_NE(changed.error().message.find("at epoch 7, not 6"), std::string::npos) << changed.error().message;
  change.epoch = 7;
  EXPECT_TRUE(ApplyChange(AtEpochSeven(), change).has_value());
}

TEST(TopologyChange, MakesNoEpochForATypeThatIsThereJustSo) {
  const Topology topology = *ApplyChange(AtEpochSeven(), Create("carts"))->next;
  const auto changed = ApplyChange(topology, Create("carts", {}, "operation-2"));
  ASSERT_TRUE(changed.has_value());
  EXPECT_EQ(changed->epoch, 8u);
  EXPECT_FALSE(changed->next.has_value());
}

TEST(TopologyChange, RefusesToChangeATypeThatIsThere) {
  const Topology topology = *ApplyChange(AtEpochSeven(), Create("carts"))->next;
  BucketType type;
  type.n_val = 5;
  EXPECT_EQ(CodeOf(topology, Create("carts", type, "2")), Errc::kUnsupported);
  type = {.policy = ConflictPolicy::kLastWriterWins};
  EXPECT_EQ(CodeOf(topology, Create("carts", type, "2")), Errc::kUnsupported);
  type = {.durability = BucketType::Durability::kMemory};
  EXPECT_EQ(CodeOf(topology, Create("carts", type, "2")), Errc::kAlreadyExists);
}

TEST(TopologyChange, RefusesWhatCanNeverBe) {
  const Topology topology = AtEpochSeven();
  for (const std::string& name : {std::string(), std::string(65, 'a'), std::string("a/b"), std::string("a b")}) {
    EXPECT_EQ(CodeOf(topology, Create(name)), Errc::kInvalidArgument) << name;
  }
  for (const uint32_t n_val : {0u, 17u, ~0u}) {
    BucketType type;
    type.n_val = n_val;
    EXPECT_EQ(CodeOf(topology, Create("carts", type)), Errc::kInvalidArgument) << n_val;
  }
  EXPECT_EQ(CodeOf(topology, Create("carts", {}, "")), Errc::kInvalidArgument);
  EXPECT_EQ(CodeOf(topology, Create("carts", {}, std::string(101, 'x'))), Errc::kInvalidArgument);
}

TEST(TopologyChange, RemembersTheLatestOperationsAndHasALimitOfTypes) {
  Topology topology = AtEpochSeven();
  for (size_t i = topology.types.size(); i < kTypesMax; ++i) {
    topology = *ApplyChange(topology, Create("type-" + std::to_string(i), {}, "id-" + std::to_string(i)))->next;
    ASSERT_TRUE(DecodeTopology(EncodeTopology(topology)).has_value());
  }
  EXPECT_EQ(topology.operations.size(), TopologyOperation::kRemembered);
  EXPECT_EQ(topology.operations.back().epoch, topology.version.epoch);
  EXPECT_EQ(CodeOf(topology, Create("one-more", {}, "last")), Errc::kInvalidArgument);
}

}  // namespace
}  // namespace dynamo
