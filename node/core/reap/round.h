// One attempt to reap some objects of a partition, as the owner that leads it decides
// step by step. See docs/reaping.md for why each step is there.
//
// A pure state machine: whoever drives it asks all of asked() what phase() says, tells
// what each has answered, then calls EndPhase, until the phase is kOver.
#ifndef DYNAMO_NODE_CORE_REAP_ROUND_H_
#define DYNAMO_NODE_CORE_REAP_ROUND_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/ids.h"
#include "node/core/reap/generation.h"
#include "node/core/ring/topology.h"

namespace dynamo {

// What a member says of itself for a partition. All that it says held at one instant,
// and what was visible then is on its stable storage.
struct ReapAnswer {
  ReapGeneration generation = 0;
  // As it adopted that generation it held no hint and no stray of the partition. A
  // process that has started since does not know: false.
  bool clean = false;
  bool hints = false;               // It holds some now: a round would be in vain.
  uint64_t run = 0;                 // Names its process start.
  uint64_t clock = 0;               // Its hybrid clock, for a new member.
  TopologyVersion version;          // Of the topology it holds.
  std::vector<uint32_t> differing;  // Of the objects asked about, by index: stored otherwise, or not at all.
};

class ReapRound {
 public:
  enum class Phase : uint8_t {
    kCheck,       // Members: your generation. Owners: do you store just these?
    kRaise,       // Members: adopt target().
    kCheckAgain,  // As kCheck, and: were you clean?
    kSeal,        // Members: adopt target(). After it no disk can return unnoticed from before kRaise.
    kRemove,      // Owners: remove what is exactly so. Who does not hear of it keeps it for another round.
    kOver,
  };

  // `owners` are members too. The objects asked about have indices below `objects`;
  // `version`: of the topology that names all of these, which must have no change
  // under way.
  ReapRound(std::vector<NodeId> members, std::vector<NodeId> owners, uint32_t objects, TopologyVersion version);

  Phase phase() const { return phase_; }
  const std::vector<NodeId>& asked() const { return phase_ == Phase::kRemove ? owners_ : members_; }
  bool IsOwner(NodeId node) const;
  // To be adopted in kRaise and kSeal; to be held in kRemove.
  ReapGeneration target() const { return target_; }
  // The objects that are still of the round, as indices, ascending.
  const std::vector<uint32_t>& objects() const { return objects_; }

  // `answer.differing` counts from 0 within objects(). Silence is a failure.
  void OnAnswer(NodeId node, ReapAnswer answer) { answers_[node] = std::move(answer); }
  void EndPhase();
  // For a planted bug: straight from kRaise to kSeal, whatever members hold.
  void SkipSecondCheck() { second_check_ = false; }

  // It came to kRemove.
  bool reaped() const { return reaped_; }
  // Why it ended before; empty if it did not.
  std::string_view why() const { return why_; }

 private:
  void Abandon(std::string_view why);
  void EndCheck();
  void EndCheckAgain();
  // Takes out those that an owner does not store so.
  void DropDiffering();
  bool AllAtVersion() const;
  bool AllReached() const;

  std::vector<NodeId> members_, owners_;
  TopologyVersion version_;
  Phase phase_ = Phase::kCheck;
  ReapGeneration target_ = 0;
  std::vector<uint32_t> objects_;
  std::map<NodeId, ReapAnswer> answers_;
  std::map<NodeId, uint64_t> runs_;
  bool only_level_ = false;  // Somebody is behind: they are brought up, and that is all.
  bool second_check_ = true;
  bool reaped_ = false;
  std::string why_;
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_CORE_REAP_ROUND_H_
