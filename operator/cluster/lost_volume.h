// Which places have lost the node that stood there, as far as one look can tell.
#ifndef DYNAMO_OPERATOR_CLUSTER_LOST_VOLUME_H_
#define DYNAMO_OPERATOR_CLUSTER_LOST_VOLUME_H_

#include <vector>

#include "operator/cluster/observed.h"
#include "operator/cluster/status.h"

namespace dynamo::op {

struct LostVolume {
  enum class Kind {
    kEmptied,      // Another volume than the recorded one, with a new and empty node on it.
    kMachineGone,  // The recorded volume is bound to a machine that does not exist any more.
    kMachineAway,  // The same, and the machine is not ready: it may come back.
    kSameVolume,   // The recorded volume, but empty: not mounted, perhaps.
    kUnrecorded,   // Empty, and which volume its member had is written down nowhere.
  };
  Kind kind = Kind::kEmptied;
  Suspicion seen;  // `since`: empty, or since when the machine is away.
};

// Those that are surest first. A node that is silent, starts, or whose volume is not bound
// yet has lost nothing.
std::vector<LostVolume> FindLostVolumes(const ClusterStatus& status, const Observed& observed);

}  // namespace dynamo::op

#endif  // DYNAMO_OPERATOR_CLUSTER_LOST_VOLUME_H_
