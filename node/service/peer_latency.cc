#include "node/service/peer_latency.h"

#include <algorithm>

namespace dynamo {

void PeerLatency::Record(NodeId peer, Duration latency) {
  const auto sample_us = static_cast<double>(std::max<Duration::rep>(latency.count(), 1));
  const auto [known, first] = peers_.try_emplace(peer, Figures{sample_us, sample_us});
  if (first) return;
  Figures& figures = known->second;
  figures.average_us += (sample_us - figures.average_us) / 8;
  // A stochastic quantile: at rest when one sample in twenty lies above it.
  const double step_us = std::max(1.0, figures.p95_us / 16);
  figures.p95_us += sample_us > figures.p95_us ? step_us * 0.95 : -step_us * 0.05;
}

Duration PeerLatency::Average(NodeId peer) const {
  const auto known = peers_.find(peer);
  return Duration(known == peers_.end() ? 0 : static_cast<Duration::rep>(known->second.average_us));
}

Duration PeerLatency::P95(NodeId peer) const {
  const auto known = peers_.find(peer);
  return Duration(known == peers_.end() ? 0 : static_cast<Duration::rep>(known->second.p95_us));
}

NodeId PeerLatency::Fastest(const std::vector<NodeId>& among) const {
  const auto fastest =
      std::min_element(among.begin(), among.end(), [this](NodeId a, NodeId b) { return Average(a) < Average(b); });
  return fastest == among.end() ? NodeId{} : *fastest;
}

}  // namespace dynamo
