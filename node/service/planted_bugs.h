// Bugs planted on purpose, to prove that the simulator would find them.
//
// The library of production has none: there Has() is constant false and costs
// nothing. A second library, dynamo_service_bugs, is built with
// DYNAMO_PLANTED_BUGS; in it ServiceConfig chooses one at run time, so that one
// build serves the test of every bug.
#ifndef DYNAMO_NODE_SERVICE_PLANTED_BUGS_H_
#define DYNAMO_NODE_SERVICE_PLANTED_BUGS_H_

#include <array>
#include <cstdint>
#include <string_view>

#include "node/core/version/object.h"

namespace dynamo {

enum class PlantedBug : uint8_t {
  kNone,
  // Dots: whoever mints (a, k) must hold all that a ever minted.
  kActorSurvivesRestart,    // The same actor again after a start, whatever the disk has lost.
  kFallbackReusesActor,     // Also after its hints, and the dots in them, were handed over.
  kActorKeptOnFailedWrite,  // Although what it minted is out, and not on this disk.
  kOwnHintsLeftOut,         // The coordinator mints without looking at the hints it holds.
  kMintInterleaved,         // Read, mint, write outside the key's critical section.
  kStaleClockCache,         // A coordinator's own write leaves the cache as it was.
  // Merging.
  kUnlockedReplicaPut,       // Read, join, write outside the key's critical section.
  kMergeDropsConcurrent,     // The newcomer takes the place of what it should be joined with.
  kRepairDropsSibling,       // Read repair sends one sibling less, under the whole clock.
  kDeleteLeavesNothing,      // A delete removes the object, tombstone and all.
  kReadErrorIsNotFound,      // What cannot be read is taken for nothing.
  kDigestMismatchIgnored,    // A replica that has something else is taken to agree.
  kFallbackAnswersNotFound,  // A stand-in's having nothing counts as an owner's.
  // Hints.
  kHintOverwrites,         // One hint for each key and owner: the new one replaces the old.
  kHintExpires,            // Dropped when its owner is away as it comes up for delivery.
  kHintAckDeletesNewer,    // Every hint for the key and owner, not just what was sent.
  kHintDeliveredUnsynced,  // Dropped before its owner has it on stable storage.
  // Acknowledgements.
  kAckBeforeW,             // After the first.
  kAckBeforeSync,          // A replica says durable before it is.
  kHintAckBeforeSync,      // A stand-in does.
  kNodeCountedTwice,       // As an owner, and for the hint it keeps when nobody else is left.
  kHintCountsAsOwner,      // For PW.
  kUnmetSaidFailed,        // "Nothing was changed" after a write that reached some.
  kReforwardAfterTimeout,  // A put that may have arrived goes to another coordinator too.
  kRequestLogOff,          // A forwarded frame that comes twice is run twice.
  // The register.
  kVoterAnswersBeforeSync,  // What it promised or accepted may be lost; found by tests/sim/register_bugs.
  // Changes of the members; found by tests/sim/ring_changes_bugs.
  kPendingNotWritten,  // Who is about to own a key is sent nothing, and no hint is kept for it.
  kEpochUnchecked,     // Writes are taken whatever epoch they were sent at.
  // Clients.
  kContextUnverified,  // Forged contexts delete data.
  kLwwByWallClock,     // A write's stamp need not exceed what its writer has seen.
  // Anti-entropy.
  kMerkleMarkForgotten,  // A scan clears a leaf's mark although a write came after its snapshot.
  // Ring changes; found by the scenarios of tests/sim/transfer.
  kTakeoverBeforeCopy,      // A partition changes hands before its receivers hold it.
  kTransferResumedByWiped,  // What was copied before a start is trusted, whatever the disk has lost.
  kStrayDroppedEarly,       // Dropped once one owner has it, not all.
  // Reaping; found by the scenarios of tests/sim/reaping.
  kReapWithoutGeneration,   // What was read before the barrier is taken.
  kReapWithoutSecondCheck,  // Removed once all have adopted the generation, whatever they held then.
  kReapHintsNotCounted,     // A member that holds hints says that it is clean.
};

// By the name that commands take.
struct PlantedBugName {
  PlantedBug bug;
  std::string_view name;
};
inline constexpr std::array kPlantedBugs{
    PlantedBugName{PlantedBug::kActorSurvivesRestart, "actor-survives-restart"},
    PlantedBugName{PlantedBug::kFallbackReusesActor, "fallback-reuses-actor"},
    PlantedBugName{PlantedBug::kActorKeptOnFailedWrite, "actor-kept-on-failed-write"},
    PlantedBugName{PlantedBug::kOwnHintsLeftOut, "own-hints-left-out"},
    PlantedBugName{PlantedBug::kMintInterleaved, "mint-interleaved"},
    PlantedBugName{PlantedBug::kStaleClockCache, "stale-clock-cache"},
    PlantedBugName{PlantedBug::kUnlockedReplicaPut, "unlocked-replica-put"},
    PlantedBugName{PlantedBug::kMergeDropsConcurrent, "merge-drops-concurrent"},
    PlantedBugName{PlantedBug::kRepairDropsSibling, "repair-drops-sibling"},
    PlantedBugName{PlantedBug::kDeleteLeavesNothing, "delete-leaves-nothing"},
    PlantedBugName{PlantedBug::kReadErrorIsNotFound, "read-error-is-not-found"},
    PlantedBugName{PlantedBug::kDigestMismatchIgnored, "digest-mismatch-ignored"},
    PlantedBugName{PlantedBug::kFallbackAnswersNotFound, "fallback-answers-not-found"},
    PlantedBugName{PlantedBug::kHintOverwrites, "hint-overwrites"},
    PlantedBugName{PlantedBug::kHintExpires, "hint-expires"},
    PlantedBugName{PlantedBug::kHintAckDeletesNewer, "hint-ack-deletes-newer"},
    PlantedBugName{PlantedBug::kHintDeliveredUnsynced, "hint-delivered-unsynced"},
    PlantedBugName{PlantedBug::kAckBeforeW, "ack-before-w"},
    PlantedBugName{PlantedBug::kAckBeforeSync, "ack-before-sync"},
    PlantedBugName{PlantedBug::kHintAckBeforeSync, "hint-ack-before-sync"},
    PlantedBugName{PlantedBug::kNodeCountedTwice, "node-counted-twice"},
    PlantedBugName{PlantedBug::kHintCountsAsOwner, "hint-counts-as-owner"},
    PlantedBugName{PlantedBug::kUnmetSaidFailed, "unmet-said-failed"},
    PlantedBugName{PlantedBug::kReforwardAfterTimeout, "reforward-after-timeout"},
    PlantedBugName{PlantedBug::kRequestLogOff, "request-log-off"},
    PlantedBugName{PlantedBug::kContextUnverified, "context-unverified"},
    PlantedBugName{PlantedBug::kLwwByWallClock, "lww-by-wall-clock"},
    PlantedBugName{PlantedBug::kMerkleMarkForgotten, "merkle-mark-forgotten"},
};

#if defined(DYNAMO_PLANTED_BUGS)
struct PlantedBugs {
  PlantedBug active = PlantedBug::kNone;
  bool Has(PlantedBug bug) const { return active == bug; }
};
#else
struct PlantedBugs {
  static constexpr bool Has(PlantedBug /*bug*/) { return false; }
};
#endif

// For kContextUnverified: what a token says, whoever made it.
CausalContext TrustContext(std::string_view token);

}  // namespace dynamo

#endif  // DYNAMO_NODE_SERVICE_PLANTED_BUGS_H_
