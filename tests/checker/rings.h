// Changes of the ring, searched as search.h searches requests: one partition and a few
// writes on five nodes, while owners change twice and one disk may be lost.
//
// Who receives, whom it needs and when it may take over are the store's own functions
// (core/transfer/coverage.h); so are a voter's answers (core/consensus). What a node
// takes, owes and drops follows service/replica, hinted_handoff, transfer and
// stray_handback.
#ifndef DYNAMO_TESTS_CHECKER_RINGS_H_
#define DYNAMO_TESTS_CHECKER_RINGS_H_

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "node/core/transfer/coverage.h"

namespace dynamo::checker {

enum class RingRule : uint8_t {
  kNone,
  kPendingWritten,
  kEpochFencing,
  kHintsGoToPending,
  kTakeoverByProof,
  kSafeDrop,
  kWipedReceiverStartsAgain,
  kWipedVoterNeverVotes,  // Of VoterModel.
};

struct RingScope {
  std::string_view name;
  int changes = 1;  // An owner gives its place to a spare, alive or destroyed.
  int writes = 1;
  int losses = 0;    // Disks destroyed for good.
  int wipes = 0;     // Of who receives: it comes back with its name and without its data.
  int suspects = 0;  // Nodes that are up and that a receiver takes for down.
};

inline constexpr int kRingNodes = 5, kRingOwners = 3, kRingWritesMax = 2, kRingEpochsMax = 6;
inline constexpr int kRingW = 2;

// Node numbers are 0 to kRingNodes - 1; masks have a bit for each.
struct RingTopology {
  std::array<uint8_t, kRingOwners> owners, pending;  // In the order of the walk; `moving`: pending counts.
  uint8_t moving, since;                             // As Topology::change_since.
};
struct RingNode {
  uint8_t life;                           // 0: up, 1: destroyed.
  uint8_t epoch;                          // Of the topology that it holds.
  uint8_t data;                           // Writes that it stores.
  uint8_t compared;                       // Owners it has compared with,
  uint8_t compared_since;                 // in this change.
  std::array<uint8_t, kRingNodes> hints;  // Writes it keeps for others.
};
struct RingWrite {
  uint8_t minted, acked;
  uint8_t stale;       // Its coordinator had not heard of the last takeover: who owns, it did not know.
  uint8_t lost;        // Destroyed and wiped disks that held it,
  uint8_t destroyed;   // and of these the former: who receives counts for nothing yet.
  uint8_t hints_lost;  // Hints of it on them.
};
struct RingState {
  std::array<RingTopology, kRingEpochsMax> topologies;  // By epoch.
  std::array<RingNode, kRingNodes> nodes;
  std::array<RingWrite, kRingWritesMax> writes;
  uint8_t newest, changes, losses, wipes, writes_left;
  uint8_t broken;  // 1: fewer owners have a write after a takeover.
};

class RingModel {
 public:
  using State = RingState;
  struct Step {
    RingState next;
    std::string text;
  };

  RingModel(const RingScope& scope, RingRule off) : scope_(scope), off_(off) {}
  State Initial() const;
  void Steps(const State& state, bool with_text, std::vector<Step>* steps) const;
  // Empty: all holds.
  std::string Check(const State& state) const;

 private:
  bool On(RingRule rule) const { return off_ != rule; }
  bool Accepts(const State& state, int node, int sent_at) const;
  void Adoptions(const State& state, bool with_text, std::vector<Step>* steps) const;
  void Writes(const State& state, bool with_text, std::vector<Step>* steps) const;
  void WriteAt(const State& state, int coordinator, int write, bool with_text, std::vector<Step>* steps) const;
  void Begins(const State& state, bool with_text, std::vector<Step>* steps) const;
  void Comparisons(const State& state, bool with_text, std::vector<Step>* steps) const;
  void Takeovers(const State& state, bool with_text, std::vector<Step>* steps) const;
  void HintsDelivered(const State& state, bool with_text, std::vector<Step>* steps) const;
  void Drops(const State& state, bool with_text, std::vector<Step>* steps) const;
  void Losses(const State& state, bool with_text, std::vector<Step>* steps) const;

  RingScope scope_;
  RingRule off_;
};

// One decision of the register: three voters, two proposers with a ballot each, one of
// the voters wiped at some time.
struct VoterState {
  struct Voter {
    uint8_t promised, accepted;  // Ballots: the numbers of their proposers, from 1; 0: none.
    uint8_t value;               // That was accepted: of which proposer it is.
    uint8_t wiped;
  };
  std::array<Voter, 3> voters;
  struct Asked {
    uint8_t promises, accepts;  // Masks of voters that answered so.
    uint8_t highest, value;     // Heard of in promises; what it proposes, once it does.
    uint8_t sent;               // Mask of voters that were asked to accept.
  };
  std::array<Asked, 2> proposers;
  uint8_t wipes;
};

class VoterModel {
 public:
  using State = VoterState;
  struct Step {
    VoterState next;
    std::string text;
  };

  explicit VoterModel(RingRule off) : off_(off) {}
  State Initial() const;
  void Steps(const State& state, bool with_text, std::vector<Step>* steps) const;
  std::string Check(const State& state) const;

 private:
  void Prepare(const State& state, size_t proposer, size_t voter, bool with_text, std::vector<Step>* steps) const;
  void Accept(const State& state, size_t proposer, size_t voter, bool with_text, std::vector<Step>* steps) const;

  RingRule off_;
};

struct RingOutcome {
  std::string broken;  // Empty: nothing.
  std::vector<std::string> steps;
  size_t states = 0, transitions = 0, depth = 0;
  bool whole = false;  // Every state was met.
  double seconds = 0;
};
RingOutcome SearchRings(const RingScope& scope, RingRule off, size_t states_max);
RingOutcome SearchVoters(RingRule off, size_t states_max);

struct NamedRingRule {
  RingRule rule;
  RingScope scope;  // Its name is the rule's.
};
std::vector<NamedRingRule> AllRingRules();
std::vector<RingScope> RingScopesOf(std::string_view form);

}  // namespace dynamo::checker

#endif  // DYNAMO_TESTS_CHECKER_RINGS_H_
