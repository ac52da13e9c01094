#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "common/base/random.h"
#include "node/core/reap/round.h"

namespace dynamo {
namespace {

using Phase = ReapRound::Phase;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr TopologyVersion kVersion{1, 7};
const std::vector<NodeId> kMembers{NodeId{1}, NodeId{2}, NodeId{3}, NodeId{4}};
const std::vector<NodeId> kOwners{NodeId{1}, NodeId{2}, NodeId{3}};

ReapRound Round(uint32_t objects = 3) { return {kMembers, kOwners, objects, kVersion}; }

ReapAnswer At(ReapGeneration generation) {
  ReapAnswer answer;
  answer.generation = generation;
  answer.clean = true;
  answer.run = 5;
  answer.version = kVersion;
  return answer;
}

// All give the same answer but one, which gives `odd` or none.
void AnswerAll(ReapRound& round, const ReapAnswer& answer, NodeId other = {}, std::optional<ReapAnswer> odd = {}) {
  for (const NodeId node : round.asked()) {
    if (node != other) round.OnAnswer(node, answer);
    if (node == other && odd) round.OnAnswer(node, *odd);
  }
  round.EndPhase();
}

TEST(ReapRound, GoesThroughEveryPhaseOfAHealthyCluster) {
  ReapRound round = Round();
  EXPECT_EQ(round.phase(), Phase::kCheck);
  AnswerAll(round, At(4));
  EXPECT_EQ(round.phase(), Phase::kRaise);
  EXPECT_EQ(round.target(), 5u);
  AnswerAll(round, At(5));
  EXPECT_EQ(round.phase(), Phase::kCheckAgain);
  AnswerAll(round, At(5));
  EXPECT_EQ(round.phase(), Phase::kSeal);
  EXPECT_EQ(round.target(), 6u);
  AnswerAll(round, At(6));
  EXPECT_EQ(round.phase(), Phase::kRemove);
  EXPECT_EQ(round.asked(), kOwners);
  EXPECT_THAT(round.objects(), ElementsAre(0, 1, 2));
  AnswerAll(round, At(6));
  EXPECT_EQ(round.phase(), Phase::kOver);
  EXPECT_TRUE(round.reaped());
}

TEST(ReapRound, EndsInEveryPhaseButTheLastWhenAMemberIsSilent) {
  for (int phase = 0; phase < 4; ++phase) {
    ReapRound round = Round();
    const ReapGeneration said[] = {4, 5, 5, 6};
    for (int i = 0; i < phase; ++i) AnswerAll(round, At(said[i]));
    AnswerAll(round, At(said[phase]), NodeId{4});
    EXPECT_EQ(round.phase(), Phase::kOver) << phase;
    EXPECT_FALSE(round.reaped()) << phase;
  }
}

TEST(ReapRound, EndsInEveryPhaseButTheLastWhenAMemberHoldsAnotherTopology) {
  for (int phase = 0; phase < 4; ++phase) {
    ReapRound round = Round();
    const ReapGeneration said[] = {4, 5, 5, 6};
    for (int i = 0; i < phase; ++i) AnswerAll(round, At(said[i]));
    ReapAnswer odd = At(said[phase]);
    ++odd.version.epoch;
    AnswerAll(round, At(said[phase]), NodeId{2}, odd);
    EXPECT_FALSE(round.reaped()) << phase;
    EXPECT_EQ(round.phase(), Phase::kOver) << phase;
  }
}

TEST(ReapRound, LeavesOutWhatAnOwnerStoresOtherwise) {
  ReapRound round = Round();
  ReapAnswer odd = At(4);
  odd.differing = {1};
  AnswerAll(round, At(4), NodeId{2}, odd);
  AnswerAll(round, At(5));
  EXPECT_THAT(round.objects(), ElementsAre(0, 2));
  odd = At(5);
  odd.differing = {1};  // Of those that are left.
  AnswerAll(round, At(5), NodeId{3}, odd);
  EXPECT_THAT(round.objects(), ElementsAre(0));
}

TEST(ReapRound, EndsBeforeItRaisesAnythingWhenTheOwnersAgreeOnNothing) {
  ReapRound round = Round(1);
  ReapAnswer odd = At(4);
  odd.differing = {0};
  AnswerAll(round, At(4), NodeId{2}, odd);
  EXPECT_EQ(round.phase(), Phase::kOver);
}

TEST(ReapRound, EndsBeforeItRaisesAnythingWhileAMemberHoldsHints) {
  ReapRound round = Round();
  ReapAnswer odd = At(4);
  odd.hints = true;
  AnswerAll(round, At(4), NodeId{4}, odd);
  EXPECT_EQ(round.phase(), Phase::kOver);
}

TEST(ReapRound, OnlyBringsUpWhoIsBehind) {
  ReapRound round = Round();
  AnswerAll(round, At(4), NodeId{4}, At(3));
  EXPECT_EQ(round.phase(), Phase::kRaise);
  EXPECT_EQ(round.target(), 4u);
  AnswerAll(round, At(4));
  EXPECT_EQ(round.phase(), Phase::kOver);
  EXPECT_FALSE(round.reaped());
}

TEST(ReapRound, EndsWhenAMemberWasNotCleanHasStartedAgainOrWasRaisedByAnother) {
  ReapAnswer unclean = At(5), restarted = At(5), raised = At(6);
  unclean.clean = false;
  restarted.run = 6;
  for (const ReapAnswer& odd : {unclean, restarted, raised}) {
    ReapRound round = Round();
    AnswerAll(round, At(4));
    AnswerAll(round, At(5));
    AnswerAll(round, At(5), NodeId{4}, odd);
    EXPECT_EQ(round.phase(), Phase::kOver);
    EXPECT_FALSE(round.reaped());
    EXPECT_THAT(round.why(), ::testing::Not(IsEmpty()));
  }
}

// One key in a small world: an old value and the delete that superseded it. What owners
// store goes from owner to owner, and as hints to others, in messages that come late,
// twice or never, while rounds come and go and nodes start again.
class ReapModel {
 public:
  ReapModel(uint64_t seed, bool second_check, bool stamps)
      : rng_(seed), second_check_(second_check), stamps_(stamps), nodes_(kMembers.size()) {
    for (size_t owner = 0; owner < kOwners.size(); ++owner) nodes_[owner].stored = rng_.Chance(0.7) ? kDeleted : kOld;
    if (rng_.Chance(0.3)) nodes_[3].hints.push_back({rng_.Below(3), kOld, false});
    if (rng_.Chance(0.5)) messages_.push_back({0, rng_.Below(4), rng_.Below(3), kOld});
  }

  // Whether the old value was anywhere at an owner after a round came to the removal.
  bool Run(int steps) {
    for (int step = 0; step < steps; ++step) {
      Step();
      for (size_t owner = 0; reaped_ && owner < kOwners.size(); ++owner) {
        if (nodes_[owner].stored == kOld) return true;
      }
    }
    return false;
  }
  bool reaped() const { return reaped_; }

 private:
  enum Value : uint8_t { kNothing, kOld, kDeleted };
  struct Hint {
    size_t owner;
    Value value;
    bool delivered;
  };
  struct Node {
    ReapGeneration generation = 0;
    bool clean = false;
    uint64_t run = 0;
    Value stored = kNothing;
    std::vector<Hint> hints;
  };
  struct Message {
    ReapGeneration stamp;
    size_t to, owner;
    Value value;
  };

  void Step() {
    switch (rng_.Below(8)) {
      case 0: return Send();
      case 1: return SendHint();
      case 2: return Deliver();
      case 3: return DropHints();
      case 4:
        if (rng_.Chance(0.1)) Restart();
        return;
      default: return AnswerOne();
    }
  }
  void Send() {
    const size_t from = rng_.Below(3), owner = rng_.Below(3);
    const size_t to = rng_.Chance(0.15) ? rng_.Below(4) : owner;
    if (nodes_[from].stored == kNothing) return;
    messages_.push_back({nodes_[from].generation, to, owner, nodes_[from].stored});
  }
  void SendHint() {
    Node& node = nodes_[rng_.Below(4)];
    if (node.hints.empty()) return;
    const Hint& hint = node.hints[rng_.Below(node.hints.size())];
    messages_.push_back({node.generation, hint.owner, hint.owner, hint.value});
  }
  void Deliver() {
    if (messages_.empty()) return;
    const size_t index = rng_.Below(messages_.size());
    const Message message = messages_[index];
    if (rng_.Chance(0.6)) messages_.erase(messages_.begin() + static_cast<long>(index));
    Node& node = nodes_[message.to];
    if (stamps_ && message.stamp < node.generation) return;
    if (message.stamp > node.generation) Adopt(node, message.stamp);
    if (message.to == message.owner) {
      node.stored = std::max(node.stored, message.value);
      for (Node& keeper : nodes_) {
        for (Hint& hint : keeper.hints) hint.delivered |= hint.owner == message.to && hint.value <= message.value;
      }
    } else {
      node.hints.push_back({message.owner, message.value, false});
    }
  }
  void DropHints() {
    for (Node& node : nodes_) std::erase_if(node.hints, [](const Hint& hint) { return hint.delivered; });
  }
  void Restart() {
    Node& node = nodes_[rng_.Below(4)];
    ++node.run;
    node.clean = false;
  }
  static void Adopt(Node& node, ReapGeneration generation) {
    if (generation <= node.generation) return;
    // Nobody is ever asked to skip one.
    EXPECT_EQ(generation, node.generation + 1);
    node.generation = generation;
    node.clean = node.hints.empty();
  }
  void AnswerOne() {
    if (!round_ || round_->phase() == Phase::kOver) {
      round_.emplace(kMembers, kOwners, 1, kVersion);
      if (!second_check_) round_->SkipSecondCheck();
      to_ask_ = kMembers;
    }
    const size_t place = rng_.Below(to_ask_.size());
    const NodeId id = to_ask_[place];
    to_ask_.erase(to_ask_.begin() + static_cast<long>(place));
    Node& node = nodes_[id.value - 1];
    if (rng_.Chance(0.97)) round_->OnAnswer(id, Answer(node, id));
    if (!to_ask_.empty()) return;
    round_->EndPhase();
    to_ask_ = round_->asked();
    reaped_ = reaped_ || round_->reaped();
  }
  ReapAnswer Answer(Node& node, NodeId id) {
    const Phase phase = round_->phase();
    if (phase == Phase::kRaise || phase == Phase::kSeal) Adopt(node, round_->target());
    ReapAnswer answer;
    answer.generation = node.generation;
    answer.clean = node.clean;
    answer.hints = !node.hints.empty();
    answer.run = node.run;
    answer.version = kVersion;
    if (!round_->IsOwner(id)) return answer;
    if ((phase == Phase::kCheck || phase == Phase::kCheckAgain) && node.stored != kDeleted) answer.differing = {0};
    if (phase == Phase::kRemove && node.stored == kDeleted) node.stored = kNothing;
    return answer;
  }

  Rng rng_;
  bool second_check_, stamps_;
  std::vector<Node> nodes_;
  std::vector<Message> messages_;
  std::optional<ReapRound> round_;
  std::vector<NodeId> to_ask_;
  bool reaped_ = false;
};

struct Outcome {
  int reaped = 0, came_back = 0;
};

Outcome RunModels(bool second_check, bool stamps) {
  Outcome outcome;
  for (uint64_t seed = 0; seed < 3000; ++seed) {
    ReapModel model(seed, second_check, stamps);
    outcome.came_back += model.Run(400) ? 1 : 0;
    outcome.reaped += model.reaped() ? 1 : 0;
  }
  return outcome;
}

TEST(ReapRoundModel, TheOldValueNeverComesBack) {
  const Outcome outcome = RunModels(/*second_check=*/true, /*stamps=*/true);
  EXPECT_EQ(outcome.came_back, 0);
  EXPECT_GT(outcome.reaped, 1000);
}

TEST(ReapRoundModel, ItDoesWithoutStampsAndItDoesWithoutTheSecondCheck) {
  EXPECT_GT(RunModels(/*second_check=*/true, /*stamps=*/false).came_back, 0);
  EXPECT_GT(RunModels(/*second_check=*/false, /*stamps=*/true).came_back, 0);
}

}  // namespace
}  // namespace dynamo
