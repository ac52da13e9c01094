#include "tests/chaos/plan.h"

#include <algorithm>
#include <numeric>
#include <ranges>

namespace dynamo::chaos {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kGapMin{1000}, kGapMax{5000};
constexpr milliseconds kRetry{500};
constexpr milliseconds kShortest{1000};  // Of what the run's end cuts short.

// How often a kind is in the deck that faults are drawn from.
size_t CardsOf(Kind kind) {
  switch (kind) {
    case Kind::kKill:
    case Kind::kStop: return 4;
    case Kind::kSstFlip:
    case Kind::kWalFlip:
    case Kind::kPowerLoss:
    case Kind::kReplace: return 1;
    default: return 2;
  }
}

bool IsPartition(Kind kind) {
  return kind == Kind::kHalves || kind == Kind::kAlone || kind == Kind::kOneWay || kind == Kind::kBridge;
}
bool TakesNodeAway(Kind kind) {
  return kind == Kind::kKill || kind == Kind::kStop || kind == Kind::kDiskFull || kind == Kind::kSstFlip;
}
bool DestroysDisk(Kind kind) { return kind == Kind::kWalFlip || kind == Kind::kReplace; }
bool HurtsDisk(Kind kind) { return kind == Kind::kDiskFull || kind == Kind::kSstFlip; }

bool Excludes(const Fault& a, const Fault& b) {
  if (DestroysDisk(a.kind)) return true;
  if (a.kind == Kind::kPowerLoss) return b.kind == Kind::kPowerLoss || TakesNodeAway(b.kind);
  if (IsPartition(a.kind) && IsPartition(b.kind)) return true;
  if (HurtsDisk(a.kind) && HurtsDisk(b.kind)) return true;
  if (IsRingChange(a.kind) && IsRingChange(b.kind)) return true;
  return std::ranges::any_of(a.nodes, [&b](size_t node) { return std::ranges::count(b.nodes, node) > 0; });
}

// One run of drawing.
class Planner {
 public:
  Planner(uint64_t seed, size_t nodes, const std::set<Kind>& kinds) : rng_(seed), nodes_(nodes), kinds_(kinds) {}

  // At time zero; whom it concerns may be drawn again until it fits.
  Fault Draw(Kind kind) {
    Fault fault{.kind = kind, .end = Length(kind)};
    std::vector<size_t> order(nodes_);
    std::iota(order.begin(), order.end(), 0);
    Shuffle(order);
    if (IsPartition(kind)) {
      fault.cut = Cut(kind, order);
    } else if (kind != Kind::kPowerLoss) {
      fault.nodes = {order[0]};
    }
    fault.amount = Amount(kind);
    return fault;
  }

  Kind NextKind() {
    if (deck_.empty()) {
      for (const Kind kind : kinds_) deck_.insert(deck_.end(), CardsOf(kind), kind);
      Shuffle(deck_);
    }
    const Kind kind = deck_.back();
    deck_.pop_back();
    return kind;
  }

  milliseconds Between(milliseconds low, milliseconds high) {
    return milliseconds(rng_.Between(low.count(), high.count()));
  }

 private:
  template <class T>
  void Shuffle(std::vector<T>& items) {
    for (size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[rng_.Below(i)]);
  }

  milliseconds Length(Kind kind) {
    switch (kind) {
      case Kind::kKill: return Between(milliseconds(100), seconds(12));
      case Kind::kStop: return rng_.Chance(0.8) ? Between(seconds(1), seconds(12)) : Between(seconds(12), seconds(60));
      case Kind::kPowerLoss: return seconds(5);
      case Kind::kWalFlip:
      case Kind::kReplace: return seconds(8);
      case Kind::kLeave: return Between(seconds(2), seconds(15));
      default: return Between(seconds(3), seconds(15));
    }
  }

  int64_t Amount(Kind kind) {
    switch (kind) {
      case Kind::kDelay: return rng_.Between(5, 400);
      case Kind::kLoss: return rng_.Between(2, 40);
      case Kind::kRate: return rng_.Between(64, 2000);
      case Kind::kLeave: return rng_.Chance(0.3) ? 1 : 0;
      case Kind::kClock: return rng_.Between(1, 7200) * (rng_.Chance(0.5) ? 1 : -1);
      default: return 0;
    }
  }

  std::vector<Link> Cut(Kind kind, const std::vector<size_t>& order) {
    std::vector<Link> cut;
    const auto both_ways = [&cut](size_t a, size_t b) { cut.insert(cut.end(), {{a, b}, {b, a}}); };
    const size_t half = nodes_ / 2;
    switch (kind) {
      case Kind::kHalves:
      case Kind::kBridge:
        // In a bridge the last node sees both sides.
        for (size_t a = 0; a < half; ++a) {
          for (size_t b = half; b < nodes_ - (kind == Kind::kBridge ? 1 : 0); ++b) both_ways(order[a], order[b]);
        }
        break;
      case Kind::kAlone:
        for (size_t i = 1; i < nodes_; ++i) both_ways(order[0], order[i]);
        break;
      default:
        for (size_t i = 1, last = 1 + rng_.Below(nodes_ - 1); i <= last; ++i) cut.emplace_back(order[0], order[i]);
    }
    return cut;
  }

  Rng rng_;
  size_t nodes_;
  const std::set<Kind>& kinds_;
  std::vector<Kind> deck_;
};

}  // namespace

std::string_view Name(Kind kind) {
  constexpr std::array<std::string_view, kAllKinds.size()> kNames = {
      "kill",      "stop",  "halves",   "alone",    "one-way",    "bridge", "delay",    "loss",   "rate",
      "disk-full", "clock", "sst-flip", "wal-flip", "power-loss", "leave",  "capacity", "replace"};
  return kNames[static_cast<size_t>(kind)];
}

bool Fits(const Budget& budget, const std::vector<Fault>& active, const Fault& next) {
  if (active.size() >= budget.faults_max) return false;
  if (std::ranges::any_of(active, [&](const Fault& other) { return Excludes(next, other) || Excludes(other, next); })) {
    return false;
  }
  const auto away = std::ranges::count_if(active, [](const Fault& fault) { return TakesNodeAway(fault.kind); });
  return !TakesNodeAway(next.kind) || static_cast<size_t>(away) < budget.away_max;
}

std::vector<Fault> MakePlan(uint64_t seed, milliseconds length, size_t nodes, const std::set<Kind>& kinds,
                            const Budget& budget) {
  std::vector<Fault> plan;
  if (kinds.empty()) return plan;
  Planner planner(seed, nodes, kinds);
  std::vector<Fault> active;
  milliseconds now{0};
  for (;;) {
    now += planner.Between(kGapMin, kGapMax);
    const Kind kind = planner.NextKind();
    // It waits, and others with it, until it fits: so every kind gets its turn.
    for (;; now += kRetry) {
      std::erase_if(active, [now](const Fault& fault) { return fault.end <= now; });
      Fault next = planner.Draw(kind);
      if (now + kShortest > length) return plan;
      if (!Fits(budget, active, next)) continue;
      next.begin += now;
      next.end = std::min(next.end + now, length);
      plan.push_back(next);
      active.push_back(std::move(next));
      break;
    }
  }
}

}  // namespace dynamo::chaos
