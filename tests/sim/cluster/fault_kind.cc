#include "tests/sim/cluster/fault_kind.h"

namespace dynamo::sim {

std::string_view Name(FaultKind kind) {
  switch (kind) {
    case FaultKind::kCrash: return "crash";
    case FaultKind::kRestartLoop: return "restart-loop";
    case FaultKind::kPause: return "pause";
    case FaultKind::kSlowNode: return "slow-node";
    case FaultKind::kPartition: return "partition";
    case FaultKind::kOneWay: return "one-way";
    case FaultKind::kPartial: return "partial";
    case FaultKind::kHalfOpen: return "half-open";
    case FaultKind::kClog: return "clog";
    case FaultKind::kDrop: return "drop";
    case FaultKind::kDelay: return "delay";
    case FaultKind::kReorder: return "reorder";
    case FaultKind::kDuplicate: return "duplicate";
    case FaultKind::kCorrupt: return "corrupt";
    case FaultKind::kReset: return "reset";
    case FaultKind::kUnsyncedLoss: return "unsynced-loss";
    case FaultKind::kTornWrite: return "torn-write";
    case FaultKind::kReadError: return "read-error";
    case FaultKind::kSyncError: return "sync-error";
    case FaultKind::kDiskFull: return "disk-full";
    case FaultKind::kBitFlip: return "bit-flip";
    case FaultKind::kSlowDisk: return "slow-disk";
    case FaultKind::kWipe: return "wipe";
    case FaultKind::kRollback: return "rollback";
    case FaultKind::kDiskSwap: return "disk-swap";
    case FaultKind::kSkew: return "skew";
    case FaultKind::kJump: return "jump";
    case FaultKind::kBackwards: return "backwards";
    case FaultKind::kDrift: return "drift";
    case FaultKind::kRetryStorm: return "retry-storm";
    case FaultKind::kStaleContext: return "stale-context";
    case FaultKind::kForgedContext: return "forged-context";
    case FaultKind::kHugeContext: return "huge-context";
    case FaultKind::kOversizedValue: return "oversized-value";
    case FaultKind::kSiblingFlood: return "sibling-flood";
    case FaultKind::kJoin: return "join";
    case FaultKind::kLeave: return "leave";
    case FaultKind::kReplace: return "replace";
    case FaultKind::kCapacity: return "capacity";
    case FaultKind::kCancel: return "cancel";
    case FaultKind::kFlap: return "flap";
    case FaultKind::kRivals: return "rivals";
  }
  return "?";
}

}  // namespace dynamo::sim
