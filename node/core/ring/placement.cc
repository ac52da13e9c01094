#include "node/core/ring/placement.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "common/base/random.h"
#include "node/core/ring/relayout.h"
#include "node/core/ring/ring_layout.h"
#include "node/core/ring/token_counts.h"

namespace dynamo {
namespace {

// The same arguments give the same map everywhere.
constexpr uint64_t kSeed = 0x64796e616d6f;
constexpr uint32_t kSwapsMax = 4000;
constexpr uint32_t kTriedTokens = 2048;

// The members that take tokens, sorted by id, with what each is to get.
struct Plan {
  std::vector<Member> members;
  std::vector<std::string> zones;  // Sorted.
  LayoutRules rules;
  std::vector<uint32_t> today;   // Token -> node, or kNobody.
  std::vector<uint32_t> counts;  // Node -> tokens,
  CountRange range;              // or so many, if that moves less.
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

std::vector<TokenShare> NodeShares(const Plan& plan, const std::map<NodeId, double>& ideal) {
  std::vector<TokenShare> nodes;
  nodes.reserve(plan.members.size());
  const uint32_t apart_max = static_cast<uint32_t>(plan.today.size()) / plan.rules.window;
  for (const Member& member : plan.members) {
    nodes.push_back({.ideal = ideal.at(member.id), .today = 0, .slack = 1, .soft_max = apart_max});
  }
  for (uint32_t owner : plan.today) {
    if (owner != kNobody) ++nodes[owner].today;
  }
  return nodes;
}

// First the zones share the ring, then the nodes of each zone its part.
std::vector<uint32_t> CountTokens(const Plan& plan, const std::map<NodeId, double>& ideal) {
  const std::vector<TokenShare> nodes = NodeShares(plan, ideal);
  std::vector<std::vector<TokenShare>> inside(plan.rules.zones);
  for (size_t node = 0; node < nodes.size(); ++node) inside[plan.rules.zone_of[node]].push_back(nodes[node]);
  std::vector<TokenShare> zones;
  zones.reserve(inside.size());
  for (const std::vector<TokenShare>& nodes_inside : inside) {
    TokenShare zone = SumOf(nodes_inside);
    if (plan.rules.spread == plan.rules.window) zone.soft_max = std::min(zone.soft_max, nodes.front().soft_max);
    zones.push_back(zone);
  }
  const std::vector<uint32_t> zone_counts = RoundShares(zones, static_cast<uint32_t>(plan.today.size()));

  std::vector<std::vector<uint32_t>> counts_inside;
  counts_inside.reserve(zones.size());
  for (uint32_t zone = 0; zone < zones.size(); ++zone) {
    counts_inside.push_back(RoundShares(inside[zone], zone_counts[zone]));
  }
  std::vector<uint32_t> counts;
  counts.reserve(nodes.size());
  std::vector<size_t> next(zones.size());
  for (uint32_t zone : plan.rules.zone_of) counts.push_back(counts_inside[zone][next[zone]++]);
  return counts;
}

// A token more or less is as even, as long as it stays a floor or ceiling.
CountRange RangeOf(const Plan& plan, const std::map<NodeId, double>& ideal) {
  CountRange range;
  for (size_t node = 0; node < plan.members.size(); ++node) {
    const double share = ideal.at(plan.members[node].id);
    const uint32_t count = plan.counts[node];
    range.low.push_back(std::min(count, std::max(1u, Floor(share))));
    range.high.push_back(std::max(count, Ceiling(share)));
  }
  return range;
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

// Towards little strain and few moves. `strain_max`: what can be had.
void Improve(RingLayout& layout, const Plan& plan, const MoveCost& cost, int64_t strain_max, Rng& rng) {
  Settle(layout, cost, plan.range, rng);
  if (layout.strain() <= strain_max) return;
  Relieve(layout, cost, strain_max, kSwapsMax, rng);
  Settle(layout, cost, plan.range, rng);
}

RingLayout FromNothing(const Plan& plan, Rng& rng) {
  RingLayout layout = LayOut(plan.rules, plan.counts);
  const int64_t strain_max = CanBeUnstrained(plan.rules, plan.counts) ? 0 : layout.strain();
  Improve(layout, plan, MoveCost({}, plan.rules.window), strain_max, rng);
  Mix(layout, rng);
  return layout;
}

// The least that any layout costs: each node above its count of today gets whole windows.
int64_t LeastCost(const RingLayout& layout, const std::vector<uint32_t>& today, uint32_t nodes) {
  std::vector<int64_t> more(nodes);
  for (uint32_t token = 0; token < layout.partitions(); ++token) {
    ++more[layout.owner(token)];
    if (today[token] != kNobody) --more[today[token]];
  }
  int64_t least = 0;
  for (int64_t tokens : more) least += std::max<int64_t>(0, tokens) * layout.window();
  return least;
}

RingLayout FromToday(const Plan& plan, Rng& rng) {
  const MoveCost cost(plan.today, plan.rules.window);
  RingLayout anew = LayOut(plan.rules, plan.counts);
  const int64_t strain_max = CanBeUnstrained(plan.rules, plan.counts) ? 0 : anew.strain();
  std::optional<RingLayout> best;
  // On a small ring one unlucky swap is much of what moves, and another try is cheap.
  const uint32_t tries = std::max(1u, kTriedTokens / anew.partitions());
  for (uint32_t tried = 0; tried < tries; ++tried) {
    RingLayout layout(plan.rules, plan.today);
    HandOver(layout, plan.counts, rng);
    Improve(layout, plan, cost, strain_max, rng);
    const auto rank = [&](const RingLayout& of) { return std::pair(of.strain(), cost.Of(of)); };
    if (!best || rank(layout) < rank(*best)) best = layout;
    const int64_t least = LeastCost(*best, plan.today, static_cast<uint32_t>(plan.members.size()));
    if (best->strain() > strain_max || 10 * cost.Of(*best) <= 11 * least) break;
  }
  if (best->strain() <= strain_max) return *best;
  // Little can stay where it is if it is all to fit together again.
  Improve(anew, plan, cost, strain_max, rng);
  return anew.strain() < best->strain() ? anew : *best;
}

uint32_t Moved(const RingLayout& layout, const std::vector<uint32_t>& today) {
  uint32_t moved = 0;
  for (uint32_t token = 0; token < layout.partitions(); ++token) moved += layout.owner(token) == today[token] ? 0 : 1;
  return moved;
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
  plan.range = RangeOf(plan, ideal.tokens);

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
