// Ends a member's leaving, on shard 0: once no shard of this node holds anything for
// anybody, it asks the register to have the node left for good. Not at once: whoever
// sends clients here is to see first that this node is not ready any more, since one
// that has left refuses them.
#ifndef DYNAMO_NODE_SERVICE_DEPARTURE_H_
#define DYNAMO_NODE_SERVICE_DEPARTURE_H_

#include <functional>
#include <set>
#include <utility>

#include "common/base/log.h"
#include "node/core/ring/topology_change.h"
#include "node/env/clock.h"
#include "node/env/scope.h"
#include "node/env/shard_link.h"

namespace dynamo {

class Departure {
 public:
  using Decide = std::function<Async<Result<uint64_t>>(TopologyChange)>;

  // `grace`: from being drained to asking. `decide`: the register's; it, the scope and
  // the clock outlive this.
  Departure(Scope* scope, Clock* clock, Logger log, Duration grace, Decide decide)
      : scope_(scope), clock_(clock), log_(std::move(log)), grace_(grace), decide_(std::move(decide)) {}

  // At this epoch `self` leaves and owns nothing, and this of its `shards` holds
  // neither an object nor a hint any more.
  void OnDrained(NodeId self, uint64_t epoch, ShardIndex shard, ShardIndex shards);

 private:
  bool Drained() const { return drained_.size() == shards_; }
  static Async<> Run(Departure* self, NodeId node);
  // At that epoch, until it is decided or another one has come; true: it was decided.
  static Async<bool> Ask(Departure* self, NodeId node, uint64_t epoch);

  Scope* scope_;
  Clock* clock_;
  Logger log_;
  Duration grace_;
  Decide decide_;
  ShardIndex shards_ = 1;
  uint64_t epoch_ = 0;
  std::set<ShardIndex> drained_;  // At that epoch.
  bool asking_ = false;
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_SERVICE_DEPARTURE_H_
