// Members that come, go and are replaced: what administrators do while all else fails.
#include <fmt/format.h>

#include "tests/sim/cluster/chaos.h"

namespace dynamo::sim {

void Chaos::ChangeRing(FaultKind kind) {
  Rng rng = rng_.Fork();
  switch (kind) {
    case FaultKind::kJoin: return administrators_.Join(rng);
    case FaultKind::kLeave: return administrators_.Leave(rng);
    case FaultKind::kReplace: return ReplaceMember();
    case FaultKind::kCapacity: return administrators_.SetCapacity(rng);
    case FaultKind::kCancel: return administrators_.Cancel(rng);
    case FaultKind::kFlap: return administrators_.Flap(rng);
    case FaultKind::kRivals: return administrators_.Rival(rng);
    default: return;
  }
}

// Of a member whose disk is lost already, or is lost for it.
void Chaos::ReplaceMember() {
  if (cluster_->LostMembers().empty()) {
    const auto index = DrawDiskToHurt();
    if (!index || !cluster_->IsMember(*index)) return;
    Say(fmt::format("wipe of the disk of node {}, to be replaced", *index));
    WipeNow(*index);
    cluster_->node(*index).Start();
  }
  administrators_.Replace(rng_.Fork());
}

}  // namespace dynamo::sim
