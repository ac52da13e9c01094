// The request handler of one shard: hands each request to the shard that has the
// key, and brings its answer back.
#ifndef DYNAMO_NODE_SERVICE_CLIENT_DOOR_H_
#define DYNAMO_NODE_SERVICE_CLIENT_DOOR_H_

#include <functional>
#include <optional>
#include <string>

#include "node/env/request_handler.h"
#include "node/service/shard.h"

namespace dynamo {

// Sets a bucket's properties on shard 0; called there.
using SetBucketProperties = std::function<Async<Status>(std::string, std::string, BucketPropertiesChange)>;

class ClientDoor : public RequestHandler {
 public:
  ClientDoor(Shard* shard, SetBucketProperties set_properties)
      : shard_(shard), set_properties_(std::move(set_properties)) {}

  Async<Result<GetReply>> Get(GetRequest request) override;
  Async<Result<PutReply>> Put(PutRequest request) override;
  Async<Status> Delete(DeleteRequest request) override;
  Result<BucketProperties> GetProperties(const std::string& type, const std::string& bucket) override;
  Async<Status> SetProperties(std::string type, std::string bucket, BucketPropertiesChange change) override;
  NodeId node_id() const override { return shard_->context().self; }
  bool Parting() const override { return shard_->context().departing() || shard_->context().removed(); }

 private:
  struct Admitted {
    KeyPtr key;
    Origin origin;
    Shard* owner = nullptr;
  };
  Status CheckServing() const;
  Result<Admitted> Admit(const ObjectKey& key, const std::optional<Duration>& timeout) const;
  template <class T, class Request>
  Async<T> Dispatch(Admitted admitted, Request request, Async<T> (Coordinator::*method)(KeyPtr, Request, Origin));

  Shard* shard_;
  SetBucketProperties set_properties_;
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_SERVICE_CLIENT_DOOR_H_
