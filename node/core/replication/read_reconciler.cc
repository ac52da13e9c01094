#include "node/core/replication/read_reconciler.h"

#include <algorithm>
#include <array>
#include <utility>

#include "node/core/version/object.h"

namespace dynamo {

ReadReconciler::ReadReconciler(const ReadQuorum& quorum, bool notfound_ok, bool basic_quorum)
    : quorum_(quorum), notfound_ok_(notfound_ok), basic_quorum_(basic_quorum && !notfound_ok) {}

void ReadReconciler::OnAsked(NodeId node, bool primary) {
  Replica& replica = replicas_[node];
  replica.primary = primary;
  replica.pending = !replica.answered;
}

Status ReadReconciler::OnAnswer(ReplicaAnswer answer) {
  if (answer.object) {
    if (Status absorbed = Absorb(*std::move(answer.object), &answer.digest); !absorbed) {
      OnFailed(answer.node);
      return absorbed;
    }
  }
  replicas_[answer.node] = {.primary = answer.primary,
                            .pending = false,
                            .answered = true,
                            .fetching = false,
                            .authoritative = answer.authoritative,
                            .digest = answer.digest};
  Settle();
  return {};
}

Status ReadReconciler::Absorb(Bytes object, Hash128* digest) {
  *digest = DigestOf(object);
  if (object.empty() || Covered(*digest)) return {};
  if (joined_.empty()) {
    if (auto header = DecodeObjectHeader(object); !header) return Fail(std::move(header).error());
    if (*digest != Hash128{}) joined_ = std::move(object);
  } else {
    Result<Bytes> joined = JoinEncoded(joined_, object);
    if (!joined) return Fail(std::move(joined).error());
    joined_ = *std::move(joined);
  }
  covered_.insert({*digest, DigestOf(joined_)});
  covered_.erase(Hash128{});
  return {};
}

void ReadReconciler::OnFailed(NodeId node) {
  Withdraw(replicas_[node]);
  Settle();
}

void ReadReconciler::GiveUp() {
  for (auto& [node, replica] : replicas_) {
    if (replica.found() && !Covered(replica.digest)) replica.answered = false;
    Withdraw(replica);
  }
  closed_ = true;
  Settle();
}

void ReadReconciler::Withdraw(Replica& replica) {
  replica.pending = false;
  if (replica.fetching && !Covered(replica.digest)) replica.answered = false;
  replica.fetching = false;
}

void ReadReconciler::Settle() { met_ = met_ || Met(Count()); }

ReadReconciler::Tally ReadReconciler::Count() const {
  Tally tally;
  for (const auto& [node, replica] : replicas_) {
    const bool counts = replica.owner_without() ? notfound_ok_ : replica.found() && Covered(replica.digest);
    const bool may_count = counts || replica.pending || replica.found();
    tally.counted += counts;
    tally.counted_primary += counts && replica.primary;
    tally.reach += may_count;
    tally.reach_primary += may_count && replica.primary;
    tally.found += replica.found();
    tally.to_fetch += replica.found() && !Covered(replica.digest);
    tally.owners_without += replica.owner_without();
    tally.owners_pending += replica.pending && replica.primary;
  }
  return tally;
}

bool ReadReconciler::MajorityFoundNothing(const Tally& tally) const {
  return basic_quorum_ && tally.owners_without >= quorum_.n / 2 + 1;
}

uint32_t ReadReconciler::OwnersToSayNotFound() const {
  if (!basic_quorum_) return quorum_.n;
  return std::max({quorum_.n / 2 + 1, quorum_.r, quorum_.pr, quorum_.node_confirms});
}

bool ReadReconciler::Met(const Tally& tally) const {
  if (tally.to_fetch > 0) return false;
  const bool enough =
      tally.counted >= quorum_.r && tally.counted_primary >= quorum_.pr && tally.counted >= quorum_.node_confirms;
  const bool not_found = tally.found == 0 && tally.owners_without >= OwnersToSayNotFound();
  return enough || not_found || tally.owners_without >= quorum_.n;
}

bool ReadReconciler::OutOfReach(const Tally& tally) const {
  const uint32_t owners_without = tally.owners_without + tally.owners_pending;
  const bool none_has_it = tally.found == tally.to_fetch;  // What is to be fetched may yet fail.
  if (owners_without >= (none_has_it ? OwnersToSayNotFound() : quorum_.n)) return false;
  return tally.reach < quorum_.r || tally.reach_primary < quorum_.pr || tally.reach < quorum_.node_confirms;
}

Verdict ReadReconciler::verdict() const {
  if (met_) return Verdict::kMet;
  const Tally tally = Count();
  const bool decided_early = MajorityFoundNothing(tally) && tally.to_fetch == 0;
  return decided_early || (closed_ && OutOfReach(tally)) ? Verdict::kUnreachable : Verdict::kPending;
}

std::optional<QuorumShortfall> ReadReconciler::shortfall() const {
  using Which = QuorumShortfall::Which;
  if (met_) return std::nullopt;
  const Tally tally = Count();
  const std::array<QuorumRequirement, 3> requirements{
      {{{Which::kR, quorum_.r, tally.counted}, tally.reach},
       {{Which::kPR, quorum_.pr, tally.counted_primary}, tally.reach_primary},
       {{Which::kNodeConfirms, quorum_.node_confirms, tally.counted}, tally.reach}}};
  return FirstShortfall(requirements, closed_);
}

std::vector<NodeId> ReadReconciler::TakeNodesToFetch() {
  std::map<Hash128, std::pair<NodeId, Replica*>> wanted;  // nullptr: being fetched.
  for (auto& [node, replica] : replicas_) {
    if (!replica.found() || Covered(replica.digest)) continue;
    const auto [at, first] = wanted.try_emplace(replica.digest, node, &replica);
    auto& [chosen, chosen_replica] = at->second;
    if (replica.fetching) {
      chosen_replica = nullptr;
    } else if (!first && chosen_replica != nullptr && replica.primary && !chosen_replica->primary) {
      at->second = {node, &replica};
    }
  }
  std::vector<NodeId> nodes;
  for (auto& [digest, source] : wanted) {
    auto& [node, replica] = source;
    if (replica == nullptr) continue;
    replica->fetching = true;
    nodes.push_back(node);
  }
  return nodes;
}

std::vector<NodeId> ReadReconciler::Behind() const {
  std::vector<NodeId> nodes;
  const Hash128 current = DigestOf(joined_);
  if (current == Hash128{}) return nodes;
  for (const auto& [node, replica] : replicas_) {
    if (replica.has_say() && replica.digest != current) nodes.push_back(node);
  }
  return nodes;
}

bool ReadReconciler::diverged() const {
  std::set<Hash128> states;
  for (const auto& [node, replica] : replicas_) {
    if (replica.has_say()) states.insert(replica.digest);
  }
  return states.size() > 1;
}

bool ReadReconciler::answered(NodeId node) const {
  const auto at = replicas_.find(node);
  return at != replicas_.end() && at->second.answered;
}

}  // namespace dynamo
