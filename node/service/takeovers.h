// Asks the register to have partitions taken over, on shard 0: what all shards have
// shown, in one change at a time. Who is refused or not heard asks again: shards go
// on telling until the topology has it.
#ifndef DYNAMO_NODE_SERVICE_TAKEOVERS_H_
#define DYNAMO_NODE_SERVICE_TAKEOVERS_H_

#include <functional>
#include <set>
#include <vector>

#include "common/base/log.h"
#include "node/core/ring/topology_change.h"
#include "node/env/scope.h"

namespace dynamo {

class Takeovers {
 public:
  using Decide = std::function<Async<Result<uint64_t>>(TopologyChange)>;

  // `decide`: the register's; it and the scope outlive this.
  Takeovers(Scope* scope, Logger log, Decide decide)
      : scope_(scope), log_(std::move(log)), decide_(std::move(decide)) {}

  // All who are to own these partitions cover them in the change that began at `since`.
  void OnCovered(uint64_t since, const std::vector<PartitionId>& partitions);

 private:
  static Async<> Ask(Takeovers* self);

  Scope* scope_;
  Logger log_;
  Decide decide_;
  uint64_t since_ = 0;
  std::set<PartitionId> covered_;
  bool asking_ = false;
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_SERVICE_TAKEOVERS_H_
