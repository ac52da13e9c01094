#include "node/core/ring/placement.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "common/base/random.h"
#include "node/core/ring/relayout.h"
#include "node/core/ring/ring_layout.h"
#include "node/core/ring/token_counts.h"

namespace dynamo {
namespace {

// The same arguments give the same map everywhere.
constexpr uint64_t kSeed = 0x64796e616d6f;
constexpr uint32_t kRelieveSwapsMax = 4000;

// The members that take tokens, sorted by id, with what each is to get.
struct Plan {
  std::vector<Member> members;
  std::vector<std::string> zones;  // Sorted.
  LayoutRules rules;
  std::vector<uint32_t> today;   // Token -> node, or kNobody.
  std::vector<uint32_t> counts;  // Node -> tokens.
};

std::vector<uint32_t> NodesOf(const TokenMap& map, uint32_t partitions, const std::vector<Member>& members) {
  std::vector<uint32_t> nodes(partitions, kNobody);
  for (uint32_t token = 0; token < map.partitions(); ++token) {
    const auto found = std::lower_bound(members.begin(), members.end(), map.owner(token),
                                        [](const Member& member, NodeId id) { return member.id < id; });
    if (found != members.end() && found->id == map.owner(token)) {
      nodes[token] = static_cast<uint32_t>(found - members.begin());
    }
  }
  return nodes;
}

// First the zones share the ring, then the nodes of each zone its part.
std::vector<uint32_t> CountTokens(const Plan& plan, const std::map<NodeId, double>& ideal) {
  const uint32_t partitions = static_cast<uint32_t>(plan.today.size());
  const uint32_t apart_max = partitions / plan.rules.window;
  std::vector<TokenShare> nodes(plan.members.size());
  std::vector<TokenShare> zones(plan.rules.zones);
  for (uint32_t owner : plan.today) {
    if (owner != kNobody) ++nodes[owner].today;
  }
  for (size_t node = 0; node < nodes.size(); ++node) {
    nodes[node].ideal = ideal.at(plan.members[node].id);
    TokenShare& zone = zones[plan.rules.zone_of[node]];
    zone.ideal += nodes[node].ideal;
    zone.today += std::clamp(nodes[node].today, static_cast<uint32_t>(std::floor(nodes[node].ideal)),
                             static_cast<uint32_t>(std::ceil(nodes[node].ideal)));
  }
  const bool zones_apart = plan.rules.spread == plan.rules.window;
  const std::vector<uint32_t> zone_counts = RoundShares(zones, partitions, zones_apart ? apart_max : partitions);
  std::vector<uint32_t> counts(nodes.size());
  for (uint32_t zone = 0; zone < zones.size(); ++zone) {
    std::vector<size_t> inside;
    std::vector<TokenShare> shares;
    for (size_t node = 0; node < nodes.size(); ++node) {
      if (plan.rules.zone_of[node] != zone) continue;
      inside.push_back(node);
      shares.push_back(nodes[node]);
    }
    const std::vector<uint32_t> in_zone = RoundShares(shares, zone_counts[zone], apart_max);
    for (size_t i = 0; i < inside.size(); ++i) counts[inside[i]] = in_zone[i];
  }
  return counts;
}

Plan MakePlan(const std::vector<Member>& members, uint32_t partitions, uint32_t n_val, const TokenMap& today) {
  Plan plan;
  std::copy_if(members.begin(), members.end(), std::back_inserter(plan.members), TakesTokens);
  std::sort(plan.members.begin(), plan.members.end(), [](const Member& a, const Member& b) { return a.id < b.id; });
  for (const Member& member : plan.members) plan.zones.push_back(member.zone);
  std::sort(plan.zones.begin(), plan.zones.end());
  plan.zones.erase(std::unique(plan.zones.begin(), plan.zones.end()), plan.zones.end());

  const uint32_t zones = static_cast<uint32_t>(plan.zones.size());
  const uint32_t n = std::min<uint32_t>({n_val, static_cast<uint32_t>(plan.members.size()), partitions});
  plan.rules = {.zone_of = {}, .zones = zones, .window = n, .spread = std::min(n, zones)};
  for (const Member& member : plan.members) {
    const auto zone = std::lower_bound(plan.zones.begin(), plan.zones.end(), member.zone);
    plan.rules.zone_of.push_back(static_cast<uint32_t>(zone - plan.zones.begin()));
  }
  plan.today = NodesOf(today, partitions, plan.members);
  return plan;
}

RingLayout FromNothing(const Plan& plan, Rng& rng) {
  RingLayout layout = LayOut(plan.rules, plan.counts);
  Relieve(layout, plan.today, kRelieveSwapsMax, rng);
  Mix(layout, rng);
  return layout;
}

RingLayout FromToday(const Plan& plan, Rng& rng) {
  RingLayout layout(plan.rules, plan.today);
  HandOver(layout, plan.counts, rng);
  Relieve(layout, plan.today, kRelieveSwapsMax, rng);
  BringBack(layout, plan.today, rng);
  if (layout.strain() == 0) return layout;
  // Little may stay where it is, so that it all fits together again.
  RingLayout anew = LayOut(plan.rules, plan.counts);
  Relieve(anew, plan.today, kRelieveSwapsMax, rng);
  if (anew.strain() >= layout.strain()) return layout;
  BringBack(anew, plan.today, rng);
  return anew;
}

std::vector<std::string> Unsatisfied(const Plan& plan, uint32_t n_val, std::vector<std::string> reductions,
                                     const RingLayout& layout) {
  std::vector<std::string> unsatisfied;
  if (plan.members.size() < n_val) {
    unsatisfied.push_back(fmt::format("under-replicated: {} members hold {} copies of a key, not {}",
                                      plan.members.size(), plan.members.size(), n_val));
  }
  const bool zones_named = plan.zones.size() > 1 || !plan.zones.front().empty();
  if (zones_named && plan.zones.size() < std::min<size_t>(n_val, plan.members.size())) {
    unsatisfied.push_back(
        fmt::format("too few zones: {} copies of a key lie in {} zones", plan.rules.window, plan.zones.size()));
  }
  std::move(reductions.begin(), reductions.end(), std::back_inserter(unsatisfied));
  if (layout.strain() > 0) {
    unsatisfied.push_back(
        fmt::format("{} tokens have no even order on {} nodes in {} zones: near some tokens the walk skips",
                    layout.partitions(), plan.members.size(), plan.zones.size()));
  }
  return unsatisfied;
}

}  // namespace

Result<Placement> PlaceTokens(const std::vector<Member>& members, uint32_t partitions, uint32_t n_val,
                              const TokenMap& today) {
  if (!IsValidPartitionCount(partitions)) {
    return Fail(Errc::kInvalidArgument, fmt::format("cannot place {} partitions: want a power of two from {} to {}",
                                                    partitions, kPartitionsMin, kPartitionsMax));
  }
  if (n_val == 0) return Fail(Errc::kInvalidArgument, "cannot place tokens for N = 0: want at least 1");
  if (!today.empty() && today.partitions() != partitions) {
    return Fail(Errc::kInvalidArgument,
                fmt::format("cannot place {} partitions: today's map has {}", partitions, today.partitions()));
  }
  Plan plan = MakePlan(members, partitions, n_val, today);
  if (plan.members.empty()) return Fail(Errc::kInvalidArgument, "cannot place tokens: no member is to have any");
  IdealShares ideal = ComputeIdealShares(plan.members, partitions, n_val);
  plan.counts = CountTokens(plan, ideal.tokens);

  Rng rng(kSeed);
  const RingLayout layout = today.empty() ? FromNothing(plan, rng) : FromToday(plan, rng);
  Placement placement;
  std::vector<NodeId> owners;
  for (uint32_t node : layout.owners()) owners.push_back(plan.members[node].id);
  placement.map = TokenMap(std::move(owners));
  placement.moved = today.empty() ? 0 : Moved(layout, plan.today);
  placement.unsatisfied = Unsatisfied(plan, n_val, std::move(ideal.reductions), layout);
  return placement;
}

}  // namespace dynamo
