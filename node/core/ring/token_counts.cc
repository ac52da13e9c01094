#include "node/core/ring/token_counts.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace dynamo {
namespace {

constexpr double kEpsilon = 1e-6;

// What one share may become.
struct Bounds {
  int64_t low = 0;
  int64_t high = 0;
};

// Floor or ceiling, then anything within one; with the soft maximum, then without.
Bounds BoundsAt(const TokenShare& share, int leniency, int64_t soft_max) {
  const bool within_one = leniency % 2 == 1;
  const double slack = within_one ? 1 : 0;
  Bounds bounds;
  bounds.low = within_one ? static_cast<int64_t>(std::ceil(share.ideal - slack - kEpsilon))
                          : static_cast<int64_t>(std::floor(share.ideal + kEpsilon));
  bounds.high = within_one ? static_cast<int64_t>(std::floor(share.ideal + slack + kEpsilon))
                           : static_cast<int64_t>(std::ceil(share.ideal - kEpsilon));
  if (leniency < 2) bounds.high = std::min(bounds.high, std::max(soft_max, bounds.low));
  bounds.low = std::max<int64_t>(bounds.low, 0);
  return bounds;
}

// Gives one token to each who has none, from who has most above its ideal.
void FeedTheEmptyHanded(const std::vector<TokenShare>& shares, std::vector<int64_t>& counts) {
  for (int64_t& empty : counts) {
    if (empty > 0) continue;
    size_t donor = shares.size();
    double spare = -kEpsilon;
    for (size_t i = 0; i < shares.size(); ++i) {
      const double above = static_cast<double>(counts[i]) - shares[i].ideal;
      if (counts[i] < 2 || above <= spare) continue;
      donor = i;
      spare = above;
    }
    if (donor == shares.size()) return;
    --counts[donor];
    ++empty;
  }
}

}  // namespace

std::vector<uint32_t> RoundShares(const std::vector<TokenShare>& shares, uint32_t total, uint32_t soft_max) {
  constexpr int kLeniencyMax = 3;
  std::vector<int64_t> counts;
  for (const TokenShare& share : shares) {
    const Bounds bounds = BoundsAt(share, 0, soft_max);
    counts.push_back(std::clamp<int64_t>(share.today, bounds.low, bounds.high));
  }
  int64_t missing = total - std::accumulate(counts.begin(), counts.end(), int64_t{0});
  for (int leniency = 0; missing != 0 && leniency <= kLeniencyMax;) {
    const int64_t step = missing > 0 ? 1 : -1;
    size_t best = shares.size();
    double best_need = 0;
    for (size_t i = 0; i < shares.size(); ++i) {
      const Bounds bounds = BoundsAt(shares[i], leniency, soft_max);
      if (step > 0 ? counts[i] >= bounds.high : counts[i] <= bounds.low) continue;
      const double need = static_cast<double>(step) * (shares[i].ideal - static_cast<double>(counts[i]));
      if (best < shares.size() && need <= best_need + kEpsilon) continue;
      best = i;
      best_need = need;
    }
    if (best == shares.size()) {
      ++leniency;
      continue;
    }
    counts[best] += step;
    missing -= step;
  }
  FeedTheEmptyHanded(shares, counts);
  return {counts.begin(), counts.end()};
}

}  // namespace dynamo
