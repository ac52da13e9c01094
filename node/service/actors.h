// Who this node mints dots as: one actor for each (process start, partition
// tenure). Dynamo section 4.4; rule [M] of the design: whoever mints (a, k) holds
// every dot that a ever minted on that key.
#ifndef DYNAMO_NODE_SERVICE_ACTORS_H_
#define DYNAMO_NODE_SERVICE_ACTORS_H_

#include <map>
#include <set>

#include "common/base/ids.h"
#include "node/core/ring/token_map.h"
#include "node/core/version/clock.h"
#include "node/env/random.h"
#include "node/service/planted_bugs.h"

namespace dynamo {

// Kept in memory only: after a restart, whatever it lost, new dots never meet old.
class Actors {
 public:
  Actors(Random* random, PlantedBugs planted) : random_(random), planted_(planted) {}

  // `self` matters to a planted bug only.
  ActorId For(PartitionId partition, NodeId self);

  // This node may no longer hold, or cannot read, something it minted there:
  // hints were delivered, a read failed, a write failed, ownership changed.
  void Retire(PartitionId partition);

 private:
  Random* random_;
  [[no_unique_address]] PlantedBugs planted_;
  std::map<PartitionId, ActorId> actors_;
  std::set<PartitionId> retired_;  // For a planted bug only.
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_SERVICE_ACTORS_H_
