#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/random.h"
#include "node/core/replication/read_reconciler.h"
#include "tests/unit/core/replication_read_model.h"

namespace dynamo {
namespace {

using testing::EncodingOf;
using testing::kNothing;
using testing::kX;
using testing::kXY;
using testing::kY;
using testing::ModelNode;
using testing::Phase;
using testing::ReadModel;
using testing::ReadRules;
using testing::State;

NodeId IdOf(size_t index) { return {index + 1}; }

// One read, followed by the model step by step.
struct Read {
  ReadModel model;
  ReadReconciler reconciler;

  Read(const ReadRules& rules, std::vector<ModelNode> nodes)
      : model{std::move(nodes), {}, kNothing, false, false},
        reconciler(rules.quorum, rules.notfound_ok, rules.basic_quorum) {}

  void Ask(size_t i) {
    model.nodes[i].phase = Phase::kPending;
    reconciler.OnAsked(IdOf(i), model.nodes[i].primary);
  }
  void Answer(size_t i, bool whole) {
    ModelNode& node = model.nodes[i];
    node.phase = whole ? Phase::kWhole : Phase::kDigest;
    if (whole) model.TakeWhole(node.state);
    const Bytes& encoding = EncodingOf(node.state);
    ReplicaAnswer answer{IdOf(i), node.primary, node.authoritative, DigestOf(encoding), std::nullopt};
    if (whole) answer.object = encoding;
    Expect(reconciler.OnAnswer(std::move(answer)).has_value(), "the answer is taken");
  }
  void Fail(size_t i) {
    model.Fail(model.nodes[i]);
    reconciler.OnFailed(IdOf(i));
  }
  // The model only checks whom the reconciler names.
  void Fetch() {
    const auto comes = [this](State state) {
      return std::ranges::any_of(model.nodes, [state](const ModelNode& node) {
        return node.state == state && node.phase == Phase::kFetching;
      });
    };
    for (const NodeId id : reconciler.TakeNodesToFetch()) {
      ModelNode& node = model.nodes[id.value - 1];
      Expect(node.phase == Phase::kDigest && model.AwaitsWhole(node), "only who gave a digest is named, and once");
      Expect(!comes(node.state), "a digest is named once");
      node.phase = Phase::kFetching;
    }
    for (const ModelNode& node : model.nodes) {
      Expect(!model.AwaitsWhole(node) || comes(node.state), "every digest has a node to give its object");
    }
  }
  void Close() {
    model.closed = true;
    reconciler.NoMoreNodes();
  }

  // After each event.
  void Check(const ReadRules& rules) {
    model.met = model.met || model.MetNow(rules);
    Expect(reconciler.verdict() == model.VerdictOf(rules), "the verdict");
    Expect(reconciler.joined() == EncodingOf(model.joined), "the join");
    const auto shortfall = reconciler.shortfall();
    Expect(!shortfall || (!model.met && shortfall->got < shortfall->want), "a shortfall falls short");
    Expect(shortfall || reconciler.verdict() != Verdict::kUnreachable, "a failure names its shortfall");
    CheckRepair();
  }

  void CheckRepair() {
    std::vector<NodeId> behind;
    std::set<State> states;
    for (size_t i = 0; i < model.nodes.size(); ++i) {
      const ModelNode& node = model.nodes[i];
      Expect(reconciler.answered(IdOf(i)) == node.answered(), "who answered");
      if (!node.answered() || (node.state == kNothing && !node.primary)) continue;
      states.insert(node.state);
      if (model.joined != kNothing && node.state != model.joined) behind.push_back(IdOf(i));
    }
    Expect(reconciler.Behind() == behind, "who is behind");
    Expect(reconciler.diverged() == (states.size() > 1), "whether answers differ");
  }

  // The first thing that was not as the model has it.
  std::string wrong;

  void Expect(bool holds, std::string_view what) {
    if (holds || !wrong.empty()) return;
    wrong = std::string(what) + " after:";
    for (const ModelNode& node : model.nodes) {
      wrong += std::string(node.primary ? " owner" : " fallback") + (node.authoritative ? "" : "?") + "(" +
               std::to_string(node.state) + " phase " + std::to_string(static_cast<int>(node.phase)) + ")";
    }
    wrong += model.closed ? " closed" : " open";
  }

  // Every event that may come next.
  std::vector<std::function<void(Read&)>> Next() const {
    std::vector<std::function<void(Read&)>> events;
    for (size_t i = 0; i < model.nodes.size(); ++i) {
      const Phase phase = model.nodes[i].phase;
      if (phase == Phase::kUnasked && !model.closed) events.push_back([i](Read& read) { read.Ask(i); });
      if (phase == Phase::kPending) events.push_back([i](Read& read) { read.Answer(i, false); });
      if (phase == Phase::kPending || phase == Phase::kFetching) {
        events.push_back([i](Read& read) { read.Answer(i, true); });
        events.push_back([i](Read& read) { read.Fail(i); });
      }
    }
    if (!model.closed) events.push_back([](Read& read) { read.Close(); });
    events.push_back([](Read& read) { read.Fetch(); });
    return events;
  }
};

class Explorer {
 public:
  explicit Explorer(const ReadRules& rules) : rules_(rules) {}

  void Explore(const Read& read) {
    if (!seen_.insert(read.model).second) return;
    for (const auto& event : read.Next()) {
      Read next = read;
      event(next);
      next.Check(rules_);
      ASSERT_EQ(next.wrong, "");
      ASSERT_NO_FATAL_FAILURE(Explore(next));
    }
  }
  size_t states() const { return seen_.size(); }

 private:
  ReadRules rules_;
  std::set<ReadModel> seen_;
};

// Two owners and a fallback, in all states they can be in.
size_t ExploreAllStates(const ReadRules& rules) {
  size_t states = 0;
  for (const State a : {kNothing, kX, kXY}) {
    for (const State b : {kNothing, kX, kY}) {
      for (const State fallback : {kNothing, kX, kY}) {
        const bool rebuilding = a == kNothing && b == kX;
        Explorer explorer(rules);
        explorer.Explore(Read(rules, {{true, !rebuilding, a}, {true, true, b}, {false, false, fallback}}));
        if (::testing::Test::HasFatalFailure()) return states;
        states += explorer.states();
      }
    }
  }
  return states;
}

TEST(ReadReconciler, JudgesEveryReadOfTwoOwnersAndAFallbackAsAFullSearchDoes) {
  size_t states = 0;
  for (const ReadQuorum& quorum : {ReadQuorum{2, 1, 0, 0}, {2, 2, 0, 0}, {2, 1, 1, 2}, {2, 1, 2, 0}, {2, 2, 2, 2}}) {
    for (const auto& [notfound_ok, basic_quorum] : {std::pair{true, false}, {false, false}, {false, true}}) {
      states += ExploreAllStates({quorum, notfound_ok, basic_quorum});
      ASSERT_FALSE(HasFatalFailure());
    }
  }
  RecordProperty("states", static_cast<int>(states));
  EXPECT_GT(states, 50'000u);
}

// A random read of up to three owners and two fallbacks.
void WalkOnce(Rng& random) {
  const auto pick = [&random](int64_t low, int64_t high) { return static_cast<uint32_t>(random.Between(low, high)); };
  const uint32_t n = pick(1, 3);
  const ReadRules rules{{n, pick(1, n), pick(0, n), pick(0, n)}, pick(0, 1) == 0, pick(0, 1) == 0};
  std::vector<ModelNode> nodes;
  for (uint32_t i = 0; i < n; ++i) nodes.push_back({true, pick(0, 4) > 0, static_cast<State>(pick(0, 3))});
  for (uint32_t i = pick(0, 2); i > 0; --i) nodes.push_back({false, false, static_cast<State>(pick(0, 3))});
  Read read(rules, nodes);
  for (int step = 0; step < 30; ++step) {
    const auto events = read.Next();
    events[random.Below(events.size())](read);
    read.Check(rules);
    ASSERT_EQ(read.wrong, "");
  }
  read.reconciler.GiveUp();
  ASSERT_NE(read.reconciler.verdict(), Verdict::kPending);
}

TEST(ReadReconciler, JudgesRandomReadsOfUpToThreeOwnersAndTwoFallbacksAsAFullSearchDoes) {
  for (uint64_t seed = 0; seed < 20'000; ++seed) {
    Rng random(seed);
    WalkOnce(random);
    ASSERT_FALSE(HasFatalFailure()) << "seed " << seed;
  }
}

class ReadReconcilerTest : public ::testing::Test {
 protected:
  ReadReconciler Asked(ReadQuorum quorum, bool notfound_ok = true, bool basic_quorum = false) {
    ReadReconciler read(quorum, notfound_ok, basic_quorum);
    for (uint64_t id = 1; id <= quorum.n; ++id) read.OnAsked({id}, /*primary=*/true);
    return read;
  }
  static ReplicaAnswer DigestFrom(uint64_t id, State state) {
    return {{id}, true, true, DigestOf(EncodingOf(state)), std::nullopt};
  }
  static ReplicaAnswer WholeFrom(uint64_t id, State state) { return {{id}, true, true, {}, EncodingOf(state)}; }
};

TEST_F(ReadReconcilerTest, RMatchingAnswersFinishTheRead) {
  ReadReconciler read = Asked({3, 2, 0, 0});
  EXPECT_TRUE(read.OnAnswer(WholeFrom(1, kX)));
  EXPECT_EQ(read.verdict(), Verdict::kPending);
  EXPECT_TRUE(read.OnAnswer(DigestFrom(2, kX)));
  EXPECT_EQ(read.verdict(), Verdict::kMet);
  EXPECT_TRUE(read.TakeNodesToFetch().empty());
  EXPECT_FALSE(read.diverged());
}

TEST_F(ReadReconcilerTest, AMismatchFetchesJoinsAndNamesWhoIsBehind) {
  ReadReconciler read = Asked({3, 2, 0, 0});
  EXPECT_TRUE(read.OnAnswer(WholeFrom(1, kX)));
  EXPECT_TRUE(read.OnAnswer(DigestFrom(2, kY)));
  EXPECT_EQ(read.verdict(), Verdict::kPending);
  EXPECT_EQ(read.TakeNodesToFetch(), std::vector<NodeId>{{2}});
  EXPECT_TRUE(read.TakeNodesToFetch().empty());
  EXPECT_TRUE(read.OnAnswer(WholeFrom(2, kY)));
  EXPECT_EQ(read.verdict(), Verdict::kMet);
  EXPECT_EQ(read.joined(), EncodingOf(kXY));
  EXPECT_TRUE(read.OnAnswer(DigestFrom(3, kXY)));
  EXPECT_EQ(read.Behind(), (std::vector<NodeId>{{1}, {2}}));
}

TEST_F(ReadReconcilerTest, AFetchThatFailsGoesToTheNextNodeWithThatDigest) {
  ReadReconciler read = Asked({3, 2, 0, 0});
  EXPECT_TRUE(read.OnAnswer(DigestFrom(2, kY)));
  EXPECT_TRUE(read.OnAnswer(DigestFrom(3, kY)));
  EXPECT_EQ(read.TakeNodesToFetch(), std::vector<NodeId>{{2}});
  read.OnFailed({2});
  EXPECT_FALSE(read.answered({2}));
  EXPECT_EQ(read.TakeNodesToFetch(), std::vector<NodeId>{{3}});
  read.OnFailed({3});
  read.OnFailed({1});
  read.NoMoreNodes();
  EXPECT_EQ(read.verdict(), Verdict::kUnreachable);
  EXPECT_EQ(read.shortfall(), (QuorumShortfall{QuorumShortfall::Which::kR, 2, 0}));
}

TEST_F(ReadReconcilerTest, AFailureNamesWhatIsOutOfReachNotWhatMightStillCome) {
  ReadReconciler read = Asked({3, 2, 2, 0});
  read.OnAsked({4}, /*primary=*/false);
  EXPECT_TRUE(read.OnAnswer(WholeFrom(1, kX)));
  EXPECT_EQ(read.shortfall(), (QuorumShortfall{QuorumShortfall::Which::kR, 2, 1}));
  read.OnFailed({2});
  read.OnFailed({3});
  read.NoMoreNodes();
  // R may still be met by the fallback; PR cannot.
  EXPECT_EQ(read.verdict(), Verdict::kUnreachable);
  EXPECT_EQ(read.shortfall(), (QuorumShortfall{QuorumShortfall::Which::kPR, 2, 1}));
}

TEST_F(ReadReconcilerTest, ACorruptObjectIsAFailureOfItsReplicaAlone) {
  ReadReconciler read = Asked({3, 2, 0, 0});
  Bytes corrupt = EncodingOf(kX);
  corrupt.back() ^= 1;
  const Status status = read.OnAnswer({{1}, true, true, {}, corrupt});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Errc::kCorrupt);
  EXPECT_FALSE(read.answered({1}));
  EXPECT_TRUE(read.OnAnswer(WholeFrom(2, kX)));
  ASSERT_FALSE(read.OnAnswer({{1}, true, true, {}, corrupt}));
  EXPECT_TRUE(read.OnAnswer(WholeFrom(3, kX)));
  EXPECT_EQ(read.verdict(), Verdict::kMet);
  EXPECT_EQ(read.joined(), EncodingOf(kX));
}

TEST_F(ReadReconcilerTest, AnObjectThatSpeaksAgainstItsDigestIsTakenAtItsBytes) {
  ReadReconciler read = Asked({1, 1, 0, 0});
  EXPECT_TRUE(read.OnAnswer({{1}, true, true, DigestOf(EncodingOf(kY)), EncodingOf(kX)}));
  EXPECT_EQ(read.verdict(), Verdict::kMet);
  EXPECT_TRUE(read.Behind().empty());
}

TEST_F(ReadReconcilerTest, ANotFoundNeedsROwners) {
  ReadReconciler read = Asked({3, 2, 0, 0});
  read.OnAsked({4}, /*primary=*/false);
  EXPECT_TRUE(read.OnAnswer(WholeFrom(1, kNothing)));
  EXPECT_TRUE(read.OnAnswer({{4}, false, false, {}, Bytes()}));
  EXPECT_TRUE(read.OnAnswer({{2}, true, false, {}, Bytes()}));  // Rebuilding.
  EXPECT_EQ(read.verdict(), Verdict::kPending);
  EXPECT_TRUE(read.OnAnswer(WholeFrom(3, kNothing)));
  EXPECT_EQ(read.verdict(), Verdict::kMet);
  EXPECT_TRUE(read.joined().empty());
  EXPECT_TRUE(read.Behind().empty());
}

TEST_F(ReadReconcilerTest, DataThatAFallbackHoldsIsNeverOverlooked) {
  ReadReconciler read = Asked({3, 2, 0, 0});
  read.OnAsked({4}, /*primary=*/false);
  EXPECT_TRUE(read.OnAnswer({{4}, false, false, DigestOf(EncodingOf(kX)), std::nullopt}));
  EXPECT_TRUE(read.OnAnswer(WholeFrom(1, kNothing)));
  EXPECT_TRUE(read.OnAnswer(WholeFrom(2, kNothing)));
  EXPECT_EQ(read.verdict(), Verdict::kPending);
  EXPECT_EQ(read.TakeNodesToFetch(), std::vector<NodeId>{{4}});
  EXPECT_TRUE(read.OnAnswer({{4}, false, false, {}, EncodingOf(kX)}));
  EXPECT_EQ(read.verdict(), Verdict::kMet);
  EXPECT_EQ(read.joined(), EncodingOf(kX));
  EXPECT_EQ(read.Behind(), (std::vector<NodeId>{{1}, {2}}));
}

TEST_F(ReadReconcilerTest, WithoutNotFoundOkOnlyAllOwnersTogetherSayNotFound) {
  ReadReconciler read = Asked({3, 1, 0, 0}, /*notfound_ok=*/false);
  for (const uint64_t id : {1, 2}) EXPECT_TRUE(read.OnAnswer(WholeFrom(id, kNothing)));
  EXPECT_EQ(read.verdict(), Verdict::kPending);
  ReadReconciler found = read;
  EXPECT_TRUE(found.OnAnswer(WholeFrom(3, kX)));
  EXPECT_EQ(found.joined(), EncodingOf(kX));
  EXPECT_EQ(found.verdict(), Verdict::kMet);
  EXPECT_TRUE(read.OnAnswer(WholeFrom(3, kNothing)));
  EXPECT_EQ(read.verdict(), Verdict::kMet);
  EXPECT_TRUE(read.joined().empty());
}

TEST_F(ReadReconcilerTest, WithBasicQuorumAMajorityWithoutItDecidesEarly) {
  for (const auto& [r, verdict] : {std::pair{2u, Verdict::kMet}, {3u, Verdict::kUnreachable}}) {
    ReadReconciler read = Asked({3, r, 0, 0}, /*notfound_ok=*/false, /*basic_quorum=*/true);
    EXPECT_TRUE(read.OnAnswer(WholeFrom(1, kNothing)));
    EXPECT_EQ(read.verdict(), Verdict::kPending);
    EXPECT_TRUE(read.OnAnswer(WholeFrom(2, kNothing)));
    EXPECT_EQ(read.verdict(), verdict);
  }
}

TEST_F(ReadReconcilerTest, AVerdictStaysWhenALaterAnswerDiffers) {
  ReadReconciler read = Asked({3, 2, 0, 0});
  EXPECT_TRUE(read.OnAnswer(WholeFrom(1, kX)));
  EXPECT_TRUE(read.OnAnswer(DigestFrom(2, kX)));
  EXPECT_TRUE(read.OnAnswer(DigestFrom(3, kY)));
  EXPECT_EQ(read.verdict(), Verdict::kMet);
  EXPECT_TRUE(read.diverged());
  EXPECT_EQ(read.TakeNodesToFetch(), std::vector<NodeId>{{3}});
}

}  // namespace
}  // namespace dynamo
