// Every kind of fault that the simulator knows, and how often each has fired.
#ifndef DYNAMO_TESTS_SIM_CLUSTER_FAULT_KIND_H_
#define DYNAMO_TESTS_SIM_CLUSTER_FAULT_KIND_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace dynamo::sim {

enum class FaultKind : uint8_t {
  // Processes.
  kCrash,
  kRestartLoop,  // Crashes again and again while it starts.
  kPause,
  kSlowNode,
  // Links between hosts.
  kPartition,  // Two sides.
  kOneWay,     // One side does not hear the other.
  kPartial,    // Some pairs are cut, not all: a bridge remains, or the cuts make no sides.
  kHalfOpen,   // Connections swallow everything, and nobody is told.
  kClog,       // A link holds everything back, then delivers it at once.
  // Messages; counted one by one.
  kDrop,
  kDelay,
  kReorder,
  kDuplicate,
  kCorrupt,
  kReset,
  // Disks.
  kUnsyncedLoss,  // Batches, in crashes.
  kTornWrite,     // The log ends in the middle of a batch.
  kReadError,     // Reads, for a time.
  kSyncError,
  kDiskFull,
  kBitFlip,
  kSlowDisk,
  kWipe,
  kRollback,  // An old snapshot is restored.
  kDiskSwap,  // Two nodes get each other's disk.
  // Wall clocks.
  kSkew,
  kJump,
  kBackwards,
  kDrift,
  // Clients; counted one by one.
  kRetryStorm,
  kStaleContext,
  kForgedContext,
  kHugeContext,
  kOversizedValue,
  kSiblingFlood,
  // Changes of the members; counted when the voters have decided on them.
  kJoin,
  kLeave,
  kReplace,   // Of a member whose disk is lost.
  kCapacity,  // Or tokens placed anew.
  kCancel,    // Turned round in the middle.
  kFlap,      // Leaves, and joins again as a new node.
  kRivals,    // Two administrators at once, of whom one may win.
};
inline constexpr int kFaultKinds = static_cast<int>(FaultKind::kRivals) + 1;
inline constexpr int kFirstRingChange = static_cast<int>(FaultKind::kJoin);

// As the report shows it: words with dashes.
std::string_view Name(FaultKind kind);

// Plain data: it travels between processes as bytes.
struct FaultCounts {
  std::array<uint64_t, kFaultKinds> fired{};
  uint64_t lost_batches = 0;  // Unsynced, in crashes.
  uint64_t& operator[](FaultKind kind) { return fired[static_cast<size_t>(kind)]; }
  uint64_t operator[](FaultKind kind) const { return fired[static_cast<size_t>(kind)]; }
};

}  // namespace dynamo::sim

#endif  // DYNAMO_TESTS_SIM_CLUSTER_FAULT_KIND_H_
