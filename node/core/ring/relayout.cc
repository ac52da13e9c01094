#include "node/core/ring/relayout.h"

#include <algorithm>
#include <tuple>

namespace dynamo {
namespace {

// How many candidates a step weighs: more find better swaps and cost more.
constexpr uint32_t kCandidatesMax = 256;

bool AtHome(const std::vector<uint32_t>& today, uint32_t token, uint32_t node) { return today[token] == node; }

// How many more tokens are away from home after a swap of `a` and `b`.
int64_t MovedBySwap(const RingLayout& layout, const std::vector<uint32_t>& today, uint32_t a, uint32_t b) {
  const uint32_t owner_a = layout.owner(a);
  const uint32_t owner_b = layout.owner(b);
  return int64_t{AtHome(today, a, owner_a)} + AtHome(today, b, owner_b) - AtHome(today, a, owner_b) -
         AtHome(today, b, owner_a);
}

}  // namespace

uint32_t Moved(const RingLayout& layout, const std::vector<uint32_t>& today) {
  uint32_t moved = 0;
  for (uint32_t token = 0; token < layout.partitions(); ++token) {
    moved += AtHome(today, token, layout.owner(token)) ? 0 : 1;
  }
  return moved;
}

void HandOver(RingLayout& layout, const std::vector<uint32_t>& counts, Rng& rng) {
  std::vector<int64_t> missing(counts.begin(), counts.end());
  for (uint32_t owner : layout.owners()) {
    if (owner != kNobody) --missing[owner];
  }
  std::vector<uint32_t> receivers;
  for (uint32_t node = 0; node < counts.size(); ++node) {
    for (int64_t left = missing[node]; left > 0; --left) receivers.push_back(node);
  }
  for (size_t left = receivers.size(); left > 1; --left) std::swap(receivers[left - 1], receivers[rng.Below(left)]);

  std::vector<uint32_t> offered;
  for (uint32_t token = 0; token < layout.partitions(); ++token) {
    const uint32_t owner = layout.owner(token);
    if (owner == kNobody || missing[owner] < 0) offered.push_back(token);
  }
  for (uint32_t receiver : receivers) {
    std::tuple<int64_t, int64_t> best_cost;
    size_t best = offered.size();
    const bool sample = offered.size() > kCandidatesMax;
    for (size_t tried = 0; tried < (sample ? kCandidatesMax : offered.size()); ++tried) {
      const size_t at = sample ? rng.Below(offered.size()) : tried;
      const uint32_t owner = layout.owner(offered[at]);
      const int64_t strain = layout.StrainAt(offered[at], receiver) - layout.StrainAt(offered[at], owner);
      const std::tuple cost(strain, owner == kNobody ? -int64_t{layout.partitions()} : missing[owner]);
      if (best < offered.size() && cost >= best_cost) continue;
      best = at;
      best_cost = cost;
    }
    const uint32_t owner = layout.owner(offered[best]);
    layout.Give(offered[best], receiver);
    offered[best] = offered.back();
    offered.pop_back();
    if (owner != kNobody && ++missing[owner] == 0) {
      std::erase_if(offered, [&](uint32_t token) { return layout.owner(token) == owner; });
    }
  }
}

void Relieve(RingLayout& layout, const std::vector<uint32_t>& today, uint32_t swaps_max, Rng& rng) {
  const uint32_t partitions = layout.partitions();
  RingLayout best = layout;
  std::vector<uint32_t> strained;
  std::vector<uint32_t> blocked_until(partitions);
  for (uint32_t swaps = 1; layout.strain() > 0 && swaps <= swaps_max; ++swaps) {
    while (!strained.empty() && !layout.Strained(strained.back())) strained.pop_back();
    if (strained.empty()) {
      for (uint32_t token = 0; token < partitions; ++token) {
        if (layout.Strained(token)) strained.push_back(token);
      }
      for (size_t left = strained.size(); left > 1; --left) std::swap(strained[left - 1], strained[rng.Below(left)]);
    }
    const uint32_t token = strained.back();
    strained.pop_back();
    std::tuple<int64_t, int64_t, uint64_t> best_cost;
    uint32_t partner = token;
    for (uint32_t tried = 0; tried < std::min(partitions, kCandidatesMax); ++tried) {
      const uint32_t other = partitions > kCandidatesMax ? static_cast<uint32_t>(rng.Below(partitions)) : tried;
      if (layout.owner(other) == layout.owner(token) || blocked_until[other] > swaps) continue;
      const int64_t moved = MovedBySwap(layout, today, token, other);
      const int64_t before = layout.strain();
      layout.Swap(token, other);
      const std::tuple cost(layout.strain() - before, moved, rng.Next());
      layout.Swap(token, other);
      if (partner != token && cost >= best_cost) continue;
      partner = other;
      best_cost = cost;
    }
    if (partner == token) continue;
    layout.Swap(token, partner);
    blocked_until[token] = blocked_until[partner] = swaps + 3 + static_cast<uint32_t>(rng.Below(5));
    if (layout.strain() < best.strain()) best = layout;
  }
  layout = std::move(best);
}

void BringBack(RingLayout& layout, const std::vector<uint32_t>& today, Rng& rng) {
  const uint32_t partitions = layout.partitions();
  for (uint32_t tried = 0; tried < 8 * partitions; ++tried) {
    const uint32_t a = static_cast<uint32_t>(rng.Below(partitions));
    if (AtHome(today, a, layout.owner(a))) continue;
    for (uint32_t other = 0; other < std::min(partitions, kCandidatesMax); ++other) {
      const uint32_t b = partitions > kCandidatesMax ? static_cast<uint32_t>(rng.Below(partitions)) : other;
      if (layout.owner(b) != today[a]) continue;
      if (MovedBySwap(layout, today, a, b) >= 0) continue;
      const int64_t before = layout.strain();
      layout.Swap(a, b);
      if (layout.strain() <= before) break;
      layout.Swap(a, b);
    }
  }
}

void Mix(RingLayout& layout, Rng& rng) {
  for (uint32_t tried = 0; tried < 16 * layout.partitions(); ++tried) {
    const uint32_t a = static_cast<uint32_t>(rng.Below(layout.partitions()));
    const uint32_t b = static_cast<uint32_t>(rng.Below(layout.partitions()));
    const int64_t before = layout.strain();
    layout.Swap(a, b);
    if (layout.strain() > before) layout.Swap(a, b);
  }
}

}  // namespace dynamo
