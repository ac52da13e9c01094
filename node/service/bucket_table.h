// Properties that were set for single buckets: a small state that gossip makes
// equal everywhere. The last change of a bucket wins.
#ifndef DYNAMO_NODE_SERVICE_BUCKET_TABLE_H_
#define DYNAMO_NODE_SERVICE_BUCKET_TABLE_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "common/base/ids.h"
#include "node/core/ring/topology.h"
#include "node/core/version/hybrid_clock.h"
#include "node/env/request_handler.h"
#include "node/service/membership.h"

namespace dynamo {

struct BucketOverride {
  BucketPropertiesChange set;
  uint64_t stamp = 0;
  NodeId by;  // Breaks ties of stamps.
};
using BucketMap = std::map<std::pair<std::string, std::string>, BucketOverride>;

// The type's N and policy, Riak's defaults, and what was set for the bucket.
BucketProperties PropertiesOf(const BucketType& type, const BucketMap& overrides, const std::string& type_name,
                              const std::string& bucket);
// Applies what `change` sets.
void Apply(const BucketPropertiesChange& change, BucketProperties* properties);

class BucketTable : public GossipedState {
 public:
  explicit BucketTable(size_t buckets_max) : buckets_max_(buckets_max) {}

  // Called with every new map, which is immutable.
  void OnChange(std::function<void(std::shared_ptr<const BucketMap>)> listener) { listener_ = std::move(listener); }

  // kTooLarge: as many buckets as the limit allows have properties of their own.
  Status Set(const std::string& type, const std::string& bucket, const BucketPropertiesChange& change, NodeId by,
             WallMicros now);

  Hash128 hash() const override { return hash_; }
  Bytes Encode() const override;
  Status Merge(std::string_view encoded) override;

 private:
  void Publish(BucketMap map);

  size_t buckets_max_;
  std::shared_ptr<const BucketMap> map_ = std::make_shared<BucketMap>();
  Hash128 hash_;
  HybridClock clock_{0};
  std::function<void(std::shared_ptr<const BucketMap>)> listener_;
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_SERVICE_BUCKET_TABLE_H_
