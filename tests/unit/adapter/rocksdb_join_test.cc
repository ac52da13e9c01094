#include "node/adapter/rocksdb_join.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <string>
#include <vector>

#include "node/core/version/object.h"
#include "tests/unit/adapter/rocksdb_fixture.h"

namespace dynamo {
namespace {

Bytes Joined(const std::vector<Bytes>& objects) {
  Bytes all = objects.front();
  for (const Bytes& object : objects) all = JoinEncoded(all, object).value();
  return all;
}

void Compact(StoreFixture& fixture) {
  auto* family = fixture.store().family(ColumnFamily::kObjects);
  ASSERT_TRUE(fixture.store().db().CompactRange({}, family, nullptr, nullptr).ok());
}

TEST(JoinOperator, WhateverTheEngineMovesAroundAReadIsTheJoinOfAllMerges) {
  StoreFixture fixture;
  ASSERT_TRUE(fixture.Open());
  uint64_t runs = 0;
  EXPECT_TRUE(rc::check([&] {
    const Bytes key = std::to_string(++runs);
    std::vector<Bytes> merged;
    const int steps = *rc::gen::inRange(1, 20);
    for (int step = 0; step < steps; ++step) {
      const auto actor = *rc::gen::inRange<uint64_t>(1, 4);
      const auto counter = *rc::gen::inRange<uint64_t>(1, 4);
      // One dot, one value.
      merged.push_back(EncodedSibling(actor, counter, std::to_string(actor) + "/" + std::to_string(counter)));
      RC_ASSERT(fixture.shard().Merge(key, merged.back()).has_value());
      const int move = *rc::gen::inRange(0, 40);
      if (move == 0) RC_ASSERT(fixture.Open().has_value());
      if (move == 1) Compact(fixture);
      if (move == 2 || move == 3) fixture.Flush();
      RC_ASSERT(Text(fixture.shard().Get(ColumnFamily::kObjects, key)) == Joined(merged));
    }
  }));
}

// Writes past the validation, as bits that rot do.
void PutRaw(StoreFixture& fixture, const std::string& value) {
  auto* family = fixture.store().family(ColumnFamily::kObjects);
  ASSERT_TRUE(fixture.store().db().Put(rocksdb::WriteOptions(), family, "k", value).ok());
}

TEST(JoinOperator, ARottenObjectReadsAsCorruptAndStopsNobody) {
  StoreFixture fixture;
  ASSERT_TRUE(fixture.Open());
  Bytes rotten = EncodedSibling(1, 1, "value");
  rotten[rotten.size() / 2] ^= 1;
  PutRaw(fixture, rotten);
  const Bytes good = EncodedSibling(2, 1, "other");
  ASSERT_TRUE(fixture.shard().Merge("k", good));
  fixture.Flush();
  ASSERT_TRUE(fixture.shard().Merge("k", EncodedSibling(3, 1, "third")));
  Compact(fixture);

  const Bytes kept = Text(fixture.shard().Get(ColumnFamily::kObjects, "k"));
  const Result<Object> decoded = DecodeObject(kept);
  ASSERT_FALSE(decoded.has_value());
  EXPECT_EQ(decoded.error().code, Errc::kCorrupt);
  EXPECT_NE(kept.find(rotten), std::string::npos);
  EXPECT_NE(kept.find(good), std::string::npos);
  EXPECT_EQ(fixture.stopped(), "");

  // A repair.
  ASSERT_TRUE(fixture.shard().Put(ColumnFamily::kObjects, "k", good));
  ASSERT_TRUE(fixture.shard().Merge("k", good));
  EXPECT_EQ(Text(fixture.shard().Get(ColumnFamily::kObjects, "k")), good);
}

TEST(JoinOperator, ManyMergesInARowStayOneShortChain) {
  StoreFixture fixture;
  ASSERT_TRUE(fixture.Open());
  std::vector<Bytes> merged;
  for (uint64_t i = 1; i <= 200; ++i) {
    merged.push_back(EncodedSibling(i % 3 + 1, i, std::to_string(i)));
    ASSERT_TRUE(fixture.shard().Merge("k", merged.back()));
  }
  EXPECT_EQ(Text(fixture.shard().Get(ColumnFamily::kObjects, "k")), Joined(merged));
  std::vector<rocksdb::PinnableSlice> operands(100);
  rocksdb::GetMergeOperandsOptions options;
  options.expected_max_number_of_operands = 100;
  int count = 0;
  auto& db = fixture.store().db();
  ASSERT_TRUE(
      db.GetMergeOperands({}, fixture.store().family(ColumnFamily::kObjects), "k", operands.data(), &options, &count)
          .ok());
  EXPECT_LE(count, 9);
}

}  // namespace
}  // namespace dynamo
