// Coordinates client requests for the keys of one shard: decides who takes part,
// or who coordinates instead. Dynamo sections 4.5 and 6.4.
#ifndef DYNAMO_NODE_SERVICE_COORDINATOR_H_
#define DYNAMO_NODE_SERVICE_COORDINATOR_H_

#include <memory>
#include <optional>
#include <set>

#include "node/env/request_handler.h"
#include "node/service/bucket_table.h"
#include "node/service/data_path.h"
#include "node/service/get_operation.h"
#include "node/service/put_operation.h"
#include "node/service/request_options.h"

namespace dynamo {

// Where a request comes from and when it ends.
struct Origin {
  TimePoint deadline;
  bool forwarded = false;  // It is never forwarded twice.
};

class Coordinator {
 public:
  explicit Coordinator(DataPath parts) : parts_(parts) {}

  // As RequestHandler. The key's partition is of this shard. A forwarded request
  // that this node should not coordinate is kUnavailable: nothing was changed.
  Async<Result<GetReply>> Get(KeyPtr key, GetRequest request, Origin origin);
  Async<Result<PutReply>> Put(KeyPtr key, PutRequest request, Origin origin);
  Async<Status> Delete(KeyPtr key, DeleteRequest request, Origin origin);

  void SetBuckets(std::shared_ptr<const BucketMap> buckets) { buckets_ = std::move(buckets); }
  // kNotFound: no such bucket type. Needs a topology.
  Result<BucketProperties> PropertiesOf(const std::string& type, const std::string& bucket) const;

 private:
  // Takes a place among the requests in flight.
  class Place;

  // What this node does with a request: coordinates it, or whom it asks to.
  struct Route {
    Roles roles;
    NodeId forward_to;
    bool coordinate() const { return roles.self; }
  };
  Route Choose(const KeyPtr& key, uint32_t n, bool sloppy, const std::set<NodeId>& away) const;
  bool MayTryAnother(const Error& error) const;
  std::set<NodeId> AwayForWrites(const Origin& origin) const;
  Error Nobody(const Origin& origin, QuorumShortfall shortfall, const ObjectKey& key) const;

  Async<Result<GetReply>> RouteGet(KeyPtr key, GetRequest request, Origin origin);
  Async<Result<PutReply>> RoutePut(KeyPtr key, PutRequest request, Origin origin);
  Async<Status> RouteDelete(KeyPtr key, DeleteRequest request, Origin origin);
  Async<Result<GetReply>> CoordinateGet(GetPlan plan);
  Async<Status> CheckCondition(KeyPtr key, PutCondition condition, TimePoint deadline);
  struct Coordinated {
    Result<PutReply> reply;
    std::optional<PutPlan> unbegun;  // As PutOperation::TakeUnbegun.
  };
  Async<Coordinated> CoordinatePut(PutPlan plan, bool return_object);
  Async<Coordinated> CoordinateDelete(KeyPtr key, DeleteRequest request, PutPlan plan);
  Result<PutPlan> PlanPut(const KeyPtr& key, const WriteOptions& options, const Bytes& context, TimePoint deadline);

  DataPath parts_;
  std::shared_ptr<const BucketMap> buckets_ = std::make_shared<BucketMap>();
  uint32_t in_flight_ = 0;
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_SERVICE_COORDINATOR_H_
