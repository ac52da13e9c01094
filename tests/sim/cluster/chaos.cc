#include "tests/sim/cluster/chaos.h"

#include <fmt/format.h>

#include <utility>

namespace dynamo::sim {
namespace {

constexpr Duration kSupervisionInterval{500'000};

// Those that are a rate, or a part of another, or the clients'.
bool StrikesByItself(FaultKind kind) {
  switch (kind) {
    case FaultKind::kDelay:
    case FaultKind::kReorder:
    case FaultKind::kDuplicate:
    case FaultKind::kCorrupt:
    case FaultKind::kReset:
    case FaultKind::kUnsyncedLoss:
    case FaultKind::kTornWrite: return false;
    default: return kind < FaultKind::kRetryStorm || static_cast<int>(kind) >= kFirstRingChange;
  }
}

}  // namespace

Chaos::Chaos(SimCluster* cluster, ChaosPlan plan, std::function<void(const std::string&)> say,
             std::function<void(oracle::Violation)> report)
    : cluster_(cluster),
      plan_(std::move(plan)),
      say_(std::move(say)),
      rng_(cluster->world().MakeRng("chaos")),
      rngs_(rng_.Fork()),
      calm_(cluster->network().config()),
      administrators_(cluster, say_, std::move(report)) {
  for (int i = 0; i < kFaultKinds; ++i) {
    const auto kind = static_cast<FaultKind>(i);
    // One noise brings all the rates of the plan.
    const bool strikes = kind == FaultKind::kDrop ? plan_.HasNoise() : plan_.Has(kind);
    if (strikes && StrikesByItself(kind)) kinds_.push_back(kind);
  }
}

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

void Chaos::Start() {
  Next();
  Supervise();
}

void Chaos::Next() {
  rng_ = rngs_.Fork();
  After(Length(plan_.between_max), [this] {
    ++ordinal_;
    if (!kinds_.empty() && (!plan_.only_faults || plan_.only_faults->contains(ordinal_))) {
      struck_.push_back(ordinal_);
      Strike(kinds_[rng_.Below(kinds_.size())]);
    }
    Next();
  });
}

// Goes on after the end of all faults: what failed just before it comes up too.
void Chaos::Supervise() {
  SimWorld& world = cluster_->world();
  world.At(kNobody, world.now() + kSupervisionInterval, [this] {
    for (size_t i = 0; i < cluster_->size(); ++i) {
      SimNode& node = cluster_->node(i);
      const bool failed = node.started() && !node.start_outcome() && !node.disk().lost();
      if (!failed && !node.stopped_itself()) continue;
      Say(fmt::format("node {} is started again", i));
      if (node.running()) node.Crash();
      node.Start();
    }
    Supervise();
  });
}

std::optional<size_t> Chaos::DrawRunning() {
  const size_t index = rng_.Below(cluster_->size());
  if (!cluster_->node(index).running()) return std::nullopt;
  return index;
}

std::optional<size_t> Chaos::DrawDiskToHurt() {
  const size_t index = rng_.Below(cluster_->size());
  if (!MayHurt(index)) return std::nullopt;
  return index;
}

bool Chaos::MayHurt(size_t index) {
  const SimDisk& disk = cluster_->node(index).disk();
  if (disk.lost() || (cluster_->config().spares > 0 && !administrators_.MayLoseADisk())) return false;
  return disk.spoiled() || cluster_->DisksHurt() < plan_.disks_hurt_max;
}

void Chaos::StartAfter(Duration down, size_t index) {
  After(down, [this, index] {
    if (cluster_->node(index).running()) return;
    Say(fmt::format("start of node {}", index));
    cluster_->node(index).Start();
  });
}

void Chaos::EndAfter(FaultKind kind, size_t index, Duration length, std::function<void()> end) {
  const auto place = std::pair(kind, index);
  After(length, [this, place, number = ++newest_[place], end = std::move(end)] {
    if (newest_[place] == number) end();
  });
}

void Chaos::Strike(FaultKind kind) {
  switch (kind) {
    case FaultKind::kCrash: return Crash();
    case FaultKind::kRestartLoop: return RestartLoop();
    case FaultKind::kPause: return Pause();
    case FaultKind::kSlowNode: return SlowNode();
    case FaultKind::kPartition:
    case FaultKind::kOneWay:
    case FaultKind::kPartial: return Cut(kind);
    case FaultKind::kHalfOpen: return HalfOpen();
    case FaultKind::kClog: return Clog();
    case FaultKind::kDrop: return Noise();
    case FaultKind::kReadError: return ReadErrors();
    case FaultKind::kSyncError: return SyncError();
    case FaultKind::kDiskFull: return FillDisk();
    case FaultKind::kBitFlip: return FlipBit();
    case FaultKind::kSlowDisk: return SlowDisk();
    case FaultKind::kWipe: return Wipe();
    case FaultKind::kRollback: return RollBack();
    case FaultKind::kDiskSwap: return SwapDisks();
    case FaultKind::kSkew:
    case FaultKind::kJump:
    case FaultKind::kBackwards: return StepClock(kind);
    case FaultKind::kDrift: return DriftClock();
    default: return ChangeRing(kind);
  }
}

void Chaos::Heal() {
  over_ = true;
  Say("heal");
  SimNetwork& network = cluster_->network();
  network.HealAll();
  network.BreakHalfOpen();
  network.Unclog();
  network.config() = calm_;
  for (size_t i = 0; i < cluster_->size(); ++i) {
    SimNode& node = cluster_->node(i);
    node.disk().SetFull(false);
    node.disk().SetReadErrors(0);
    node.disk().FailNextSync(false);
    node.disk().SetSlowness(1);
    node.disk().Mend();
    node.SetWallDrift(0);
    node.SetSkew(Duration(0));
    if (node.paused()) node.Resume();
    if (node.running()) node.SetLag(Duration(0));
    if (!node.running()) node.Start();
  }
  if (plan_.ChangesRing()) administrators_.Finish(rng_.Fork());
}

const FaultCounts& Chaos::counts() {
  FaultCounts& counts = cluster_->faults();
  const NetworkCounts& network = cluster_->network().counts();
  counts[FaultKind::kDrop] = network.dropped;
  counts[FaultKind::kDelay] = network.slowed;
  counts[FaultKind::kReorder] = network.reordered;
  counts[FaultKind::kDuplicate] = network.duplicated;
  counts[FaultKind::kCorrupt] = network.corrupted;
  counts[FaultKind::kReset] = network.resets;
  for (const FaultKind kind :
       {FaultKind::kUnsyncedLoss, FaultKind::kTornWrite, FaultKind::kReadError, FaultKind::kSyncError}) {
    counts[kind] = 0;
  }
  for (size_t i = 0; i < cluster_->size(); ++i) {
    const SimDisk& disk = cluster_->node(i).disk();
    counts[FaultKind::kUnsyncedLoss] += disk.lost_batches();
    counts[FaultKind::kTornWrite] += disk.torn_batches();
    counts[FaultKind::kReadError] += disk.failed_reads();
    counts[FaultKind::kSyncError] += disk.failed_syncs();
  }
  counts.lost_batches = counts[FaultKind::kUnsyncedLoss];
  return counts;
}

}  // namespace dynamo::sim
