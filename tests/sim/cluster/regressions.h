// Seeds that once failed, kept in a file: none may fail again.
#ifndef DYNAMO_TESTS_SIM_CLUSTER_REGRESSIONS_H_
#define DYNAMO_TESTS_SIM_CLUSTER_REGRESSIONS_H_

#include <string>

namespace dynamo::sim {

// A line is a seed, the words of its reduction if any, and after # what it was.
// Prints each; whether none fails.
bool ReplayRegressions(const std::string& path);

}  // namespace dynamo::sim

#endif  // DYNAMO_TESTS_SIM_CLUSTER_REGRESSIONS_H_
