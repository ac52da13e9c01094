#include "node/service/actors.h"

namespace dynamo {

ActorId Actors::For(PartitionId partition, NodeId self) {
  if (planted_.Has(PlantedBug::kFallbackReusesActor)) return ActorId{self.value ^ (uint64_t{partition} + 1)};
  ActorId& actor = actors_[partition];
  while (actor.value == 0) actor.value = random_->Secret();
  return actor;
}

void Actors::Retire(PartitionId partition) { actors_.erase(partition); }

}  // namespace dynamo
