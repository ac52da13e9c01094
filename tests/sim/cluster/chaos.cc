#include "tests/sim/cluster/chaos.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

namespace dynamo::sim {

Chaos::Chaos(SimCluster* cluster, ChaosPlan plan, std::function<void(const std::string&)> say)
    : cluster_(cluster),
      plan_(plan),
      say_(std::move(say)),
      rng_(cluster->world().MakeRng("chaos")),
      rngs_(rng_.Fork()),
      calm_(cluster->network().config()) {}

void Chaos::Say(const std::string& line) {
  if (say_) say_(line);
}

void Chaos::After(Duration delay, std::function<void()> work) {
  SimWorld& world = cluster_->world();
  world.At(kNobody, world.now() + delay, [this, work = std::move(work)] {
    if (!over_) work();
  });
}

Duration Chaos::Length(Duration max) {
  // Short ones are as likely as long ones: 1 ms to `max`, spread by magnitude.
  Duration length(rng_.Between(1000, max.count()));
  if (rng_.Chance(0.5)) length /= 10;
  if (rng_.Chance(0.3)) length /= 10;
  return length;
}

void Chaos::Start() { Next(); }

void Chaos::Next() {
  rng_ = rngs_.Fork();
  After(Length(plan_.between_max), [this] {
    if (!plan_.skipped_faults.contains(++ordinal_)) {
      struck_.push_back(ordinal_);
      Strike();
    }
    Next();
  });
}

void Chaos::Strike() {
  const auto kind = static_cast<FaultKind>(rng_.Below(kFaultKinds));
  if (!plan_.Has(kind)) return;
  switch (kind) {
    case FaultKind::kCrash: return Crash();
    case FaultKind::kPause: return Pause();
    case FaultKind::kPartition: return Partition();
    case FaultKind::kNoise: return Noise();
    case FaultKind::kSkew: return Skew();
  }
}

void Chaos::Crash() {
  const size_t index = rng_.Below(cluster_->size());
  SimNode& node = cluster_->node(index);
  if (!node.running()) return;
  const Duration down = Length(plan_.crash_max);
  Say(fmt::format("crash of node {} for {} ms", index, down.count() / 1000));
  node.Crash();
  ++counts_[FaultKind::kCrash];
  After(down, [this, &node, index] {
    Say(fmt::format("start of node {}", index));
    if (!node.running()) node.Start();
  });
}

void Chaos::Pause() {
  const size_t index = rng_.Below(cluster_->size());
  SimNode& node = cluster_->node(index);
  if (!node.running() || node.paused()) return;
  const Duration stopped = Length(plan_.pause_max);
  Say(fmt::format("pause of node {} for {} ms", index, stopped.count() / 1000));
  node.Pause();
  ++counts_[FaultKind::kPause];
  After(stopped, [&node, process = node.process()] {
    if (node.running() && node.process() == process) node.Resume();
  });
}

void Chaos::Partition() {
  SimNetwork& network = cluster_->network();
  const size_t size = cluster_->size();
  network.HealAll();
  std::vector<bool> side(size);
  for (size_t i = 0; i < size; ++i) side[i] = rng_.Chance(0.5);
  if (rng_.Chance(0.3)) {
    // One alone.
    side.assign(size, false);
    side[rng_.Below(size)] = true;
  }
  const bool one_way = rng_.Chance(0.3);
  // A bridge is one node that both sides still reach.
  const size_t bridge = rng_.Chance(0.3) ? rng_.Below(size) : size;
  for (size_t a = 0; a < size; ++a) {
    for (size_t b = 0; b < size; ++b) {
      if (side[a] == side[b] || a == bridge || b == bridge) continue;
      if (one_way && side[a]) continue;
      network.Cut(cluster_->node(a).config().host, cluster_->node(b).config().host);
    }
  }
  ++counts_[FaultKind::kPartition];
  const Duration length = Length(plan_.partition_max);
  Say(fmt::format("partition for {} ms{}{}", length.count() / 1000, one_way ? ", one way" : "",
                  bridge < size ? fmt::format(", bridge {}", bridge) : ""));
  After(length, [this, &network, number = ++partitions_] {
    if (number == partitions_) network.HealAll();
  });
}

void Chaos::Noise() {
  cluster_->network().config() = plan_.noise;
  ++counts_[FaultKind::kNoise];
  const Duration length = Length(plan_.noise_max);
  Say(fmt::format("noise for {} ms", length.count() / 1000));
  After(length, [this, number = ++noises_] {
    if (number == noises_) cluster_->network().config() = calm_;
  });
}

void Chaos::Skew() {
  const size_t index = rng_.Below(cluster_->size());
  const Duration skew(rng_.Between(-plan_.skew_max.count(), plan_.skew_max.count()));
  Say(fmt::format("clock of node {} off by {} ms", index, skew.count() / 1000));
  cluster_->node(index).SetSkew(skew);
  ++counts_[FaultKind::kSkew];
}

void Chaos::Heal() {
  over_ = true;
  Say("heal");
  cluster_->network().HealAll();
  cluster_->network().config() = calm_;
  for (size_t i = 0; i < cluster_->size(); ++i) {
    SimNode& node = cluster_->node(i);
    node.SetSkew(Duration(0));
    if (node.paused()) node.Resume();
    if (!node.running()) node.Start();
  }
}

const FaultCounts& Chaos::counts() {
  counts_.lost_batches = 0;
  for (size_t i = 0; i < cluster_->size(); ++i) counts_.lost_batches += cluster_->node(i).disk().lost_batches();
  return counts_;
}

}  // namespace dynamo::sim
