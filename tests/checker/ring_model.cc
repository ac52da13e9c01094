// Owners that change: what nodes take, owe and drop meanwhile.
#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "tests/checker/rings.h"

namespace dynamo::checker {
namespace {

constexpr uint8_t kUpNode = 0, kGone = 1;
constexpr uint8_t kFewerOwners = 1;

uint8_t MaskOf(int node) { return static_cast<uint8_t>(1u << node); }
bool In(uint8_t mask, int node) { return ((mask >> node) & 1) != 0; }
bool Up(const RingState& state, int node) { return state.nodes[static_cast<size_t>(node)].life == kUpNode; }
NodeId IdOf(int node) { return NodeId{static_cast<uint64_t>(node) + 1}; }
int NumberOf(NodeId id) { return static_cast<int>(id.value) - 1; }
char Letter(int node) { return static_cast<char>('A' + node); }

RingNode& At(RingState& state, int node) { return state.nodes[static_cast<size_t>(node)]; }
const RingNode& At(const RingState& state, int node) { return state.nodes[static_cast<size_t>(node)]; }
const RingTopology& HeldBy(const RingState& state, int node) { return state.topologies[At(state, node).epoch]; }
const RingTopology& Newest(const RingState& state) { return state.topologies[state.newest]; }

uint8_t MaskOf(const std::array<uint8_t, kRingOwners>& nodes) {
  uint8_t mask = 0;
  for (const uint8_t node : nodes) mask |= MaskOf(node);
  return mask;
}
uint8_t OwnersOf(const RingTopology& topology) { return MaskOf(topology.owners); }
// Who is about to own and does not yet.
uint8_t PendingOf(const RingTopology& topology) {
  return topology.moving != 0 ? static_cast<uint8_t>(MaskOf(topology.pending) & ~OwnersOf(topology)) : uint8_t{0};
}
uint8_t HoldersOf(const RingTopology& topology) { return OwnersOf(topology) | PendingOf(topology); }

OwnersChange ChangeOf(const RingTopology& topology) {
  OwnersChange change;
  for (const uint8_t node : topology.owners) change.current.push_back(IdOf(node));
  for (const uint8_t node : topology.pending) {
    if (topology.moving != 0) change.pending.push_back(IdOf(node));
  }
  return change;
}

// Whom hints owe the write. One for a node that is to own nothing any more is for all
// who do.
uint8_t OwedBy(const RingNode& keeper, const RingTopology& newest, int write) {
  uint8_t owed = 0;
  for (int owner = 0; owner < kRingNodes; ++owner) {
    if (!In(keeper.hints[static_cast<size_t>(owner)], write)) continue;
    owed |= In(HoldersOf(newest), owner) ? MaskOf(owner) : HoldersOf(newest);
  }
  return owed;
}

// Owners of the newest topology that have the write, or are owed it by a hint.
int OwnersWith(const RingState& state, int write) {
  uint8_t with = 0, up = 0;
  for (int node = 0; node < kRingNodes; ++node) {
    if (!Up(state, node)) continue;
    up |= MaskOf(node);
    if (In(At(state, node).data, write)) with |= MaskOf(node);
    with |= OwedBy(At(state, node), Newest(state), write);
  }
  return std::popcount(static_cast<uint8_t>(with & up & OwnersOf(Newest(state))));
}

// That have to have the write once a partition has changed hands: as many as before, but
// for disks that are lost. What is still owed by a hint is on its way, and what was
// acknowledged by who did not know the owners is not promised to reads.
int OwnersNeeded(const RingState& state, int write) {
  const RingWrite& known = state.writes[static_cast<size_t>(write)];
  const bool owed = std::ranges::any_of(state.nodes, [&](const RingNode& node) {
    return std::ranges::any_of(node.hints, [write](uint8_t mask) { return In(mask, write); });
  });
  if (known.acked == 0 || known.stale != 0 || owed) return 0;
  return std::min(OwnersWith(state, write), kRingW - known.destroyed) - known.hints_lost;
}

bool Holds(const RingNode& node, int write) {
  return In(node.data, write) || std::ranges::any_of(node.hints, [write](uint8_t mask) { return In(mask, write); });
}

void Adopt(RingState& state, int node) {
  RingNode& adopting = At(state, node);
  adopting.epoch = state.newest;
  const uint8_t since = Newest(state).since;
  if (adopting.compared_since != since || Newest(state).moving == 0) adopting.compared = 0;
  adopting.compared_since = Newest(state).moving == 0 ? 0 : since;
}

std::string NamesIn(uint8_t mask) {
  std::string names;
  for (int node = 0; node < kRingNodes; ++node) {
    if (In(mask, node)) names += Letter(node);
  }
  return names.empty() ? "nobody" : names;
}

}  // namespace

RingState RingModel::Initial() const {
  RingState state{};
  state.topologies[0].owners = {0, 1, 2};
  state.changes = static_cast<uint8_t>(scope_.changes);
  state.losses = static_cast<uint8_t>(scope_.losses);
  state.wipes = static_cast<uint8_t>(scope_.wipes);
  state.writes_left = static_cast<uint8_t>(scope_.writes);
  return state;
}

// Of a put that was sent at an epoch: see ShardContext::CheckSentToPending.
bool RingModel::Accepts(const State& state, int node, int sent_at) const {
  const RingTopology& topology = HeldBy(state, node);
  if (!Up(state, node) || !In(HoldersOf(topology), node)) return false;
  return !On(RingRule::kEpochFencing) || topology.moving == 0 || sent_at >= topology.since;
}

void RingModel::Steps(const State& state, bool with_text, std::vector<Step>* steps) const {
  steps->clear();
  Adoptions(state, with_text, steps);
  Begins(state, with_text, steps);
  Comparisons(state, with_text, steps);
  Takeovers(state, with_text, steps);
  Writes(state, with_text, steps);
  HintsDelivered(state, with_text, steps);
  Drops(state, with_text, steps);
  Losses(state, with_text, steps);
}

// Gossip brings the newest; whoever has not heard of it goes on by what it holds.
void RingModel::Adoptions(const State& state, bool with_text, std::vector<Step>* steps) const {
  for (int node = 0; node < kRingNodes; ++node) {
    if (!Up(state, node) || At(state, node).epoch == state.newest) continue;
    State next = state;
    Adopt(next, node);
    steps->push_back({next, with_text ? fmt::format("{} hears of epoch {}", Letter(node), state.newest) : ""});
  }
}

// Decided by a majority that knows the newest; whoever asked holds it.
void RingModel::Begins(const State& state, bool with_text, std::vector<Step>* steps) const {
  const RingTopology& now = Newest(state);
  if (state.changes == 0 || now.moving != 0 || state.newest + 2 >= kRingEpochsMax) return;
  for (size_t place = 0; place < kRingOwners; ++place) {
    for (int spare = kRingOwners; spare < kRingNodes; ++spare) {
      // Spares are alike until they have owned something.
      const bool used = In(OwnersOf(now), spare) || At(state, spare).data != 0 || !Up(state, spare);
      const bool first = spare == kRingOwners || In(OwnersOf(now), spare - 1) || At(state, spare - 1).data != 0;
      if (used || !first) continue;
      State next = state;
      --next.changes;
      const auto epoch = static_cast<uint8_t>(++next.newest);
      RingTopology& changed = next.topologies[epoch];
      changed = now;
      changed.pending = now.owners;
      changed.pending[place] = static_cast<uint8_t>(spare);
      changed.moving = 1;
      changed.since = epoch;
      Adopt(next, spare);
      const bool dead = !Up(state, now.owners[place]);
      const std::string text = with_text ? fmt::format("epoch {}: {} is to own in place of {}{}", epoch, Letter(spare),
                                                       Letter(now.owners[place]), dead ? ", which is destroyed" : "")
                                         : "";
      steps->push_back({next, text});
    }
  }
}

// Copying is a part of it: what an owner has is merged, both ways.
void RingModel::Comparisons(const State& state, bool with_text, std::vector<Step>* steps) const {
  for (int receiver = 0; receiver < kRingNodes; ++receiver) {
    const RingTopology& topology = HeldBy(state, receiver);
    if (!Up(state, receiver) || !In(PendingOf(topology), receiver)) continue;
    for (const uint8_t owner : topology.owners) {
      // Transfer::MayAskOwner.
      const bool asked_rightly = Up(state, owner) && In(OwnersOf(HeldBy(state, owner)), owner) &&
                                 In(PendingOf(HeldBy(state, owner)), receiver) &&
                                 At(state, owner).epoch >= At(state, receiver).epoch;
      if (!asked_rightly) continue;
      State next = state;
      At(next, receiver).data |= At(state, owner).data;
      At(next, owner).data |= At(state, receiver).data;
      At(next, receiver).compared |= MaskOf(owner);
      steps->push_back(
          {next, with_text ? fmt::format("{} copies from {} and compares", Letter(receiver), Letter(owner)) : ""});
    }
  }
}

void RingModel::Takeovers(const State& state, bool with_text, std::vector<Step>* steps) const {
  const RingTopology& now = Newest(state);
  if (now.moving == 0) return;
  const OwnersChange change = dynamo::checker::ChangeOf(now);
  for (uint8_t suspected = 0; suspected < MaskOf(kRingNodes); ++suspected) {
    if (std::popcount(suspected) > scope_.suspects) continue;
    const auto is_up = [&](NodeId id) { return Up(state, NumberOf(id)) && !In(suspected, NumberOf(id)); };
    const bool covered = std::ranges::all_of(ReceiversOf(change), [&](NodeId receiver) {
      const RingNode& node = At(state, NumberOf(receiver));
      std::set<NodeId> compared;
      for (int owner = 0; owner < kRingNodes; ++owner) {
        if (In(node.compared, owner) && node.compared_since == now.since) compared.insert(IdOf(owner));
      }
      const bool by_proof = !On(RingRule::kTakeoverByProof) || IsCovered(change, receiver, compared, is_up);
      return node.life == kUpNode && node.epoch == state.newest && by_proof;
    });
    if (!covered) continue;
    State next = state;
    const auto epoch = static_cast<uint8_t>(++next.newest);
    RingTopology& taken = next.topologies[epoch];
    taken.owners = now.pending;
    for (int write = 0; write < kRingWritesMax; ++write) {
      if (OwnersWith(next, write) < OwnersNeeded(state, write)) next.broken = kFewerOwners;
    }
    for (const NodeId receiver : ReceiversOf(change)) Adopt(next, NumberOf(receiver));
    steps->push_back({next, with_text
                                ? fmt::format("epoch {}: taken over{}", epoch,
                                              suspected != 0 ? ", with " + NamesIn(suspected) + " held for down" : "")
                                : ""});
  }
}

// At any node that is an owner as it knows it, by its topology.
void RingModel::Writes(const State& state, bool with_text, std::vector<Step>* steps) const {
  if (state.writes_left == 0) return;
  const int write = scope_.writes - state.writes_left;
  for (int node = 0; node < kRingNodes; ++node) {
    if (Up(state, node) && In(OwnersOf(HeldBy(state, node)), node)) WriteAt(state, node, write, with_text, steps);
  }
}

// Whatever part of what it sends arrives.
void RingModel::WriteAt(const State& state, int coordinator, int write, bool with_text,
                        std::vector<Step>* steps) const {
  const RingTopology& topology = HeldBy(state, coordinator);
  const int epoch = At(state, coordinator).epoch;
  const uint8_t pending = PendingOf(topology);
  uint8_t takers = 0;
  for (int node = 0; node < kRingNodes; ++node) {
    const bool asked =
        node != coordinator && In(OwnersOf(topology) | (On(RingRule::kPendingWritten) ? pending : 0), node);
    if (asked && Accepts(state, node, epoch)) takers |= MaskOf(node);
  }
  for (uint8_t got = takers;; got = static_cast<uint8_t>((got - 1) & takers)) {
    State next = state;
    --next.writes_left;
    At(next, coordinator).data |= MaskOf(write);
    for (int node = 0; node < kRingNodes; ++node) {
      if (In(got, node)) At(next, node).data |= MaskOf(write);
      const bool owed = On(RingRule::kPendingWritten) && In(pending, node) && !In(got, node);
      if (owed) At(next, coordinator).hints[static_cast<size_t>(node)] |= MaskOf(write);
    }
    RingWrite& minted = next.writes[static_cast<size_t>(write)];
    minted.minted = 1;
    minted.stale = topology.owners != Newest(state).owners ? 1 : 0;
    // Who is about to own counts for no quorum.
    minted.acked = 1 + std::popcount(static_cast<uint8_t>(got & OwnersOf(topology))) >= kRingW ? 1 : 0;
    steps->push_back(
        {next, with_text ? fmt::format("w{} at {}, which holds epoch {}; {} get it{}", write + 1, Letter(coordinator),
                                       epoch, NamesIn(got), minted.acked != 0 ? "; acknowledged" : "")
                         : ""});
    if (got == 0) break;
  }
}

// To whom it is for, and to who is about to own, too; if that one is to own nothing any
// more, to all who do. Who cannot be reached is kept a hint for instead.
void RingModel::HintsDelivered(const State& state, bool with_text, std::vector<Step>* steps) const {
  for (int from = 0; from < kRingNodes; ++from) {
    const RingTopology& topology = HeldBy(state, from);
    for (int owner = 0; owner < kRingNodes; ++owner) {
      const uint8_t hint = At(state, from).hints[static_cast<size_t>(owner)];
      if (!Up(state, from) || hint == 0) continue;
      uint8_t to = MaskOf(owner);
      if (!In(HoldersOf(topology), owner)) {
        to = HoldersOf(topology);
      } else if (In(OwnersOf(topology), owner) && On(RingRule::kHintsGoToPending)) {
        to |= PendingOf(topology);
      }
      State next = state;
      At(next, from).hints[static_cast<size_t>(owner)] = 0;
      bool reached = false;
      for (int node = 0; node < kRingNodes; ++node) {
        if (!In(to, node)) continue;
        const bool gets = node == from || Accepts(state, node, At(state, from).epoch);
        if (gets) At(next, node).data |= hint;
        if (!gets) At(next, from).hints[static_cast<size_t>(node)] |= hint;
        reached = reached || gets;
      }
      // Who it is for is waited for.
      if (!reached || In(At(next, from).hints[static_cast<size_t>(owner)], std::countr_zero(hint))) continue;
      steps->push_back(
          {next,
           with_text ? fmt::format("{} hands its hint for {} to {}", Letter(from), Letter(owner), NamesIn(to)) : ""});
    }
  }
}

// What a node stores and is to own no more.
void RingModel::Drops(const State& state, bool with_text, std::vector<Step>* steps) const {
  for (int from = 0; from < kRingNodes; ++from) {
    const uint8_t stray = At(state, from).data;
    if (!Up(state, from) || stray == 0 || In(HoldersOf(HeldBy(state, from)), from)) continue;
    State next = state;
    At(next, from).data = 0;
    const uint8_t owners = OwnersOf(HeldBy(state, from));
    bool proved = true;
    for (int owner = 0; owner < kRingNodes; ++owner) {
      if (!In(owners, owner) || !On(RingRule::kSafeDrop)) continue;
      // By its own topology, too, and not behind who asks.
      const bool lacks = (stray & ~At(state, owner).data) != 0;
      proved = proved && Up(state, owner) && In(OwnersOf(HeldBy(state, owner)), owner) &&
               At(state, owner).epoch >= At(state, from).epoch &&
               (!lacks || Accepts(state, owner, At(state, from).epoch));
      At(next, owner).data |= stray;
    }
    if (!proved) continue;
    steps->push_back({next, with_text ? fmt::format("{} drops what it is to own no more", Letter(from)) : ""});
  }
}

void RingModel::Losses(const State& state, bool with_text, std::vector<Step>* steps) const {
  const auto lose = [&](int node, bool destroyed, State& next) {
    const RingNode& lost = At(state, node);
    for (int write = 0; write < kRingWritesMax; ++write) {
      RingWrite& known = next.writes[static_cast<size_t>(write)];
      known.lost += Holds(lost, write) ? 1 : 0;
      known.destroyed += destroyed && Holds(lost, write) ? 1 : 0;
      for (const uint8_t hint : lost.hints) known.hints_lost += In(hint, write) ? 1 : 0;
    }
  };
  for (int node = 0; node < kRingNodes; ++node) {
    const bool receives = In(PendingOf(Newest(state)), node) && Up(state, node);
    const bool holds = Up(state, node) && (At(state, node).data != 0 || In(OwnersOf(Newest(state)), node));
    if (holds && state.losses > 0) {
      State next = state;
      --next.losses;
      lose(node, /*destroyed=*/true, next);
      At(next, node) = RingNode{};
      At(next, node).life = kGone;
      steps->push_back({next, with_text ? fmt::format("the disk of {} is destroyed", Letter(node)) : ""});
    }
    if (receives && state.wipes > 0 && At(state, node).data != 0) {
      State next = state;
      --next.wipes;
      lose(node, /*destroyed=*/false, next);
      RingNode& wiped = At(next, node);
      wiped.data = 0;
      wiped.hints = {};
      if (On(RingRule::kWipedReceiverStartsAgain)) wiped.compared = 0;
      steps->push_back({next, with_text ? fmt::format("{} comes back without its data", Letter(node)) : ""});
    }
  }
}

std::string RingModel::Check(const State& state) const {
  if (state.broken == kFewerOwners) return "P9 an acknowledged write is with fewer owners than before";
  for (int write = 0; write < kRingWritesMax; ++write) {
    const RingWrite& known = state.writes[static_cast<size_t>(write)];
    if (known.acked == 0) continue;
    const auto disks = std::ranges::count_if(state.nodes, [write](const RingNode& node) { return Holds(node, write); });
    if (disks < kRingW - known.lost) return "P10/P13 too few disks hold an acknowledged write";
  }
  return "";
}

}  // namespace dynamo::checker
