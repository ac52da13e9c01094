#include "node/service/shard.h"

#include <algorithm>
#include <utility>

#include "node/protocol/messages.h"

namespace dynamo {
namespace {

constexpr Duration kHintReportEvery{100'000};
constexpr Duration kLoadRetry = std::chrono::seconds(1);

}  // namespace

Shard::Shard(ShardEnv env, const ServiceConfig* config, ServiceMetrics* metrics,
             const std::vector<std::unique_ptr<Shard>>* shards)
    : context_(std::move(env), config, metrics),
      replica_(&context_),
      peers_(&context_),
      parts_{&context_, &replica_, &peers_},
      coordinator_(parts_),
      handoff_(parts_),
      anti_entropy_(parts_),
      transfer_(parts_, &anti_entropy_.trees()),
      strays_(parts_),
      reaper_(parts_),
      requests_(config->request_ids_max),
      turned_away_(config->request_ids_max),
      shards_(shards),
      loaded_(*context_.env.scope) {
  context_.env.transport->SetHandler(this);
  peers_.OnSign([this](NodeId peer, bool alive) {
    if (reports_.on_sign) reports_.on_sign(peer, alive);
  });
  replica_.OnHintsChanged([this](bool astray) {
    if (astray) {
      handoff_.LookAtAll();
    } else {
      handoff_.Wake(/*at_once=*/false);
    }
    ReportHintsSoon();
    ReportIfDrained();
  });
  replica_.OnObjectWritten([this](const PlacedKey& key) {
    anti_entropy_.OnObjectWritten(key);
    reaper_.OnObjectWritten(key.partition);
  });
  replica_.generations().OnOldDisk([this] {
    OnRolledBack();
    if (reports_.on_old_disk) reports_.on_old_disk();
  });
  peers_.OnStale([this](PartitionId partition, ReapGeneration generation) {
    context_.env.scope->Spawn(AdoptGeneration(this, partition, generation));
  });
  replica_.OnCorrupt([this](const PlacedKey& key) { anti_entropy_.OnCorrupt(key.storage_key); });
  anti_entropy_.OnProgress([this](const RepairProgress& progress) {
    if (reports_.on_repair) reports_.on_repair(progress);
  });
  strays_.OnClean([this] { ReportIfDrained(); });
  transfer_.OnCovered([this](uint64_t since, std::vector<PartitionId> partitions) {
    if (reports_.on_covered) reports_.on_covered(since, std::move(partitions));
  });
}

void Shard::SetSelf(NodeId self) {
  context_.self = self;
  context_.env.transport->SetSelf(self);
}

void Shard::OnView(ClusterViewPtr view) {
  const ClusterViewPtr before = context_.view();
  const auto topology_before = before == nullptr ? nullptr : before->topology;
  const bool other_topology = context_.Adopt(view);
  UseAddresses(*view);
  if (other_topology) OnTopology(context_.topology(), topology_before.get());
  const bool somebody_came = std::any_of(view->up.begin(), view->up.end(),
                                         [&](NodeId node) { return before == nullptr || !before->IsUp(node); });
  if (context_.serving && somebody_came) handoff_.Wake(/*at_once=*/true);
  if (context_.serving && other_topology) handoff_.LookAtAll();
}

void Shard::UseAddresses(const ClusterView& view) {
  for (const auto& [id, info] : view.nodes) {
    if (id == context_.self || info.peer_address.empty()) continue;
    std::string& known = addresses_[id];
    if (known == info.peer_address) continue;
    known = info.peer_address;
    context_.env.transport->SetAddress(id, known);
  }
}

void Shard::OnTopology(const Topology& topology, const Topology* before) {
  context_.env.transport->SetCluster(topology.cluster);
  anti_entropy_.OnTopology();
  transfer_.OnTopology();
  strays_.OnTopology();
  if (before != nullptr) {
    for (PartitionId partition : PartitionsWithOtherOwners(*before, topology)) replica_.actors().Retire(partition);
  }
  if (!std::exchange(loading_, true)) context_.env.scope->Spawn(LoadAndServe(this));
}

void Shard::OnRolledBack() {
  context_.rolled_back = true;
  context_.serving = false;
  handoff_.Wake(/*at_once=*/true);
}

Async<Status> Shard::Load(Shard* shard) {
  const Status loaded = co_await shard->replica_.Load();
  if (!loaded) co_return loaded;
  // Peers may be out of reach for long: the node has started all the same.
  if (!shard->generations().Unknown().empty()) shard->loaded_.Set();
  co_return co_await shard->reaper_.LearnGenerations();
}

Async<> Shard::LoadAndServe(Shard* shard) {
  // A failure ends a node that starts. One that was given its first topology while it ran
  // goes on trying: nobody waits for it who would start it again.
  while (!(shard->load_status_ = co_await Load(shard))) {
    shard->context_.env.log.Error("shard_not_loaded shard={} error={}", shard->context_.env.link->self(),
                                  shard->load_status_.error().message);
    shard->loaded_.Set();
    co_await SleepUntil(*shard->context_.env.scope, *shard->context_.env.clock, shard->context_.Now() + kLoadRetry);
  }
  if (shard->context_.rolled_back) {
    shard->context_.env.log.Error("shard_not_serving shard={} reason=volume_rolled_back",
                                  shard->context_.env.link->self());
  } else {
    shard->context_.serving = true;
    shard->context_.env.scope->Spawn(shard->handoff_.Run());
    shard->context_.env.scope->Spawn(shard->anti_entropy_.Run());
    shard->context_.env.scope->Spawn(shard->transfer_.Run());
    shard->context_.env.scope->Spawn(shard->strays_.Run());
    shard->context_.env.scope->Spawn(shard->reaper_.Run());
    shard->ReportHintsSoon();
    if (shard->reports_.on_serving) shard->reports_.on_serving();
  }
  shard->loaded_.Set();
}

// A peer may have made the partition up.
Async<> Shard::AdoptGeneration(Shard* shard, PartitionId partition, ReapGeneration generation) {
  const bool here = partition < shard->context_.topology().partitions &&
                    shard->context_.ShardOf(partition) == shard->context_.env.link->self();
  if (here) static_cast<void>(co_await shard->replica_.generations().Raise(partition, generation));
}

Async<Status> Shard::WaitLoaded() {
  if (!loading_) co_return Status{};
  co_await loaded_.Wait();
  co_return load_status_;
}

void Shard::ReportHintsSoon() {
  if (std::exchange(hint_report_due_, true)) return;
  context_.env.clock->At(context_.Now() + kHintReportEvery, [this] {
    hint_report_due_ = false;
    if (reports_.on_hints) reports_.on_hints(replica_.hints().Counts());
  });
}

bool Shard::IsDrained() { return context_.departing() && strays_.clean() && replica_.hints().empty(); }

void Shard::ReportIfDrained() {
  if (IsDrained() && reports_.on_drained) context_.env.scope->Spawn(SyncAndReportDrained(this));
}

// Nobody hears a node that has left: what it dropped in memory must not come back.
Async<> Shard::SyncAndReportDrained(Shard* shard) {
  const Status synced = co_await shard->replica_.SyncAll();
  if (synced && shard->IsDrained()) shard->reports_.on_drained(shard->context_.epoch());
}

void Shard::OnPeerUnreachable(NodeId peer) {
  if (reports_.on_sign) reports_.on_sign(peer, false);
}

}  // namespace dynamo
