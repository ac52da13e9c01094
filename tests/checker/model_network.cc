// Messages, hints and the parts that other steps share.
#include <fmt/format.h>

#include <algorithm>

#include "common/base/check.h"
#include "tests/checker/model.h"

namespace dynamo::checker {
namespace {

std::string_view Word(MessageKind kind) {
  switch (kind) {
    case MessageKind::kPut: return "put";
    case MessageKind::kHandoff: return "handed-off hint";
    case MessageKind::kRepair: return "repair";
    case MessageKind::kNone: break;
  }
  return "?";
}

}  // namespace

void Model::Deliveries(const State& state) {
  for (size_t at = 0; at < state.messages.size(); ++at) {
    const Message& message = state.messages[at];
    if (message.kind == MessageKind::kNone) continue;
    const auto name = [&] {
      const std::string hint = message.hint_for == 0 ? "" : " (a hint for " + NameOf(message.hint_for) + ")";
      return fmt::format("the {} of {} to {}{}", Word(message.kind), objects_.Text(message.object), NameOf(message.to),
                         hint);
    };
    if (state.up(message.to)) Deliver(at, state);
    State lost = state;
    Lose(at, &lost);
    Take(lost, [&] { return name() + " is lost"; });
    if (message.from == 0 || message.kind != MessageKind::kPut) continue;
    if (MessageCount(state) > scope_.outstanding) continue;
    // Whoever sent it has given up; it may still come.
    State late = state;
    late.messages[at].from = late.messages[at].write = 0;
    Cover(message, &late);
    Take(late, [&] { return name() + " is given up while on its way"; });
  }
}

void Model::Deliver(size_t at, const State& state) {
  const Message message = state.messages[at];
  const auto name = [&] {
    const std::string hint = message.hint_for == 0 ? "" : " (a hint for " + NameOf(message.hint_for) + ")";
    return fmt::format("{} gets the {} of {}{}", NameOf(message.to), Word(message.kind), objects_.Text(message.object),
                       hint);
  };
  State next = state;
  Apply(message, &next);
  State unanswered = next;
  if (message.from != 0) {
    if (rules_.On(Rule::kAckAfterSync)) Sync(message.to, &next);
    Answered(message, &next);
    State twice = next;
    RemoveMessage(at, &next);
    Take(next, [&] { return name() + " and acknowledges it"; });
    if (state.duplicates > 0 && MessageCount(state) <= scope_.outstanding) {
      --twice.duplicates;
      twice.messages[at].from = twice.messages[at].write = 0;
      Take(twice, [&] { return name() + " and acknowledges it; a duplicate is on its way"; });
    }
  }
  // Not synced, and the answer, if somebody waits for one, does not arrive.
  Lose(at, &unanswered);
  Take(unanswered, [&] { return name() + (message.from == 0 ? "" : ", unsynced; the answer is lost"); });
}

void Model::Lose(size_t at, State* next) {
  const Message message = next->messages[at];
  RemoveMessage(at, next);
  if (message.kind == MessageKind::kPut && message.from != 0) Cover(message, next);
}

void Model::Apply(const Message& message, State* next) {
  if (message.hint_for != 0) return KeepHint(message.to, message.hint_for, message.object, next);
  Receive(message.to, message.object, next);
}

void Model::Receive(NodeNo node, ObjectNo object, State* next) {
  ObjectNo& memory = next->node(node).memory;
  if (!rules_.On(Rule::kReplicaPutJoins)) {
    memory = object;
  } else if (!rules_.On(Rule::kJoinKeepsSiblings) && objects_.live(object) > objects_.live(memory)) {
    memory = object;
  } else if (rules_.On(Rule::kJoinKeepsSiblings)) {
    memory = objects_.Receive(memory, object);
  }
}

void Model::Answered(const Message& message, State* next) {
  if (message.kind == MessageKind::kHandoff) {
    DropHints(message.from, message.to, message.object, next);
  } else if (Op* op = FindOp(message.write, next)) {
    Stored(op, message.to, next);
  }
}

void Model::Cover(const Message& failed, State* next) {
  Op* op = FindOp(failed.write, next);
  if (op == nullptr || failed.from == 0) return;
  std::vector<NodeId> spare;
  for (const NodeNo node : op->spare) {
    if (node != 0) spare.push_back(NodeId{node});
  }
  const NodeNo owner = failed.hint_for == 0 ? failed.to : failed.hint_for;
  const dynamo::Cover cover =
      CoverFailed(NodeId{owner}, NodeId{failed.to}, NodeId{op->coordinator}, /*in_time=*/true, &spare);
  op->spare = {};
  for (size_t i = 0; i < spare.size(); ++i) op->spare[i] = static_cast<NodeNo>(spare[i].value);
  if (cover.keep_here) KeepHint(op->coordinator, owner, op->object, next);
  if (!cover.next) return;
  AddMessage({MessageKind::kPut, op->coordinator, static_cast<NodeNo>(cover.next->node.value),
              static_cast<NodeNo>(cover.next->stands_in_for.value), op->write, 0, op->object},
             next);
}

void Model::Stored(Op* op, NodeNo node, State* next) {
  op->stored |= Bit(node);
  const auto met = [&](uint32_t pw) {
    WriteTally tally({.n = static_cast<uint32_t>(scope_.n), .w = 2, .pw = pw, .dw = 0, .node_confirms = 0});
    for (NodeNo stored = 1; stored <= scope_.nodes; ++stored) {
      if (!HasBit(op->stored, stored)) continue;
      tally.OnAsked(IsOwner(stored));
      tally.OnStored(IsOwner(stored), true);
    }
    for (int extra = 0; extra < op->extra && HasBit(op->stored, op->coordinator); ++extra) {
      tally.OnAsked(false);
      tally.OnStored(false, true);
    }
    return tally.verdict() == Verdict::kMet;
  };
  uint8_t& acked = next->writes[op->write - 1u].acked;
  if (acked == 0 && met(0)) {
    acked = kAcked;
    DYNAMO_CHECK(AddContext(op->object, next));
  }
  if (met(2)) acked |= kAckedByOwners;
}

void Model::Handoffs(const State& state) {
  for (NodeNo from = 1; from <= scope_.nodes; ++from) {
    const Node& node = state.node(from);
    for (uint8_t i = 0; state.up(from) && i < node.hint_count; ++i) {
      const HeldHint& hint = node.hints[i];
      if ((hint.where & kInMemory) == 0 || !state.up(hint.owner)) continue;
      const Message message{MessageKind::kHandoff, from, hint.owner, 0, 0, 0, hint.object};
      State next = state;
      if (std::ranges::count(state.messages, message) > 0) continue;
      AddMessage(message, &next);
      Take(next, [&] {
        return fmt::format("{} sends its hint of {} to {}", NameOf(from), objects_.Text(hint.object),
                           NameOf(hint.owner));
      });
    }
  }
}

void Model::KeepHint(NodeNo number, NodeNo owner, ObjectNo object, State* next) {
  Node& node = next->node(number);
  std::vector<ObjectNo> existing;
  std::vector<HeldHint*> places;
  for (uint8_t i = 0; i < node.hint_count; ++i) {
    HeldHint& hint = node.hints[i];
    if (hint.owner != owner || (hint.where & kInMemory) == 0) continue;
    existing.push_back(hint.object);
    places.push_back(&hint);
  }
  const Objects::Admission& admission = objects_.Admit(object, existing);
  if (!admission.needed) return;
  const bool overwrites = !rules_.On(Rule::kHintsBesideEachOther);
  for (size_t i = 0; i < places.size(); ++i) {
    if (overwrites || HasBit(admission.superseded, static_cast<int>(i) + 1)) {
      places[i]->where &= static_cast<uint8_t>(~kInMemory);
    }
  }
  const auto end = node.hints.begin() + node.hint_count;
  const auto same = std::find_if(node.hints.begin(), end,
                                 [&](const HeldHint& hint) { return hint.owner == owner && hint.object == object; });
  if (same != end) {
    same->where |= kInMemory;
  } else {
    DYNAMO_CHECK(node.hint_count < kHintsMax);
    node.hints[node.hint_count++] = {owner, kInMemory, object};
  }
  Forget(number, next);
}

void Model::DropHints(NodeNo number, NodeNo owner, ObjectNo sent, State* next) {
  Node& node = next->node(number);
  bool dropped = false;
  for (uint8_t i = 0; i < node.hint_count; ++i) {
    HeldHint& hint = node.hints[i];
    const bool exact = rules_.On(Rule::kExactHintAck);
    const bool delivered = exact ? objects_.IsDelivered(owner, sent, hint.owner, hint.object) : hint.owner == owner;
    if (!delivered || (hint.where & kInMemory) == 0) continue;
    hint.where &= static_cast<uint8_t>(~kInMemory);
    dropped = true;
  }
  const bool retires = dropped && !KeepsActorAfterDelivery(IsOwner(number));
  if (retires && rules_.On(Rule::kNewActorAfterDelivery)) node.actor = 0;
  Forget(number, next);
}

// Hints that are nowhere any more.
void Model::Forget(NodeNo number, State* next) {
  Node& node = next->node(number);
  uint8_t kept = 0;
  for (uint8_t i = 0; i < node.hint_count; ++i) {
    if (node.hints[i].where != 0) node.hints[kept++] = node.hints[i];
  }
  for (uint8_t i = kept; i < node.hint_count; ++i) node.hints[i] = {};
  node.hint_count = kept;
}

ObjectNo Model::LocalState(NodeNo number, const State& state) {
  const Node& node = state.node(number);
  ObjectNo joined = node.memory;
  if (!rules_.On(Rule::kOwnHintsJoined)) return joined;
  for (uint8_t i = 0; i < node.hint_count; ++i) {
    if ((node.hints[i].where & kInMemory) != 0) joined = objects_.Join(joined, node.hints[i].object);
  }
  return joined;
}

}  // namespace dynamo::checker
