// Every order of events of up to five nodes, against a model that knows nothing of
// counting ahead: it searches all futures.
#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "node/core/replication/quorum.h"

namespace dynamo {
namespace {

enum Phase { kUnasked, kAsked, kStored, kDurable, kFailed };

// How many nodes are in each phase: [0] fallbacks, [1] primaries. Nodes of one kind
// are alike, so all orders of all nodes are orders of these.
struct World {
  std::array<std::array<uint32_t, 5>, 2> nodes{};
  bool closed = false;

  uint32_t In(Phase phase) const { return nodes[0][phase] + nodes[1][phase]; }
  friend auto operator<=>(const World&, const World&) = default;
};

using Event = std::function<void(WriteTally&)>;

class Model {
 public:
  explicit Model(const WriteQuorum& quorum) : quorum_(quorum) {}

  static std::vector<std::pair<World, Event>> Next(const World& world) {
    std::vector<std::pair<World, Event>> next;
    const auto move = [&](bool primary, Phase from, Phase to, Event event) {
      if (world.nodes[primary][from] == 0) return;
      World after = world;
      --after.nodes[primary][from];
      ++after.nodes[primary][to];
      next.emplace_back(after, std::move(event));
    };
    for (const bool primary : {false, true}) {
      if (!world.closed) move(primary, kUnasked, kAsked, [primary](WriteTally& tally) { tally.OnAsked(primary); });
      move(primary, kAsked, kStored, [primary](WriteTally& tally) { tally.OnStored(primary, false); });
      move(primary, kAsked, kDurable, [primary](WriteTally& tally) { tally.OnStored(primary, true); });
      move(primary, kAsked, kFailed, [primary](WriteTally& tally) { tally.OnFailed(primary); });
      move(primary, kStored, kDurable, [](WriteTally& tally) { tally.OnDurable(); });
    }
    if (!world.closed) {
      World after = world;
      after.closed = true;
      next.emplace_back(after, [](WriteTally& tally) { tally.NoMoreNodes(); });
    }
    return next;
  }

  uint32_t Got(QuorumShortfall::Which which, const World& world) const {
    switch (which) {
      case QuorumShortfall::Which::kPW: return world.nodes[1][kStored] + world.nodes[1][kDurable];
      case QuorumShortfall::Which::kDW: return world.In(kDurable);
      default: return world.In(kStored) + world.In(kDurable);
    }
  }

  Verdict VerdictOf(const World& world) {
    if (Met(world)) return Verdict::kMet;
    return world.closed && !CanMeet(world) ? Verdict::kUnreachable : Verdict::kPending;
  }

 private:
  bool Met(const World& world) const {
    using Which = QuorumShortfall::Which;
    return Got(Which::kW, world) >= quorum_.w && Got(Which::kPW, world) >= quorum_.pw &&
           Got(Which::kDW, world) >= quorum_.dw && Got(Which::kNodeConfirms, world) >= quorum_.node_confirms;
  }

  bool CanMeet(const World& world) {
    const auto [at, fresh] = can_meet_.try_emplace(world, Met(world));
    if (!fresh || at->second) return at->second;
    for (const auto& [after, event] : Next(world)) {
      if (CanMeet(after)) return can_meet_[world] = true;
    }
    return false;
  }

  WriteQuorum quorum_;
  std::map<World, bool> can_meet_;
};

class Explorer {
 public:
  explicit Explorer(const WriteQuorum& quorum) : quorum_(quorum), model_(quorum) {}

  void Explore(const World& world, const WriteTally& tally) {
    const auto [at, fresh] = seen_.try_emplace(world, tally.verdict());
    ASSERT_EQ(at->second, tally.verdict()) << "the order of events must not matter";
    if (!fresh) return;
    ASSERT_EQ(tally.verdict(), model_.VerdictOf(world)) << Describe(world);
    CheckShortfall(world, tally);
    for (const auto& [after, event] : Model::Next(world)) {
      WriteTally next = tally;
      event(next);
      if (tally.verdict() != Verdict::kPending) ASSERT_EQ(next.verdict(), tally.verdict()) << Describe(world);
      Explore(after, next);
      if (::testing::Test::HasFatalFailure()) return;
    }
  }
  size_t states() const { return seen_.size(); }

 private:
  void CheckShortfall(const World& world, const WriteTally& tally) {
    const std::optional<QuorumShortfall> shortfall = tally.shortfall();
    ASSERT_EQ(shortfall.has_value(), tally.verdict() != Verdict::kMet);
    if (!shortfall) return;
    ASSERT_LT(shortfall->got, shortfall->want);
    ASSERT_EQ(shortfall->got, model_.Got(shortfall->which, world));
    if (tally.verdict() != Verdict::kUnreachable) return;
    // The one that is named is to blame: alone it is out of reach as well.
    WriteQuorum alone{.n = quorum_.n, .w = 0};
    switch (shortfall->which) {
      case QuorumShortfall::Which::kPW: alone.pw = shortfall->want; break;
      case QuorumShortfall::Which::kDW: alone.dw = shortfall->want; break;
      default: alone.w = shortfall->want; break;
    }
    ASSERT_EQ(Model(alone).VerdictOf(world), Verdict::kUnreachable) << Describe(world);
  }

  std::string Describe(const World& world) const {
    std::string text = "w=" + std::to_string(quorum_.w) + " pw=" + std::to_string(quorum_.pw) +
                       " dw=" + std::to_string(quorum_.dw) + " nc=" + std::to_string(quorum_.node_confirms);
    for (const auto& kind : world.nodes) {
      text += " |";
      for (const uint32_t count : kind) text += " " + std::to_string(count);
    }
    return text + (world.closed ? " closed" : "");
  }

  WriteQuorum quorum_;
  Model model_;
  std::map<World, Verdict> seen_;
};

// All quorums of `n` that Validate accepts, on `total` nodes of which up to n are primaries.
size_t ExploreAll(uint32_t n, uint32_t total) {
  size_t states = 0;
  for (uint32_t code = 0; code < (n + 1) * (n + 1) * (n + 1) * (n + 1); ++code) {
    uint32_t rest = code;
    const auto digit = [&] { return std::exchange(rest, rest / (n + 1)) % (n + 1); };
    const WriteQuorum quorum{.n = n, .w = digit(), .pw = digit(), .dw = digit(), .node_confirms = digit()};
    if (!Validate(quorum)) continue;
    for (uint32_t primaries = 0; primaries <= std::min(n, total); ++primaries) {
      World world;
      world.nodes[1][kUnasked] = primaries;
      world.nodes[0][kUnasked] = total - primaries;
      Explorer explorer(quorum);
      explorer.Explore(world, WriteTally(quorum));
      if (::testing::Test::HasFatalFailure()) return states;
      states += explorer.states();
    }
  }
  return states;
}

TEST(WriteTally, KnowsTheFateOfEveryWriteAsSoonAsItIsKnownAndNotBefore) {
  size_t states = 0;
  for (const auto& [n, total] : {std::pair{1u, 1u}, {1u, 3u}, {2u, 3u}, {3u, 3u}, {3u, 4u}}) {
    states += ExploreAll(n, total);
    ASSERT_FALSE(HasFatalFailure());
  }
  RecordProperty("states", static_cast<int>(states));
  EXPECT_GT(states, 10'000u);
}

TEST(WriteTally, KnowsTheFateOfWritesToFiveNodes) {
  for (const WriteQuorum& quorum :
       {WriteQuorum{5, 3, 0, 0, 0}, {5, 3, 2, 1, 0}, {5, 1, 0, 5, 0}, {5, 2, 5, 2, 4}, {5, 5, 5, 5, 5}}) {
    for (uint32_t primaries = 0; primaries <= 5; ++primaries) {
      World world;
      world.nodes[1][kUnasked] = primaries;
      world.nodes[0][kUnasked] = 5 - primaries;
      Explorer(quorum).Explore(world, WriteTally(quorum));
      ASSERT_FALSE(HasFatalFailure());
    }
  }
}

TEST(WriteTally, BlamesThePrimariesWhenOneOfThemIsAway) {
  WriteTally tally({.n = 3, .w = 2, .pw = 3, .dw = 0, .node_confirms = 0});
  for (const bool primary : {true, true, true}) tally.OnAsked(primary);
  tally.OnStored(true, true);
  tally.OnFailed(true);
  tally.OnAsked(false);
  EXPECT_EQ(tally.verdict(), Verdict::kPending);
  tally.NoMoreNodes();
  EXPECT_EQ(tally.verdict(), Verdict::kUnreachable);
  tally.OnStored(true, true);
  tally.OnStored(false, true);
  EXPECT_EQ(tally.shortfall(), (QuorumShortfall{QuorumShortfall::Which::kPW, 3, 2}));
  EXPECT_EQ(tally.stored(), 3u);
}

}  // namespace
}  // namespace dynamo
