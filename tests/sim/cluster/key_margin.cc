#include "tests/sim/cluster/key_margin.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <utility>

namespace dynamo::sim {
namespace {

constexpr size_t kTrackedMax = 48;

bool IsLww(const Summary& summary) { return summary.header.policy == ConflictPolicy::kLastWriterWins; }

// The order of last-writer-wins writes: the stamp is the dot's counter too.
auto OrderOf(const Dot& dot) { return std::tuple(dot.counter, dot.actor); }
auto OrderOf(const Summary& summary) { return std::tuple(summary.header.stamp, summary.header.lww_dot.actor); }

}  // namespace

std::optional<Dot> KeyMargin::DotOf(oracle::WriteId id) const {
  const auto found = dots_.find(id);
  if (found == dots_.end()) return std::nullopt;
  return found->second;
}

void KeyMargin::OnBegin(const oracle::WriteRecord& write) {
  contexts_[write.id] = write.context.ids;
  superseded_.insert(write.context.ids.begin(), write.context.ids.end());
  if (write.of_what_is_found) ++blind_deletes_;
}

void KeyMargin::OnEnd(const oracle::WriteRecord& write, oracle::WriteId last) {
  // One of unknown fate may still run.
  if (!write.of_what_is_found || write.outcome == oracle::Outcome::kUnknown) return;
  --blind_deletes_;
  if (write.acknowledged()) blind_until_ = last;
}

bool KeyMargin::HoldsSibling(const Summary& summary, const Tracked& write) const {
  return std::ranges::all_of(write.dots, [&](const auto& known) {
    const auto& [id, dot] = known;
    // What a vector was cut of is nowhere any more: nothing can bring it back.
    if (write.is_delete && reaped_.Covers(dot)) return !summary.Has(dot, id);
    if (!summary.header.clock.Covers(dot)) return false;
    return write.is_delete ? !summary.Has(dot, id) : summary.Has(dot, id) || MayBeSuperseded(id);
  });
}

bool KeyMargin::Holds(const Copies& copies, const Tracked& write, bool replicas_only) const {
  return std::ranges::any_of(copies, [&](const auto& entry) {
    const Copy& copy = entry.second;
    if (replicas_only && copy.hint_for) return false;
    if (!IsLww(*copy.summary)) return HoldsSibling(*copy.summary, write);
    return std::ranges::all_of(write.dots, [&](const auto& known) {
      const auto order = OrderOf(known.second);
      return write.is_delete ? OrderOf(*copy.summary) > order : OrderOf(*copy.summary) >= order;
    });
  });
}

std::optional<oracle::Violation> KeyMargin::OnAcknowledged(const oracle::WriteRecord& write, int required) {
  Tracked tracked;
  tracked.id = write.id;
  tracked.is_delete = write.is_delete;
  tracked.required = required;
  if (write.is_delete) {
    for (const oracle::WriteId id : write.context.ids) {
      if (const auto dot = DotOf(id)) tracked.dots.emplace_back(id, *dot);
    }
  } else if (const auto dot = DotOf(write.id)) {
    tracked.dots.emplace_back(write.id, *dot);
  } else if (policy_ == oracle::Policy::kLastWriterWins) {
    return std::nullopt;  // All who took it had a later one.
  } else {
    return oracle::Violation{"P14", "",
                             fmt::format("write {} is acknowledged, but was on no disk at any time", write.id)};
  }
  Drop(write);
  if (IsReaped(tracked)) return std::nullopt;
  if (tracked.dots.empty()) return std::nullopt;  // A delete of nobody knows what.
  for (const Copies& copies : disks_) tracked.held.push_back(Holds(copies, tracked, false));
  if (tracked_.size() >= kTrackedMax) tracked_.erase(tracked_.begin());
  tracked_.push_back(tracked);
  const auto wrong = Check(tracked);
  if (!wrong) return std::nullopt;
  return oracle::Violation{"P14", "", "acknowledged too early: " + *wrong};
}

// What an acknowledged write has superseded is no longer promised.
void KeyMargin::Drop(const oracle::WriteRecord& later) {
  std::vector<oracle::WriteId> next = later.context.ids;
  std::set<oracle::WriteId> gone;
  while (!next.empty()) {
    const oracle::WriteId id = next.back();
    next.pop_back();
    const auto context = contexts_.find(id);
    if (!gone.insert(id).second || context == contexts_.end()) continue;
    next.insert(next.end(), context->second.begin(), context->second.end());
    contexts_.erase(context);
  }
  std::erase_if(tracked_, [&](const Tracked& tracked) { return gone.contains(tracked.id); });
}

std::optional<oracle::Violation> KeyMargin::OnChanged(size_t disk, bool destroyed) {
  std::optional<oracle::Violation> wrong;
  for (Tracked& tracked : tracked_) {
    const bool before = tracked.held[disk];
    tracked.held[disk] = Holds(disks_[disk], tracked, false);
    if (!before || tracked.held[disk]) continue;
    if (destroyed) {
      --tracked.required;
    } else if (auto found = Check(tracked)) {
      wrong = oracle::Violation{"P13", "", fmt::format("{}; that of node {} no longer has it", *found, disk)};
    }
  }
  return wrong;
}

void KeyMargin::OnReaped(const Summary& before, const Summary* after) {
  const bool deleted = std::ranges::all_of(before.siblings, [](const auto& sibling) { return sibling.second == 0; });
  if (after == nullptr && !deleted) return;
  if (IsLww(before)) {
    const Dot order{before.header.lww_dot.actor, before.header.stamp};
    if (after == nullptr && OrderOf(order) > OrderOf(reaped_order_)) reaped_order_ = order;
  } else {
    for (const Dot& entry : before.header.clock.entries()) {
      if (after == nullptr || after->header.clock.Get(entry.actor) == 0) reaped_.Add(entry);
    }
  }
  std::erase_if(tracked_, [this](const Tracked& write) { return IsReaped(write); });
}

bool KeyMargin::IsReaped(const Tracked& write) const {
  return !write.dots.empty() && std::ranges::all_of(write.dots, [this](const auto& known) {
    const Dot& dot = known.second;
    return reaped_.Covers(dot) || OrderOf(dot) <= OrderOf(reaped_order_);
  });
}

void KeyMargin::OnReplaced() {
  for (Tracked& tracked : tracked_) {
    const auto before = std::ranges::count(tracked.held, true);
    for (size_t disk = 0; disk < disks_.size(); ++disk) tracked.held[disk] = Holds(disks_[disk], tracked, false);
    const auto now = std::ranges::count(tracked.held, true);
    if (now < before) tracked.required -= static_cast<int>(before - now);
  }
}

std::optional<std::string> KeyMargin::Check(const Tracked& write) const {
  const auto holders = std::ranges::count(write.held, true);
  if (holders >= write.required) return std::nullopt;
  return fmt::format("{} {} is on {} disks, hints included; {} are promised", write.is_delete ? "delete" : "write",
                     write.id, holders, write.required);
}

std::optional<int> KeyMargin::ReplicasOf(oracle::WriteId id, const std::vector<size_t>& disks) const {
  const auto tracked = std::ranges::find(tracked_, id, &Tracked::id);
  if (tracked == tracked_.end()) return std::nullopt;
  return static_cast<int>(
      std::ranges::count_if(disks, [&](size_t disk) { return Holds(disks_[disk], *tracked, true); }));
}

std::vector<oracle::WriteId> KeyMargin::HeldByAll(const std::vector<size_t>& disks) const {
  std::vector<oracle::WriteId> held;
  for (const Tracked& tracked : tracked_) {
    const bool by_all = std::ranges::all_of(disks, [&](size_t disk) { return Holds(disks_[disk], tracked, true); });
    if (by_all) held.push_back(tracked.id);
  }
  return held;
}

// What a vector was cut of, it has seen.
bool KeyMargin::HasSeen(const ObjectHeader& other, const ObjectHeader& copy) const {
  if (Dominates(other, copy)) return true;
  if (other.policy != copy.policy || copy.policy == ConflictPolicy::kLastWriterWins) return false;
  VersionVector seen = other.clock;
  seen.Join(reaped_);
  return seen.Dominates(copy.clock);
}

bool KeyMargin::Covers(const std::vector<const Summary*>& others, const Summary& copy) const {
  if (!copy.header.clock.empty() && reaped_.Dominates(copy.header.clock)) return true;
  return std::ranges::any_of(others, [&](const Summary* other) {
    if (!HasSeen(other->header, copy.header)) return false;
    return IsLww(copy) || std::ranges::all_of(copy.siblings, [&](const auto& sibling) {
             const auto& [dot, id] = sibling;
             return id == 0 || MayBeSuperseded(id) || other->Has(dot, id);
           });
  });
}

}  // namespace dynamo::sim
