#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "node/core/membership/member_table.h"

namespace dynamo {
namespace {

using Outcome = MemberTable::Outcome;

NodeInfo Node(uint64_t id, uint64_t incarnation = 1, Liveness liveness = Liveness::kAlive) {
  NodeInfo info;
  info.id = NodeId{id};
  info.name = "node-" + std::to_string(id);
  info.peer_address = "127.0.0." + std::to_string(id) + ":8099";
  info.incarnation = incarnation;
  info.liveness = liveness;
  return info;
}

NodeInfo AnyRumour() {
  NodeInfo info = Node(*rc::gen::inRange<uint64_t>(2, 6), *rc::gen::inRange<uint64_t>(0, 4),
                       static_cast<Liveness>(*rc::gen::inRange(1, 4)));
  info.topology = {*rc::gen::inRange<uint64_t>(0, 2), *rc::gen::inRange<uint64_t>(0, 3)};
  info.capacity = *rc::gen::inRange<uint32_t>(1, 3);
  return info;
}

std::vector<NodeInfo> AnyRumours() {
  const auto count = *rc::gen::inRange<size_t>(0, 30);
  std::vector<NodeInfo> rumours;
  for (size_t i = 0; i < count; ++i) rumours.push_back(AnyRumour());
  return rumours;
}

NodeInfo Decoded(const Bytes& encoded, bool* ok) {
  ByteReader in(encoded);
  NodeInfo info = DecodeNodeInfo(in);
  *ok = in.at_end();
  return info;
}

Bytes Encoded(const NodeInfo& info) {
  Bytes out;
  ByteWriter writer(&out);
  EncodeNodeInfo(info, writer);
  return out;
}

RC_GTEST_PROP(Precedence, IsATotalOrder, ()) {
  const NodeInfo a = AnyRumour(), b = AnyRumour(), c = AnyRumour();
  RC_ASSERT((Precedence(a, b) == 0) == (a == b));
  RC_ASSERT((Precedence(a, b) < 0) == (Precedence(b, a) > 0));
  if (Precedence(a, b) <= 0 && Precedence(b, c) <= 0) RC_ASSERT((Precedence(a, c) <= 0));
}

TEST(Precedence, PutsTheIncarnationFirstAndThenTheWorseNews) {
  EXPECT_TRUE(Precedence(Node(2, 2, Liveness::kAlive), Node(2, 1, Liveness::kDead)) > 0);
  EXPECT_TRUE(Precedence(Node(2, 1, Liveness::kSuspect), Node(2, 1, Liveness::kAlive)) > 0);
  EXPECT_TRUE(Precedence(Node(2, 1, Liveness::kDead), Node(2, 1, Liveness::kSuspect)) > 0);
  NodeInfo ahead = Node(2);
  ahead.topology = {1, 2};
  EXPECT_TRUE(Precedence(ahead, Node(2)) > 0);
  EXPECT_TRUE(Precedence(Node(2, 1, Liveness::kSuspect), ahead) > 0);
}

RC_GTEST_PROP(MemberTable, RumoursInAnyOrderAndNumberMakeTheSameTable, ()) {
  const std::vector<NodeInfo> rumours = AnyRumours();
  std::vector<NodeInfo> shuffled = rumours;
  if (!rumours.empty()) {
    for (size_t i = *rc::gen::inRange<size_t>(0, 20); i > 0; --i) shuffled.push_back(*rc::gen::elementOf(rumours));
    for (size_t i = shuffled.size(); i > 1; --i) std::swap(shuffled[i - 1], shuffled[*rc::gen::inRange<size_t>(0, i)]);
  }
  MemberTable first(Node(1)), second(Node(1));
  for (const NodeInfo& rumour : rumours) first.Hear(rumour);
  for (const NodeInfo& rumour : shuffled) second.Hear(rumour);
  RC_ASSERT(first.All() == second.All());
  RC_ASSERT(first.hash() == second.hash());
}

RC_GTEST_PROP(MemberTable, HearingTheWholeTableOfAnotherMakesBothEqual, ()) {
  MemberTable left(Node(1)), right(Node(9));
  for (const NodeInfo& rumour : AnyRumours()) left.Hear(rumour);
  for (const NodeInfo& rumour : AnyRumours()) right.Hear(rumour);
  for (const NodeInfo& info : left.All()) right.Hear(info);
  for (const NodeInfo& info : right.All()) left.Hear(info);
  RC_ASSERT(left.All() == right.All());
  RC_ASSERT(left.hash() == right.hash());
}

RC_GTEST_PROP(MemberTable, WhatFingerprintsTellApartIsAllThatHasToBeSent, ()) {
  MemberTable left(Node(1)), right(Node(9));
  for (const NodeInfo& rumour : AnyRumours()) left.Hear(rumour);
  for (const NodeInfo& rumour : AnyRumours()) right.Hear(rumour);
  const MemberTable::Difference difference = left.Compare(right.Fingerprints());
  for (const NodeId id : difference.missing) {
    RC_ASSERT(left.Find(id) == nullptr);
    RC_ASSERT(right.Find(id) != nullptr);
  }
  for (const NodeId id : difference.differ) {
    const NodeInfo* theirs = right.Find(id);
    const bool differs = theirs == nullptr || *theirs != *left.Find(id);
    RC_ASSERT(differs);
  }
  for (const NodeId id : difference.differ) right.Hear(*left.Find(id));
  for (const NodeId id : difference.missing) left.Hear(*right.Find(id));
  for (const NodeId id : difference.differ) left.Hear(*right.Find(id));
  RC_ASSERT(left.All() == right.All());
  RC_ASSERT(left.Compare(right.Fingerprints()).differ.empty());
}

RC_GTEST_PROP(MemberTable, ItsHashIsThatOfItsEntriesHoweverItCameToThem, ()) {
  MemberTable table(Node(1));
  for (const NodeInfo& rumour : AnyRumours()) {
    table.Hear(rumour);
    if (*rc::gen::inRange(0, 4) == 0) table.Forget(NodeId{*rc::gen::inRange<uint64_t>(2, 6)});
    if (*rc::gen::inRange(0, 4) == 0) table.Declare(NodeId{*rc::gen::inRange<uint64_t>(2, 6)}, Liveness::kDead);
  }
  MemberTable again(table.self());
  for (const auto& [id, info] : table.others()) again.Hear(info);
  RC_ASSERT(again.hash() == table.hash());
  RC_ASSERT(again.Fingerprints() == table.Fingerprints());
}

TEST(Fingerprints, AreReadBackOrRefused) {
  const std::vector<MemberTable::Fingerprint> two{{NodeId{1}, 7}, {NodeId{2}, 8}};
  EXPECT_EQ(DecodeFingerprints(EncodeFingerprints(two)), two);
  EXPECT_TRUE(DecodeFingerprints("")->empty());
  EXPECT_EQ(DecodeFingerprints(EncodeFingerprints({two[1], two[0]})), std::nullopt);
  EXPECT_EQ(DecodeFingerprints(EncodeFingerprints({two[0], two[0]})), std::nullopt);
  EXPECT_EQ(DecodeFingerprints(EncodeFingerprints(two).substr(1)), std::nullopt);
  std::vector<MemberTable::Fingerprint> many;
  for (uint64_t id = 1; id <= MemberTable::kNodesMax; ++id) many.push_back({NodeId{id}, id});
  EXPECT_EQ(DecodeFingerprints(EncodeFingerprints(many)), many);
  many.push_back({NodeId{MemberTable::kNodesMax + 1}, 0});
  EXPECT_EQ(DecodeFingerprints(EncodeFingerprints(many)), std::nullopt);
}

RC_GTEST_PROP(MemberTable, TheOutcomeSaysWhetherTheTableChanged, ()) {
  MemberTable table(Node(1));
  for (const NodeInfo& rumour : AnyRumours()) {
    const auto before = table.All();
    const Outcome outcome = table.Hear(rumour);
    RC_ASSERT((outcome == Outcome::kUpdated) == (before != table.All()));
    RC_ASSERT(table.Hear(rumour) == Outcome::kIgnored);
  }
}

RC_GTEST_PROP(MemberTable, ARefutationWinsOverEveryRumourThatCausedIt, ()) {
  MemberTable self(Node(2, *rc::gen::inRange<uint64_t>(0, 4))), other(Node(1));
  other.Hear(self.self());
  for (NodeInfo rumour : AnyRumours()) {
    rumour.id = NodeId{2};
    other.Hear(rumour);
    if (self.Hear(rumour) == Outcome::kRefute) RC_ASSERT((Precedence(self.self(), rumour) > 0));
    RC_ASSERT(self.self().liveness == Liveness::kAlive);
  }
  other.Hear(self.self());
  RC_ASSERT(*other.Find(NodeId{2}) == self.self());
}

TEST(MemberTable, ARestartedNodeOutbidsWhatItsPeersKeptOfAnEarlierLife) {
  // A disk that was rolled back gives a boot number that was used before.
  MemberTable rolled_back(Node(2, uint64_t{3} << 32));
  EXPECT_EQ(rolled_back.Hear(Node(2, (uint64_t{5} << 32) + 7)), Outcome::kRefute);
  EXPECT_EQ(rolled_back.self().incarnation, (uint64_t{5} << 32) + 8);
}

TEST(MemberTable, AnIncarnationTooFarAheadIsDropped) {
  const uint64_t known = uint64_t{7} << 32;
  const uint64_t too_far = known + MemberTable::kIncarnationJumpMax + 1;
  MemberTable table(Node(1, known));
  table.Hear(Node(2, known));
  EXPECT_EQ(table.Hear(Node(2, too_far)), Outcome::kForged);
  EXPECT_EQ(table.Hear(Node(1, too_far, Liveness::kDead)), Outcome::kForged);
  EXPECT_EQ(table.self().incarnation, known);
  EXPECT_EQ(table.Hear(Node(2, too_far - 1)), Outcome::kUpdated);

  EXPECT_EQ(table.Hear(Node(3, MemberTable::kIncarnationJumpMax + 1)), Outcome::kForged);
  EXPECT_EQ(table.Find(NodeId{3}), nullptr);
}

TEST(MemberTable, TheLastIncarnationOfAllIsNeverBelieved) {
  const uint64_t last = std::numeric_limits<uint64_t>::max();
  MemberTable table(Node(1, last - 5));
  EXPECT_EQ(table.Hear(Node(1, last, Liveness::kDead)), Outcome::kForged);
  EXPECT_EQ(table.Hear(Node(1, last - 1, Liveness::kDead)), Outcome::kRefute);
  EXPECT_EQ(table.self().incarnation, last);
}

TEST(MemberTable, DeclaresOnlyWorseNewsAboutNodesItKnows) {
  MemberTable table(Node(1));
  table.Hear(Node(2));
  EXPECT_FALSE(table.Declare(NodeId{1}, Liveness::kDead));
  EXPECT_FALSE(table.Declare(NodeId{7}, Liveness::kDead));
  EXPECT_FALSE(table.Declare(NodeId{2}, Liveness::kAlive));
  EXPECT_TRUE(table.Declare(NodeId{2}, Liveness::kSuspect));
  EXPECT_FALSE(table.Declare(NodeId{2}, Liveness::kSuspect));
  EXPECT_TRUE(table.Declare(NodeId{2}, Liveness::kDead));
  EXPECT_EQ(table.Find(NodeId{2})->liveness, Liveness::kDead);
  EXPECT_EQ(table.Hear(Node(2, 2)), Outcome::kUpdated);
  EXPECT_EQ(table.Find(NodeId{2})->liveness, Liveness::kAlive);
}

TEST(MemberTable, ListsSelfInItsPlaceAmongTheOthers) {
  for (const uint64_t self : {1, 5, 9}) {
    MemberTable table(Node(self));
    for (const uint64_t id : {1, 5, 9}) table.Hear(Node(id));
    const auto all = table.All();
    ASSERT_EQ(all.size(), 3u);
    EXPECT_TRUE(std::is_sorted(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.id < b.id; }));
  }
}

TEST(MemberTable, ItsHashFollowsEveryChange) {
  MemberTable table(Node(1));
  std::vector<Hash128> seen{table.hash()};
  const auto expect_new = [&] {
    for (const Hash128& hash : seen) EXPECT_NE(hash, table.hash());
    seen.push_back(table.hash());
  };
  table.Hear(Node(2));
  expect_new();
  table.Declare(NodeId{2}, Liveness::kSuspect);
  expect_new();
  table.SetTopology({1, 1});
  expect_new();
  table.Hear(Node(1, 1, Liveness::kDead));
  expect_new();
  table.Forget(NodeId{2});
  expect_new();
}

TEST(MemberTable, HoldsABoundedNumberOfNodes) {
  MemberTable table(Node(1));
  for (uint64_t id = 2; id < MemberTable::kNodesMax + 10; ++id) table.Hear(Node(id));
  EXPECT_EQ(table.size(), MemberTable::kNodesMax);
  EXPECT_EQ(table.Hear(Node(2, 2)), Outcome::kUpdated);
  table.Forget(NodeId{2});
  EXPECT_EQ(table.Hear(Node(2, 2)), Outcome::kUpdated);
}

RC_GTEST_PROP(NodeInfo, WhatIsEncodedIsDecoded, (const std::string& name, const std::string& zone)) {
  NodeInfo info = AnyRumour();
  info.name = name.substr(0, 255);
  info.zone = zone.substr(0, 255);
  info.shards = 3;
  info.http_address = "h:1";
  info.pb_address = "p:2";
  info.admin_address = "a:3";
  info.software_version = "0.1.0";
  info.protocol_version = 2;
  bool ok = false;
  RC_ASSERT(Decoded(Encoded(info), &ok) == info);
  RC_ASSERT(ok);
}

TEST(NodeInfo, CutAnywhereIsRefused) {
  const Bytes whole = Encoded(Node(2));
  for (size_t size = 0; size < whole.size(); ++size) {
    bool ok = true;
    Decoded(whole.substr(0, size), &ok);
    EXPECT_FALSE(ok) << size;
  }
}

TEST(NodeInfo, WithAValueOutOfBoundsIsRefused) {
  const auto refused = [](auto change) {
    NodeInfo info = Node(2);
    change(&info);
    bool ok = true;
    Decoded(Encoded(info), &ok);
    return !ok;
  };
  EXPECT_TRUE(refused([](NodeInfo* info) { info->id = NodeId{}; }));
  EXPECT_TRUE(refused([](NodeInfo* info) { info->name = std::string(256, 'x'); }));
  EXPECT_FALSE(refused([](NodeInfo* info) { info->name = std::string(255, 'x'); }));
  EXPECT_TRUE(refused([](NodeInfo* info) { info->capacity = 0; }));
  EXPECT_TRUE(refused([](NodeInfo* info) { info->shards = 0; }));
  EXPECT_TRUE(refused([](NodeInfo* info) { info->liveness = static_cast<Liveness>(4); }));
  EXPECT_TRUE(refused([](NodeInfo* info) { info->liveness = static_cast<Liveness>(0); }));
  Bytes other_version = Encoded(Node(2));
  other_version[0] = 2;
  bool ok = true;
  Decoded(other_version, &ok);
  EXPECT_FALSE(ok);
}

}  // namespace
}  // namespace dynamo
