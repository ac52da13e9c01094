#include "node/service/actors.h"

namespace dynamo {

ActorId Actors::For(PartitionId partition, NodeId self) {
  const ActorId same_again{self.value ^ (uint64_t{partition} + 1)};
  if (planted_.Has(PlantedBug::kFallbackReusesActor)) return same_again;
  ActorId& actor = actors_[partition];
  const bool first = actor.value == 0 && !retired_.contains(partition);
  if (planted_.Has(PlantedBug::kActorSurvivesRestart) && first) actor = same_again;
  while (actor.value == 0) actor.value = random_->Secret();
  return actor;
}

void Actors::Retire(PartitionId partition) {
  const bool had = actors_.erase(partition) > 0;
  if (planted_.Has(PlantedBug::kActorSurvivesRestart) && had) retired_.insert(partition);
}

}  // namespace dynamo
