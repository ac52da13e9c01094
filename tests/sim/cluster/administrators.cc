#include "tests/sim/cluster/administrators.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

namespace dynamo::sim {
namespace {

constexpr Duration kAnswerMax = std::chrono::seconds(15);  // Of one node.
constexpr Duration kAgainMin{200'000}, kAgainMax{2'000'000};
constexpr Duration kLook{200'000};
constexpr int64_t kCapacityMax = 3;
constexpr size_t kMembersMin = 3;

// Whoever asks again would be told the same.
bool IsNo(Errc code) {
  return code == Errc::kInvalidArgument || code == Errc::kAlreadyExists || code == Errc::kUnsupported;
}

size_t OneOf(const std::vector<size_t>& nodes, Rng& rng) { return nodes[rng.Below(nodes.size())]; }

}  // namespace

Administrators::Administrators(SimCluster* cluster, std::function<void(const std::string&)> say,
                               std::function<void(oracle::Violation)> report)
    : cluster_(cluster), say_(std::move(say)), report_(std::move(report)) {}

// ---- Who may do what

std::shared_ptr<const Topology> Administrators::Newest() {
  auto newest = cluster_->NewestTopology();
  if (newest != nullptr) seen_ = std::max(seen_, newest->version.epoch);
  return newest != nullptr && newest->version.epoch == seen_ ? newest : nullptr;
}

bool Administrators::MayBegin() { return Newest() != nullptr && cluster_->LostMembers().empty(); }

bool Administrators::MayLoseADisk() {
  const auto topology = Newest();
  return busy_ == 0 && topology != nullptr && topology->change_since == 0 && cluster_->LostMembers().empty();
}

std::vector<size_t> Administrators::Members() {
  std::vector<size_t> members;
  const auto topology = Newest();
  for (size_t i = 0; i < cluster_->size() && topology != nullptr; ++i) {
    const Member* member = topology->Find(cluster_->IdOf(i));
    if (member != nullptr && member->state == MemberState::kNormal) members.push_back(i);
  }
  return members;
}

std::vector<size_t> Administrators::Leavers() {
  std::vector<size_t> members = Members();
  if (members.size() <= std::max<size_t>(cluster_->config().n_val, kMembersMin)) members.clear();
  return members;
}

std::vector<size_t> Administrators::Spares() {
  std::vector<size_t> spares;
  for (size_t i = 0; i < cluster_->size(); ++i) {
    // One that is down may be a member of whom nobody that runs has heard.
    if (cluster_->node(i).started() && !cluster_->IsMember(i) && !taken_.contains(i)) spares.push_back(i);
  }
  return spares;
}

// Of no name of the host's: disks may change machines.
Member Administrators::MemberAt(size_t index) {
  Member member;
  member.id = cluster_->IdOf(index);
  member.name = "member-" + ToString(member.id);
  member.zone = cluster_->node(index).config().service.self.zone;
  return member;
}

// It says that its volume is to be emptied: of one who has left, and came here with the disk.
bool Administrators::WasRefused(size_t index) {
  const SimNode& node = cluster_->node(index);
  return node.started() && !node.start_outcome() && node.start_outcome().error().code == Errc::kWrongCluster;
}

void Administrators::MakeNew(size_t index) {
  const auto topology = Newest();
  const NodeId id = cluster_->IdOf(index);
  const bool used = topology != nullptr && topology->Find(id) != nullptr;
  if (used || WasRefused(index) || cluster_->node(index).disk().lost() || cluster_->node(index).disk().spoiled())
    cluster_->Renew(index);
}

// ---- What they do

void Administrators::Join(Rng rng) {
  const std::vector<size_t> spares = Spares();
  if (spares.empty() || !MayBegin()) return;
  const size_t index = OneOf(spares, rng);
  MakeNew(index);
  cluster_->clients().Spawn(RunJoin(this, index, FaultKind::kJoin, rng));
}

void Administrators::Leave(Rng rng) {
  const std::vector<size_t> members = Leavers();
  if (members.empty() || !MayBegin()) return;
  const NodeId leaver = cluster_->IdOf(OneOf(members, rng));
  cluster_->clients().Spawn(Run(this, MakeLeave(leaver, FaultKind::kLeave), FaultKind::kLeave, rng));
}

void Administrators::Replace(Rng rng) {
  const std::vector<NodeId> lost = cluster_->LostMembers();
  if (lost.empty()) return;
  std::vector<size_t> hosts = Spares();
  const auto own = cluster_->FindNode(lost.front());
  // A volume that was set back is emptied by hand.
  if (own && !taken_.contains(*own) && cluster_->node(*own).running()) hosts.push_back(*own);
  if (hosts.empty()) return;
  const size_t with = OneOf(hosts, rng);
  MakeNew(with);
  cluster_->clients().Spawn(RunReplace(this, lost.front(), with, rng));
}

ChangeMembers Administrators::DrawCapacity(Rng& rng) {
  ChangeMembers change;
  const std::vector<size_t> members = Members();
  // None: tokens are placed anew.
  if (members.empty() || rng.Chance(0.2)) return change;
  change.capacity[cluster_->IdOf(OneOf(members, rng))] = static_cast<uint32_t>(rng.Between(1, kCapacityMax));
  return change;
}

void Administrators::SetCapacity(Rng rng) {
  if (!MayBegin()) return;
  ChangeMembers change = DrawCapacity(rng);
  cluster_->clients().Spawn(Run(this, Make(std::move(change), Name(FaultKind::kCapacity)), FaultKind::kCapacity, rng));
}

void Administrators::Cancel(Rng rng) {
  const auto topology = Newest();
  if (topology == nullptr || topology->pending.empty()) return;
  cluster_->clients().Spawn(Run(this, Make(CancelChange{}, Name(FaultKind::kCancel)), FaultKind::kCancel, rng));
}

void Administrators::Flap(Rng rng) {
  const std::vector<size_t> members = Leavers();
  if (members.empty() || !MayBegin()) return;
  cluster_->clients().Spawn(RunFlap(this, OneOf(members, rng), rng));
}

void Administrators::Rival(Rng rng) {
  const auto topology = Newest();
  if (topology == nullptr || !MayBegin()) return;
  const std::vector<size_t> leavers = Leavers();
  ChangeMembers one = DrawCapacity(rng), other = DrawCapacity(rng);
  if (!leavers.empty()) one = {{}, {cluster_->IdOf(OneOf(leavers, rng))}, {}};
  cluster_->clients().Spawn(RunRivals(this, std::move(one), std::move(other), topology->version.epoch, rng));
}

void Administrators::Finish(Rng rng) {
  finishing_ = true;
  cluster_->clients().Spawn(RunFinish(this, rng));
}

// ---- How

TopologyChange Administrators::Make(What what, std::string_view name, std::optional<uint64_t> epoch) {
  return {fmt::format("{}-{}", name, ++operations_), epoch, std::move(what)};
}

TopologyChange Administrators::MakeLeave(NodeId leaver, FaultKind kind) {
  ChangeMembers leave;
  leave.leave.push_back(leaver);
  return Make(std::move(leave), Name(kind), seen_);
}

Async<> Administrators::Sleep(Duration duration) {
  Clock& clock = cluster_->client_clock();
  co_await SleepUntil(cluster_->clients(), clock, clock.Now() + duration);
}

Async<Result<uint64_t>> Administrators::Ask(TopologyChange change, Rng rng, bool waits) {
  const Busy busy(this);
  Result<uint64_t> answer = Fail(Errc::kUnavailable, "not asked yet");
  for (bool verdict = false; !verdict;) {
    const size_t at = rng.Below(cluster_->size());
    if (cluster_->IsMember(at)) {
      answer = co_await cluster_->Change(at, change, kAnswerMax);
      const std::string said = answer ? fmt::format("epoch {}", *answer) : answer.error().message;
      if (say_) say_(fmt::format("administrator {} at {}: {}", change.operation_id, at, said));
      verdict = answer || IsNo(answer.error().code) || (answer.error().code == Errc::kConflict && !waits);
    }
    if (!verdict) co_await Sleep(Duration(rng.Between(kAgainMin.count(), kAgainMax.count())));
  }
  if (answer) seen_ = std::max(seen_, *answer);
  if (!answer) CheckRefused(change.operation_id);
  co_return answer;
}

void Administrators::CheckRefused(const std::string& operation_id) {
  const auto topology = cluster_->NewestTopology();
  if (topology == nullptr) return;
  const auto made = std::ranges::find(topology->operations, operation_id, &TopologyOperation::id);
  if (made == topology->operations.end()) return;
  if (report_)
    report_({"P14", "", fmt::format("{} was refused, they say, and it is epoch {}", operation_id, made->epoch)});
}

Async<> Administrators::Run(Administrators* self, TopologyChange change, FaultKind kind, Rng rng) {
  if (co_await self->Ask(std::move(change), rng, false)) ++self->cluster_->faults()[kind];
}

Async<> Administrators::AwaitNew(size_t index) {
  do {
    co_await Sleep(kLook);
    if (WasRefused(index)) cluster_->world().At(kNobody, cluster_->world().now(), [this, index] { MakeNew(index); });
  } while (!cluster_->IdOf(index) || !cluster_->node(index).started() || !cluster_->node(index).start_outcome());
}

Async<> Administrators::RunJoin(Administrators* self, size_t index, FaultKind kind, Rng rng) {
  const Busy busy(self);
  self->taken_.insert(index);
  co_await self->AwaitNew(index);
  ChangeMembers change;
  change.join.push_back(self->MemberAt(index));
  if (co_await self->Ask(self->Make(std::move(change), Name(kind)), rng, false)) ++self->cluster_->faults()[kind];
  self->taken_.erase(index);
}

Async<> Administrators::RunReplace(Administrators* self, NodeId lost, size_t with, Rng rng) {
  const Busy busy(self);
  self->taken_.insert(with);
  co_await self->AwaitNew(with);
  ReplaceMember change{lost, self->MemberAt(with)};
  change.with.capacity = 0;
  const auto replaced = co_await self->Ask(self->Make(std::move(change), Name(FaultKind::kReplace)), rng, true);
  if (replaced) ++self->cluster_->faults()[FaultKind::kReplace];
  self->taken_.erase(with);
}

Async<> Administrators::RunFlap(Administrators* self, size_t index, Rng rng) {
  const Busy busy(self);
  const NodeId id = self->cluster_->IdOf(index);
  if (!co_await self->Ask(self->MakeLeave(id, FaultKind::kFlap), rng, false)) co_return;
  // It was turned round, or its disk is elsewhere by now: then that was all.
  for (bool gone = false; !gone; co_await self->Sleep(kLook)) {
    const auto topology = self->Newest();
    if (topology == nullptr) continue;
    const Member* member = topology->Find(id);
    if (member == nullptr || member->state == MemberState::kNormal || self->finishing_) co_return;
    gone = member->state == MemberState::kLeft;
  }
  if (self->cluster_->IdOf(index) != id || self->taken_.contains(index)) co_return;
  self->taken_.insert(index);
  SimWorld& world = self->cluster_->world();
  world.At(kNobody, world.now(), [self, index] { self->MakeNew(index); });
  co_await RunJoin(self, index, FaultKind::kFlap, rng);
}

Async<> Administrators::AskAs(Administrators* self, TopologyChange change, Rng rng,
                              std::optional<Result<uint64_t>>* outcome) {
  *outcome = co_await self->Ask(std::move(change), rng, false);
}

Async<> Administrators::RunRivals(Administrators* self, What one, What other, uint64_t epoch, Rng rng) {
  auto outcomes = std::make_shared<std::array<std::optional<Result<uint64_t>>, 2>>();
  Scope& scope = self->cluster_->clients();
  scope.Spawn(AskAs(self, self->Make(std::move(one), Name(FaultKind::kRivals), epoch), rng.Fork(), &(*outcomes)[0]));
  scope.Spawn(AskAs(self, self->Make(std::move(other), Name(FaultKind::kRivals), epoch), rng.Fork(), &(*outcomes)[1]));
  while (!(*outcomes)[0] || !(*outcomes)[1]) co_await self->Sleep(kLook);
  const auto won = std::ranges::count_if(*outcomes, [](const auto& outcome) { return outcome->has_value(); });
  if (won > 0) ++self->cluster_->faults()[FaultKind::kRivals];
  // Both, if they asked for what was so already.
  const bool same = won == 2 && **(*outcomes)[0] == **(*outcomes)[1] && **(*outcomes)[0] > epoch;
  if (same && self->report_) self->report_({"P9", "", fmt::format("two changes of epoch {} won", epoch)});
}

Async<> Administrators::RunFinish(Administrators* self, Rng rng) {
  SimCluster& cluster = *self->cluster_;
  for (;;) {
    co_await self->Sleep(std::chrono::seconds(1));
    if (self->busy_ > 0 || self->Newest() == nullptr) continue;
    if (cluster.LostMembers().empty()) break;
    cluster.world().At(kNobody, cluster.world().now(), [self, next = rng.Fork()] { self->Replace(next); });
    co_await self->Sleep(std::chrono::seconds(1));
  }
  // Disks of no member.
  for (size_t i = 0; i < cluster.size(); ++i) {
    if (!cluster.node(i).disk().lost() || cluster.IsMember(i)) continue;
    cluster.world().At(kNobody, cluster.world().now(), [&cluster, i] { cluster.Renew(i); });
  }
  co_await self->Sleep(std::chrono::seconds(1));
  self->finishing_ = false;
}

}  // namespace dynamo::sim
