#include "node/service/data_path.h"

#include <set>
#include <utility>

#include "node/protocol/messages.h"

namespace dynamo {

Roles PlanRoles(const ShardContext& shard, const PreferenceList& list, bool sloppy, const std::set<NodeId>& away) {
  const auto is_up = [&](NodeId node) { return shard.IsUp(node) && !away.contains(node); };
  return RolesOf(PlanReplicas(list, sloppy, is_up), shard.self);
}

SharedBytes ReplicaGetBody(const ShardContext& shard, const PlacedKey& key, bool digest_only) {
  peer::Request request;
  peer::ReplicaGet* get = request.mutable_replica_get();
  ToProto(key.key, get->mutable_key());
  get->set_digest_only(digest_only);
  get->set_epoch(shard.topology().version.epoch);
  return EncodeRequest(request);
}

SharedBytes ReplicaPutBody(const ShardContext& shard, const PlacedKey& key, const Stamped& object, NodeId hint_for,
                           bool sync) {
  peer::Request request;
  peer::ReplicaPut* put = request.mutable_replica_put();
  ToProto(key.key, put->mutable_key());
  put->set_object(object.object);
  put->set_reap_generation(object.stamp);
  put->set_hint_for(hint_for.value);
  put->set_sync(sync);
  put->set_epoch(shard.topology().version.epoch);
  return EncodeRequest(request);
}

}  // namespace dynamo
