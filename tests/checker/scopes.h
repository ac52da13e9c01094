// Which spaces are searched.
#ifndef DYNAMO_TESTS_CHECKER_SCOPES_H_
#define DYNAMO_TESTS_CHECKER_SCOPES_H_

#include <string_view>
#include <vector>

#include "tests/checker/rules.h"

namespace dynamo::checker {

inline constexpr size_t kStatesMax = 60'000'000;

// A rule, and a scope wide enough for what it prevents.
struct NamedRule {
  Rule rule;
  Scope scope;  // Its name is the rule's.
};
std::vector<NamedRule> AllRules();

// Those of a form of the test: `smoke`, `normal` or `long`.
std::vector<Scope> ScopesOf(std::string_view form);

}  // namespace dynamo::checker

#endif  // DYNAMO_TESTS_CHECKER_SCOPES_H_
