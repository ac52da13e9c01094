#include "node/core/ring/relayout.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace dynamo {
namespace {

// How many candidates a step weighs: more find better swaps and cost more.
constexpr uint32_t kCandidatesMax = 256;
// For how many swaps a swapped token rests.
constexpr uint32_t kRestMin = 3;
constexpr uint32_t kRestMax = 7;
constexpr uint32_t kSettleRoundsMax = 40;
constexpr uint32_t kIdleRoundsMax = 4;
constexpr uint32_t kTriesPerToken = 16;
constexpr uint32_t kMixTriesPerToken = 16;

uint32_t Pick(size_t below, Rng& rng) { return static_cast<uint32_t>(rng.Below(below)); }

void Shuffle(std::vector<uint32_t>& items, Rng& rng) {
  for (size_t left = items.size(); left > 1; --left) std::swap(items[left - 1], items[rng.Below(left)]);
}

// A token up to two windows away, before or after: where a small shift helps.
uint32_t PickNear(const RingLayout& layout, uint32_t token, Rng& rng) {
  const uint32_t reach = 2 * layout.window();
  return (token - reach + Pick(2 * reach + 1, rng)) & (layout.partitions() - 1);
}

int64_t CostOfSwap(const RingLayout& layout, const MoveCost& cost, uint32_t a, uint32_t b) {
  const uint32_t owner_a = layout.owner(a);
  const uint32_t owner_b = layout.owner(b);
  return cost.At(a, owner_b) + cost.At(b, owner_a) - cost.At(a, owner_a) - cost.At(b, owner_b);
}

// What nodes still miss (above 0) or have too much (below 0), and who misses, once
// for each token.
struct Balance {
  std::vector<int64_t> missing;
  std::vector<uint32_t> receivers;
};

Balance BalanceOf(const RingLayout& layout, const std::vector<uint32_t>& counts) {
  Balance balance{.missing = {counts.begin(), counts.end()}, .receivers = {}};
  for (uint32_t owner : layout.owners()) {
    if (owner != kNobody) --balance.missing[owner];
  }
  for (uint32_t node = 0; node < counts.size(); ++node) {
    for (int64_t left = balance.missing[node]; left > 0; --left) balance.receivers.push_back(node);
  }
  return balance;
}

// The place in `offered` of the token that `receiver` strains least; among equals
// that of nobody, then of who has most too much.
size_t BestGift(const RingLayout& layout, const std::vector<uint32_t>& offered, const Balance& balance,
                uint32_t receiver, Rng& rng) {
  const bool sample = offered.size() > kCandidatesMax;
  std::tuple<int64_t, bool, int64_t> best_cost;
  size_t best = offered.size();
  for (size_t tried = 0; tried < (sample ? kCandidatesMax : offered.size()); ++tried) {
    const size_t at = sample ? Pick(offered.size(), rng) : tried;
    const uint32_t owner = layout.owner(offered[at]);
    const int64_t strain = layout.StrainAt(offered[at], receiver) - layout.StrainAt(offered[at], owner);
    const std::tuple cost(strain, owner != kNobody, owner == kNobody ? 0 : balance.missing[owner]);
    if (best < offered.size() && cost >= best_cost) continue;
    best = at;
    best_cost = cost;
  }
  return best;
}

// The strained tokens in random order, looked up again when they are used up.
class StrainedTokens {
 public:
  // Some token is strained.
  uint32_t Next(const RingLayout& layout, Rng& rng) {
    while (!waiting_.empty() && !layout.Strained(waiting_.back())) waiting_.pop_back();
    if (waiting_.empty()) {
      for (uint32_t token = 0; token < layout.partitions(); ++token) {
        if (layout.Strained(token)) waiting_.push_back(token);
      }
      Shuffle(waiting_, rng);
    }
    const uint32_t token = waiting_.back();
    waiting_.pop_back();
    return token;
  }

 private:
  std::vector<uint32_t> waiting_;
};

// With whom `token` swaps best: least strain, then least cost, then by lot. The
// token itself if all others are blocked.
uint32_t BestPartner(RingLayout& layout, const MoveCost& cost, uint32_t token, const std::vector<bool>& blocked,
                     Rng& rng) {
  const uint32_t partitions = layout.partitions();
  const bool sample = partitions > kCandidatesMax;
  std::tuple<int64_t, int64_t, uint64_t> best_cost;
  uint32_t best = token;
  for (uint32_t tried = 0; tried < std::min(partitions, kCandidatesMax); ++tried) {
    const uint32_t other = !sample ? tried : tried % 4 == 0 ? PickNear(layout, token, rng) : Pick(partitions, rng);
    if (layout.owner(other) == layout.owner(token) || blocked[other]) continue;
    const int64_t moves = CostOfSwap(layout, cost, token, other);
    layout.Swap(token, other);
    const std::tuple swap_cost(layout.strain(), moves, rng.Next());
    layout.Swap(token, other);
    if (best != token && swap_cost >= best_cost) continue;
    best = other;
    best_cost = swap_cost;
  }
  return best;
}

// The tokens that are strained or away from home.
std::vector<uint32_t> Unsettled(const RingLayout& layout, const MoveCost& cost) {
  std::vector<uint32_t> unsettled;
  for (uint32_t token = 0; token < layout.partitions(); ++token) {
    if (!cost.AtHome(token, layout.owner(token)) || layout.Strained(token)) unsettled.push_back(token);
  }
  return unsettled;
}

// What a try did to (strain, cost). Tries for the worse are undone; those that
// change neither stay: they open the way for others.
enum class Try { kUndone, kSame, kBetter };

Try Judge(int64_t strain_before, int64_t strain_after, int64_t moves) {
  const std::pair change(strain_after - strain_before, moves);
  const std::pair none(int64_t{0}, int64_t{0});
  return change > none ? Try::kUndone : change == none ? Try::kSame : Try::kBetter;
}

Try TrySwap(RingLayout& layout, const MoveCost& cost, uint32_t a, uint32_t b) {
  const int64_t strain = layout.strain();
  const int64_t moves = CostOfSwap(layout, cost, a, b);
  layout.Swap(a, b);
  const Try outcome = Judge(strain, layout.strain(), moves);
  if (outcome == Try::kUndone) layout.Swap(a, b);
  return outcome;
}

Try TryGive(RingLayout& layout, const MoveCost& cost, const CountRange& range, std::vector<uint32_t>& counts,
            uint32_t token, uint32_t receiver) {
  const uint32_t giver = layout.owner(token);
  if (giver == receiver || counts[giver] <= range.low[giver] || counts[receiver] >= range.high[receiver]) {
    return Try::kUndone;
  }
  const int64_t strain = layout.strain();
  layout.Give(token, receiver);
  const Try outcome = Judge(strain, layout.strain(), cost.At(token, receiver) - cost.At(token, giver));
  if (outcome == Try::kUndone) {
    layout.Give(token, giver);
  } else {
    --counts[giver];
    ++counts[receiver];
  }
  return outcome;
}

}  // namespace

MoveCost::MoveCost(std::vector<uint32_t> today, uint32_t window)
    : today_(std::move(today)), window_(window), mask_(static_cast<uint32_t>(today_.size()) - 1) {}

int64_t MoveCost::At(uint32_t token, uint32_t node) const {
  if (AtHome(token, node)) return 0;
  // Of the windows over the token, those that begin early enough hold the node's
  // last token before it, those that end late enough its next token after it.
  int64_t missing = window_;
  for (uint32_t step : {~uint32_t{0}, uint32_t{1}}) {
    for (uint32_t distance = 1; distance < window_; ++distance) {
      if (today_[(token + step * distance) & mask_] != node) continue;
      missing -= window_ - distance;
      break;
    }
  }
  return std::max<int64_t>(missing, 0);
}

int64_t MoveCost::Of(const RingLayout& layout) const {
  int64_t cost = 0;
  for (uint32_t token = 0; token < layout.partitions(); ++token) cost += At(token, layout.owner(token));
  return cost;
}

void HandOver(RingLayout& layout, const std::vector<uint32_t>& counts, Rng& rng) {
  Balance balance = BalanceOf(layout, counts);
  Shuffle(balance.receivers, rng);
  std::vector<uint32_t> offered;
  for (uint32_t token = 0; token < layout.partitions(); ++token) {
    const uint32_t owner = layout.owner(token);
    if (owner == kNobody || balance.missing[owner] < 0) offered.push_back(token);
  }
  for (uint32_t receiver : balance.receivers) {
    const size_t gift = BestGift(layout, offered, balance, receiver, rng);
    const uint32_t giver = layout.owner(offered[gift]);
    layout.Give(offered[gift], receiver);
    offered[gift] = offered.back();
    offered.pop_back();
    if (giver == kNobody || ++balance.missing[giver] < 0) continue;
    std::erase_if(offered, [&](uint32_t token) { return layout.owner(token) == giver; });
  }
}

void Relieve(RingLayout& layout, const MoveCost& cost, int64_t strain_max, uint32_t swaps_max, Rng& rng) {
  RingLayout best = layout;
  StrainedTokens strained;
  // A token that was swapped rests a while, or it would swap back at once: this is
  // Glover's tabu search.
  std::vector<bool> blocked(layout.partitions());
  std::vector<std::vector<uint32_t>> unblock_at(swaps_max + kRestMax + 1);
  for (uint32_t swaps = 0; layout.strain() > strain_max && swaps < swaps_max; ++swaps) {
    for (uint32_t token : unblock_at[swaps]) blocked[token] = false;
    const uint32_t token = strained.Next(layout, rng);
    const uint32_t partner = BestPartner(layout, cost, token, blocked, rng);
    if (partner == token) continue;
    layout.Swap(token, partner);
    std::vector<uint32_t>& rested = unblock_at[swaps + kRestMin + Pick(kRestMax - kRestMin + 1, rng)];
    for (uint32_t swapped : {token, partner}) {
      blocked[swapped] = true;
      rested.push_back(swapped);
    }
    if (layout.strain() < best.strain()) best = layout;
  }
  layout = std::move(best);
}

void Settle(RingLayout& layout, const MoveCost& cost, const CountRange& range, Rng& rng) {
  std::vector<uint32_t> counts(range.low.size());
  for (uint32_t owner : layout.owners()) ++counts[owner];
  uint32_t idle_rounds = 0;
  for (uint32_t round = 0; round < kSettleRoundsMax && idle_rounds < kIdleRoundsMax; ++round, ++idle_rounds) {
    const std::vector<uint32_t> unsettled = Unsettled(layout, cost);
    for (size_t tried = 0; tried < kTriesPerToken * unsettled.size(); ++tried) {
      const uint32_t token = unsettled[Pick(unsettled.size(), rng)];
      Try outcome = Try::kUndone;
      switch (rng.Below(5)) {
        case 0: outcome = TrySwap(layout, cost, token, PickNear(layout, token, rng)); break;
        case 1: outcome = TrySwap(layout, cost, token, unsettled[Pick(unsettled.size(), rng)]); break;
        case 2: outcome = TrySwap(layout, cost, token, Pick(layout.partitions(), rng)); break;
        case 3: outcome = TryGive(layout, cost, range, counts, token, Pick(counts.size(), rng)); break;
        default:
          if (cost.Home(token) == kNobody) break;
          outcome = TryGive(layout, cost, range, counts, token, cost.Home(token));
      }
      if (outcome == Try::kBetter) idle_rounds = 0;
    }
  }
}

void Mix(RingLayout& layout, Rng& rng) {
  for (uint32_t tried = 0; tried < kMixTriesPerToken * layout.partitions(); ++tried) {
    const uint32_t a = Pick(layout.partitions(), rng);
    const uint32_t b = Pick(layout.partitions(), rng);
    const int64_t before = layout.strain();
    layout.Swap(a, b);
    if (layout.strain() > before) layout.Swap(a, b);
  }
}

}  // namespace dynamo
