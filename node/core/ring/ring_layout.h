// The order of tokens on the ring, and how far it is from a good one.
#ifndef DYNAMO_NODE_CORE_RING_RING_LAYOUT_H_
#define DYNAMO_NODE_CORE_RING_RING_LAYOUT_H_

#include <cstdint>
#include <vector>

namespace dynamo {

// The owner of a token that nobody holds yet; it strains nothing.
inline constexpr uint32_t kNobody = ~uint32_t{0};

// What a layout has to satisfy. Nodes and zones are small numbers here.
struct LayoutRules {
  std::vector<uint32_t> zone_of;  // Node -> zone; zones are numbered from 0 without holes.
  uint32_t zones = 1;
  uint32_t window = 1;  // So many tokens in a row should have distinct nodes
  uint32_t spread = 1;  // in so many zones: min(window, zones).
};

// Which node holds which token, with its strain: 0 if every window of tokens, also
// across the end of the ring, has distinct nodes in `spread` zones; otherwise each
// window counts once for each pair in it that should be apart (nodes; zones, where
// `spread` is the whole window) and for each zone that it lacks.
class RingLayout {
 public:
  // Holds on to `rules`. The window is no longer than the ring.
  RingLayout(const LayoutRules& rules, std::vector<uint32_t> owners);

  uint32_t partitions() const { return static_cast<uint32_t>(owners_.size()); }
  uint32_t window() const { return rules_->window; }
  uint32_t owner(uint32_t token) const { return owners_[token]; }
  const std::vector<uint32_t>& owners() const { return owners_; }

  int64_t strain() const { return strain_; }
  // The part of the strain that `node` at `token` would have with all others as
  // they are. Comparable between nodes at one token only.
  int64_t StrainAt(uint32_t token, uint32_t node) const;
  // Whether the token takes part in any strain.
  bool Strained(uint32_t token) const;

  void Give(uint32_t token, uint32_t node);
  void Swap(uint32_t a, uint32_t b);

 private:
  uint32_t ZoneOf(uint32_t node) const { return node == kNobody ? kNobody : rules_->zone_of[node]; }
  int64_t TooClose(uint32_t token, uint32_t node) const;
  uint32_t ToZone(uint32_t token, uint32_t zone, bool forward) const;
  int64_t Uncovered(uint32_t zone) const;
  uint32_t After(uint32_t token, uint32_t distance) const { return (token + distance) & mask_; }
  uint32_t Before(uint32_t token, uint32_t distance) const { return (token - distance) & mask_; }

  const LayoutRules* rules_;  // Outlives the layout.
  std::vector<uint32_t> owners_;
  uint32_t mask_;     // The number of partitions is a power of two.
  bool zones_apart_;  // Every token of a window in a zone of its own,
  bool zones_cover_;  // or every zone in every window, or neither: there is one zone.
  int64_t strain_ = 0;
};

// Whether so many tokens of each node can be laid out without strain, as far as
// sums tell: more than one in a window nobody can hold. Exact where `spread` is 1
// or the window; in between, more may be in the way.
bool CanBeUnstrained(const LayoutRules& rules, const std::vector<uint32_t>& counts);

// A layout made from nothing for these numbers of tokens. Where `spread` is 1 or
// the window it has no strain if any layout has none; in between, little.
RingLayout LayOut(const LayoutRules& rules, const std::vector<uint32_t>& counts);

}  // namespace dynamo

#endif  // DYNAMO_NODE_CORE_RING_RING_LAYOUT_H_
