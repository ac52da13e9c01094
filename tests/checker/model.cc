#include "tests/checker/model.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace dynamo::checker {
namespace {

// A ring on which the walk from partition 0 meets the nodes in order.
PreferenceList WalkOf(const Scope& scope, const std::vector<NodeId>& order) {
  Topology topology;
  topology.partitions = 8;
  std::vector<NodeId> tokens;
  tokens.reserve(topology.partitions);
  for (size_t i = 0; i < topology.partitions; ++i) tokens.push_back(order[i % order.size()]);
  for (int number = 1; number <= scope.nodes; ++number) {
    const NodeId id{static_cast<uint64_t>(number)};
    topology.members.push_back({.id = id, .name = ToString(id), .zone = "zone"});
  }
  topology.current = TokenMap(std::move(tokens));
  return WalkRing(topology, 0, static_cast<uint32_t>(scope.n));
}

bool ByOwner(const ReplicaTarget& a, const ReplicaTarget& b) {
  return std::tie(a.node, a.stands_in_for) < std::tie(b.node, b.stands_in_for);
}

}  // namespace

Model::Model(const Scope& scope, Rules rules) : scope_(scope), rules_(rules), objects_(scope.n) { MakePlans(); }

// The walk may meet the owners, and the fallbacks, in any order: what the search
// says then holds for every ring, and nodes can be renamed.
void Model::MakePlans() {
  std::vector<NodeId> order(static_cast<size_t>(scope_.nodes));
  for (size_t i = 0; i < order.size(); ++i) order[i] = NodeId{i + 1};
  const auto fallbacks = order.begin() + scope_.n;
  std::vector<std::pair<PreferenceList, bool>> lists;
  do {
    do {
      lists.emplace_back(WalkOf(scope_, order), true);
    } while (std::next_permutation(fallbacks, order.end()));
  } while (std::next_permutation(order.begin(), fallbacks));

  for (NodeNo coordinator = 1; coordinator <= scope_.nodes; ++coordinator) {
    for (uint8_t away = 0; away < Bit(scope_.nodes + 1); ++away) {
      if (HasBit(away, coordinator)) continue;
      for (const auto& [list, sloppy] : lists) {
        const auto is_up = [away](NodeId node) { return !HasBit(away, static_cast<int>(node.value)); };
        Plan plan{coordinator, away, RolesOf(PlanReplicas(list, sloppy, is_up), NodeId{coordinator}), {}};
        ReplicaPlan& replicas = plan.roles.plan;
        if (!plan.roles.self || replicas.targets.size() + replicas.spare.size() < 2) continue;
        // An owner that takes another for down does as if what it sent were lost.
        if (IsOwner(coordinator) && away != 0 && replicas.uncovered.empty()) continue;
        std::ranges::sort(replicas.targets, ByOwner);
        std::ranges::sort(replicas.uncovered);
        plan.local = LocalWriteOf(plan.roles);
        const bool known = std::ranges::any_of(plans_, [&plan](const Plan& other) {
          return other.coordinator == plan.coordinator && other.away == plan.away &&
                 other.roles.plan.targets == plan.roles.plan.targets &&
                 other.roles.plan.uncovered == plan.roles.plan.uncovered &&
                 other.roles.plan.spare == plan.roles.plan.spare;
        });
        if (!known) plans_.push_back(std::move(plan));
      }
    }
  }
}

bool Model::Believable(const Plan& plan, const State& state) const {
  if (!state.up(plan.coordinator)) return false;
  int suspects = 0;
  for (NodeNo node = 1; node <= scope_.nodes; ++node) suspects += HasBit(plan.away, node) && state.up(node);
  return suspects <= scope_.suspects;
}

std::string Model::PlanText(const Plan& plan) const {
  std::string text = NameOf(plan.coordinator);
  if (plan.roles.self_for) text += " (for " + NameOf(static_cast<NodeNo>(plan.roles.self_for.value)) + ")";
  bool took_any = false;
  for (NodeNo node = 1; node <= scope_.nodes; ++node) {
    if (!HasBit(plan.away, node)) continue;
    text += (took_any ? " and " : ", which takes ") + NameOf(node);
    took_any = true;
  }
  return text + (took_any ? " for down," : "");
}

State Model::Initial() const {
  State state{};
  state.puts = static_cast<uint8_t>(scope_.writes);
  state.deletes = static_cast<uint8_t>(scope_.deletes);
  state.reads = static_cast<uint8_t>(scope_.reads);
  state.crashes = static_cast<uint8_t>(scope_.crashes);
  state.losses = static_cast<uint8_t>(scope_.losses);
  state.duplicates = static_cast<uint8_t>(scope_.duplicates);
  state.read_errors = static_cast<uint8_t>(scope_.read_errors);
  return state;
}

void Model::Take(const State& taken, const Text& text) {
  State next = taken;
  ForgetFinishedOps(&next);
  const std::string before = text_;
  if (with_text_) text_ += (before.empty() ? "" : "; ") + text();
  if (next.broken != Property::kNone || MessageCount(next) <= scope_.outstanding) {
    steps_->push_back({next, text_});
  } else {
    Deliveries(next);
  }
  text_ = before;
}

void Model::Steps(const State& state, bool with_text, std::vector<Step>* steps) {
  steps_ = steps;
  with_text_ = with_text;
  steps->clear();
  Syncs(state);
  Deliveries(state);
  HalfwayPuts(state);
  Puts(state);
  Reads(state);
  Handoffs(state);
  Faults(state);
}

}  // namespace dynamo::checker
