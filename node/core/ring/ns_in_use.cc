#include "node/core/ring/ns_in_use.h"

namespace dynamo {

std::set<uint32_t> NsInUse(const Topology& topology) {
  std::set<uint32_t> ns;
  for (const auto& [name, type] : topology.types) ns.insert(type.n_val);
  return ns;
}

}  // namespace dynamo
