#include "tests/chaos/injector.h"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <utility>

#include "common/admin/client.h"
#include "tests/chaos/command.h"

namespace dynamo::chaos {
namespace {

using cluster::Eventually;
using std::chrono::seconds;

constexpr seconds kStartLimit{30};
constexpr seconds kRingChangeLimit{120};
constexpr int kRepairTries = 10;
constexpr size_t kLastWordsBytes = 4096;

// RocksDB did not come back from a full disk: what supervises the process starts it again.
bool EndedForANewStart(const cluster::NodeProcess& node) {
  const std::string log = node.Log();
  return log.find("does not resume within", log.size() - std::min(log.size(), kLastWordsBytes)) != std::string::npos;
}

}  // namespace

Injector::Injector(uint64_t seed, cluster::RealCluster* cluster, Setting setting, std::function<uint64_t()> repair)
    : rng_(seed), cluster_(cluster), setting_(setting), repair_(std::move(repair)), ring_(cluster, [this](size_t node) {
        return !afflicted_.contains(node);
      }) {}

Status Injector::Begin(const Fault& fault) {
  if (!IsRingChange(fault.kind)) {
    afflicted_.insert(fault.nodes.begin(), fault.nodes.end());
    ++faults_[std::string(Name(fault.kind))];
  }
  const size_t node = fault.nodes.empty() ? 0 : fault.nodes[0];
  switch (fault.kind) {
    case Kind::kKill: cluster_->node(node).Kill(); return {};
    case Kind::kStop: Signal(node, SIGSTOP); return {};
    case Kind::kHalves:
    case Kind::kAlone:
    case Kind::kOneWay:
    case Kind::kBridge: return setting_.network->Cut(fault.cut);
    case Kind::kDelay: return setting_.network->Delay(node, fault.amount);
    case Kind::kLoss: return setting_.network->Lose(node, fault.amount);
    case Kind::kRate: return setting_.network->Limit(node, fault.amount);
    case Kind::kDiskFull: bad_disks_[node] = fault.kind; return (*setting_.disks)[node].Fill();
    case Kind::kClock: return setting_.clocks->Step(node, fault.amount);
    case Kind::kSstFlip: return FlipInTable(node);
    case Kind::kWalFlip: return FlipInLog(node);
    case Kind::kPowerLoss: return LosePower();
    case Kind::kLeave:
    case Kind::kCapacity:
    case Kind::kReplace: BeginRingChange(fault); return {};
  }
  return {};
}

Status Injector::End(const Fault& fault) {
  const Status undone = Undo(fault);
  for (const size_t node : fault.nodes) afflicted_.erase(node);
  return undone;
}

Status Injector::Undo(const Fault& fault) {
  const size_t node = fault.nodes.empty() ? 0 : fault.nodes[0];
  switch (fault.kind) {
    case Kind::kKill: cluster_->node(node).Start(); return {};
    case Kind::kStop: Signal(node, SIGCONT); return {};
    case Kind::kHalves:
    case Kind::kAlone:
    case Kind::kOneWay:
    case Kind::kBridge: return setting_.network->Mend(fault.cut);
    case Kind::kDelay:
    case Kind::kLoss:
    case Kind::kRate: return setting_.network->Unshape(node);
    case Kind::kDiskFull: {
      Watch();
      const Status freed = (*setting_.disks)[node].Free();
      bad_disks_.erase(node);
      Note(cluster_->node(node).running() ? "disk-full: stayed up" : "disk-full: ended");
      if (!cluster_->node(node).running()) cluster_->node(node).Start();
      return freed;
    }
    case Kind::kClock: return setting_.clocks->Step(node, 0);
    case Kind::kSstFlip: return RestoreTable(node);
    case Kind::kWalFlip: return RepairLog(node);
    case Kind::kPowerLoss: return {};
    case Kind::kLeave:
    case Kind::kCapacity:
    case Kind::kReplace: EndRingChange(fault); return {};
  }
  return {};
}

void Injector::BeginRingChange(const Fault& fault) {
  // A lost disk is not left out: as nothing else is wrong, what goes on ends soon.
  if (fault.kind == Kind::kReplace) FinishRingChange();
  const bool begun = fault.kind == Kind::kLeave      ? ring_.BeginLeave(fault.nodes[0])
                     : fault.kind == Kind::kCapacity ? ring_.BeginCapacity(fault.nodes[0])
                                                     : ring_.BeginReplace(fault.nodes[0]);
  if (begun) {
    ring_changes_.insert(fault.kind);
    ++faults_[std::string(Name(fault.kind))];
  } else {
    Note(fmt::format("{}: left out, another change was not over", Name(fault.kind)));
  }
}

void Injector::EndRingChange(const Fault& fault) {
  if (ring_changes_.erase(fault.kind) == 0) return;
  if (fault.kind == Kind::kLeave) ring_.EndLeave(/*take_back=*/fault.amount == 1);
  if (fault.kind == Kind::kCapacity) ring_.EndCapacity();
  if (fault.kind == Kind::kReplace) FinishRingChange();
}

void Injector::FinishRingChange() {
  const bool over = Eventually(kRingChangeLimit, [this] {
    Watch();
    return ring_.AtRest();
  });
  if (!over) Find("P10: a change of the members is not over; it waits for " + ring_.Waiting());
}

std::map<std::string, uint64_t> Injector::outcomes() const {
  auto all = outcomes_;
  for (const auto& [what, count] : ring_.outcomes()) all[what] += count;
  return all;
}

void Injector::Watch() {
  ring_.Step();
  for (size_t node = 0; node < cluster_->size(); ++node) {
    const auto code = cluster_->node(node).TakeEnd();
    if (!code) continue;
    if (bad_disks_.contains(node) || ring_.MayEnd(node)) continue;
    if (EndedForANewStart(cluster_->node(node))) {
      Note("started again after a full disk");
      cluster_->node(node).Start();
      continue;
    }
    Find(fmt::format("node {} ended by itself with {}; see its log", node + 1, *code));
  }
}

Status Injector::LosePower() {
  for (Disk& disk : *setting_.disks) {
    if (Status cut = disk.CutPower(); !cut) return cut;
  }
  for (size_t node = 0; node < cluster_->size(); ++node) cluster_->node(node).Kill();
  for (Disk& disk : *setting_.disks) {
    if (Status unmounted = disk.Unmount(); !unmounted) return unmounted;
    if (Status mounted = disk.Mount(); !mounted) return mounted;
  }
  for (size_t node = 0; node < cluster_->size(); ++node) cluster_->node(node).Start();
  return {};
}

Status Injector::FlipInTable(size_t node) {
  cluster::NodeProcess& process = cluster_->node(node);
  bad_disks_[node] = Kind::kSstFlip;
  process.Kill();
  auto flip = FlipByte(process.data_folder(), ".sst", rng_);
  if (flip && !*flip) {
    // A start writes what the log holds into a table.
    process.Start();
    AwaitReady(node);
    process.Kill();
    flip = FlipByte(process.data_folder(), ".sst", rng_);
  }
  if (!flip) return Fail(flip.error());
  if (*flip) flips_[node] = **flip;
  Note(*flip ? "sst-flip: flipped" : "sst-flip: no table yet");
  process.Start();
  return {};
}

Status Injector::RestoreTable(size_t node) {
  Watch();
  cluster::NodeProcess& process = cluster_->node(node);
  Note(process.running() ? "sst-flip: served on" : "sst-flip: refused or ended");
  process.Kill();
  bad_disks_.erase(node);
  const auto flip = flips_.extract(node);
  if (!flip.empty()) {
    const auto restored = Restore(flip.mapped());
    if (!restored) return Fail(restored.error());
    Note(*restored ? "sst-flip: byte put back" : "sst-flip: table already compacted");
  }
  process.Start();
  return {};
}

Status Injector::FlipInLog(size_t node) {
  cluster::NodeProcess& process = cluster_->node(node);
  bad_disks_[node] = Kind::kWalFlip;
  process.Kill();
  const std::string data = process.data_folder();
  if (Status copied = Execute(fmt::format("rm -rf {0}.whole && cp -a {0} {0}.whole", data)); !copied) return copied;
  const auto flip = FlipByte(data, ".log", rng_);
  if (!flip) return Fail(flip.error());
  process.Start();
  const bool served = AwaitReady(node);
  if (!served) refused_log_.insert(node);
  Note(served ? "wal-flip: served, the rest of the log dropped" : "wal-flip: refused");
  return {};
}

// A node that does not serve, be it that it cannot read its log or that its volume
// has become an old copy by it, gets its files back as they were. One that serves has
// dropped what came after the damage, with a warning only: that is a destroyed disk,
// until the other replicas have given back what was on it.
Status Injector::RepairLog(size_t node) {
  Watch();
  cluster::NodeProcess& process = cluster_->node(node);
  if (refused_log_.erase(node) > 0) {
    process.Kill();
    const std::string data = process.data_folder();
    // The folder itself is where the disk is mounted.
    const Status put_back =
        Execute(fmt::format("find {0} -mindepth 1 -delete && cp -a {0}.whole/. {0} && sync -f {0}", data));
    if (!put_back) return put_back;
    process.Start();
  }
  bad_disks_.erase(node);
  // A change may wait for this very node: one that left as its log was damaged has to be emptied to join again.
  afflicted_.erase(node);
  FinishRingChange();
  if (!Eventually(kStartLimit, [this] { return cluster_->IsWhole(); })) {
    Find(fmt::format("node {} with a damaged log is not alive to all others", node + 1));
    return {};
  }
  for (int tries = 0; tries < kRepairTries; ++tries) {
    if (repair_() == 0) return {};
  }
  Find(fmt::format("some reads with R = N go on failing after node {} had a damaged log", node + 1));
  return {};
}

void Injector::Find(std::string what) {
  std::cout << "FOUND " << what << std::endl;
  findings_.push_back(std::move(what));
}

void Injector::Signal(size_t node, int signal) {
  if (cluster_->node(node).running()) ::kill(cluster_->node(node).pid(), signal);
}

bool Injector::AwaitReady(size_t node) {
  cluster::NodeProcess& process = cluster_->node(node);
  bool ready = false;
  Eventually(kStartLimit, [&] {
    Watch();
    ready = admin::Client(process.admin(), seconds(2)).IsReady().value_or(false);
    return ready || !process.running();
  });
  return ready;
}

}  // namespace dynamo::chaos
