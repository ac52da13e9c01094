// Which N there are: objects of types with another N have other owners.
#ifndef DYNAMO_NODE_CORE_RING_NS_IN_USE_H_
#define DYNAMO_NODE_CORE_RING_NS_IN_USE_H_

#include <cstdint>
#include <set>

#include "node/core/ring/topology.h"

namespace dynamo {

// Of all bucket types.
std::set<uint32_t> NsInUse(const Topology& topology);

}  // namespace dynamo

#endif  // DYNAMO_NODE_CORE_RING_NS_IN_USE_H_
