// Syncs, crashes, lost disks, and what must hold.
#include <fmt/format.h>

#include <algorithm>

#include "tests/checker/model.h"

namespace dynamo::checker {
namespace {

// Nobody waits for what this node sent; its coordinators are gone.
void Silence(NodeNo node, State* next) {
  for (Message& message : next->messages) {
    if (message.from == node) message.from = message.write = 0;
  }
  for (Op& op : next->ops) {
    if (op.coordinator == node) op = Op{};
  }
  if (next->halfway.coordinator == node) next->halfway = {};
}

}  // namespace

void Model::Sync(NodeNo number, State* next) {
  Node& node = next->node(number);
  node.disk = node.memory;
  for (uint8_t i = 0; i < node.hint_count; ++i) {
    node.hints[i].where = (node.hints[i].where & kInMemory) != 0 ? kInMemory | kOnDisk : 0;
  }
  Forget(number, next);
}

void Model::Syncs(const State& state) {
  for (const Op& op : state.ops) {
    if (op.self_unsynced == 0) continue;
    State next = state;
    Sync(op.coordinator, &next);
    for (Op& waiting : next.ops) {
      if (waiting.coordinator != op.coordinator || waiting.self_unsynced == 0) continue;
      waiting.self_unsynced = 0;
      Stored(&waiting, op.coordinator, &next);
    }
    Take(next, [&] { return NameOf(op.coordinator) + " has synced what it wrote itself"; });
  }
}

void Model::Faults(const State& state) {
  for (NodeNo number = 1; number <= scope_.nodes; ++number) {
    const Node& node = state.node(number);
    if (node.life == Life::kDown) {
      State next = state;
      next.node(number).life = Life::kUp;
      Take(next, [&] { return NameOf(number) + " starts again"; });
    }
    if (node.life == Life::kUp && state.crashes > 0) {
      State next = state;
      --next.crashes;
      Node& crashed = next.node(number);
      crashed.life = Life::kDown;
      crashed.memory = crashed.disk;
      for (uint8_t i = 0; i < crashed.hint_count; ++i) {
        crashed.hints[i].where = (crashed.hints[i].where & kOnDisk) != 0 ? kInMemory | kOnDisk : 0;
      }
      Forget(number, &next);
      if (rules_.On(Rule::kNewActorAtRestart)) crashed.actor = 0;
      Silence(number, &next);
      Take(next, [&] { return NameOf(number) + " crashes and loses what is not synced"; });
    }
    if (node.life != Life::kDestroyed && state.losses > 0) {
      State next = state;
      --next.losses;
      next.node(number) = Node{};
      next.node(number).life = Life::kDestroyed;
      for (Message& message : next.messages) {
        if (message.to == number && message.from == 0) message = Message{};
      }
      Silence(number, &next);
      Take(next, [&] { return NameOf(number) + " loses its disk and stays out"; });
    }
    for (uint8_t i = 0; !rules_.On(Rule::kHintsNeverExpire) && i < node.hint_count; ++i) {
      State next = state;
      next.node(number).hints[i].where = 0;
      Forget(number, &next);
      Take(next, [&] { return "a hint at " + NameOf(number) + " expires"; });
    }
  }
}

uint8_t Model::Past(ObjectNo object, const State& state) const {
  uint8_t past = objects_.live(object);
  for (WriteNo write = 1; write <= kWritesMax; ++write) {
    if (HasBit(objects_.live(object), write)) past |= state.writes[write - 1u].seen;
  }
  return past;
}

// The writes that this node has, or has what was written by whoever had seen them.
uint8_t Model::Held(NodeNo number, const State& state) const {
  const Node& node = state.node(number);
  if (node.life == Life::kDestroyed) return 0;
  uint8_t held = Past(node.memory, state);
  for (uint8_t i = 0; i < node.hint_count; ++i) {
    if ((node.hints[i].where & kInMemory) != 0) held |= Past(node.hints[i].object, state);
  }
  return held;
}

// All faults but lost disks are over, messages on their way are lost, hints are
// handed off, and one read, which every owner answers, repairs.
State Model::Healed(const State& state) {
  State healed = state;
  healed.messages = {};
  healed.ops = {};
  std::vector<ReadPart> parts;
  for (NodeNo number = 1; number <= scope_.nodes; ++number) {
    if (healed.node(number).life == Life::kDown) healed.node(number).life = Life::kUp;
  }
  for (NodeNo from = 1; from <= scope_.nodes; ++from) {
    const Node node = healed.node(from);
    for (uint8_t i = 0; i < node.hint_count; ++i) {
      const HeldHint& hint = node.hints[i];
      if ((hint.where & kInMemory) == 0 || !healed.up(hint.owner)) continue;
      Receive(hint.owner, hint.object, &healed);
      DropHints(from, hint.owner, hint.object, &healed);
    }
  }
  for (NodeNo number = 1; number <= scope_.nodes; ++number) {
    if (!healed.up(number)) continue;
    const bool owner = IsOwner(number);
    parts.push_back({number, owner, owner, true, LocalState(number, healed)});
  }
  const ReadOutcome& outcome = objects_.Read(parts);
  for (const NodeNo behind : outcome.behind) {
    if (IsOwner(behind)) Receive(behind, outcome.joined, &healed);
  }
  return healed;
}

Property Model::Check(const State& state) {
  if (state.broken != Property::kNone) return state.broken;
  const int losses = scope_.losses - state.losses;
  uint8_t written = 0;
  for (WriteNo write = 1; write <= state.write_count; ++write) written |= Bit(write);
  std::array<uint8_t, kNodesMax> held{};
  for (NodeNo number = 1; number <= scope_.nodes; ++number) {
    held[number - 1u] = Held(number, state);
    const ObjectNo memory = state.node(number).memory;
    if (!objects_.sound(memory) || (held[number - 1u] & ~written) != 0) return Property::kInvented;
  }
  const State healed = Healed(state);
  ObjectNo found = 0;
  bool first = true;
  for (NodeNo owner = 1; owner <= scope_.n; ++owner) {
    if (!healed.up(owner)) continue;
    if (!first && healed.node(owner).memory != found) return Property::kDiverged;
    found = healed.node(owner).memory;
    first = false;
  }
  const uint8_t past = Past(found, state);
  for (WriteNo write = 1; write <= state.write_count; ++write) {
    if (HasBit(objects_.live(found), write) && (objects_.live(found) & state.writes[write - 1u].seen) != 0) {
      return Property::kFalseSibling;
    }
    if (state.writes[write - 1u].acked == 0) continue;
    const auto disks = std::ranges::count_if(held, [write](uint8_t has) { return HasBit(has, write); });
    if (disks == 0 || !HasBit(past, write)) return Property::kLost;
    if (disks < 2 - losses) return Property::kMargin;
  }
  return Property::kNone;
}

}  // namespace dynamo::checker
