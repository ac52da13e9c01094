// Chunks and proofs as peers send them: well-formed ones go through unchanged,
// anything else is refused before anybody looks at it.
#include "node/protocol/transfer_messages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "node/core/version/object.h"
#include "node/core/version/object_key.h"

namespace dynamo {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr uint32_t kPartitions = 8;
constexpr PartitionId kPartition = 3;

Bytes ObjectOf(const std::string& value) {
  Write write;
  write.actor = ActorId{7};
  write.content.value = value;
  return EncodeObject(Mint(Object{}, CausalContext{}, std::move(write)));
}

// So many keys of the partition, in order.
std::vector<Bytes> KeysIn(PartitionId partition, size_t count) {
  std::vector<Bytes> keys;
  for (int i = 0; keys.size() < count; ++i) {
    const ObjectKey key{"siblings", "b", "key" + std::to_string(i)};
    Bytes stored = StorageKeyOf(key, /*ring_seed=*/7);
    if (PartitionOf(PositionOfStorageKey(stored), kPartitions) == partition) keys.push_back(std::move(stored));
  }
  std::sort(keys.begin(), keys.end());
  return keys;
}

KeyRange WholePartition() { return LeafKeyRange(kPartition, kPartitions, 0, kTreeLeaves - 1); }

Chunk SomeChunk(bool more = false) {
  const std::vector<Bytes> keys = KeysIn(kPartition, 3);
  Chunk chunk;
  for (const Bytes& key : keys) chunk.objects.push_back({key, ObjectOf("value of " + std::to_string(key.size()))});
  chunk.more = more;
  if (more) chunk.last = keys.back();
  return chunk;
}

peer::TransferChunk Encoded(const Chunk& chunk) {
  peer::TransferChunk out;
  ToProto(chunk, &out);
  return out;
}

std::string WhyRefused(const peer::TransferChunk& chunk) {
  const auto decoded = ChunkOf(chunk, WholePartition());
  EXPECT_FALSE(decoded.has_value());
  if (decoded) return {};
  EXPECT_EQ(decoded.error().code, Errc::kCorrupt);
  return decoded.error().message;
}

TEST(TransferChunk, GoesThroughUnchanged) {
  for (const bool more : {false, true}) {
    const auto decoded = ChunkOf(Encoded(SomeChunk(more)), WholePartition());
    ASSERT_TRUE(decoded.has_value()) << decoded.error().message;
    EXPECT_EQ(*decoded, SomeChunk(more));
  }
}

TEST(TransferChunk, MayHoldNothingWhereOnlyObjectsOfAnotherTreeLie) {
  Chunk chunk;
  chunk.more = true;
  chunk.last = KeysIn(kPartition, 1)[0];
  const auto decoded = ChunkOf(Encoded(chunk), WholePartition());
  ASSERT_TRUE(decoded.has_value());
  EXPECT_THAT(decoded->objects, IsEmpty());
}

TEST(TransferChunk, AnyFlippedByteIsFound) {
  const peer::TransferChunk good = Encoded(SomeChunk(/*more=*/true));
  const std::string bytes = good.SerializeAsString();
  for (size_t i = 0; i < bytes.size(); ++i) {
    std::string bad = bytes;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    peer::TransferChunk chunk;
    // What is left unread by this version is not covered, and does no harm.
    if (!chunk.ParseFromString(bad)) continue;
    const auto decoded = ChunkOf(chunk, WholePartition());
    if (decoded) EXPECT_EQ(*decoded, SomeChunk(/*more=*/true)) << i;
  }
}

TEST(TransferChunk, WithoutAnObjectItSaidIsRefused) {
  peer::TransferChunk chunk = Encoded(SomeChunk());
  chunk.mutable_objects()->RemoveLast();
  EXPECT_THAT(WhyRefused(chunk), HasSubstr("checksum"));
}

TEST(TransferChunk, WithKeysOutOfOrderIsRefused) {
  Chunk chunk = SomeChunk();
  std::swap(chunk.objects[0], chunk.objects[1]);
  EXPECT_THAT(WhyRefused(Encoded(chunk)), HasSubstr("out of order"));
  chunk = SomeChunk();
  chunk.objects[1] = chunk.objects[0];
  EXPECT_THAT(WhyRefused(Encoded(chunk)), HasSubstr("out of order"));
}

TEST(TransferChunk, WithKeysOfAnotherPartitionIsRefused) {
  Chunk chunk;
  chunk.objects.push_back({KeysIn(kPartition + 1, 1)[0], ObjectOf("v")});
  EXPECT_THAT(WhyRefused(Encoded(chunk)), HasSubstr("out of place"));
}

TEST(TransferChunk, WithAnObjectThatFailsItsChecksumIsRefused) {
  Chunk chunk = SomeChunk();
  chunk.objects[1].object.back() = static_cast<char>(chunk.objects[1].object.back() ^ 1);
  EXPECT_THAT(WhyRefused(Encoded(chunk)), HasSubstr("fails its checksum"));
  chunk.objects[1].object.clear();
  EXPECT_THAT(WhyRefused(Encoded(chunk)), HasSubstr("fails its checksum"));
}

TEST(TransferChunk, ThatGoesOnWithoutProgressOrBackwardsIsRefused) {
  Chunk chunk = SomeChunk();
  chunk.more = true;
  EXPECT_THAT(WhyRefused(Encoded(chunk)), HasSubstr("goes on out of place"));
  chunk.last = chunk.objects[0].storage_key;
  EXPECT_THAT(WhyRefused(Encoded(chunk)), HasSubstr("out of place"));
}

TEST(TransferGet, NamesLeavesOfAPartitionAndWhereToGoOn) {
  peer::TransferGet get;
  get.mutable_tree()->set_partition(kPartition);
  get.set_last_leaf(kTreeLeaves - 1);
  EXPECT_EQ(*RangeAskedFor(get, kPartitions), WholePartition());
  const Bytes key = KeysIn(kPartition, 1)[0];
  get.set_after(key);
  EXPECT_EQ(RangeAskedFor(get, kPartitions)->begin, key + '\0');
  get.set_after(KeysIn(kPartition + 1, 1)[0]);
  EXPECT_EQ(RangeAskedFor(get, kPartitions).error().code, Errc::kInvalidArgument);
}

TEST(TransferGet, OfWhatIsNotThereIsRefused) {
  peer::TransferGet get;
  get.mutable_tree()->set_partition(kPartitions);
  EXPECT_FALSE(RangeAskedFor(get, kPartitions).has_value());
  get.mutable_tree()->set_partition(0);
  get.set_last_leaf(kTreeLeaves);
  EXPECT_FALSE(RangeAskedFor(get, kPartitions).has_value());
  get.set_first_leaf(2);
  get.set_last_leaf(1);
  EXPECT_FALSE(RangeAskedFor(get, kPartitions).has_value());
}

TEST(TransferGet, BytesAreBoundedWhateverIsAskedFor) {
  peer::TransferGet get;
  EXPECT_EQ(BytesAskedFor(get), 1u);
  get.set_max_bytes(~uint32_t{0});
  EXPECT_EQ(BytesAskedFor(get), kChunkBytesMax);
}

peer::StrayProof ProofOf(const std::vector<Bytes>& keys) {
  peer::StrayProof proof;
  proof.mutable_tree()->set_partition(kPartition);
  for (const Bytes& key : keys) {
    peer::LeafKey* added = proof.add_keys();
    added->set_storage_key(key);
    added->set_digest(ToBytes(DigestOf(ObjectOf(key))));
  }
  return proof;
}

TEST(StrayProof, GoesThroughUnchanged) {
  const std::vector<Bytes> keys = KeysIn(kPartition, 2);
  const auto entries = EntriesToProve(ProofOf(keys), kPartitions);
  ASSERT_TRUE(entries.has_value()) << entries.error().message;
  EXPECT_THAT(*entries, ElementsAre(LeafEntry{keys[0], DigestOf(ObjectOf(keys[0])), false},
                                    LeafEntry{keys[1], DigestOf(ObjectOf(keys[1])), false}));
}

TEST(StrayProof, ThatIsMalformedIsRefused) {
  const std::vector<Bytes> keys = KeysIn(kPartition, 2);
  EXPECT_FALSE(EntriesToProve(ProofOf({}), kPartitions).has_value());
  EXPECT_FALSE(EntriesToProve(ProofOf({keys[1], keys[0]}), kPartitions).has_value());
  EXPECT_FALSE(EntriesToProve(ProofOf({keys[0], keys[0]}), kPartitions).has_value());
  EXPECT_FALSE(EntriesToProve(ProofOf(KeysIn(kPartition + 1, 1)), kPartitions).has_value());
  EXPECT_FALSE(EntriesToProve(ProofOf(keys), kPartition).has_value());
  EXPECT_FALSE(EntriesToProve(ProofOf(std::vector<Bytes>(kProofKeysMax + 1, keys[0])), kPartitions).has_value());
  peer::StrayProof proof = ProofOf(keys);
  proof.mutable_keys(0)->clear_digest();
  EXPECT_FALSE(EntriesToProve(proof, kPartitions).has_value());
}

TEST(StrayProved, NamesIndicesThatWereAskedFor) {
  peer::StrayProved proved;
  EXPECT_THAT(*LackingOf(proved, 0), IsEmpty());
  proved.add_lacking(0);
  proved.add_lacking(4);
  EXPECT_THAT(*LackingOf(proved, 5), ElementsAre(0u, 4u));
  EXPECT_EQ(LackingOf(proved, 4).error().code, Errc::kCorrupt);
  proved.add_lacking(4);
  EXPECT_EQ(LackingOf(proved, 9).error().code, Errc::kCorrupt);
}

}  // namespace
}  // namespace dynamo
