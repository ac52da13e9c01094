// What requests may ask for: quorums, contexts, conditions, limits.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/service/test_cluster.h"

namespace dynamo {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

const ObjectKey kKey{"siblings", "cart", "ann"};

PutRequest PutOf(const std::string& value, PutCondition condition) {
  PutRequest request;
  request.key = kKey;
  request.content.value = value;
  request.condition = std::move(condition);
  return request;
}

TEST(Requests, AnUnknownBucketTypeIsNamed) {
  TestCluster cluster;
  const auto put = cluster.Put(0, {"nosuch", "b", "k"}, "v");
  ASSERT_FALSE(put.has_value());
  EXPECT_EQ(put.error().code, Errc::kNotFound);
  EXPECT_EQ(put.error().message, "No bucket-type named 'nosuch'");
  EXPECT_EQ(cluster.Get(0, {"nosuch", "b", "k"}).error().code, Errc::kNotFound);
  EXPECT_EQ(cluster.Delete(0, {"nosuch", "b", "k"}).error().code, Errc::kNotFound);
}

TEST(Requests, EmptyAndOversizedNamesAreRefused) {
  TestCluster cluster;
  EXPECT_EQ(cluster.Get(0, {"", "b", "k"}).error().message, "Type cannot be zero-length");
  EXPECT_EQ(cluster.Get(0, {"siblings", "", "k"}).error().message, "Bucket cannot be zero-length");
  EXPECT_EQ(cluster.Get(0, {"siblings", "b", ""}).error().message, "Key cannot be zero-length");
  EXPECT_EQ(cluster.Get(0, {"siblings", "b", std::string(70'000, 'k')}).error().code, Errc::kInvalidArgument);
}

TEST(Requests, QuorumsOutsideOneToNAreRefused) {
  TestCluster cluster;
  for (const uint32_t bad : {0u, 4u, 0x7fffffffu}) {
    EXPECT_EQ(cluster.Get(0, kKey, WithR(QuorumValue::Number(bad))).error().code, Errc::kInvalidArgument) << bad;
    EXPECT_EQ(cluster.Put(0, kKey, "v", {}, WithW(QuorumValue::Number(bad))).error().code, Errc::kInvalidArgument);
  }
  EXPECT_TRUE(cluster.Stored(0, kKey).never_written());
}

TEST(Requests, AReadMayLowerNAndNothingMayRaiseIt) {
  TestCluster cluster;
  ReadOptions lower;
  lower.n_val = 1;
  EXPECT_TRUE(cluster.Get(0, kKey, lower).has_value());
  ReadOptions higher;
  higher.n_val = 4;
  EXPECT_THAT(cluster.Get(0, kKey, higher).error().message, StartsWith("{n_val_violation,4}"));
  WriteOptions write;
  write.n_val = 2;
  EXPECT_EQ(cluster.Put(0, kKey, "v", {}, write).error().code, Errc::kInvalidArgument);
}

TEST(Requests, AContextThatIsCutAlteredOrOfAnotherKeyChangesNothing) {
  TestCluster cluster;
  const Bytes context = cluster.Put(0, kKey, "milk")->context;
  const Bytes foreign = cluster.Put(0, {"siblings", "cart", "bob"}, "x")->context;
  Bytes altered = context;
  altered[altered.size() / 2] = static_cast<char>(altered[altered.size() / 2] ^ 1);
  for (const Bytes& bad : {altered, foreign, context.substr(0, context.size() - 1), Bytes("forged")}) {
    EXPECT_EQ(cluster.Put(1, kKey, "bread", bad).error().code, Errc::kBadContext);
    EXPECT_EQ(cluster.Delete(1, kKey, bad).error().code, Errc::kBadContext);
  }
  EXPECT_THAT(TestCluster::ValuesOf(cluster.Get(2, kKey)->object), ElementsAre("milk"));
}

TEST(Requests, SiblingsAreLimitedButCanAlwaysBeResolved) {
  TestClusterConfig config;
  config.service.siblings_max = 5;
  TestCluster cluster(config);
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(cluster.Put(0, kKey, std::to_string(i)).has_value());
  const auto put = cluster.Put(0, kKey, "one too many");
  ASSERT_FALSE(put.has_value());
  EXPECT_EQ(put.error().code, Errc::kTooManySiblings);
  EXPECT_THAT(put.error().message, StartsWith("{too_many_siblings,5}"));
  const auto got = cluster.Get(1, kKey);
  ASSERT_EQ(got->object.siblings.size(), 5u);
  ASSERT_TRUE(cluster.Put(1, kKey, "resolved", got->context).has_value());
  EXPECT_THAT(TestCluster::ValuesOf(cluster.Get(2, kKey)->object), ElementsAre("resolved"));
}

TEST(Requests, AValueOverTheLimitIsRefused) {
  TestClusterConfig config;
  config.service.object_bytes_max = 1000;
  TestCluster cluster(config);
  EXPECT_EQ(cluster.Put(0, kKey, std::string(1001, 'x')).error().code, Errc::kTooLarge);
  EXPECT_TRUE(cluster.Put(0, kKey, std::string(600, 'x')).has_value());
  EXPECT_EQ(cluster.Put(0, kKey, std::string(600, 'y')).error().code, Errc::kTooLarge);
  EXPECT_EQ(cluster.Get(1, kKey)->object.siblings.size(), 1u);
}

TEST(Requests, APutIfAbsentFailsOnceTheKeyExistsAndWorksAfterItsDeletion) {
  TestCluster cluster;
  const PutCondition absent{PutCondition::Kind::kAbsent, {}};
  ASSERT_TRUE(cluster.Put(0, PutOf("first", absent)).has_value());
  const auto again = cluster.Put(1, PutOf("second", absent));
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().code, Errc::kConflict);
  EXPECT_THAT(again.error().message, StartsWith("match_found"));
  ASSERT_TRUE(cluster.Delete(0, kKey).has_value());
  EXPECT_TRUE(cluster.Put(2, PutOf("third", absent)).has_value());
}

TEST(Requests, APutIfUnmodifiedNeedsTheStateThatWasRead) {
  TestCluster cluster;
  const Bytes first = cluster.Put(0, kKey, "milk")->context;
  const PutCondition unmodified{PutCondition::Kind::kUnmodified, first};
  ASSERT_TRUE(cluster.Put(1, PutOf("bread", unmodified)).has_value());
  const auto stale = cluster.Put(1, PutOf("eggs", unmodified));
  ASSERT_FALSE(stale.has_value());
  EXPECT_THAT(stale.error().message, StartsWith("modified"));
  PutRequest missing = PutOf("x", {PutCondition::Kind::kUnmodified, {}});
  missing.key.key = "nobody";
  EXPECT_THAT(cluster.Put(0, missing).error().message, StartsWith("notfound"));
}

TEST(Requests, APutIfMatchNeedsTheTagOfASibling) {
  TestCluster cluster;
  ASSERT_TRUE(cluster.Put(0, kKey, "milk").has_value());
  const std::string tag = EntityTagOf(cluster.Get(0, kKey)->object.siblings[0]);
  EXPECT_EQ(cluster.Put(0, PutOf("x", {PutCondition::Kind::kMatchesTag, "nope"})).error().code, Errc::kConflict);
  EXPECT_TRUE(cluster.Put(1, PutOf("bread", {PutCondition::Kind::kMatchesTag, tag})).has_value());
}

TEST(Requests, APutMayReturnTheStateAfterIt) {
  TestCluster cluster(Nodes(5));
  const std::vector<int> walk = cluster.WalkOf(kKey);
  ASSERT_TRUE(cluster.Put(walk[0], kKey, "milk", {}, WithW(QuorumValue::All())).has_value());
  for (const int node : {walk[0], walk[4]}) {
    PutRequest request = PutOf("bread", {});
    request.return_object = true;
    request.context = cluster.Get(node, kKey)->context;
    const auto put = cluster.Put(node, request);
    ASSERT_TRUE(put.has_value() && put->object.has_value());
    EXPECT_THAT(TestCluster::ValuesOf(*put->object), ElementsAre("bread"));
    EXPECT_EQ(cluster.Get(node, kKey)->context, put->context);
  }
}

TEST(Requests, PrimariesAreWhatPrAndPwCount) {
  TestCluster cluster(Nodes(5));
  const std::vector<int> walk = cluster.WalkOf(kKey);
  cluster.Crash(walk[0]);
  cluster.Crash(walk[1]);
  WriteOptions pw;
  pw.pw = QuorumValue::Number(2);
  const auto put = cluster.Put(walk[2], kKey, "milk", {}, pw);
  ASSERT_FALSE(put.has_value());
  EXPECT_THAT(put.error().message, StartsWith("{pw_val_unsatisfied,2,1}"));
  ASSERT_TRUE(cluster.Put(walk[2], kKey, "milk").has_value());
  ReadOptions pr;
  pr.pr = QuorumValue::Number(2);
  const auto got = cluster.Get(walk[2], kKey, pr);
  ASSERT_FALSE(got.has_value());
  EXPECT_THAT(got.error().message, HasSubstr("{pr_val_unsatisfied,2,1}"));
}

TEST(Requests, DwCountsSyncedReplicasWhateverTheDurabilityOfTheType) {
  TestClusterConfig config;
  BucketType memory;
  memory.durability = BucketType::Durability::kMemory;
  config.types["memory"] = memory;
  TestCluster cluster(config);
  const ObjectKey key{"memory", "b", "k"};
  WriteOptions dw = WithW(QuorumValue::All());
  dw.dw = QuorumValue::All();
  ASSERT_TRUE(cluster.Put(0, key, "v", {}, dw).has_value());
  for (int node = 0; node < 3; ++node) EXPECT_EQ(cluster.disk(node).durable(ColumnFamily::kObjects).size(), 1u);
}

TEST(Requests, ALateLastWriterWinsWriteExceedsWhatItsContextCovers) {
  TestCluster cluster;
  const ObjectKey key{"lww", "b", "k"};
  const auto first = cluster.Put(0, key, "first");
  ASSERT_TRUE(first.has_value());
  ASSERT_TRUE(cluster.Put(1, key, "second", first->context).has_value());
  const auto got = cluster.Get(2, key);
  EXPECT_GT(got->object.stamp, 0u);
  ASSERT_TRUE(cluster.Delete(2, key, got->context).has_value());
  EXPECT_TRUE(cluster.Get(0, key)->object.deleted());
}

TEST(Requests, ANodeOfNoClusterRefusesWithoutEffect) {
  sim::SimWorld world(1);
  TestCluster cluster(Nodes(1));
  TestNode lonely(&cluster, 0);
  const auto got = cluster.world().Await(lonely.scope(), lonely.door().Get({kKey, {}}));
  ASSERT_FALSE(got.has_value());
  EXPECT_EQ(got.error().code, Errc::kUnavailable);
  EXPECT_EQ(lonely.door().GetProperties("default", "b").error().code, Errc::kUnavailable);
}

}  // namespace
}  // namespace dynamo
