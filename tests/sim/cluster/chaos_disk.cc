// Faults of disks. Those that hurt what is stored keep to a budget of disks.
#include <fmt/format.h>

#include "tests/sim/cluster/chaos.h"

namespace dynamo::sim {
namespace {

constexpr Duration kRestoreAfterMax{20'000'000};

}  // namespace

void Chaos::ReadErrors() {
  const size_t index = rng_.Below(cluster_->size());
  SimDisk& disk = cluster_->node(index).disk();
  const Duration length = Length(plan_.disk_max);
  const double rate = rng_.Chance(0.3) ? 1.0 : plan_.read_error_rate;
  Say(fmt::format("disk of node {} fails {:.0f} % of reads for {} ms", index, rate * 100, length.count() / 1000));
  disk.SetReadErrors(rate);
  EndAfter(FaultKind::kReadError, index, length, [&disk] { disk.SetReadErrors(0); });
}

void Chaos::SyncError() {
  const auto index = DrawRunning();
  if (!index) return;
  Say(fmt::format("the next sync of node {} fails", *index));
  cluster_->node(*index).disk().FailNextSync(true);
}

void Chaos::FillDisk() {
  const size_t index = rng_.Below(cluster_->size());
  SimDisk& disk = cluster_->node(index).disk();
  const Duration length = Length(plan_.disk_max);
  Say(fmt::format("disk of node {} full for {} ms", index, length.count() / 1000));
  disk.SetFull(true);
  ++cluster_->faults()[FaultKind::kDiskFull];
  EndAfter(FaultKind::kDiskFull, index, length, [&disk] { disk.SetFull(false); });
}

void Chaos::SlowDisk() {
  const size_t index = rng_.Below(cluster_->size());
  SimDisk& disk = cluster_->node(index).disk();
  const int64_t factor = rng_.Between(2, plan_.disk_slowness_max);
  const Duration length = Length(plan_.disk_max);
  Say(fmt::format("disk of node {} {} times slower for {} ms", index, factor, length.count() / 1000));
  disk.SetSlowness(factor);
  ++cluster_->faults()[FaultKind::kSlowDisk];
  EndAfter(FaultKind::kSlowDisk, index, length, [&disk] { disk.SetSlowness(1); });
}

void Chaos::FlipBit() {
  const auto index = DrawDiskToHurt();
  if (!index || !cluster_->node(*index).disk().SpoilOne()) return;
  Say(fmt::format("bit flip on the disk of node {}", *index));
  ++cluster_->faults()[FaultKind::kBitFlip];
}

void Chaos::Wipe() {
  const auto index = DrawDiskToHurt();
  if (!index) return;
  const Duration down = Length(plan_.crash_max);
  Say(fmt::format("wipe of the disk of node {}, back in {} ms", *index, down.count() / 1000));
  WipeNow(*index);
  StartAfter(down, *index);
}

void Chaos::WipeNow(size_t index) {
  SimNode& node = cluster_->node(index);
  if (node.running()) node.Crash();
  node.disk().Wipe();
  ++cluster_->faults()[FaultKind::kWipe];
}

// The snapshot comes back some time after it was taken. In between the node has
// restarted or not: only boots that others remember tell that it is old.
void Chaos::RollBack() {
  const auto index = DrawDiskToHurt();
  if (!index) return;
  SimNode& node = cluster_->node(*index);
  const Duration restore = Length(kRestoreAfterMax), down = Length(plan_.crash_max);
  Say(fmt::format("snapshot of the disk of node {}", *index));
  node.disk().TakeSnapshot();
  if (rng_.Chance(0.7)) RestartAgain(*index, {restore / 4, restore / 4});
  After(restore, [this, &node, index = *index, down] {
    if (!node.disk().has_snapshot() || !MayHurt(index)) return;
    Say(fmt::format("snapshot restored on the disk of node {}, back in {} ms", index, down.count() / 1000));
    if (node.running()) node.Crash();
    node.disk().RestoreSnapshot();
    ++cluster_->faults()[FaultKind::kRollback];
    StartAfter(down, index);
  });
}

void Chaos::SwapDisks() {
  const size_t one = rng_.Below(cluster_->size()), other = rng_.Below(cluster_->size());
  if (one == other) return;
  const Duration down = Length(plan_.crash_max);
  Say(fmt::format("nodes {} and {} get each other's disk, back in {} ms", one, other, down.count() / 1000));
  for (const size_t index : {one, other}) {
    if (cluster_->node(index).running()) cluster_->node(index).Crash();
  }
  cluster_->node(one).disk().SwapContents(cluster_->node(other).disk());
  ++cluster_->faults()[FaultKind::kDiskSwap];
  StartAfter(down, one);
  StartAfter(down, other);
}

}  // namespace dynamo::sim
