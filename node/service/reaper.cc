#include "node/service/reaper.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "node/core/antientropy/leaf_range.h"
#include "node/core/reap/remains.h"
#include "node/protocol/messages.h"
#include "node/protocol/reap_messages.h"

namespace dynamo {
namespace {

constexpr Duration kAskAgain{200'000};
constexpr size_t kFindItems = 1024;
constexpr size_t kFindBytes = 1u << 20;

}  // namespace

struct Reaper::Phase {
  explicit Phase(Scope* scope) : done(*scope) {}
  Event done;
  size_t outstanding = 0;

  void OnOne() {
    if (--outstanding == 0) done.Set();
  }
};

Reaper::Reaper(DataPath parts)
    : parts_(parts),
      pace_(parts.shard->env.scope, parts.shard->env.clock, parts.shard->config->reap_bytes_per_second) {}

// ---- Beginning on a new volume

Async<Status> Reaper::LearnGenerations() {
  ShardContext& shard = *parts_.shard;
  ReapGenerations& generations = parts_.replica->generations();
  const std::vector<PartitionId> unknown = generations.Unknown();
  if (unknown.empty()) co_return Status{};
  // Nobody has reaped before the cluster was. And what is held here by one who has no
  // word of it was written by a member that knew of no reaping: without it nobody reaps.
  bool zero = shard.topology().version == TopologyVersion{1, 1};
  for (const PartitionId partition : unknown) {
    const Result<bool> nothing = co_await generations.HoldsNothing(partition);
    if (!nothing) co_return Fail(nothing.error());
    zero = zero || !*nothing;
  }
  std::map<PartitionId, ReapGeneration> first;
  for (const PartitionId partition : unknown) {
    const Result<ReapGeneration> asked = zero ? Result<ReapGeneration>(0) : co_await AskGeneration(partition);
    if (!asked && shard.rolled_back) co_return Status{};  // It will not serve.
    if (!asked) co_return Fail(asked.error());
    first[partition] = *asked;
  }
  co_return co_await generations.SetFirst(std::move(first));
}

// Until somebody says: who begins too low would be taken for an old disk.
Async<Result<ReapGeneration>> Reaper::AskGeneration(PartitionId partition) {
  ShardContext& shard = *parts_.shard;
  for (;;) {
    for (const NodeId member : Members()) {
      if (member == shard.self) continue;
      SharedBytes body = Encode({ReapRound::Phase::kCheck, {partition, shard.topology().LargestN()}, 0, {}, 0});
      const auto response = co_await parts_.peers->Ask(member, std::move(body), shard.ReplicaDeadline());
      if (response && response->has_reap_state()) {
        const Status observed = co_await parts_.replica->ObserveClock(response->reap_state().clock());
        if (!observed) co_return Fail(observed.error());
        co_return response->reap_state().reap_generation();
      }
      // Where one member knows of no reaping, nobody reaps.
      if (!response && response.error().code == Errc::kUnsupported) co_return 0;
    }
    if (shard.removed() || shard.rolled_back) co_return Fail(shard.WhyNotServing());
    co_await SleepUntil(*shard.env.scope, *shard.env.clock, shard.Now() + kAskAgain);
  }
}

// ---- Leading rounds

Async<> Reaper::Run() {
  ShardContext& shard = *parts_.shard;
  const Duration interval = shard.config->reap_interval;
  // A read that meets a removal half done may give it back to some owners: without
  // anti-entropy they would stay apart.
  if (interval <= Duration::zero() || shard.config->anti_entropy_interval <= Duration::zero()) co_return;
  while (shard.serving) {
    const Duration pause = interval / 2 + Duration(shard.env.random->rng().Between(0, interval.count()));
    co_await SleepUntil(*shard.env.scope, *shard.env.clock, shard.Now() + pause);
    co_await ReapAll();
  }
}

std::vector<NodeId> Reaper::Members() const {
  const Topology& topology = parts_.shard->topology();
  std::vector<NodeId> members;
  for (const Member& member : topology.members) {
    if (topology.StandingOf(member.id) == MemberStanding::kMember) members.push_back(member.id);
  }
  return members;
}

bool Reaper::MayBegin() const {
  const ShardContext& shard = *parts_.shard;
  const Topology& topology = shard.topology();
  const std::vector<NodeId> members = Members();
  return shard.serving && topology.pending.empty() && topology.change_since == 0 &&
         std::all_of(members.begin(), members.end(), [&](NodeId node) { return shard.IsUp(node); });
}

Async<> Reaper::ReapAll() {
  ShardContext& shard = *parts_.shard;
  for (PartitionId partition = 0; partition < shard.topology().partitions; ++partition) {
    if (shard.ShardOf(partition) != shard.env.link->self() || quiet_.contains(partition)) continue;
    for (const uint32_t n_val : NsInUse(shard.topology())) {
      const bool may = MayBegin();
      shard.metrics->reap_stopped.Set(may ? 0 : 1);
      if (!may) co_return;
      if (shard.OwnersOf(partition, n_val).front() == shard.self) co_await ReapTree({partition, n_val});
    }
  }
}

Async<> Reaper::ReapTree(TreeName tree) {
  quiet_.insert(tree.partition);
  bool all = true;
  Bytes begin = LeafKeyRange(tree.partition, parts_.shard->topology().partitions, 0, kTreeLeaves - 1).begin;
  for (bool more = true; more;) {
    Result<Found> found = co_await Find(tree, begin);
    if (!found) co_return OnObjectWritten(tree.partition);
    all = all && !found->young;
    more = found->next.has_value();
    if (more) begin = std::move(*found->next);
    if (!found->entries.empty() && !co_await RunRound(tree, std::move(found->entries))) more = all = false;
  }
  if (!all) quiet_.erase(tree.partition);
}

Async<Result<Reaper::Found>> Reaper::Find(TreeName tree, Bytes begin) {
  ShardContext& shard = *parts_.shard;
  const KeyRange range = LeafKeyRange(tree.partition, shard.topology().partitions, 0, kTreeLeaves - 1);
  const Duration age = shard.config->reap_age_min;
  const ReapLimits old{shard.config->reap_clock_entries_max, shard.env.clock->WallNow() - age.count()};
  const ReapLimits any{old.clock_entries_max, std::numeric_limits<WallMicros>::max()};
  Found found;
  found.next = std::move(begin);
  while (found.next && found.entries.empty()) {
    const auto page =
        co_await shard.env.storage->Scan(ColumnFamily::kObjects, *found.next, range.end, kFindItems, kFindBytes);
    if (!page) co_return Fail(page.error());
    found.next.reset();
    uint64_t bytes = 0;
    for (const KeyValue& item : *page) {
      bytes += item.key.size() + item.value.size();
      found.next = item.key + '\0';
      const Result<ObjectKey> key = ParseStorageKey(item.key);
      if (!key || shard.NOf(*key) != tree.n_val) continue;
      // What cannot be read is for others to repair.
      const Result<Object> object = DecodeObject(item.value);
      if (!object || !IsWorthReaping(*object, any)) continue;
      if (!IsWorthReaping(*object, old)) {
        found.young = true;
        continue;
      }
      // Which the clock may not have seen: it may have started again since.
      parts_.replica->hybrid_clock().Observe(object->stamp);
      found.entries.push_back({item.key, DigestOf(item.value), false});
    }
    co_await pace_.Spend(bytes);
  }
  co_return found;
}

Async<bool> Reaper::RunRound(TreeName tree, std::vector<LeafEntry> entries) {
  ShardContext& shard = *parts_.shard;
  if (!MayBegin()) co_return false;
  ReapRound round(Members(), shard.OwnersOf(tree.partition, tree.n_val), static_cast<uint32_t>(entries.size()),
                  shard.topology().version);
  if (shard.config->planted.Has(PlantedBug::kReapWithoutSecondCheck)) round.SkipSecondCheck();
  while (round.phase() != ReapRound::Phase::kOver) {
    Ask ask{round.phase(), tree, round.target(), {}, parts_.replica->hybrid_clock().last()};
    if (ask.phase != ReapRound::Phase::kRaise && ask.phase != ReapRound::Phase::kSeal) {
      for (const uint32_t index : round.objects()) ask.entries.push_back(entries[index]);
    }
    const auto phase = std::make_shared<Phase>(shard.env.scope);
    phase->outstanding = round.asked().size();
    for (const NodeId node : std::vector<NodeId>(round.asked())) {
      Ask asked = ask;
      if (!round.IsOwner(node)) asked.entries.clear();
      AskNode(phase, &round, node, std::move(asked));
    }
    // Every answer comes, or its deadline: the round outlives them all.
    co_await phase->done.Wait();
    round.EndPhase();
  }
  (round.reaped() ? shard.metrics->reap_rounds : shard.metrics->reap_rounds_abandoned).Add();
  if (round.reaped()) {
    shard.env.log.Info("reaped partition={} n={} objects={} reap_generation={}", tree.partition, tree.n_val,
                       round.objects().size(), round.target());
  } else {
    shard.env.log.Debug("reap_abandoned partition={} n={} reason={}", tree.partition, tree.n_val, round.why());
  }
  co_return round.reaped();
}

void Reaper::AskNode(std::shared_ptr<Phase> phase, ReapRound* round, NodeId node, Ask ask) {
  ShardContext& shard = *parts_.shard;
  if (node == shard.self) {
    shard.env.scope->Spawn(AskSelf(this, std::move(phase), round, std::move(ask)));
    return;
  }
  parts_.peers->Call(node, Encode(ask), shard.Now() + shard.config->reap_timeout,
                     [phase, round, node, objects = ask.entries.size()](Result<peer::Response> response) {
                       if (response && response->has_reap_state()) {
                         if (auto answer = AnswerOf(response->reap_state(), objects)) round->OnAnswer(node, *answer);
                       }
                       phase->OnOne();
                     });
}

Async<> Reaper::AskSelf(Reaper* self, std::shared_ptr<Phase> phase, ReapRound* round, Ask ask) {
  Result<ReapAnswer> answer = co_await self->Answer(std::move(ask));
  if (answer) round->OnAnswer(self->parts_.shard->self, std::move(*answer));
  phase->OnOne();
}

SharedBytes Reaper::Encode(const Ask& ask) const {
  peer::Request request;
  switch (ask.phase) {
    case ReapRound::Phase::kRaise:
    case ReapRound::Phase::kSeal:
      ToProto(*parts_.shard, ask.tree, request.mutable_reap_raise()->mutable_tree());
      request.mutable_reap_raise()->set_reap_generation(ask.generation);
      break;
    case ReapRound::Phase::kRemove:
      ToProto(*parts_.shard, ask.tree, request.mutable_reap_remove()->mutable_tree());
      request.mutable_reap_remove()->set_reap_generation(ask.generation);
      ToProto(ask.entries, request.mutable_reap_remove()->mutable_keys());
      break;
    default:
      ToProto(*parts_.shard, ask.tree, request.mutable_reap_check()->mutable_tree());
      ToProto(ask.entries, request.mutable_reap_check()->mutable_keys());
      request.mutable_reap_check()->set_clock(ask.clock);
      break;
  }
  return EncodeRequest(request);
}

}  // namespace dynamo
