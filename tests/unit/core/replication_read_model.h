// A model of a read that only remembers what happened and judges by searching all
// that may still happen.
#ifndef DYNAMO_TESTS_UNIT_CORE_REPLICATION_READ_MODEL_H_
#define DYNAMO_TESTS_UNIT_CORE_REPLICATION_READ_MODEL_H_

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "node/core/replication/read_reconciler.h"
#include "node/core/version/object.h"
#include "tests/unit/core/version_generators.h"

namespace dynamo::testing {

// The states that a replica may be in: nothing, two concurrent writes, their join.
enum State { kNothing, kX, kY, kXY };

inline State JoinOf(State a, State b) { return static_cast<State>(a | b); }

inline const Bytes& EncodingOf(State state) {
  static const Object x = Mint({}, {}, Put({1}, "x"));
  static const Object y = Mint({}, {}, Put({2}, "y"));
  static const std::array<Bytes, 4> encodings{Bytes(), EncodeObject(x), EncodeObject(y), EncodeObject(Join(x, y))};
  return encodings[state];
}

enum class Phase { kUnasked, kPending, kDigest, kFetching, kWhole, kFailed };

struct ModelNode {
  bool primary = true;
  bool authoritative = true;
  State state = kNothing;
  Phase phase = Phase::kUnasked;

  bool answered() const { return phase == Phase::kDigest || phase == Phase::kFetching || phase == Phase::kWhole; }
  bool found() const { return answered() && state != kNothing; }
  bool owner_without() const { return answered() && state == kNothing && primary && authoritative; }
  friend auto operator<=>(const ModelNode&, const ModelNode&) = default;
};

struct ReadRules {
  ReadQuorum quorum;
  bool notfound_ok = true;
  bool basic_quorum = false;
};

// NodeId i + 1 is nodes[i].
struct ReadModel {
  std::vector<ModelNode> nodes;
  std::set<State> covered;  // What came in whole, and every join on the way.
  State joined = kNothing;
  bool closed = false;
  bool met = false;

  friend auto operator<=>(const ReadModel&, const ReadModel&) = default;

  void TakeWhole(State state) {
    if (state == kNothing) return;
    joined = JoinOf(joined, state);
    covered.insert({state, joined});
  }

  bool AwaitsWhole(const ModelNode& node) const { return node.found() && !covered.contains(node.state); }

  void Fail(ModelNode& node) {
    const bool fetch_failed = node.phase == Phase::kFetching && AwaitsWhole(node);
    if (node.phase == Phase::kPending || fetch_failed) {
      node.phase = Phase::kFailed;
    } else if (node.phase == Phase::kFetching) {
      node.phase = Phase::kDigest;
    }
  }

  bool Counts(const ModelNode& node, const ReadRules& rules) const {
    return node.owner_without() ? rules.notfound_ok : node.found() && !AwaitsWhole(node);
  }

  bool MetNow(const ReadRules& rules) const {
    const auto& [quorum, notfound_ok, basic_quorum] = rules;
    if (std::ranges::any_of(nodes, [this](const ModelNode& node) { return AwaitsWhole(node); })) return false;
    uint32_t counted = 0, primaries = 0;
    for (const ModelNode& node : nodes) {
      counted += Counts(node, rules);
      primaries += Counts(node, rules) && node.primary;
    }
    if (counted >= std::max(quorum.r, quorum.node_confirms) && primaries >= quorum.pr) return true;
    const uint32_t without = OwnersWithout();
    if (without == quorum.n) return true;
    const bool nobody_has_it = std::ranges::none_of(nodes, &ModelNode::found);
    return EarlyNothing(rules) && nobody_has_it && without >= std::max({quorum.r, quorum.pr, quorum.node_confirms});
  }

  uint32_t OwnersWithout() const { return std::ranges::count_if(nodes, &ModelNode::owner_without); }
  bool EarlyNothing(const ReadRules& rules) const {
    return rules.basic_quorum && !rules.notfound_ok && 2 * OwnersWithout() > rules.quorum.n;
  }

  // Searches every way in which the nodes asked may still answer.
  bool MayBeMet(const ReadRules& rules, size_t from = 0) const {
    for (size_t i = from; i < nodes.size(); ++i) {
      if (nodes[i].phase != Phase::kPending && !AwaitsWhole(nodes[i])) continue;
      ReadModel whole = *this, nothing = *this, failed = *this;
      whole.nodes[i].phase = nothing.nodes[i].phase = Phase::kWhole;
      failed.nodes[i].phase = Phase::kFailed;
      if (nodes[i].phase == Phase::kPending) {
        whole.nodes[i].state = kXY;
        nothing.nodes[i].state = kNothing;
        nothing.nodes[i].authoritative = true;
        if (nothing.MayBeMet(rules, i + 1)) return true;
      }
      whole.TakeWhole(whole.nodes[i].state);
      return whole.MayBeMet(rules, i + 1) || failed.MayBeMet(rules, i + 1);
    }
    return MetNow(rules);
  }

  Verdict VerdictOf(const ReadRules& rules) const {
    if (met) return Verdict::kMet;
    const bool fetching = std::ranges::any_of(nodes, [this](const ModelNode& node) { return AwaitsWhole(node); });
    if (EarlyNothing(rules) && !fetching) return Verdict::kUnreachable;
    return closed && !MayBeMet(rules) ? Verdict::kUnreachable : Verdict::kPending;
  }
};

}  // namespace dynamo::testing

#endif  // DYNAMO_TESTS_UNIT_CORE_REPLICATION_READ_MODEL_H_
