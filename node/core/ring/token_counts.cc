#include "node/core/ring/token_counts.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace dynamo {
namespace {

constexpr double kRoundingSlack = 1e-6;

// What one share may become.
struct Bounds {
  int64_t low = 0;
  int64_t high = 0;
};

// Each step allows more: floor or ceiling, within the slack, more than can be kept apart.
enum class Leniency { kRounded, kSlack, kRoundedAndClose, kSlackAndClose, kNone };

Bounds BoundsAt(const TokenShare& share, Leniency leniency) {
  const bool close = leniency == Leniency::kRoundedAndClose || leniency == Leniency::kSlackAndClose;
  const bool rounded = leniency == Leniency::kRounded || leniency == Leniency::kRoundedAndClose;
  Bounds bounds;
  bounds.low = rounded ? Floor(share.ideal) : Ceiling(std::max(0.0, share.ideal - share.slack));
  bounds.high = rounded ? Ceiling(share.ideal) : Floor(share.ideal + share.slack);
  if (!close) bounds.high = std::min(bounds.high, std::max<int64_t>(share.soft_max, bounds.low));
  return bounds;
}

// The share that wants one more (step 1) or one less (step -1) most, among those
// that may have it; shares.size() if none may.
size_t Neediest(const std::vector<TokenShare>& shares, const std::vector<int64_t>& counts, int64_t step,
                Leniency leniency) {
  size_t best = shares.size();
  double best_need = 0;
  for (size_t i = 0; i < shares.size(); ++i) {
    const Bounds bounds = BoundsAt(shares[i], leniency);
    if (step > 0 ? counts[i] >= bounds.high : counts[i] <= bounds.low) continue;
    const double need = static_cast<double>(step) * (shares[i].ideal - static_cast<double>(counts[i]));
    if (best < shares.size() && need <= best_need + kRoundingSlack) continue;
    best = i;
    best_need = need;
  }
  return best;
}

// Gives one token to each who has none, from who has most above its ideal.
void FeedTheEmptyHanded(const std::vector<TokenShare>& shares, std::vector<int64_t>& counts) {
  for (int64_t& empty : counts) {
    if (empty > 0) continue;
    size_t donor = shares.size();
    double spare = -kRoundingSlack;
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

uint32_t Floor(double ideal) { return static_cast<uint32_t>(std::floor(ideal + kRoundingSlack)); }

uint32_t Ceiling(double ideal) { return static_cast<uint32_t>(std::ceil(ideal - kRoundingSlack)); }

TokenShare SumOf(const std::vector<TokenShare>& shares) {
  TokenShare sum{.ideal = 0, .today = 0, .slack = 0, .soft_max = 0};
  for (const TokenShare& share : shares) {
    sum.ideal += share.ideal;
    sum.today += std::clamp(share.today, Floor(share.ideal), Ceiling(share.ideal));
    sum.slack += share.slack;
    sum.soft_max += std::min(share.soft_max, Floor(share.ideal + share.slack));
  }
  return sum;
}

std::vector<uint32_t> RoundShares(const std::vector<TokenShare>& shares, uint32_t total) {
  std::vector<int64_t> counts;
  for (const TokenShare& share : shares) {
    const Bounds bounds = BoundsAt(share, Leniency::kRounded);
    counts.push_back(std::clamp<int64_t>(share.today, bounds.low, bounds.high));
  }
  int64_t missing = total - std::accumulate(counts.begin(), counts.end(), int64_t{0});
  int leniency = 0;
  while (missing != 0 && static_cast<Leniency>(leniency) != Leniency::kNone) {
    const int64_t step = missing > 0 ? 1 : -1;
    const size_t neediest = Neediest(shares, counts, step, static_cast<Leniency>(leniency));
    if (neediest == shares.size()) {
      ++leniency;
      continue;
    }
    counts[neediest] += step;
    missing -= step;
  }
  FeedTheEmptyHanded(shares, counts);
  return {counts.begin(), counts.end()};
}

}  // namespace dynamo
