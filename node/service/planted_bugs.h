// Bugs planted on purpose, to prove that the simulator would find them.
//
// The library of production has none: there Has() is constant false and costs
// nothing. A second library, dynamo_service_bugs, is built with
// DYNAMO_PLANTED_BUGS; in it ServiceConfig chooses one at run time, so that one
// build serves the test of every bug.
#ifndef DYNAMO_NODE_SERVICE_PLANTED_BUGS_H_
#define DYNAMO_NODE_SERVICE_PLANTED_BUGS_H_

#include <cstdint>

namespace dynamo {

enum class PlantedBug : uint8_t {
  kNone,
  // A replica put reads, joins and writes outside the key's critical section.
  kUnlockedReplicaPut,
  // Actors are the same at every start and survive the delivery of hints, so a
  // fallback mints dots that it no longer holds.
  kFallbackReusesActor,
};

#if defined(DYNAMO_PLANTED_BUGS)
struct PlantedBugs {
  PlantedBug active = PlantedBug::kNone;
  bool Has(PlantedBug bug) const { return active == bug; }
};
#else
struct PlantedBugs {
  static constexpr bool Has(PlantedBug) { return false; }
};
#endif

}  // namespace dynamo

#endif  // DYNAMO_NODE_SERVICE_PLANTED_BUGS_H_
