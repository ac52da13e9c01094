// Faults of links and messages.
#include <fmt/format.h>

#include "tests/sim/cluster/chaos.h"

namespace dynamo::sim {

void Chaos::Cut(FaultKind kind) {
  SimNetwork& network = cluster_->network();
  const size_t size = cluster_->size();
  // One at a time: the newest heals what came before.
  network.HealAll();
  const bool pairs = kind == FaultKind::kPartial && rng_.Chance(0.5);
  if (pairs) {
    CutPairs();
  } else {
    CutSides(kind == FaultKind::kOneWay, kind == FaultKind::kPartial ? rng_.Below(size) : size);
  }
  ++cluster_->faults()[kind];
  const Duration length = Length(plan_.partition_max);
  Say(fmt::format("{} partition for {} ms", Name(kind), length.count() / 1000));
  EndAfter(FaultKind::kPartition, 0, length, [&network] { network.HealAll(); });
}

// `bridge` is one node that both sides still reach.
void Chaos::CutSides(bool one_way, size_t bridge) {
  const size_t size = cluster_->size();
  std::vector<bool> side(size);
  for (size_t i = 0; i < size; ++i) side[i] = rng_.Chance(0.5);
  if (rng_.Chance(0.3)) {
    // One alone.
    side.assign(size, false);
    side[rng_.Below(size)] = true;
  }
  for (size_t a = 0; a < size; ++a) {
    for (size_t b = 0; b < size; ++b) {
      if (side[a] == side[b] || a == bridge || b == bridge) continue;
      if (one_way && side[a]) continue;
      cluster_->network().Cut(cluster_->node(a).config().host, cluster_->node(b).config().host);
    }
  }
}

// Who can talk to whom is then no equivalence: a hears b, b hears c, a not c.
void Chaos::CutPairs() {
  const double share = 0.1 + 0.5 * rng_.Fraction();
  for (size_t a = 0; a < cluster_->size(); ++a) {
    for (size_t b = 0; b < a; ++b) {
      if (!rng_.Chance(share)) continue;
      const HostId one = cluster_->node(a).config().host, other = cluster_->node(b).config().host;
      cluster_->network().Cut(one, other);
      if (rng_.Chance(0.7)) cluster_->network().Cut(other, one);
    }
  }
}

void Chaos::HalfOpen() {
  SimNetwork& network = cluster_->network();
  const size_t victim = rng_.Below(cluster_->size());
  const bool responses_only = rng_.Chance(0.5);
  const double share = rng_.Chance(0.5) ? 1.0 : 0.4;
  int connections = 0;
  for (size_t other = 0; other < cluster_->size(); ++other) {
    if (other == victim || !rng_.Chance(share)) continue;
    const HostId a = cluster_->node(victim).config().host, b = cluster_->node(other).config().host;
    connections += network.MakeHalfOpen(a, b, responses_only) + network.MakeHalfOpen(b, a, responses_only);
  }
  if (connections == 0) return;
  ++cluster_->faults()[FaultKind::kHalfOpen];
  const Duration length = Length(plan_.clog_max);
  Say(fmt::format("{} connections of node {} half open for {} ms", connections, victim, length.count() / 1000));
  EndAfter(FaultKind::kHalfOpen, 0, length, [&network] { network.BreakHalfOpen(); });
}

void Chaos::Clog() {
  SimNetwork& network = cluster_->network();
  const size_t from = rng_.Below(cluster_->size());
  // One link, or all of a node.
  const size_t to = rng_.Chance(0.5) ? rng_.Below(cluster_->size()) : cluster_->size();
  const bool both_ways = rng_.Chance(0.5);
  const Duration length = Length(plan_.clog_max);
  const TimePoint until = cluster_->world().now() + length;
  for (size_t other = 0; other < cluster_->size(); ++other) {
    if (other == from || (to < cluster_->size() && other != to)) continue;
    const HostId a = cluster_->node(from).config().host, b = cluster_->node(other).config().host;
    network.Clog(a, b, until);
    if (both_ways) network.Clog(b, a, until);
  }
  Say(fmt::format("clog from node {} for {} ms", from, length.count() / 1000));
  ++cluster_->faults()[FaultKind::kClog];
}

void Chaos::Noise() {
  cluster_->network().config() = plan_.noise;
  const Duration length = Length(plan_.noise_max);
  Say(fmt::format("noise for {} ms", length.count() / 1000));
  EndAfter(FaultKind::kDrop, 0, length, [this] { cluster_->network().config() = calm_; });
}

}  // namespace dynamo::sim
