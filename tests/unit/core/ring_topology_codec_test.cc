#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "common/base/bytes.h"
#include "node/core/ring/topology.h"
#include "tests/unit/core/ring_testing.h"

namespace dynamo {
namespace {

// The bytes with a checksum that holds again, as a forger would make them.
Bytes Sealed(Bytes encoded) {
  Bytes out;
  ByteWriter writer(&out);
  writer.Raw(std::string_view(encoded).substr(0, 1));
  writer.U64(Checksum64(std::string_view(encoded).substr(9)));
  writer.Raw(std::string_view(encoded).substr(9));
  return out;
}

Topology ATopology(uint64_t seed = 7) {
  Rng rng(seed);
  return RandomTopology(rng);
}

void ExpectCorrupt(const Topology& topology) {
  const Result<Topology> decoded = DecodeTopology(EncodeTopology(topology));
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error().code, Errc::kCorrupt);
}

RC_GTEST_PROP(TopologyCodec, WhatIsEncodedIsDecoded, (uint64_t seed)) {
  const Topology topology = ATopology(seed);
  const Result<Topology> decoded = DecodeTopology(EncodeTopology(topology));
  RC_ASSERT(decoded.has_value());
  RC_ASSERT(*decoded == topology);
}

RC_GTEST_PROP(TopologyCodec, WhateverDecodesEncodesToTheSameBytes, (uint64_t seed)) {
  Rng rng(seed);
  Bytes encoded = EncodeTopology(RandomTopology(rng));
  // Forged, not damaged: the checksum holds.
  for (uint64_t edits = 1 + rng.Below(3); edits > 0; --edits) {
    encoded[9 + rng.Below(encoded.size() - 9)] = static_cast<char>(rng.Next());
  }
  if (rng.Chance(0.2)) encoded.resize(9 + rng.Below(encoded.size() - 9));
  encoded = Sealed(std::move(encoded));
  const Result<Topology> decoded = DecodeTopology(encoded);
  if (decoded) RC_ASSERT(EncodeTopology(*decoded) == encoded);
  if (!decoded) RC_ASSERT(decoded.error().code == Errc::kCorrupt);
}

TEST(TopologyCodec, KeepsTheFirstFormatWhereNothingNeedsALaterOne) {
  Topology topology = ATopology();
  topology.pending = TokenMap();
  topology.moved.clear();
  topology.change_since = 0;
  topology.operations.clear();
  topology.losses.clear();
  for (Member& member : topology.members) member.state = MemberState::kNormal;
  EXPECT_EQ(EncodeTopology(topology)[0], 1);
  topology.operations.push_back({"operation", 5, 9});
  EXPECT_EQ(EncodeTopology(topology)[0], 2);
  topology.operations.back().cancelled = true;
  EXPECT_EQ(EncodeTopology(topology)[0], 3);
  topology.operations.clear();
  topology.change_since = 4;  // Nothing moves any more, but somebody has yet to leave.
  EXPECT_EQ(EncodeTopology(topology)[0], 3);
  EXPECT_EQ(DecodeTopology(EncodeTopology(topology)).value(), topology);
  topology.members.back().state = MemberState::kLost;
  EXPECT_EQ(EncodeTopology(topology)[0], 4);
  EXPECT_EQ(DecodeTopology(EncodeTopology(topology)).value(), topology);
}

TEST(TopologyCodec, RefusesOperationsThatAreNoHistory) {
  Topology topology = ATopology();
  topology.operations = {{"second", 5, 9}, {"first", 5, 9}};
  ExpectCorrupt(topology);
  topology.operations = {{"", 5, 9}};
  ExpectCorrupt(topology);
  topology.operations = {{std::string(TopologyOperation::kIdBytesMax + 1, 'x'), 5, 9}};
  ExpectCorrupt(topology);
  topology.operations.clear();
  for (uint64_t i = 0; i <= TopologyOperation::kRemembered; ++i) topology.operations.push_back({"id", 5, i + 1});
  ExpectCorrupt(topology);
}

RC_GTEST_PROP(TopologyCodec, AnyDamageIsFound, (uint64_t seed)) {
  Rng rng(seed);
  Bytes encoded = EncodeTopology(RandomTopology(rng));
  encoded[rng.Below(encoded.size())] ^= static_cast<char>(1u << rng.Below(8));
  RC_ASSERT(!DecodeTopology(encoded).has_value());
}

TEST(TopologyCodec, NoPrefixDecodes) {
  const Bytes encoded = EncodeTopology(ATopology());
  for (size_t size = 0; size < encoded.size(); ++size) {
    const Bytes prefix = encoded.substr(0, size);
    EXPECT_FALSE(DecodeTopology(prefix)) << size;
    if (size > 9) EXPECT_FALSE(DecodeTopology(Sealed(prefix))) << size;
  }
  EXPECT_FALSE(DecodeTopology(Sealed(encoded + '\0')));
}

TEST(TopologyCodec, AForgedCountAllocatesNothing) {
  Bytes body;
  ByteWriter writer(&body);
  writer.Hash({1, 2});
  writer.Varint(1);
  writer.Varint(1);
  writer.Varint(256);
  writer.U64(0);
  writer.Varint(uint64_t{1} << 60);  // Voters.
  EXPECT_FALSE(DecodeTopology(Sealed(std::string(1, 1) + std::string(8, '\0') + body)));
}

TEST(TopologyCodec, AnotherFormatIsRefusedByNumber) {
  Bytes encoded = EncodeTopology(ATopology());
  encoded[0] = 5;
  const Result<Topology> decoded = DecodeTopology(encoded);
  ASSERT_FALSE(decoded);
  EXPECT_THAT(decoded.error().message, testing::HasSubstr("format 5"));
}

TEST(TopologyCodec, RefusesWhatBreaksAnInvariant) {
  Topology none = ATopology();
  none.cluster = {};
  ExpectCorrupt(none);
  Topology odd_ring = ATopology();
  odd_ring.partitions *= 2;
  ExpectCorrupt(odd_ring);
  Topology no_map = ATopology();
  no_map.current = TokenMap();
  ExpectCorrupt(no_map);
  Topology half_pending = ATopology();
  half_pending.pending = TokenMap({half_pending.members[0].id});
  half_pending.moved = {false};
  half_pending.change_since = 1;
  ExpectCorrupt(half_pending);
  Topology all_moved = ATopology();
  all_moved.pending = all_moved.current;
  all_moved.change_since = 1;
  all_moved.moved.assign(all_moved.partitions, true);
  ExpectCorrupt(all_moved);
  Topology moves_since_never = ATopology();
  moves_since_never.pending = moves_since_never.current;
  moves_since_never.change_since = 0;
  moves_since_never.moved.assign(moves_since_never.partitions, false);
  ExpectCorrupt(moves_since_never);
  Topology of_the_future = ATopology();
  of_the_future.change_since = of_the_future.version.epoch + 1;
  ExpectCorrupt(of_the_future);
  Topology no_voters = ATopology();
  no_voters.voters.clear();
  ExpectCorrupt(no_voters);
  Topology foreign_voter = ATopology();
  foreign_voter.voters = {NodeId{999}};
  ExpectCorrupt(foreign_voter);
  Topology even_voters = ATopology(1);
  ASSERT_GE(even_voters.members.size(), 2u);
  even_voters.voters = {even_voters.members[0].id, even_voters.members[1].id};
  ExpectCorrupt(even_voters);
  Topology no_capacity = ATopology();
  no_capacity.members[0].capacity = 0;
  ExpectCorrupt(no_capacity);
  Topology no_signing_key = ATopology();
  for (ContextKey& key : no_signing_key.context_keys) key.signs = false;
  ExpectCorrupt(no_signing_key);
}

TEST(TopologyCodec, RefusesMembersOutOfOrder) {
  Topology topology = ATopology(1);
  ASSERT_GE(topology.members.size(), 2u);
  topology.current = TokenMap(std::vector<NodeId>(topology.partitions, topology.members[0].id));
  topology.pending = TokenMap();
  topology.moved.clear();
  topology.voters = {topology.members[0].id};
  topology.members.back().id = topology.members.front().id;
  ExpectCorrupt(topology);
}

TEST(HashOfTopology, ChangesWithAnyField) {
  const Topology topology = ATopology();
  EXPECT_EQ(HashOf(topology), HashOf(ATopology()));
  Topology later = topology;
  ++later.version.epoch;
  EXPECT_NE(HashOf(later), HashOf(topology));
  Topology renamed = topology;
  renamed.members[0].name += "x";
  EXPECT_NE(HashOf(renamed), HashOf(topology));
}

}  // namespace
}  // namespace dynamo
