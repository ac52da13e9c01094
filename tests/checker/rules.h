// The rules that keep data from being lost, each of which can be switched off, and
// the bounds of the space that is searched.
#ifndef DYNAMO_TESTS_CHECKER_RULES_H_
#define DYNAMO_TESTS_CHECKER_RULES_H_

#include <cstdint>
#include <string_view>

namespace dynamo::checker {

enum class Rule : uint8_t {
  kNone,
  kNewActorAtRestart,
  kNewActorAfterDelivery,
  kOwnHintsJoined,
  kCriticalSection,
  kHintsNeverExpire,
  kExactHintAck,
  kHintsBesideEachOther,
  kDistinctNodesCount,
  kContextSupersedesItsOwn,
  kJoinKeepsSiblings,
  kAckAfterSync,
  kFallbackAbsenceProvesNothing,
  kReadErrorIsNotAbsence,
  kReplicaPutJoins,
};

struct Rules {
  Rule off = Rule::kNone;
  bool On(Rule rule) const { return off != rule; }
};

// How much of everything may happen in one run. The space is all runs within.
struct Scope {
  std::string_view name;
  int nodes = 4;
  int n = 3;  // R = W = 2.
  int writes = 2;
  int deletes = 0;  // Beside the writes.
  int reads = 1;
  int crashes = 0;
  int losses = 0;
  int duplicates = 0;
  int read_errors = 0;
  // Nodes that are up and that one coordinator takes for down.
  int suspects = 1;
  // Messages on their way while something else happens.
  int outstanding = 1;
};

}  // namespace dynamo::checker

#endif  // DYNAMO_TESTS_CHECKER_RULES_H_
