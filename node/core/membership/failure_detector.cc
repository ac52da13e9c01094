#include "node/core/membership/failure_detector.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace dynamo {
namespace {

// One lost packet is not yet a broken link.
constexpr int kMissesUntilFailing = 2;

uint64_t BootNumber(uint64_t incarnation) { return incarnation >> 32; }

void Shuffle(std::vector<NodeId>* nodes, Rng* rng) {
  for (size_t i = nodes->size(); i > 1; --i) std::swap((*nodes)[i - 1], (*nodes)[rng->Below(i)]);
}

}  // namespace

FailureDetector::FailureDetector(const FailureDetectorConfig& config, MemberTable* table, Rng rng)
    : config_(config), table_(table), rng_(rng) {}

DetectorActions FailureDetector::Tick(TimePoint now) {
  DetectorActions actions;
  // The first probes of nodes that start together are spread over an interval.
  if (!next_probe_) next_probe_ = now + Duration(rng_.Below(static_cast<uint64_t>(config_.probe_interval.count())));

  std::vector<uint64_t> missed, failed;
  for (const auto& [sequence, probe] : probes_) {
    if (now >= probe.fail_at) {
      failed.push_back(sequence);
    } else if (!probe.indirect_sent && now >= probe.indirect_at) {
      missed.push_back(sequence);
    }
  }
  for (const uint64_t sequence : failed) FailProbe(sequence, now, &actions);
  for (const uint64_t sequence : missed) GoIndirect(sequence, now, &actions);
  EndSuspicions(now, &actions);
  if (now >= *next_probe_) ProbeNext(now, &actions);
  return actions;
}

TimePoint FailureDetector::NextWake() const {
  if (!next_probe_) return {};
  TimePoint wake = *next_probe_;
  for (const auto& [sequence, probe] : probes_) {
    wake = std::min(wake, probe.indirect_sent ? probe.fail_at : probe.indirect_at);
  }
  for (const auto& [node, suspicion] : suspicions_) wake = std::min(wake, suspicion.ends);
  return wake;
}

void FailureDetector::OnAck(uint64_t sequence, NodeId from, TimePoint now) {
  const auto found = probes_.find(sequence);
  if (found == probes_.end()) return;
  const NodeId target = found->second.target;
  probes_.erase(found);
  Peer* peer = Known(target);
  if (peer == nullptr) return;
  peer->probe = 0;
  peer->heard = now;
  Doubt(-1);
  if (from != target) return;  // It lives; whether we can reach it, the next probe says.
  peer->misses = 0;
  SetFailing(peer, false);
}

DetectorActions FailureDetector::OnNack(uint64_t sequence, NodeId from, TimePoint now) {
  DetectorActions actions;
  const auto found = probes_.find(sequence);
  if (found == probes_.end()) return actions;
  Probe& probe = found->second;
  if (from == probe.target) {
    probe.refused = true;
    if (!probe.indirect_sent) GoIndirect(sequence, now, &actions);
  } else if (++probe.nacks >= probe.asked) {
    FailProbe(sequence, now, &actions);
  }
  return actions;
}

DetectorActions FailureDetector::OnRequestFailed(NodeId node, TimePoint now) {
  DetectorActions actions;
  Peer* peer = Known(node);
  if (peer == nullptr || peer->failing) return actions;
  SetFailing(peer, true);
  Suspect(node, now, &actions);
  StartProbe(node, now, &actions);
  return actions;
}

DetectorActions FailureDetector::OnHeardFrom(NodeId node, TimePoint now) {
  DetectorActions actions;
  Peer* peer = Known(node);
  if (peer == nullptr) return actions;
  peer->heard = now;
  if (peer->failing) StartProbe(node, now, &actions);
  return actions;
}

DetectorActions FailureDetector::OnRumour(NodeId node, MemberTable::Outcome outcome, TimePoint now) {
  DetectorActions actions;
  if (outcome != MemberTable::Outcome::kUpdated && outcome != MemberTable::Outcome::kRefute) return actions;
  const NodeInfo* info = table_->Find(node);
  if (info == nullptr) return actions;
  actions.push_back(Spread{*info});
  if (outcome == MemberTable::Outcome::kRefute) {
    Doubt(+1);  // Others missed us: perhaps we are slow.
    return actions;
  }
  Peer* peer = Known(node);
  const uint64_t before = std::exchange(peer->incarnation, info->incarnation);
  if (info->incarnation > before) suspicions_.erase(node);
  if (BootNumber(info->incarnation) > BootNumber(before)) {
    // What is still out was asked of the process that is gone.
    probes_.erase(std::exchange(peer->probe, 0));
    SetFailing(peer, false);
    peer->misses = 0;
  }
  switch (info->liveness) {
    case Liveness::kAlive: break;
    case Liveness::kSuspect: Suspect(node, now, &actions); break;
    case Liveness::kDead:
      suspicions_.erase(node);
      SetFailing(peer, true);
      break;
  }
  // If it lives, the probe brings it back, and tells it what is said of it.
  if (peer->failing) StartProbe(node, now, &actions);
  return actions;
}

bool FailureDetector::IsUp(NodeId node) const {
  if (node == table_->self().id) return true;
  const NodeInfo* info = table_->Find(node);
  return info != nullptr && IsUp(*info);
}

bool FailureDetector::IsUp(const NodeInfo& info) const {
  const auto peer = peers_.find(info.id);
  return peer == peers_.end() ? info.liveness != Liveness::kDead : !peer->second.failing;
}

bool FailureDetector::InDoubt(NodeId node, const Peer& peer) const {
  return peer.failing || peer.misses > 0 || suspicions_.contains(node);
}

void FailureDetector::SetFailing(Peer* peer, bool failing) {
  verdicts_ += peer->failing != failing;
  peer->failing = failing;
}

// nullptr: self, or not in the table.
FailureDetector::Peer* FailureDetector::Known(NodeId node) {
  const NodeInfo* info = table_->Find(node);
  if (info == nullptr) {
    // Should it come back, it begins anew: not as one whose probe is still out.
    peers_.erase(node);
    return nullptr;
  }
  if (node == table_->self().id) return nullptr;
  const auto [found, added] = peers_.try_emplace(node);
  if (added) {
    found->second.incarnation = info->incarnation;
    found->second.failing = info->liveness == Liveness::kDead;
  }
  return &found->second;
}

Duration FailureDetector::Patience() const { return config_.probe_timeout * (1 + awareness_); }

Duration FailureDetector::SuspicionTimeout() const {
  const double scale = std::max(1.0, std::log10(static_cast<double>(table_->size())));
  const auto base = static_cast<double>(config_.suspicion_timeout.count());
  return Duration(static_cast<int64_t>(base * scale)) * (1 + awareness_);
}

void FailureDetector::ProbeNext(TimePoint now, DetectorActions* actions) {
  next_probe_ = now + config_.probe_interval * (1 + awareness_);
  if (const auto node = NextOfRound()) StartProbe(*node, now, actions);
  if (const auto node = NextInDoubt()) StartProbe(*node, now, actions);
}

std::optional<NodeId> FailureDetector::NextOfRound() {
  for (int rounds = 0; rounds < 2; ++rounds) {
    while (!round_.empty()) {
      const NodeId node = round_.back();
      round_.pop_back();
      const Peer* peer = Known(node);
      if (peer != nullptr && peer->probe == 0) return node;
    }
    std::erase_if(peers_, [this](const auto& item) { return table_->Find(item.first) == nullptr; });
    for (const NodeInfo& info : table_->All()) {
      if (Known(info.id) != nullptr) round_.push_back(info.id);
    }
    Shuffle(&round_, &rng_);
  }
  return std::nullopt;
}

// In turn by id, so that many dead nodes cost no more probes than one.
std::optional<NodeId> FailureDetector::NextInDoubt() {
  auto next = peers_.upper_bound(last_in_doubt_);
  for (size_t tried = 0; tried < peers_.size(); ++tried, ++next) {
    if (next == peers_.end()) next = peers_.begin();
    if (!InDoubt(next->first, next->second) || next->second.probe != 0) continue;
    last_in_doubt_ = next->first;
    return last_in_doubt_;
  }
  return std::nullopt;
}

void FailureDetector::StartProbe(NodeId target, TimePoint now, DetectorActions* actions) {
  Peer* peer = Known(target);
  if (peer == nullptr || peer->probe != 0) return;
  peer->probe = ++sequence_;
  Probe probe;
  probe.target = target;
  probe.began = now;
  probe.indirect_at = now + Patience();
  probe.fail_at = now + 2 * Patience();
  probe.was_in_doubt = InDoubt(target, *peer);
  probes_.emplace(peer->probe, probe);
  actions->push_back(SendPing{target, peer->probe});
}

void FailureDetector::GoIndirect(uint64_t sequence, TimePoint now, DetectorActions* actions) {
  Probe& probe = probes_.at(sequence);
  probe.indirect_sent = true;
  if (Peer* peer = Known(probe.target)) {
    if (++peer->misses >= kMissesUntilFailing || probe.refused) SetFailing(peer, true);
  }
  // Others are asked in order to spare a living node a suspicion: not about a dead one.
  const NodeInfo* info = table_->Find(probe.target);
  const bool worth_asking = info != nullptr && info->liveness != Liveness::kDead;
  for (const NodeId via : worth_asking ? Intermediaries(probe.target) : std::vector<NodeId>()) {
    ++probe.asked;
    actions->push_back(SendPingRequest{via, probe.target, sequence});
  }
  probe.fail_at = now + Patience();
  if (probe.refused && probe.asked == 0) FailProbe(sequence, now, actions);
}

std::vector<NodeId> FailureDetector::Intermediaries(NodeId target) {
  std::vector<NodeId> nodes;
  for (const auto& [node, peer] : peers_) {
    if (node != target && IsUp(node)) nodes.push_back(node);
  }
  Shuffle(&nodes, &rng_);
  nodes.resize(std::min(nodes.size(), static_cast<size_t>(config_.indirect_probes)));
  return nodes;
}

void FailureDetector::FailProbe(uint64_t sequence, TimePoint now, DetectorActions* actions) {
  const Probe probe = probes_.at(sequence);
  probes_.erase(sequence);
  Peer* peer = Known(probe.target);
  if (peer == nullptr) return;
  peer->probe = 0;
  SetFailing(peer, true);
  if (peer->heard && *peer->heard > probe.began) return;  // It lives, but we cannot reach it.
  // Nobody at all answered, and we thought well of the node: is it us?
  if (!probe.was_in_doubt && !probe.refused && probe.nacks == 0) Doubt(+1);
  Suspect(probe.target, now, actions);
}

void FailureDetector::Suspect(NodeId node, TimePoint now, DetectorActions* actions) {
  if (table_->Declare(node, Liveness::kSuspect)) actions->push_back(Spread{*table_->Find(node)});
  if (table_->Find(node)->liveness != Liveness::kSuspect) return;
  suspicions_.try_emplace(node, Suspicion{now, now + SuspicionTimeout()});
}

void FailureDetector::EndSuspicions(TimePoint now, DetectorActions* actions) {
  std::map<NodeId, Suspicion> ended;
  for (const auto& [node, suspicion] : suspicions_) {
    if (now >= suspicion.ends) ended.emplace(node, suspicion);
  }
  for (const auto& [node, suspicion] : ended) {
    suspicions_.erase(node);
    Peer* peer = Known(node);
    if (peer == nullptr) continue;
    if (peer->heard && *peer->heard > suspicion.began) {
      // It lives but has not refuted: go on suspecting, and tell it.
      Suspect(node, now, actions);
      StartProbe(node, now, actions);
      continue;
    }
    SetFailing(peer, true);
    if (table_->Declare(node, Liveness::kDead)) actions->push_back(Spread{*table_->Find(node)});
  }
}

void FailureDetector::Doubt(int change) { awareness_ = std::clamp(awareness_ + change, 0, config_.awareness_max); }

}  // namespace dynamo
