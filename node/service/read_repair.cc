#include "node/service/read_repair.h"

#include "node/core/version/object.h"

namespace dynamo {
namespace {

Async<> RepairSelf(Replica* replica, KeyPtr key, Bytes joined, ReapGeneration stamp, NodeId stands_in_for) {
  if (stands_in_for) {
    static_cast<void>(co_await replica->KeepHint(key, stands_in_for, std::move(joined), stamp, false));
  } else {
    static_cast<void>(co_await replica->Merge(key, std::move(joined), stamp, false));
  }
}

// Members may have changed since the read began: what is no longer to be here would be
// a stray, or a hint, on a node that may have said that it holds none.
bool MayRepairSelf(ShardContext& shard, const PlacedKey& key, NodeId stands_in_for) {
  if (stands_in_for) return !shard.departing();
  return shard.IsOwner(shard.self, key) || shard.IsPendingOwner(shard.self, key);
}

// For a planted bug.
Bytes WithoutOneSibling(const Bytes& joined) {
  Result<Object> object = DecodeObject(joined);
  if (!object || object->siblings.size() < 2) return joined;
  object->siblings.pop_back();
  return EncodeObject(*object);
}

}  // namespace

void RepairReplicas(const DataPath& parts, const KeyPtr& key, const Stamped& state, std::vector<ReplicaTarget> behind) {
  const bool drop = parts.shard->config->planted.Has(PlantedBug::kRepairDropsSibling);
  const Bytes less = drop ? WithoutOneSibling(state.object) : Bytes();
  const Stamped joined{drop ? less : state.object, state.stamp};
  SharedBytes to_owners;
  for (const ReplicaTarget& target : behind) {
    parts.shard->metrics->read_repairs.Add();
    if (target.node == parts.shard->self) {
      if (MayRepairSelf(*parts.shard, *key, target.stands_in_for)) {
        parts.shard->env.scope->Spawn(
            RepairSelf(parts.replica, key, joined.object, joined.stamp, target.stands_in_for));
      }
      continue;
    }
    SharedBytes body = to_owners;
    if (target.stands_in_for || body == nullptr) {
      body = ReplicaPutBody(*parts.shard, *key, joined, target.stands_in_for, false);
    }
    if (!target.stands_in_for) to_owners = body;
    parts.peers->Call(target.node, std::move(body), parts.shard->ReplicaDeadline(), [](Result<peer::Response>) {});
  }
}

}  // namespace dynamo
