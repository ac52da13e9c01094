#include "node/core/consensus/proposer.h"

#include <algorithm>
#include <utility>

namespace dynamo {
namespace {

constexpr uint32_t kDoublingsMax = 16;

bool IsEnd(Proposer::Phase phase) {
  return phase != Proposer::Phase::kPreparing && phase != Proposer::Phase::kAccepting;
}

}  // namespace

Proposer::Proposer(std::vector<NodeId> voters, Ballot ballot, Bytes proposal)
    : voters_(voters.begin(), voters.end()), ballot_(ballot), proposal_(std::move(proposal)), highest_(ballot) {
  Judge();
}

Proposer::Phase Proposer::OnAnswer(NodeId from, Phase asked_in, const VoterAnswer& answer) {
  if (!voters_.contains(from) || answer.ballot != ballot_) return phase_;
  answered_.insert(from);
  if (IsEnd(phase_)) return phase_;
  if (answer.kind == VoterAnswer::Kind::kDecided) return phase_ = Phase::kDecided;
  if (asked_in != phase_) return phase_;
  if (answer.kind == VoterAnswer::Kind::kOutbid) {
    outbid_ = true;
    highest_ = std::max(highest_, answer.highest);
  }
  const auto wanted = phase_ == Phase::kPreparing ? VoterAnswer::Kind::kPromised : VoterAnswer::Kind::kAccepted;
  if (answer.kind != wanted) return OnFailure(from, asked_in);
  if (answer.accepted > best_accepted_ && phase_ == Phase::kPreparing) {
    best_accepted_ = answer.accepted;
    value_ = answer.value;
  }
  agreed_.insert(from);
  Judge();
  return phase_;
}

Proposer::Phase Proposer::OnFailure(NodeId from, Phase asked_in) {
  if (IsEnd(phase_) || asked_in != phase_ || !voters_.contains(from)) return phase_;
  refused_.insert(from);
  Judge();
  return phase_;
}

void Proposer::Judge() {
  if (agreed_.size() >= majority()) {
    if (phase_ == Phase::kAccepting) {
      phase_ = Phase::kChosen;
      return;
    }
    phase_ = Phase::kAccepting;
    if (!best_accepted_) value_ = proposal_;
    asked_to_accept_ = true;
    agreed_.clear();
    refused_.clear();
    return;
  }
  // A voter that agreed and was then asked again still agrees.
  const auto lost = std::ranges::count_if(refused_, [this](NodeId voter) { return !agreed_.contains(voter); });
  if (voters_.size() - static_cast<size_t>(lost) >= majority()) return;
  phase_ = outbid_ ? Phase::kOutbid : Phase::kUnreachable;
}

Duration RetryDelay(uint32_t attempt, Duration base, Duration max, Rng& rng) {
  const uint32_t doublings = std::min(attempt, kDoublingsMax);
  const int64_t mean = std::min(base.count() << doublings, max.count());
  return Duration(rng.Between(mean / 2, mean + mean / 2));
}

}  // namespace dynamo
