#include "tests/checker/state.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "common/base/check.h"

namespace dynamo::checker {
namespace {

template <size_t kSize>
uint8_t RenamedMask(uint8_t mask, const std::array<NodeNo, kSize>& names) {
  uint8_t renamed = 0;
  for (int number = 1; number <= kNodesMax; ++number) {
    if (HasBit(mask, number)) renamed |= Bit(names[static_cast<size_t>(number)]);
  }
  return renamed;
}

// What says something of a node whatever it is called.
uint64_t Signature(const Node& node) {
  return (uint64_t{static_cast<uint8_t>(node.life)} << 56) | (uint64_t{node.actor} << 48) |
         (uint64_t{node.memory} << 32) | (uint64_t{node.disk} << 16) | node.hint_count;
}

void Sort(State* state) {
  for (Node& node : state->nodes) std::sort(node.hints.begin(), node.hints.begin() + node.hint_count);
  // Empty ones last.
  std::ranges::sort(state->messages, std::greater<>());
  std::ranges::sort(state->ops, std::greater<>());
}

}  // namespace

std::string_view Name(Property property) {
  switch (property) {
    case Property::kNone: return "none";
    case Property::kLost: return "P1/P2 an acknowledged write is lost";
    case Property::kInvented: return "P3 something nobody wrote";
    case Property::kFalseSibling: return "P4/P5 what was superseded or deleted is back";
    case Property::kDiverged: return "P6 owners differ after repair";
    case Property::kSession: return "P7 a read overlooks an acknowledged write";
    case Property::kDot: return "P8 one dot for two writes";
    case Property::kMargin: return "P13 too few disks hold an acknowledged write";
  }
  return "?";
}

int MessageCount(const State& state) {
  return static_cast<int>(
      std::ranges::count_if(state.messages, [](const Message& message) { return message.kind != MessageKind::kNone; }));
}

void AddMessage(const Message& message, State* state) {
  const auto free = std::ranges::find(state->messages, MessageKind::kNone, &Message::kind);
  DYNAMO_CHECK(free != state->messages.end());
  *free = message;
}

void RemoveMessage(size_t at, State* state) { state->messages[at] = Message{}; }

Op* FindOp(WriteNo write, State* state) {
  const auto at = std::ranges::find(state->ops, write, &Op::write);
  return write == 0 || at == state->ops.end() ? nullptr : &*at;
}

void ForgetFinishedOps(State* state) {
  for (Op& op : state->ops) {
    const bool waits = std::ranges::any_of(state->messages, [&op](const Message& message) {
      return message.kind == MessageKind::kPut && message.from != 0 && message.write == op.write;
    });
    if (!waits && op.self_unsynced == 0) op = Op{};
  }
}

bool AddContext(ObjectNo context, State* state) {
  auto& contexts = state->contexts;
  if (context == 0 || std::ranges::find(contexts, context) != contexts.end()) return true;
  const auto free = std::ranges::find(contexts, ObjectNo{0});
  if (free == contexts.end()) return false;
  *free = context;
  std::ranges::sort(contexts, std::greater<>());
  return true;
}

Canonical::Canonical(const Scope& scope, bool symmetry) : scope_(scope) {
  Renaming names{};
  std::iota(names.begin(), names.end(), NodeNo{0});
  const auto owners = names.begin() + 1, fallbacks = owners + scope.n, end = owners + scope.nodes;
  do {
    do {
      renamings_.push_back(names);
    } while (symmetry && std::next_permutation(fallbacks, end));
  } while (symmetry && std::next_permutation(owners, fallbacks));
}

// What no later step reads or checks.
void Canonical::Forget(State* state) const {
  if (state->crashes == 0) {
    for (Node& node : state->nodes) {
      if (node.life != Life::kUp) continue;
      node.disk = node.memory;
      uint8_t kept = 0;
      for (uint8_t i = 0; i < node.hint_count; ++i) {
        if ((node.hints[i].where & kInMemory) == 0) continue;
        node.hints[kept++] = {node.hints[i].owner, kInMemory | kOnDisk, node.hints[i].object};
      }
      for (uint8_t i = kept; i < node.hint_count; ++i) node.hints[i] = {};
      node.hint_count = kept;
    }
  }
  const bool minting = state->puts > 0 || state->deletes > 0 || state->halfway.coordinator != 0;
  if (minting) return;
  state->contexts = {};
  for (Node& node : state->nodes) node.actor = 0;
  for (Write& write : state->writes) write.actor = write.counter = 0;
}

State Canonical::Renamed(const State& state, const Renaming& names) const {
  State renamed = state;
  for (int number = 1; number <= scope_.nodes; ++number) {
    Node& node = renamed.node(names[static_cast<size_t>(number)]);
    node = state.node(static_cast<NodeNo>(number));
    for (uint8_t i = 0; i < node.hint_count; ++i) node.hints[i].owner = names[node.hints[i].owner];
  }
  for (Message& message : renamed.messages) {
    message.from = names[message.from];
    message.to = names[message.to];
    message.hint_for = names[message.hint_for];
  }
  for (Op& op : renamed.ops) {
    op.coordinator = names[op.coordinator];
    op.stored = RenamedMask(op.stored, names);
    for (NodeNo& spare : op.spare) spare = names[spare];
  }
  renamed.halfway.coordinator = names[state.halfway.coordinator];
  Sort(&renamed);
  return renamed;
}

void Canonical::Apply(State* state) const {
  Forget(state);
  if (renamings_.size() == 1) return Sort(state);
  std::array<uint64_t, kNodesMax + 1> signatures{};
  for (int number = 1; number <= scope_.nodes; ++number) {
    signatures[static_cast<size_t>(number)] = Signature(state->node(static_cast<NodeNo>(number)));
  }
  State least;
  bool found = false;
  for (const Renaming& names : renamings_) {
    std::array<uint64_t, kNodesMax + 1> in_order{};
    for (size_t number = 1; number <= static_cast<size_t>(scope_.nodes); ++number) {
      in_order[names[number]] = signatures[number];
    }
    const auto owners = in_order.begin() + 1, fallbacks = owners + scope_.n, end = owners + scope_.nodes;
    if (!std::is_sorted(owners, fallbacks) || !std::is_sorted(fallbacks, end)) continue;
    const State renamed = Renamed(*state, names);
    if (!found || std::memcmp(&renamed, &least, sizeof least) < 0) least = renamed;
    found = true;
  }
  *state = least;
}

}  // namespace dynamo::checker
