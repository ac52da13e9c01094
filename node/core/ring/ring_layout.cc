#include "node/core/ring/ring_layout.h"

#include <algorithm>
#include <numeric>
#include <tuple>
#include <utility>

#include "common/base/check.h"

namespace dynamo {

RingLayout::RingLayout(const LayoutRules& rules, std::vector<uint32_t> owners)
    : rules_(&rules),
      owners_(std::move(owners)),
      mask_(partitions() - 1),
      zones_apart_(rules.spread == rules.window),
      zones_cover_(rules.spread > 1 && rules.spread < rules.window) {
  DYNAMO_CHECK(rules.window >= 1 && rules.window <= partitions());
  int64_t both_ways = 0;
  for (uint32_t token = 0; token < partitions(); ++token) both_ways += TooClose(token, owners_[token]);
  strain_ = both_ways / 2;
  for (uint32_t zone = 0; zones_cover_ && zone < rules.zones; ++zone) strain_ += Uncovered(zone);
}

// The windows in which `token` would meet one too like `node`, once for each it meets.
int64_t RingLayout::TooClose(uint32_t token, uint32_t node) const {
  if (node == kNobody) return 0;
  int64_t windows = 0;
  for (uint32_t distance = 1; distance < rules_->window; ++distance) {
    for (uint32_t other : {owners_[Before(token, distance)], owners_[After(token, distance)]}) {
      const bool alike = zones_apart_ ? ZoneOf(other) == ZoneOf(node) : other == node;
      if (alike) windows += rules_->window - distance;
    }
  }
  return windows;
}

// The distance from `token`, itself left out, to the next token in `zone`; at most a window.
uint32_t RingLayout::ToZone(uint32_t token, uint32_t zone, bool forward) const {
  const uint32_t limit = std::min(rules_->window, partitions());
  for (uint32_t distance = 1; distance < limit; ++distance) {
    if (ZoneOf(owners_[forward ? After(token, distance) : Before(token, distance)]) == zone) return distance;
  }
  return rules_->window;
}

// The windows without a token in `zone`.
int64_t RingLayout::Uncovered(uint32_t zone) const {
  int64_t uncovered = 0;
  for (uint32_t token = 0; token < partitions(); ++token) {
    if (ZoneOf(owners_[token]) != zone && ToZone(token, zone, true) == rules_->window) ++uncovered;
  }
  return uncovered;
}

int64_t RingLayout::StrainAt(uint32_t token, uint32_t node) const {
  int64_t strain = TooClose(token, node);
  if (zones_cover_ && node != kNobody) {
    // A token in a zone covers the windows that the zone's tokens around it leave open.
    const int64_t open = int64_t{ToZone(token, ZoneOf(node), false)} + ToZone(token, ZoneOf(node), true);
    strain -= std::max<int64_t>(0, open - rules_->window);
  }
  return strain;
}

bool RingLayout::Strained(uint32_t token) const {
  if (TooClose(token, owners_[token]) > 0) return true;
  for (uint32_t zone = 0; zones_cover_ && zone < rules_->zones; ++zone) {
    if (zone == ZoneOf(owners_[token])) continue;
    if (ToZone(token, zone, false) + ToZone(token, zone, true) > rules_->window) return true;
  }
  return false;
}

void RingLayout::Give(uint32_t token, uint32_t node) {
  strain_ += StrainAt(token, node) - StrainAt(token, owners_[token]);
  owners_[token] = node;
}

void RingLayout::Swap(uint32_t a, uint32_t b) {
  const uint32_t owner_of_a = owners_[a];
  Give(a, owners_[b]);
  Give(b, owner_of_a);
}

namespace {

// Positions of a ring of `size`, down the columns of a table whose rows, read one
// after the other, are the ring.
std::vector<uint32_t> ColumnOrder(uint32_t size, uint32_t rows) {
  const uint32_t columns = size / rows;
  const uint32_t longer_rows = size % rows;
  std::vector<uint32_t> order;
  for (uint32_t column = 0; column <= columns; ++column) {
    for (uint32_t row = 0; row < (column < columns ? rows : longer_rows); ++row) {
      order.push_back(row * columns + std::min(row, longer_rows) + column);
    }
  }
  return order;
}

// A ring on which i stands counts[i] times, equal ones at least `window` apart
// wherever that can be: no count may be above size / window then, and a run down
// the columns of a table with so many rows, each at least a window long, never
// meets itself within a window. Runs that fill a column come first: one of them
// that went on in the next column would. The others follow group by group.
std::vector<uint32_t> DealApart(const std::vector<uint32_t>& counts, uint32_t window,
                                const std::vector<uint32_t>& group_of) {
  const uint32_t size = std::accumulate(counts.begin(), counts.end(), uint32_t{0});
  if (size == 0) return {};
  const uint32_t rows = std::max({size / window, *std::max_element(counts.begin(), counts.end()), uint32_t{1}});
  std::vector<uint32_t> runs(counts.size());
  std::iota(runs.begin(), runs.end(), uint32_t{0});
  std::sort(runs.begin(), runs.end(), [&](uint32_t a, uint32_t b) {
    return std::tuple(counts[a] < rows, group_of[a], counts[b], a) <
           std::tuple(counts[b] < rows, group_of[b], counts[a], b);
  });
  const std::vector<uint32_t> order = ColumnOrder(size, rows);
  std::vector<uint32_t> ring(size);
  size_t next = 0;
  for (uint32_t i : runs) {
    for (uint32_t dealt = 0; dealt < counts[i]; ++dealt) ring[order[next++]] = i;
  }
  return ring;
}

// Zones round about, and each zone's nodes round about its places.
std::vector<uint32_t> DealZones(const LayoutRules& rules, const std::vector<uint32_t>& counts) {
  std::vector<uint32_t> zone_counts(rules.zones);
  std::vector<std::vector<uint32_t>> counts_in_zone(rules.zones, std::vector<uint32_t>(counts.size()));
  for (uint32_t node = 0; node < counts.size(); ++node) {
    zone_counts[rules.zone_of[node]] += counts[node];
    counts_in_zone[rules.zone_of[node]][node] = counts[node];
  }
  const uint32_t window_in_zone = (rules.window + rules.spread - 1) / rules.spread;
  std::vector<std::vector<uint32_t>> nodes_of_zone;
  nodes_of_zone.reserve(counts_in_zone.size());
  for (const std::vector<uint32_t>& in_zone : counts_in_zone) {
    nodes_of_zone.push_back(DealApart(in_zone, window_in_zone, rules.zone_of));
  }
  std::vector<uint32_t> owners;
  const std::vector<uint32_t> one_group(rules.zones);
  for (uint32_t zone : DealApart(zone_counts, rules.spread, one_group)) {
    owners.push_back(nodes_of_zone[zone].back());
    nodes_of_zone[zone].pop_back();
  }
  return owners;
}

}  // namespace

bool CanBeUnstrained(const LayoutRules& rules, const std::vector<uint32_t>& counts) {
  std::vector<uint32_t> zone_counts(rules.zones);
  for (uint32_t node = 0; node < counts.size(); ++node) zone_counts[rules.zone_of[node]] += counts[node];
  const uint32_t partitions = std::accumulate(counts.begin(), counts.end(), uint32_t{0});
  const auto apart = [&](uint32_t count) { return count <= partitions / rules.window; };
  const auto covers = [&](uint32_t count) { return count * rules.window >= partitions; };
  if (!std::all_of(counts.begin(), counts.end(), apart)) return false;
  if (rules.spread == rules.window) return std::all_of(zone_counts.begin(), zone_counts.end(), apart);
  return rules.spread == 1 || std::all_of(zone_counts.begin(), zone_counts.end(), covers);
}

RingLayout LayOut(const LayoutRules& rules, const std::vector<uint32_t>& counts) {
  // With as many zones as copies, zones apart are nodes apart; with one zone,
  // nodes apart is all there is. In between, nodes apart with each zone in a run
  // of columns leaves little strain too: a run of a column or more meets every row.
  RingLayout by_zone(rules, DealZones(rules, counts));
  RingLayout by_node(rules, DealApart(counts, rules.window, rules.zone_of));
  return by_node.strain() < by_zone.strain() ? by_node : by_zone;
}

}  // namespace dynamo
