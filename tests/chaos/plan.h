// What goes wrong when, in a run of chaos: drawn from a seed before anything starts.
#ifndef DYNAMO_TESTS_CHAOS_PLAN_H_
#define DYNAMO_TESTS_CHAOS_PLAN_H_

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/random.h"

namespace dynamo::chaos {

enum class Kind : uint8_t {
  kKill,       // kill -9, started again at the end.
  kStop,       // SIGSTOP, SIGCONT.
  kHalves,     // The network, cut in two.
  kAlone,      // One node, cut off from the others.
  kOneWay,     // Packets of one node don't reach some others; theirs reach it.
  kBridge,     // Two halves that see only one node in common.
  kDelay,      // Of what one node sends.
  kLoss,       // Of what one node sends.
  kRate,       // A limit to what one node sends.
  kDiskFull,   // No free byte left.
  kClock,      // The wall clock jumps, and jumps back.
  kSstFlip,    // A bit of a table file, while the node is down; put back at the end.
  kWalFlip,    // A bit of the write-ahead log, while the node is down.
  kPowerLoss,  // Of all nodes at once: what was not synced is gone.
  kLeave,      // A member leaves; that is taken back, or it joins again with an empty disk.
  kCapacity,   // A member takes twice its share, and gives it back.
  kReplace,    // A disk is lost for good: another member takes the place of its own.
};
inline constexpr std::array kAllKinds = {
    Kind::kKill,    Kind::kStop,      Kind::kHalves, Kind::kAlone,    Kind::kOneWay, Kind::kBridge,
    Kind::kDelay,   Kind::kLoss,      Kind::kRate,   Kind::kDiskFull, Kind::kClock,  Kind::kSstFlip,
    Kind::kWalFlip, Kind::kPowerLoss, Kind::kLeave,  Kind::kCapacity, Kind::kReplace};
// Whether the members change.
constexpr bool IsRingChange(Kind kind) {
  return kind == Kind::kLeave || kind == Kind::kCapacity || kind == Kind::kReplace;
}
// As "one-way".
std::string_view Name(Kind kind);

using Link = std::pair<size_t, size_t>;  // From, to.

struct Fault {
  Kind kind = Kind::kKill;
  std::chrono::milliseconds begin{0}, end{0};  // Since the start of the run.
  std::vector<size_t> nodes = {};              // That it concerns; none in a partition.
  std::vector<Link> cut = {};                  // Of a partition: whose packets are dropped.
  int64_t amount = 0;  // Delay in ms, loss in percent, rate in kbit/s, clock step in s, 1: a leave is taken back.

  friend bool operator==(const Fault&, const Fault&) = default;
};

// Keeps a run winnable.
struct Budget {
  size_t faults_max = 3;  // At once.
  size_t away_max = 2;    // Nodes at once that are killed, stopped or have a bad disk.
};

// Whether `next` may begin while `active` last. Beside the budget's bounds:
//  - a node has one fault of its own at a time, the network one partition, the ring one change;
//  - one disk at a time is full or damaged;
//  - a power loss finds all nodes up and all disks well;
//  - a replaced disk is destroyed, and a damaged log may cost what it held, so it counts
//    as that: nothing else goes wrong until the other replicas have given that back.
bool Fits(const Budget& budget, const std::vector<Fault>& active, const Fault& next);

// Ordered by begin, the last one ended by `length`. Of every kind in `kinds`, at
// least one if the run is long enough. The same arguments, the same plan.
std::vector<Fault> MakePlan(uint64_t seed, std::chrono::milliseconds length, size_t nodes, const std::set<Kind>& kinds,
                            const Budget& budget = {});

}  // namespace dynamo::chaos

#endif  // DYNAMO_TESTS_CHAOS_PLAN_H_
