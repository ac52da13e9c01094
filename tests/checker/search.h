// Breadth-first over all states of a model: the first that breaks a property is
// reached in as few steps as any.
#ifndef DYNAMO_TESTS_CHECKER_SEARCH_H_
#define DYNAMO_TESTS_CHECKER_SEARCH_H_

#include <string>
#include <vector>

#include "tests/checker/model.h"

namespace dynamo::checker {

struct Outcome {
  Property broken = Property::kNone;
  std::vector<std::string> steps;  // That lead there.
  size_t states = 0, transitions = 0;
  size_t depth = 0;
  double seconds = 0;
  bool whole = false;  // The space was searched to its end.
};

// Gives up after `states_max`. `symmetry`: states that differ in names are one.
Outcome Search(const Scope& scope, Rules rules, size_t states_max, bool symmetry = true);

}  // namespace dynamo::checker

#endif  // DYNAMO_TESTS_CHECKER_SEARCH_H_
