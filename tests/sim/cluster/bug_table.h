// Planted bugs: which there are, and the table of how each is found.
#ifndef DYNAMO_TESTS_SIM_CLUSTER_BUG_TABLE_H_
#define DYNAMO_TESTS_SIM_CLUSTER_BUG_TABLE_H_

#include <optional>
#include <string_view>

#include "node/service/planted_bugs.h"

namespace dynamo::sim {

// "none" is none. nullopt: there is no such.
std::optional<PlantedBug> FindPlantedBug(std::string_view name);

// Runs seeds with each bug until one violates a property, shrinks that and prints:
// bug, seeds it took, property, shrunk length. Whether each was found in 500 seeds.
bool PrintBugTable(int jobs);

}  // namespace dynamo::sim

#endif  // DYNAMO_TESTS_SIM_CLUSTER_BUG_TABLE_H_
