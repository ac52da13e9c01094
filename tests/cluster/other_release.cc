// Linked into a node in the place of its own: what another release would speak.
#include "node/protocol/spoken_versions.h"

namespace dynamo {

constinit const SpokenVersions kSpokenVersions{.oldest = DYNAMO_OLDEST_VERSION, .newest = DYNAMO_NEWEST_VERSION};

}  // namespace dynamo
