// Faults of processes and of their wall clocks.
#include <fmt/format.h>

#include <utility>

#include "tests/sim/cluster/chaos.h"

namespace dynamo::sim {
namespace {

constexpr Duration kUpMin{20'000}, kUpMax{800'000};  // Of a node that fails as it starts.
constexpr Duration kDownBetween{100'000};
constexpr int64_t kBackwards_us = 10'000'000;

}  // namespace

void Chaos::Crash() {
  const auto index = DrawRunning();
  if (!index) return;
  const Duration down = Length(plan_.crash_max);
  Say(fmt::format("crash of node {} for {} ms", *index, down.count() / 1000));
  cluster_->node(*index).Crash();
  ++cluster_->faults()[FaultKind::kCrash];
  StartAfter(down, *index);
}

void Chaos::RestartLoop() {
  const auto index = DrawRunning();
  if (!index) return;
  std::vector<Duration> ups(rng_.Between(2, 6));
  for (Duration& up : ups) up = Duration(rng_.Between(kUpMin.count(), kUpMax.count()));
  Say(fmt::format("restart loop of node {}, {} times", *index, ups.size()));
  ++cluster_->faults()[FaultKind::kRestartLoop];
  RestartAgain(*index, std::move(ups));
}

void Chaos::RestartAgain(size_t index, std::vector<Duration> ups) {
  if (cluster_->node(index).running()) cluster_->node(index).Crash();
  StartAfter(kDownBetween, index);
  if (ups.empty()) return;
  const Duration up = ups.back();
  ups.pop_back();
  After(kDownBetween + up, [this, index, ups = std::move(ups)] { RestartAgain(index, ups); });
}

void Chaos::Pause() {
  const auto index = DrawRunning();
  if (!index || cluster_->node(*index).paused()) return;
  SimNode& node = cluster_->node(*index);
  const Duration stopped = Length(plan_.pause_max);
  Say(fmt::format("pause of node {} for {} ms", *index, stopped.count() / 1000));
  node.Pause();
  ++cluster_->faults()[FaultKind::kPause];
  After(stopped, [&node, process = node.process()] {
    if (node.running() && node.process() == process) node.Resume();
  });
}

void Chaos::SlowNode() {
  const auto index = DrawRunning();
  if (!index) return;
  SimNode& node = cluster_->node(*index);
  const Duration lag = Length(plan_.lag_max);
  const Duration length = Length(plan_.slow_max);
  Say(fmt::format("node {} slow by {} us an event for {} ms", *index, lag.count(), length.count() / 1000));
  node.SetLag(lag);
  ++cluster_->faults()[FaultKind::kSlowNode];
  EndAfter(FaultKind::kSlowNode, *index, length, [&node] {
    if (node.running()) node.SetLag(Duration(0));
  });
}

// Off for good; ahead or behind for a while, so that it steps twice; or back a little.
void Chaos::StepClock(FaultKind kind) {
  const size_t index = rng_.Below(cluster_->size());
  SimNode& node = cluster_->node(index);
  Duration skew(rng_.Between(-plan_.skew_max.count(), plan_.skew_max.count()));
  if (kind == FaultKind::kBackwards) skew = node.skew() - Duration(rng_.Between(1, kBackwards_us));
  const Duration length = Length(plan_.slow_max);
  Say(fmt::format("{}: clock of node {} off by {} ms", Name(kind), index, skew.count() / 1000));
  node.SetSkew(skew);
  ++cluster_->faults()[kind];
  if (kind != FaultKind::kJump) return;
  EndAfter(kind, index, length, [&node] { node.SetSkew(Duration(0)); });
}

void Chaos::DriftClock() {
  const size_t index = rng_.Below(cluster_->size());
  SimNode& node = cluster_->node(index);
  const int64_t ppm = rng_.Between(-plan_.wall_drift_ppm_max, plan_.wall_drift_ppm_max);
  const Duration length = Length(plan_.slow_max);
  Say(fmt::format("clock of node {} drifts by {} ppm for {} ms", index, ppm, length.count() / 1000));
  node.SetWallDrift(ppm);
  ++cluster_->faults()[FaultKind::kDrift];
  EndAfter(FaultKind::kDrift, index, length, [&node] { node.SetWallDrift(0); });
}

}  // namespace dynamo::sim
