#include "node/service/anti_entropy.h"

#include <algorithm>
#include <utility>

#include "node/core/replication/local_state.h"
#include "node/core/version/object.h"

namespace dynamo {
namespace {

// Corrupt keys that could not be repaired are tried again this often at least.
constexpr Duration kCorruptRetry{10'000'000};

}  // namespace

bool InitiatesExchange(NodeId self, NodeId peer, PartitionId partition) {
  return (self < peer) == (partition % 2 == 0);
}

AntiEntropy::AntiEntropy(DataPath parts)
    : parts_(parts),
      pace_(parts.shard->env.scope, parts.shard->env.clock, parts.shard->config->anti_entropy_bytes_per_second),
      trees_(parts.shard, &pace_),
      wake_(*parts.shard->env.scope) {
  trees_.OnCorrupt([this](const Bytes& storage_key) { OnCorrupt(storage_key); });
}

void AntiEntropy::OnCorrupt(const Bytes& storage_key) {
  if (corrupt_.size() >= parts_.shard->config->corrupt_keys_max) return;
  if (corrupt_.insert(storage_key).second) wake_.Set();
}

void AntiEntropy::Order(RepairOrder order) {
  orders_.push_back(std::move(order));
  wake_.Set();
}

TimePoint AntiEntropy::DrawNext(TimePoint now) {
  const Duration interval = parts_.shard->config->anti_entropy_interval;
  if (interval <= Duration::zero()) return TimePoint::max();
  return now + interval / 2 + Duration(parts_.shard->env.random->rng().Between(0, interval.count()));
}

Async<> AntiEntropy::Run() {
  ShardContext& shard = *parts_.shard;
  rescan_ = shard.Now() + shard.config->anti_entropy_rescan;
  TimePoint next = DrawNext(shard.Now());
  for (;;) {
    const TimePoint retry = corrupt_.empty() ? TimePoint::max() : shard.Now() + kCorruptRetry;
    const TimePoint until = std::min(next, retry);
    if (until == TimePoint::max()) {
      co_await wake_.Wait();
    } else {
      co_await WaitUntil(wake_, *shard.env.clock, until);
    }
    wake_ = Event(*shard.env.scope);
    co_await RepairCorrupt();
    while (!orders_.empty()) {
      RepairOrder order = std::move(orders_.front());
      orders_.pop_front();
      co_await RunOrder(std::move(order));
    }
    if (shard.Now() < next) continue;
    co_await RunSchedule();
    next = DrawNext(shard.Now());
  }
}

std::vector<AntiEntropy::Step> AntiEntropy::StepsOf(TreeName tree, Whom whom) {
  ShardContext& shard = *parts_.shard;
  // Who cannot read its own store has to ask everybody.
  const bool all = whom == Whom::kAll || trees_.HasUnreadable(tree);
  std::vector<Step> steps;
  for (const NodeId owner : shard.ListOf(tree.partition, tree.n_val).owners) {
    if (owner == shard.self) continue;
    if (all || InitiatesExchange(shard.self, owner, tree.partition)) steps.push_back({tree, owner});
  }
  return steps;
}

Async<> AntiEntropy::RunSchedule() {
  ShardContext& shard = *parts_.shard;
  const Duration rescan_every = shard.config->anti_entropy_rescan;
  const bool rescan = rescan_every > Duration::zero() && shard.Now() >= rescan_;
  if (rescan) rescan_ = shard.Now() + rescan_every;
  for (const TreeName tree : trees_.Owned()) {
    if (!trees_.Owns(tree)) continue;
    if (rescan) {
      trees_.MarkAll(tree);
      // Also where a peer begins: it may be away.
      static_cast<void>(co_await trees_.Refresh(tree));
    }
    for (const Step step : StepsOf(tree, Whom::kMine)) {
      if (!shard.IsUp(step.peer)) continue;
      static_cast<void>(co_await Exchange(step, nullptr));
      co_await RepairCorrupt();
      // An administrator does not wait for the schedule.
      if (!orders_.empty()) co_return wake_.Set();
    }
  }
}

Async<bool> AntiEntropy::Exchange(Step step, RepairProgress* progress) {
  ShardContext& shard = *parts_.shard;
  for (bool more = true; more;) {
    TreeExchange exchange(parts_, &trees_, &pace_, step.tree, step.peer);
    const Result<ExchangeResult> result = co_await exchange.Run();
    if (!result) {
      shard.metrics->tree_exchanges_failed.Add();
      shard.env.log.Debug("anti_entropy_failed partition={} n={} peer={} error={}", step.tree.partition,
                          step.tree.n_val, ToString(step.peer), result.error().message);
      co_return false;
    }
    shard.metrics->tree_exchanges.Add();
    shard.metrics->leaves_differing.Add(result->leaves_differing);
    shard.metrics->keys_repaired.Add(result->keys_repaired);
    if (result->leaves_differing > 0) {
      shard.env.log.Info("anti_entropy_repaired partition={} n={} peer={} leaves={} keys={} failed={}",
                         step.tree.partition, step.tree.n_val, ToString(step.peer), result->leaves_differing,
                         result->keys_repaired, result->keys_failed);
    }
    if (progress != nullptr) {
      progress->leaves_differing += result->leaves_differing;
      progress->keys_repaired += result->keys_repaired;
      progress->keys_failed += result->keys_failed;
    }
    // Without progress the rest would not come either.
    more = progress != nullptr && result->more && result->keys_repaired > 0;
  }
  co_return true;
}

Async<> AntiEntropy::RunOrder(RepairOrder order) {
  std::vector<Step> steps;
  for (const TreeName tree : trees_.Owned()) {
    if (order.partition && *order.partition != tree.partition) continue;
    trees_.MarkAll(tree);
    for (const Step step : StepsOf(tree, Whom::kAll)) steps.push_back(step);
  }
  RepairProgress progress;
  progress.operation_id = order.operation_id;
  progress.exchanges = steps.size();
  progress.state = RepairProgress::State::kRunning;
  if (progress_) progress_(progress);
  for (const Step step : steps) {
    // One that is down is tried all the same: the word came from a person.
    const bool compared = co_await Exchange(step, &progress);
    ++(compared ? progress.exchanges_done : progress.exchanges_failed);
    co_await RepairCorrupt();
    if (progress_) progress_(progress);
  }
  progress.state = RepairProgress::State::kDone;
  if (progress_) progress_(progress);
}

Async<> AntiEntropy::RepairCorrupt() {
  // Those that come meanwhile are the next round's.
  const std::vector<Bytes> keys(corrupt_.begin(), corrupt_.end());
  for (const Bytes& storage_key : keys) {
    const Result<KeyPtr> key = PlaceStorageKey(storage_key, parts_.shard->topology());
    if (!key || co_await RepairCorruptKey(*key)) corrupt_.erase(storage_key);
  }
}

Async<bool> AntiEntropy::RepairCorruptKey(KeyPtr key) {
  ShardContext& shard = *parts_.shard;
  if (!shard.IsOwner(shard.self, *key)) co_return true;
  const Result<Bytes> own = co_await parts_.replica->Read(key);
  if (own && (own->empty() || DecodeObjectHeader(*own))) co_return true;  // Written over since.
  ReapGeneration stamp = parts_.replica->generations().Of(key->partition);
  std::optional<Bytes> joined = co_await JoinOfOthers(key, &stamp);
  if (!joined || joined->empty() || !shard.IsOwner(shard.self, *key)) co_return false;
  const auto replaced = co_await parts_.replica->Replace(key, std::move(*joined), stamp);
  if (!replaced) co_return false;
  shard.metrics->corrupt_repaired.Add();
  shard.env.log.Info("corrupt_object_repaired key={} partition={}", ToString(key->key), key->partition);
  co_return true;
}

// nullopt: one of them did not say. An owner that cannot read its own has nothing
// to say and never will. `stamp` falls to the lowest of those that answered.
Async<std::optional<Bytes>> AntiEntropy::JoinOfOthers(KeyPtr key, ReapGeneration* stamp) {
  ShardContext& shard = *parts_.shard;
  const std::vector<NodeId> owners = shard.ListOf(*key).owners;
  Bytes joined;
  for (const NodeId owner : owners) {
    if (owner == shard.self) continue;
    const auto response =
        co_await parts_.peers->Ask(owner, ReplicaGetBody(shard, *key, /*digest_only=*/false), shard.ReplicaDeadline());
    if (!response && response.error().code == Errc::kCorrupt) continue;
    if (!response || !response->has_replica_state() || !response->replica_state().authoritative()) {
      co_return std::nullopt;
    }
    *stamp = std::min<ReapGeneration>(*stamp, response->replica_state().reap_generation());
    Result<Bytes> join = JoinStates(joined, response->replica_state().object());
    if (join) joined = std::move(*join);
  }
  co_return joined;
}

}  // namespace dynamo
