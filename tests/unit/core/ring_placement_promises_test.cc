// The promises of placement.h, each against its definition, over the whole range:
// Q from 8 to 4096, 1 to 64 members, 1 to 8 zones, capacities 1 to 4. Small rings
// are swept whole, larger ones sampled; the sample is the same in every run.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "node/core/ring/placement.h"
#include "node/core/ring/preference_list.h"
#include "tests/unit/core/ring_testing.h"

namespace dynamo {
namespace {

struct Case {
  uint32_t partitions = 0;
  uint32_t n_val = 0;
  std::vector<Member> members;

  std::string Name() const {
    std::set<std::string> zones;
    std::string capacities;
    for (const Member& member : members) {
      zones.insert(member.zone);
      capacities += std::to_string(member.capacity);
    }
    return "Q=" + std::to_string(partitions) + " N=" + std::to_string(n_val) +
           " members=" + std::to_string(members.size()) + " zones=" + std::to_string(zones.size()) +
           " capacities=" + capacities;
  }
};

// The numbers a case is judged by, worked out from the definitions.
struct Numbers {
  uint32_t window = 0;
  uint32_t spread = 0;
  std::map<NodeId, std::string> zone_of;
  std::map<std::string, std::vector<double>> ideals;  // Of each zone's nodes.
};

Numbers NumbersOf(const Case& c) {
  Numbers numbers;
  std::set<std::string> zones;
  const IdealShares ideal = ComputeIdealShares(c.members, c.partitions, c.n_val);
  for (const Member& member : c.members) {
    numbers.zone_of[member.id] = member.zone;
    numbers.ideals[member.zone].push_back(ideal.tokens.at(member.id));
  }
  numbers.window = std::min<uint32_t>({c.n_val, static_cast<uint32_t>(c.members.size()), c.partitions});
  numbers.spread = std::min(numbers.window, static_cast<uint32_t>(numbers.ideals.size()));
  return numbers;
}

// Whether whole numbers within one of the ideals exist under which tokens can be
// kept apart: at most Q / n for a node (and for a zone, if zones are kept apart),
// and for a zone that must be in every window at least a part of 1 / n.
bool CountsMakeItPossible(const Case& c, const Numbers& numbers) {
  const int64_t apart_max = c.partitions / numbers.window;
  const int64_t cover_min = (c.partitions + numbers.window - 1) / numbers.window;
  int64_t least = 0;
  int64_t most = 0;
  for (const auto& [zone, ideals] : numbers.ideals) {
    int64_t low = 0;
    int64_t high = 0;
    for (double ideal : ideals) {
      low += std::max<int64_t>(0, static_cast<int64_t>(std::ceil(ideal - 1 - 1e-6)));
      high += std::min(apart_max, static_cast<int64_t>(std::floor(ideal + 1 + 1e-6)));
    }
    if (numbers.spread == numbers.window) high = std::min(high, apart_max);
    if (numbers.spread > 1 && numbers.spread < numbers.window) low = std::max(low, cover_min);
    if (low > high) return false;
    least += low;
    most += high;
  }
  return least <= c.partitions && c.partitions <= most;
}

// The windows of tokens that lack a distinct node or a zone.
size_t BrokenWindows(const TokenMap& map, const Numbers& numbers) {
  size_t broken = 0;
  for (uint32_t first = 0; first < map.partitions(); ++first) {
    std::set<NodeId> nodes;
    std::set<std::string> zones;
    for (uint32_t i = 0; i < numbers.window; ++i) {
      const NodeId owner = map.owner((first + i) % map.partitions());
      nodes.insert(owner);
      zones.insert(numbers.zone_of.at(owner));
    }
    broken += nodes.size() < numbers.window || zones.size() < numbers.spread ? 1 : 0;
  }
  return broken;
}

std::shared_ptr<const Topology> TopologyOf(const Case& c, const TokenMap& map) {
  auto topology = std::make_shared<Topology>();
  topology->members = c.members;
  std::sort(topology->members.begin(), topology->members.end(),
            [](const Member& a, const Member& b) { return a.id < b.id; });
  topology->partitions = c.partitions;
  topology->current = map;
  return topology;
}

// What each node stores, in (partition, replica) pairs.
std::map<NodeId, int64_t> ReplicasOf(const Case& c, const TokenMap& map) {
  PreferenceLists lists(TopologyOf(c, map));
  std::map<NodeId, int64_t> replicas;
  for (PartitionId partition = 0; partition < c.partitions; ++partition) {
    for (NodeId owner : lists.For(partition, c.n_val).owners) ++replicas[owner];
  }
  return replicas;
}

std::string Describe(const Case& c, const TokenMap& map, const IdealShares& ideal) {
  std::string text;
  for (const Member& member : c.members) {
    text += member.name + " in " + member.zone + " has " + std::to_string(map.TokensOf(member.id)) + " of " +
            std::to_string(ideal.tokens.at(member.id)) + "\n";
  }
  return text;
}

void CheckPromises(const Case& c, const Placement& placement) {
  SCOPED_TRACE(c.Name());
  const Numbers numbers = NumbersOf(c);
  const IdealShares ideal = ComputeIdealShares(c.members, c.partitions, c.n_val);
  ASSERT_EQ(placement.map.partitions(), c.partitions);
  for (const auto& [node, tokens] : ideal.tokens) {
    EXPECT_LE(std::abs(placement.map.TokensOf(node) - tokens), 1 + 1e-6) << ToString(node);
  }
  const size_t broken = BrokenWindows(placement.map, numbers);
  if (CountsMakeItPossible(c, numbers)) {
    EXPECT_EQ(broken, 0u) << Describe(c, placement.map, ideal);
  } else {
    EXPECT_TRUE(broken == 0 || !placement.unsatisfied.empty());
  }
  // A node stores the N windows over each of its tokens. A broken window hands what
  // it lacks to nodes further on, at most N replicas.
  const std::map<NodeId, int64_t> replicas = ReplicasOf(c, placement.map);
  int64_t strayed = 0;
  for (const auto& [node, count] : replicas) {
    strayed += std::abs(count - int64_t{numbers.window} * placement.map.TokensOf(node));
  }
  EXPECT_LE(strayed, static_cast<int64_t>(2 * numbers.window * broken));
}

// `members` members in exactly `zones` zones; capacities 1 to 4.
Case DrawCase(uint32_t partitions, size_t members, size_t zones, Rng& rng) {
  constexpr uint32_t kNVals[] = {3, 3, 3, 1, 2, 4, 5};
  Case c{.partitions = partitions, .n_val = kNVals[rng.Below(std::size(kNVals))], .members = {}};
  c.members = MakeMembers(members, zones);
  const bool equal = rng.Chance(0.5);
  for (size_t i = 0; i < members; ++i) {
    if (!equal) c.members[i].capacity = 1 + static_cast<uint32_t>(rng.Below(4));
    if (i >= zones && rng.Chance(0.2)) c.members[i].zone = "zone-" + std::to_string(rng.Below(zones));
  }
  return c;
}

// How many cases of all 64 x 8 a ring of this size is tried on: one in so many.
uint64_t OneIn(uint32_t partitions) { return partitions <= 32 ? 1 : partitions / 16; }

class Promises : public testing::TestWithParam<uint32_t> {};

TEST_P(Promises, HoldFromNothingAndThroughAChange) {
  const uint32_t partitions = GetParam();
  Rng rng(partitions);
  for (size_t members = 1; members <= 64; ++members) {
    for (size_t zones = 1; zones <= std::min<size_t>(8, members); ++zones) {
      if (rng.Below(OneIn(partitions)) != 0) continue;
      Case c = DrawCase(partitions, members, zones, rng);
      const Result<Placement> first = PlaceTokens(c.members, c.partitions, c.n_val, TokenMap());
      ASSERT_TRUE(first) << c.Name();
      CheckPromises(c, *first);
      c.members[rng.Below(c.members.size())].capacity = 1 + static_cast<uint32_t>(rng.Below(4));
      if (rng.Chance(0.5) && members > 1) c.members.erase(c.members.begin() + rng.Below(members));
      const Result<Placement> second = PlaceTokens(c.members, c.partitions, c.n_val, first->map);
      ASSERT_TRUE(second) << c.Name();
      CheckPromises(c, *second);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Rings, Promises, testing::Values(8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096));

// What moves when `before` becomes `after`, in replicas, and the least that must:
// what each node stores more than before.
struct Movement {
  int64_t moved = 0;
  int64_t bound = 0;
};

Movement MovementOf(const Case& before, const TokenMap& from, const Case& after, const TokenMap& to) {
  PreferenceLists old_lists(TopologyOf(before, from));
  PreferenceLists new_lists(TopologyOf(after, to));
  Movement movement;
  for (PartitionId partition = 0; partition < before.partitions; ++partition) {
    const PreferenceList& old_list = old_lists.For(partition, before.n_val);
    for (NodeId owner : new_lists.For(partition, after.n_val).owners) movement.moved += old_list.Owns(owner) ? 0 : 1;
  }
  std::map<NodeId, int64_t> stored = ReplicasOf(before, from);
  for (const auto& [node, replicas] : ReplicasOf(after, to)) {
    movement.bound += std::max<int64_t>(0, replicas - stored[node]);
  }
  return movement;
}

// One change may need up to twice the least, and two windows more; all together at
// most a quarter more.
class Movements : public testing::TestWithParam<uint32_t> {};

TEST_P(Movements, StayCloseToTheLeastWhenOneMemberJoinsOrLeaves) {
  const uint32_t partitions = GetParam();
  Rng rng(partitions);
  Movement all;
  for (size_t members = 1; members <= 63; ++members) {
    for (size_t zones = 1; zones <= std::min<size_t>(8, members); ++zones) {
      if (rng.Below(2 * OneIn(partitions)) != 0) continue;
      Case larger = DrawCase(partitions, members + 1, zones, rng);
      Case smaller = larger;
      smaller.members.erase(smaller.members.begin() + rng.Below(members + 1));
      const bool joins = rng.Chance(0.5);
      const Case& before = joins ? smaller : larger;
      const Case& after = joins ? larger : smaller;
      const TokenMap from = PlaceTokens(before.members, partitions, before.n_val, TokenMap()).value().map;
      const Placement placement = PlaceTokens(after.members, partitions, after.n_val, from).value();
      const Movement movement = MovementOf(before, from, after, placement.map);
      EXPECT_LE(movement.moved, 2 * movement.bound + 2 * int64_t{before.n_val}) << after.Name();
      all.moved += movement.moved;
      all.bound += movement.bound;
    }
  }
  EXPECT_LE(4 * all.moved, 5 * all.bound);
}

INSTANTIATE_TEST_SUITE_P(Rings, Movements, testing::Values(8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096));

}  // namespace
}  // namespace dynamo
