// The properties that every history must have:
//   P1 no acknowledged write is lost
//   P2 only a causally later write supersedes; under last-writer-wins none that is
//      causally later ever loses
//   P3 nothing is invented
//   P4 siblings are an antichain
//   P5 nothing superseded or deleted comes back
//   P6 after heal all observers see the same
//   P14 a write that failed for certain is never seen
#ifndef DYNAMO_TESTS_ORACLE_CHECK_H_
#define DYNAMO_TESTS_ORACLE_CHECK_H_

#include <string>
#include <vector>

#include "tests/oracle/history.h"

namespace dynamo::oracle {

struct Violation {
  std::string property;  // "P1".
  std::string key;
  std::string what;

  friend bool operator==(const Violation&, const Violation&) = default;
};

// P1, P2, P5 and P6 are judged on keys that have final reads only.
std::vector<Violation> Check(const History& history);

}  // namespace dynamo::oracle

#endif  // DYNAMO_TESTS_ORACLE_CHECK_H_
