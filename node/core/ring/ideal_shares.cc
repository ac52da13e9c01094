// The capped ideal: progressive filling, the weighted form of max-min fairness.
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <set>

#include "node/core/ring/placement.h"

namespace dynamo {
namespace {

constexpr double kEpsilon = 1e-9;

struct Share {
  const Member* member = nullptr;
  size_t zone = 0;
  double share = 0;  // Of 1.
  bool full = false;
};

// Raises all shares in proportion to capacity, each until its node or its zone is
// full, until they sum to 1 or nobody can take more.
class Filling {
 public:
  Filling(std::vector<Share> shares, size_t zones) : shares_(std::move(shares)), zone_sum_(zones) {}

  // Returns whether the shares sum to 1.
  bool FillUpTo(double node_cap, double zone_cap);
  const std::vector<Share>& shares() const { return shares_; }

 private:
  void MarkFull(double node_cap, double zone_cap);

  std::vector<Share> shares_;
  std::vector<double> zone_sum_;
  double sum_ = 0;
};

void Filling::MarkFull(double node_cap, double zone_cap) {
  for (Share& share : shares_) {
    share.full = share.share > node_cap - kEpsilon || zone_sum_[share.zone] > zone_cap - kEpsilon;
  }
}

bool Filling::FillUpTo(double node_cap, double zone_cap) {
  for (MarkFull(node_cap, zone_cap); sum_ < 1 - kEpsilon; MarkFull(node_cap, zone_cap)) {
    std::vector<double> zone_weight(zone_sum_.size());
    double weight = 0;
    for (const Share& share : shares_) {
      if (share.full) continue;
      zone_weight[share.zone] += share.member->capacity;
      weight += share.member->capacity;
    }
    if (weight == 0) return false;
    double rise = (1 - sum_) / weight;
    for (const Share& share : shares_) {
      if (share.full) continue;
      rise = std::min(rise, (node_cap - share.share) / share.member->capacity);
      rise = std::min(rise, (zone_cap - zone_sum_[share.zone]) / zone_weight[share.zone]);
    }
    for (Share& share : shares_) {
      if (share.full) continue;
      const double more = rise * share.member->capacity;
      share.share += more;
      zone_sum_[share.zone] += more;
      sum_ += more;
    }
  }
  return true;
}

std::vector<std::string> Reductions(const std::vector<Share>& shares, size_t n) {
  double capacity = 0;
  for (const Share& share : shares) capacity += share.member->capacity;
  std::vector<std::string> reductions;
  for (const Share& share : shares) {
    const double asked = share.member->capacity / capacity;
    if (asked < share.share + kEpsilon) continue;
    const bool by_node = share.share > 1.0 / static_cast<double>(n) - kEpsilon;
    reductions.push_back(fmt::format(
        "{} gets {:.1f} % of the ring, not the {:.1f} % of its capacity: {}", share.member->name, 100 * share.share,
        100 * asked,
        by_node
            ? fmt::format("a node holds at most one of the {} copies of a key", n)
            : fmt::format("zone '{}' is full, because the copies of a key are spread over zones", share.member->zone)));
  }
  return reductions;
}

}  // namespace

IdealShares ComputeIdealShares(const std::vector<Member>& members, uint32_t partitions, uint32_t n_val) {
  std::map<NodeId, const Member*> placed;
  std::map<std::string_view, size_t> zones;
  for (const Member& member : members) {
    if (!TakesTokens(member)) continue;
    placed.emplace(member.id, &member);
    zones.emplace(member.zone, 0);
  }
  if (placed.empty() || n_val == 0) return {};
  size_t numbered = 0;
  for (auto& [name, number] : zones) number = numbered++;
  std::vector<Share> shares;
  shares.reserve(placed.size());
  for (const auto& [id, member] : placed) shares.push_back({member, zones[member->zone], 0, false});

  const size_t n = std::min<size_t>(n_val, placed.size());
  const size_t z = std::min(n, zones.size());
  const double node_cap = 1.0 / static_cast<double>(n);
  Filling filling(std::move(shares), zones.size());
  if (!filling.FillUpTo(node_cap, 1.0 / static_cast<double>(z))) {
    // Fewer zones than copies, and one of them too small for its equal part: the
    // others may hold what leaves each key one copy in every zone.
    filling.FillUpTo(node_cap, static_cast<double>(n - z + 1) * node_cap);
  }
  IdealShares ideal;
  for (const Share& share : filling.shares()) ideal.tokens[share.member->id] = share.share * partitions;
  ideal.reductions = Reductions(filling.shares(), n);
  return ideal;
}

}  // namespace dynamo
