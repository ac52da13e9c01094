#include "node/protocol/reap_messages.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "node/core/antientropy/leaf_range.h"
#include "node/core/version/object_key.h"

namespace dynamo {
namespace {

constexpr uint32_t kReapPartitions = 4;
constexpr uint64_t kRingSeed = 7;

// Of one partition, in the store's order.
std::vector<LeafEntry> EntriesOf(uint32_t partition, size_t count) {
  const KeyRange range = LeafKeyRange(partition, kReapPartitions, 0, kTreeLeaves - 1);
  std::set<Bytes> keys;
  for (int i = 0; keys.size() < count; ++i) {
    const Bytes key = StorageKeyOf({"t", "b", std::to_string(i)}, kRingSeed);
    if (range.begin <= key && (range.end.empty() || key < range.end)) keys.insert(key);
  }
  std::vector<LeafEntry> entries;
  entries.reserve(keys.size());
  for (const Bytes& key : keys) entries.push_back({key, HashOf(key), false});
  return entries;
}

Result<std::vector<LeafEntry>> Read(const std::vector<LeafEntry>& entries, uint32_t partition = 1) {
  peer::ReapCheck check;
  ToProto(entries, check.mutable_keys());
  return EntriesToReap(check.keys(), partition, kReapPartitions);
}

TEST(ReapMessages, EntriesComeBackAsTheyWere) {
  const std::vector<LeafEntry> entries = EntriesOf(1, 5);
  const auto read = Read(entries);
  ASSERT_TRUE(read.has_value());
  ASSERT_EQ(read->size(), entries.size());
  for (size_t i = 0; i < entries.size(); ++i) {
    EXPECT_EQ((*read)[i].storage_key, entries[i].storage_key);
    EXPECT_EQ((*read)[i].digest, entries[i].digest);
  }
  EXPECT_TRUE(Read({}).has_value());
}

TEST(ReapMessages, EntriesOutOfOrderOutOfPlaceOrMalformedAreRefused) {
  std::vector<LeafEntry> entries = EntriesOf(1, 3);
  EXPECT_FALSE(Read(entries, 2).has_value());
  EXPECT_FALSE(Read(entries, kReapPartitions).has_value());
  std::swap(entries[0], entries[1]);
  EXPECT_FALSE(Read(entries).has_value());
  entries = EntriesOf(1, 1);
  EXPECT_FALSE(Read({entries[0], entries[0]}).has_value());
  entries[0].storage_key.resize(17);
  entries[0].storage_key.back() = '\x7f';
  EXPECT_FALSE(Read(entries).has_value());
  peer::ReapCheck check;
  ToProto(EntriesOf(1, 1), check.mutable_keys());
  check.mutable_keys(0)->set_digest("short");
  EXPECT_EQ(EntriesToReap(check.keys(), 1, kReapPartitions).error().code, Errc::kInvalidArgument);
}

TEST(ReapMessages, MoreEntriesThanARoundHasAreRefused) {
  const LeafEntry entry = EntriesOf(1, 1).front();
  EXPECT_FALSE(Read(std::vector<LeafEntry>(kReapKeysMax + 1, entry)).has_value());
}

TEST(ReapMessages, AnAnswerComesBackAsItWas) {
  ReapAnswer answer;
  answer.generation = 9;
  answer.clean = answer.hints = true;
  answer.run = 0xfedcba9876543210u;
  answer.clock = 0x0123456789abcdefu;
  answer.version = {2, 30};
  answer.differing = {0, 4, 7};
  peer::ReapState state;
  ToProto(answer, &state);
  const auto read = AnswerOf(state, 8);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->generation, 9u);
  EXPECT_TRUE(read->clean);
  EXPECT_TRUE(read->hints);
  EXPECT_EQ(read->run, answer.run);
  EXPECT_EQ(read->clock, answer.clock);
  EXPECT_EQ(read->version, answer.version);
  EXPECT_EQ(read->differing, answer.differing);
}

TEST(ReapMessages, AnAnswerAboutWhatWasNotAskedIsRefused) {
  ReapAnswer answer;
  answer.differing = {0, 4};
  peer::ReapState state;
  ToProto(answer, &state);
  EXPECT_EQ(AnswerOf(state, 4).error().code, Errc::kCorrupt);
  state.set_differing(0, 4);
  EXPECT_EQ(AnswerOf(state, 8).error().code, Errc::kCorrupt);
}

}  // namespace
}  // namespace dynamo
