#include "node/service/hinted_handoff.h"

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
  std::vector<bool> failed;

  void OnAck(size_t index, bool durable) {
    if (!durable) failed[index] = true;
    if (--outstanding == 0) done.Set();
  }
};

void HintedHandoff::Wake(bool at_once) {
  // While deliveries fail, a new hint does not cut the back-off short.
  if (at_once || idle_) wake_.Set();
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
    if (co_await DeliverAll()) {
      back_off = 1;
      continue;
    }
    const TimePoint next = parts_.shard->Now() + parts_.shard->config->hint_retry * back_off;
    back_off = co_await WaitUntil(wake_, *parts_.shard->env.clock, next) ? 1 : std::min(2 * back_off, kBackOffMax);
  }
}

bool HintedHandoff::AnyDeliverable() const {
  const std::vector<NodeId> owners = parts_.replica->hints().OwnersWithHints();
  if (parts_.shard->config->planted.Has(PlantedBug::kHintExpires)) return !owners.empty();
  return std::any_of(owners.begin(), owners.end(), [this](NodeId owner) { return MayDeliver(owner); });
}

bool HintedHandoff::MayDeliver(NodeId owner) const {
  return parts_.shard->IsUp(owner) || parts_.shard->topology().Find(owner) == nullptr;
}

std::vector<NodeId> HintedHandoff::TargetsOf(const PlacedKey& key, NodeId owner) const {
  ShardContext& shard = *parts_.shard;
  std::vector<NodeId> targets{owner};
  if (!shard.IsOwner(owner, key)) targets = shard.CurrentAndPendingOwners(key);
  const bool all_up = std::all_of(targets.begin(), targets.end(), [&](NodeId node) { return shard.IsUp(node); });
  return all_up ? targets : std::vector<NodeId>{};
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
    auto page = co_await parts_.replica->hints().ReadPage(partition, after, config.hint_batch, config.hint_batch_bytes);
    if (!page) {
      parts_.replica->actors().Retire(partition);
      parts_.shard->env.log.Error("hints_not_read partition={} error={}", partition, page.error().message);
      co_return false;
    }
    after = std::move(page->last);
    if (!co_await DeliverBatch(std::move(page->hints))) all = false;
  } while (!after.empty());
  co_return all;
}

Async<bool> HintedHandoff::DeliverBatch(std::vector<Hint> hints) {
  auto batch = std::make_shared<Batch>(parts_);
  batch->failed.resize(hints.size());
  std::vector<KeyPtr> keys(hints.size());
  bool all = true;
  // One more, so that answers during the loop do not end it.
  batch->outstanding = 1;
  for (size_t i = 0; i < hints.size(); ++i) {
    Result<KeyPtr> key = PlaceStorageKey(hints[i].storage_key, parts_.shard->topology());
    const auto targets = key ? TargetsOf(**key, hints[i].owner) : std::vector<NodeId>{};
    if (targets.empty()) {
      if (key && parts_.shard->config->planted.Has(PlantedBug::kHintExpires)) {
        static_cast<void>(co_await parts_.replica->DropHint(*key, hints[i].owner, hints[i].digest));
      }
      all = all && !MayDeliver(hints[i].owner);
      continue;
    }
    keys[i] = std::move(*key);
    batch->outstanding += targets.size();
    for (const NodeId target : targets) {
      if (target == parts_.shard->self) {
        parts_.shard->env.scope->Spawn(MergeHere(batch, i, keys[i], hints[i].object));
      } else {
        Send(batch, i, target, *keys[i], hints[i].object);
      }
    }
  }
  if (--batch->outstanding > 0) co_await batch->done.Wait();
  for (size_t i = 0; i < hints.size(); ++i) {
    if (keys[i] == nullptr) continue;
    if (batch->failed[i]) {
      all = false;
      continue;
    }
    const Status dropped = co_await parts_.replica->DropHint(keys[i], hints[i].owner, hints[i].digest);
    if (dropped) parts_.shard->metrics->hints_delivered.Add();
    all = all && dropped.has_value();
  }
  co_return all;
}

void HintedHandoff::Send(std::shared_ptr<Batch> batch, size_t index, NodeId to, const PlacedKey& key,
                         const Bytes& object) {
  const DataPath parts = batch->parts;
  const bool sync = !parts.shard->config->planted.Has(PlantedBug::kHintDeliveredUnsynced);
  SharedBytes body = ReplicaPutBody(*parts.shard, key, object, NodeId{}, sync);
  parts.peers->Call(to, std::move(body), parts.shard->ReplicaDeadline(),
                    [batch, index, sync](Result<peer::Response> response) {
                      const bool stored = response && response->has_replica_stored();
                      batch->OnAck(index, stored && (response->replica_stored().durable() || !sync));
                    });
}

Async<> HintedHandoff::MergeHere(std::shared_ptr<Batch> batch, size_t index, KeyPtr key, Bytes object) {
  const auto merged = co_await batch->parts.replica->Merge(std::move(key), std::move(object), /*sync=*/true);
  batch->OnAck(index, merged && *merged);
}

}  // namespace dynamo
