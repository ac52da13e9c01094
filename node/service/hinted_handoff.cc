#include "node/service/hinted_handoff.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace dynamo {
namespace {

constexpr int kBackOffMax = 16;

}  // namespace

// What is on its way: the loop waits for one event.
struct HintedHandoff::Batch {
  explicit Batch(DataPath parts) : parts(parts), done(*parts.shard->env.scope) {}
  DataPath parts;
  Event done;
  size_t outstanding = 0;
  ReapGeneration stamp = 0;  // Of the partition, before the hints were read.
  struct Delivery {
    KeyPtr key;  // nullptr: not now.
    Route route;
    std::vector<ReplicaTarget> failed;
  };
  std::vector<Delivery> deliveries;

  void OnAck(size_t index, const ReplicaTarget& target, bool durable) {
    if (!durable) deliveries[index].failed.push_back(target);
    if (--outstanding == 0) done.Set();
  }
};

void HintedHandoff::Wake(bool at_once) {
  // While deliveries fail, a new hint does not cut the back-off short.
  if (at_once || idle_) wake_.Set();
}

void HintedHandoff::LookAtAll() {
  look_again_ = true;
  wake_.Set();
}

Async<> HintedHandoff::Run() {
  int back_off = 1;
  // Nothing of a volume that was rolled back is handed to others.
  while (parts_.shard->serving) {
    wake_ = Event(*parts_.shard->env.scope);
    if (!AnyDeliverable()) {
      idle_ = true;
      co_await wake_.Wait();
      idle_ = false;
      back_off = 1;
      continue;
    }
    const bool all_looked_at = std::exchange(look_again_, false);
    if (co_await DeliverAll()) {
      back_off = 1;
      continue;
    }
    look_again_ = look_again_ || all_looked_at;
    const TimePoint next = parts_.shard->Now() + parts_.shard->config->hint_retry * back_off;
    back_off = co_await WaitUntil(wake_, *parts_.shard->env.clock, next) ? 1 : std::min(2 * back_off, kBackOffMax);
  }
}

bool HintedHandoff::AnyDeliverable() const {
  const std::vector<NodeId> owners = parts_.replica->hints().OwnersWithHints();
  if (owners.empty()) return false;
  if (look_again_ || parts_.shard->departing() || parts_.shard->config->planted.Has(PlantedBug::kHintExpires)) {
    return true;
  }
  return std::any_of(owners.begin(), owners.end(), [this](NodeId owner) { return MayDeliver(owner); });
}

bool HintedHandoff::MayDeliver(NodeId owner) const { return parts_.shard->IsUp(owner) || parts_.shard->departing(); }

HintedHandoff::Route HintedHandoff::RouteOf(const PlacedKey& key, NodeId owner) const {
  ShardContext& shard = *parts_.shard;
  Route route;
  const bool owns = shard.IsOwner(owner, key);
  if (owns || shard.IsPendingOwner(owner, key)) {
    if (!shard.IsUp(owner)) return shard.departing() ? RouteWithoutSelf(key) : Route{};
    route.to.push_back({owner, {}});
    if (!owns) return route;
  }
  // Whoever is about to own the key gets all that its owners get.
  for (const NodeId node : owns ? shard.PendingOwnersOf(key) : shard.CurrentAndPendingOwners(key)) {
    if (shard.IsUp(node)) {
      route.to.push_back({node, {}});
    } else if (shard.departing()) {
      return RouteWithoutSelf(key);
    } else {
      route.keep_for.push_back(node);
    }
  }
  return route;
}

// As many distinct disks as a write of all N copies would be on, without this one;
// nothing if there are not as many.
HintedHandoff::Route HintedHandoff::RouteWithoutSelf(const PlacedKey& key) const {
  ShardContext& shard = *parts_.shard;
  const auto is_up = [&](NodeId node) { return node != shard.self && shard.IsUp(node); };
  ReplicaPlan plan = PlanReplicas(shard.ListOf(key), /*sloppy=*/true, is_up);
  return plan.uncovered.empty() ? Route{std::move(plan.targets), {}} : Route{};
}

Async<bool> HintedHandoff::DeliverAll() {
  bool all = true;
  for (const PartitionId partition : parts_.replica->hints().PartitionsWithHints()) {
    if (!co_await DeliverPartition(partition)) all = false;
  }
  co_return all;
}

Async<bool> HintedHandoff::DeliverPartition(PartitionId partition) {
  const ServiceConfig& config = *parts_.shard->config;
  bool all = true;
  Bytes after;
  do {
    const ReapGeneration stamp = parts_.replica->generations().Of(partition);
    auto page = co_await parts_.replica->hints().ReadPage(partition, after, config.hint_batch, config.hint_batch_bytes);
    if (!page) {
      parts_.replica->actors().Retire(partition);
      failures_.Failed(parts_.shard->env.log, parts_.shard->Now(),
                       fmt::format("partition={} error={}", partition, page.error().message));
      co_return false;
    }
    after = std::move(page->last);
    if (!co_await DeliverBatch(std::move(page->hints), stamp)) all = false;
  } while (!after.empty());
  co_return all;
}

Async<bool> HintedHandoff::DeliverBatch(std::vector<Hint> hints, ReapGeneration stamp) {
  auto batch = std::make_shared<Batch>(parts_);
  batch->stamp = stamp;
  batch->deliveries.resize(hints.size());
  bool all = true;
  // One more, so that answers during the loop do not end it.
  batch->outstanding = 1;
  for (size_t i = 0; i < hints.size(); ++i) {
    Result<KeyPtr> key = PlaceStorageKey(hints[i].storage_key, parts_.shard->topology());
    Route route = key ? RouteOf(**key, hints[i].owner) : Route{};
    if (!route.deliverable()) {
      if (key && parts_.shard->config->planted.Has(PlantedBug::kHintExpires)) {
        static_cast<void>(co_await parts_.replica->DropHint(*key, hints[i].owner, hints[i].digest));
      }
      all = all && !MayDeliver(hints[i].owner);
      continue;
    }
    Batch::Delivery& delivery = batch->deliveries[i];
    delivery.key = std::move(*key);
    delivery.route = std::move(route);
    batch->outstanding += delivery.route.to.size();
    for (const ReplicaTarget& target : delivery.route.to) {
      if (target.node == parts_.shard->self) {
        parts_.shard->env.scope->Spawn(MergeHere(batch, i, target.node, hints[i].object));
      } else {
        Send(batch, i, target, hints[i].object);
      }
    }
  }
  if (--batch->outstanding > 0) co_await batch->done.Wait();
  for (size_t i = 0; i < hints.size(); ++i) {
    if (batch->deliveries[i].key != nullptr && !co_await Conclude(batch, i, &hints[i])) all = false;
  }
  co_return all;
}

// Drops the hint if everybody has it, or another hint keeps it for who has not.
Async<bool> HintedHandoff::Conclude(std::shared_ptr<Batch> batch, size_t index, const Hint* hint) {
  Batch::Delivery& delivery = batch->deliveries[index];
  std::vector<NodeId> keep_for = std::move(delivery.route.keep_for);
  for (const ReplicaTarget& target : delivery.failed) {
    // This hint is kept for its owner, and who leaves keeps none.
    if (target.node == hint->owner || parts_.shard->departing()) co_return false;
    keep_for.push_back(target.node);
  }
  for (const NodeId node : keep_for) {
    if (!co_await parts_.replica->KeepHint(delivery.key, node, hint->object, batch->stamp, /*sync=*/true))
      co_return false;
  }
  const Status dropped = co_await parts_.replica->DropHint(delivery.key, hint->owner, hint->digest);
  if (dropped) parts_.shard->metrics->hints_delivered.Add();
  co_return dropped.has_value();
}

void HintedHandoff::Send(std::shared_ptr<Batch> batch, size_t index, ReplicaTarget to, const Bytes& object) {
  const DataPath parts = batch->parts;
  const bool sync = !parts.shard->config->planted.Has(PlantedBug::kHintDeliveredUnsynced);
  SharedBytes body =
      ReplicaPutBody(*parts.shard, *batch->deliveries[index].key, {object, batch->stamp}, to.stands_in_for, sync);
  parts.peers->Call(to.node, std::move(body), parts.shard->ReplicaDeadline(),
                    [batch, index, to, sync](Result<peer::Response> response) {
                      const bool stored = response && response->has_replica_stored();
                      batch->OnAck(index, to, stored && (response->replica_stored().durable() || !sync));
                    });
}

Async<> HintedHandoff::MergeHere(std::shared_ptr<Batch> batch, size_t index, NodeId self, Bytes object) {
  const KeyPtr key = batch->deliveries[index].key;
  const auto merged = co_await batch->parts.replica->Merge(key, std::move(object), batch->stamp, /*sync=*/true);
  batch->OnAck(index, {self, {}}, merged && *merged);
}

}  // namespace dynamo
