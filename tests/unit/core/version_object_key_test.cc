#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "node/core/version/object_key.h"
#include "tests/unit/core/version_generators.h"

namespace dynamo {
namespace {

using testing::AnyBytes;

rc::Gen<ObjectKey> AnyKey() {
  return rc::gen::exec([] { return ObjectKey{AnyBytes(), AnyBytes(), AnyBytes()}; });
}

RC_GTEST_PROP(StorageKey, NamesTheObjectAndItsPosition, (uint64_t seed)) {
  const ObjectKey key = *AnyKey();
  const Bytes storage_key = StorageKeyOf(key, seed);
  RC_ASSERT(ParseStorageKey(storage_key) == key);
  RC_ASSERT(PositionOfStorageKey(storage_key) == PositionOf(key, seed));
}

RC_GTEST_PROP(StorageKey, IsInTheOrderOfTheRing, (uint64_t seed)) {
  const ObjectKey a = *AnyKey(), b = *AnyKey();
  const Hash128 at_a = PositionOf(a, seed), at_b = PositionOf(b, seed);
  if (at_a != at_b) RC_ASSERT((StorageKeyOf(a, seed) < StorageKeyOf(b, seed)) == (at_a < at_b));
}

RC_GTEST_PROP(StorageKey, DiffersForDifferentKeys, (uint64_t seed)) {
  const ObjectKey a = *AnyKey(), b = *AnyKey();
  RC_ASSERT((StorageKeyOf(a, seed) == StorageKeyOf(b, seed)) == (a == b));
}

RC_GTEST_PROP(StorageKey, ParsesOnlyToWhatItWasMadeOf, ()) {
  const Bytes bytes = AnyBytes() + AnyBytes() + AnyBytes();
  const auto key = ParseStorageKey(bytes);
  if (!key) return;
  Bytes again = bytes.substr(0, 16);
  ByteWriter writer(&again);
  writer.String(key->type);
  writer.String(key->bucket);
  writer.Raw(key->key);
  RC_ASSERT(again == bytes);
}

TEST(StorageKey, MovingABoundaryMovesTheKey) {
  EXPECT_NE(PositionOf({"ab", "c", "d"}, 1), PositionOf({"a", "bc", "d"}, 1));
  EXPECT_NE(PositionOf({"a", "b", "cd"}, 1), PositionOf({"a", "bc", "d"}, 1));
  EXPECT_NE(PositionOf({"", "", "k"}, 1), PositionOf({"", "k", ""}, 1));
}

TEST(StorageKey, ClustersWithOtherSeedsPlaceKeysElsewhere) {
  EXPECT_NE(PositionOf({"t", "b", "k"}, 1), PositionOf({"t", "b", "k"}, 2));
}

// Nodes of all versions must agree for ever.
TEST(StorageKey, APositionNeverChanges) {
  EXPECT_EQ(ToHex(PositionOf({"default", "cart", "alice"}, 42)), "4aa0b9287a5327a16a52bef2b9dc6e5d");
}

TEST(StorageKey, IsRefusedWhenMalformed) {
  const Bytes good = StorageKeyOf({"type", "bucket", "key"}, 1);
  for (size_t size = 0; size < 16 + 5 + 7; ++size) EXPECT_FALSE(ParseStorageKey(good.substr(0, size))) << size;
  Bytes long_type = good;
  long_type[16] = '\x7f';
  const auto parsed = ParseStorageKey(long_type);
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().code, Errc::kCorrupt);
}

TEST(ObjectKey, IsWrittenForPeopleWithoutAmbiguity) {
  EXPECT_EQ(ToString(ObjectKey{"t", "b", "k"}), "t/b/k");
  EXPECT_EQ(ToString(ObjectKey{"t", "b", "a/../b"}), "t/b/a/../b");
  EXPECT_EQ(ToString(ObjectKey{"t", "x/y", std::string("n\0\xff", 3)}), "t/x\\x2fy/n\\x00\\xff");
  EXPECT_EQ(ToString(ObjectKey{"t", "b", "\\x00"}), "t/b/\\x5cx00");
}

}  // namespace
}  // namespace dynamo
