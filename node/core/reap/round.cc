#include "node/core/reap/round.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace dynamo {

ReapRound::ReapRound(std::vector<NodeId> members, std::vector<NodeId> owners, uint32_t objects, TopologyVersion version)
    : members_(std::move(members)), owners_(std::move(owners)), version_(version), objects_(objects) {
  std::iota(objects_.begin(), objects_.end(), 0);
}

bool ReapRound::IsOwner(NodeId node) const { return std::find(owners_.begin(), owners_.end(), node) != owners_.end(); }

void ReapRound::Abandon(std::string_view why) {
  phase_ = Phase::kOver;
  why_ = why;
}

bool ReapRound::AllAtVersion() const {
  return std::all_of(answers_.begin(), answers_.end(),
                     [this](const auto& entry) { return entry.second.version == version_; });
}

bool ReapRound::AllReached() const {
  return std::all_of(answers_.begin(), answers_.end(),
                     [this](const auto& entry) { return entry.second.generation >= target_; });
}

void ReapRound::DropDiffering() {
  std::set<uint32_t> dropped;
  for (const NodeId owner : owners_) {
    for (const uint32_t index : answers_[owner].differing) {
      if (index < objects_.size()) dropped.insert(objects_[index]);
    }
  }
  std::erase_if(objects_, [&dropped](uint32_t object) { return dropped.contains(object); });
}

void ReapRound::EndPhase() {
  if (phase_ == Phase::kOver) return;
  if (phase_ == Phase::kRemove) {
    phase_ = Phase::kOver;
    return;
  }
  if (answers_.size() < members_.size()) return Abandon("a member did not answer");
  if (!AllAtVersion()) return Abandon("a member holds another topology");
  switch (phase_) {
    case Phase::kCheck: EndCheck(); break;
    case Phase::kRaise:
      if (!AllReached()) return Abandon("a member did not adopt the generation");
      if (only_level_) return Abandon("a member was behind");
      phase_ = second_check_ ? Phase::kCheckAgain : Phase::kSeal;
      if (!second_check_) ++target_;
      break;
    case Phase::kCheckAgain: EndCheckAgain(); break;
    case Phase::kSeal:
      if (!AllReached()) return Abandon("a member did not adopt the generation");
      phase_ = Phase::kRemove;
      reaped_ = true;
      break;
    case Phase::kRemove:
    case Phase::kOver: break;
  }
  answers_.clear();
}

void ReapRound::EndCheck() {
  ReapGeneration lowest = answers_.begin()->second.generation, highest = lowest;
  for (const auto& [node, answer] : answers_) {
    lowest = std::min(lowest, answer.generation);
    highest = std::max(highest, answer.generation);
    if (answer.hints && second_check_) return Abandon("a member holds hints");
    runs_[node] = answer.run;
  }
  DropDiffering();
  // An owner that is there already may have adopted it before it held the objects. And
  // nobody may ever be two behind.
  only_level_ = lowest != highest;
  target_ = only_level_ ? highest : highest + 1;
  if (objects_.empty() && !only_level_) return Abandon("the owners do not hold the objects equal");
  phase_ = Phase::kRaise;
}

void ReapRound::EndCheckAgain() {
  for (const auto& [node, answer] : answers_) {
    if (answer.generation != target_) return Abandon("another round raised the generation");
    if (answer.run != runs_[node]) return Abandon("a member has started again");
    if (!answer.clean) return Abandon("a member held a hint or a stray");
  }
  DropDiffering();
  if (objects_.empty()) return Abandon("the owners no longer hold the objects equal");
  phase_ = Phase::kSeal;
  ++target_;
}

}  // namespace dynamo
