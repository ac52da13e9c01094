// One state of the model: a few nodes and one key, as plain bytes, so that equal
// states are equal memory. Objects are numbers that Objects (objects.h) knows.
#ifndef DYNAMO_TESTS_CHECKER_STATE_H_
#define DYNAMO_TESTS_CHECKER_STATE_H_

#include <array>
#include <compare>
#include <cstdint>
#include <string_view>
#include <type_traits>
#include <vector>

#include "tests/checker/rules.h"

namespace dynamo::checker {

inline constexpr int kNodesMax = 4;
inline constexpr int kWritesMax = 5;
inline constexpr int kHintsMax = 8;
inline constexpr int kMessagesMax = 5;
inline constexpr int kOpsMax = 3;
inline constexpr int kContextsMax = 8;

using ObjectNo = uint16_t;  // 0: nothing.
using NodeNo = uint8_t;     // 1 to kNodesMax, the owners first; 0: none.
using WriteNo = uint8_t;    // In the order they were minted, from 1.

inline uint8_t Bit(int number) { return static_cast<uint8_t>(1u << (number - 1)); }
inline bool HasBit(uint8_t mask, int number) { return (mask & Bit(number)) != 0; }

struct HeldHint {
  NodeNo owner;
  uint8_t where;  // kInMemory, kOnDisk or both.
  ObjectNo object;
  friend auto operator<=>(const HeldHint&, const HeldHint&) = default;
};
inline constexpr uint8_t kInMemory = 1, kOnDisk = 2;

enum class Life : uint8_t { kUp, kDown, kDestroyed };

// What is visible is in memory; what a crash leaves is on disk.
struct Node {
  Life life;
  uint8_t actor;  // Named for the first write minted with it; 0: none is drawn.
  ObjectNo memory, disk;
  uint8_t hint_count, unused;
  std::array<HeldHint, kHintsMax> hints;  // Sorted.
};

enum class MessageKind : uint8_t { kNone, kPut, kHandoff, kRepair };
struct Message {
  MessageKind kind;
  NodeNo from;  // 0: whoever sent it waits for the answer no more.
  NodeNo to;
  NodeNo hint_for;  // 0: to an owner.
  WriteNo write;    // Of a put somebody waits for.
  uint8_t unused;
  ObjectNo object;
  friend auto operator<=>(const Message&, const Message&) = default;
};

// A put at its coordinator, until every answer is in or was given up.
struct Op {
  WriteNo write;
  NodeNo coordinator;
  uint8_t stored;  // Nodes that have it.
  uint8_t extra;   // Counted though it is no other node: with a rule switched off.
  uint8_t self_unsynced;
  std::array<NodeNo, 2> spare;
  uint8_t unused;
  ObjectNo object;
  friend auto operator<=>(const Op&, const Op&) = default;
};

// Between reading and writing, when that is not one step: with a rule switched off.
struct Halfway {
  NodeNo coordinator;
  uint8_t tombstone;
  ObjectNo context, before;
};

struct Write {
  uint8_t actor, counter;
  uint8_t seen;  // The causal past as its client knows it: a mask of writes.
  uint8_t acked;
};
// Of Write::acked: to the client; and with the owners alone, as PW = W asks.
inline constexpr uint8_t kAcked = 1, kAckedByOwners = 2;

enum class Property : uint8_t { kNone, kLost, kInvented, kFalseSibling, kDiverged, kSession, kDot, kMargin };
std::string_view Name(Property property);

struct State {
  std::array<Node, kNodesMax> nodes;
  std::array<Message, kMessagesMax> messages;
  std::array<Op, kOpsMax> ops;
  Halfway halfway;
  std::array<Write, kWritesMax> writes;
  std::array<ObjectNo, kContextsMax> contexts;  // What clients have got; sorted.
  // What is left of the scope, but for the first.
  uint8_t write_count, puts, deletes, reads, crashes, losses, duplicates, read_errors;
  Property broken;  // By the step that led here.
  uint8_t unused;

  Node& node(NodeNo number) { return nodes[number - 1u]; }
  const Node& node(NodeNo number) const { return nodes[number - 1u]; }
  bool up(NodeNo number) const { return node(number).life == Life::kUp; }
};
static_assert(std::has_unique_object_representations_v<State>);

int MessageCount(const State& state);
void AddMessage(const Message& message, State* state);
void RemoveMessage(size_t at, State* state);
Op* FindOp(WriteNo write, State* state);
// Ops that wait for nothing more are forgotten.
void ForgetFinishedOps(State* state);
bool AddContext(ObjectNo context, State* state);

// One of all states that differ in nothing that matters: the names of owners, those
// of fallbacks, the order of lists, what no later step can see.
class Canonical {
 public:
  explicit Canonical(const Scope& scope, bool symmetry = true);
  void Apply(State* state) const;

 private:
  using Renaming = std::array<NodeNo, kNodesMax + 1>;
  State Renamed(const State& state, const Renaming& names) const;
  void Forget(State* state) const;

  Scope scope_;
  std::vector<Renaming> renamings_;
};

}  // namespace dynamo::checker

#endif  // DYNAMO_TESTS_CHECKER_STATE_H_
