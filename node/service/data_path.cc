#include "node/service/data_path.h"

#include <set>
#include <utility>

#include "node/protocol/messages.h"

namespace dynamo {

Roles PlanRoles(const ShardContext& shard, const PreferenceList& list, bool sloppy, const std::set<NodeId>& away) {
  Roles roles;
  roles.plan = PlanReplicas(list, sloppy, [&](NodeId node) { return shard.IsUp(node) && !away.contains(node); });
  for (const ReplicaTarget& target : roles.plan.targets) {
    if (target.node != shard.self) continue;
    roles.self = true;
    roles.self_for = target.stands_in_for;
  }
  return roles;
}

SharedBytes ReplicaGetBody(const ShardContext& shard, const PlacedKey& key, bool digest_only) {
  peer::Request request;
  peer::ReplicaGet* get = request.mutable_replica_get();
  ToProto(key.key, get->mutable_key());
  get->set_digest_only(digest_only);
  get->set_epoch(shard.topology().version.epoch);
  return EncodeRequest(request);
}

SharedBytes ReplicaPutBody(const ShardContext& shard, const PlacedKey& key, const Bytes& object, NodeId hint_for,
                           bool sync) {
  peer::Request request;
  peer::ReplicaPut* put = request.mutable_replica_put();
  ToProto(key.key, put->mutable_key());
  put->set_object(object);
  put->set_hint_for(hint_for.value);
  put->set_sync(sync);
  put->set_epoch(shard.topology().version.epoch);
  return EncodeRequest(request);
}

}  // namespace dynamo
