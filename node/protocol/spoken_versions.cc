#include "node/protocol/spoken_versions.h"

namespace dynamo {

constinit const SpokenVersions kSpokenVersions{.oldest = 1, .newest = 1};

}  // namespace dynamo
