#include "tests/checker/scopes.h"

namespace dynamo::checker {

std::vector<NamedRule> AllRules() {
  return {
      {Rule::kNewActorAtRestart, {.name = "a new actor at every restart", .writes = 2, .reads = 0, .crashes = 1}},
      {Rule::kNewActorAfterDelivery, {.name = "a new actor after a hint's delivery", .writes = 2}},
      {Rule::kOwnHintsJoined, {.name = "a coordinator's state joins its own hints", .writes = 2}},
      {Rule::kCriticalSection, {.name = "read, mint and write are one critical section", .writes = 2}},
      {Rule::kHintsNeverExpire, {.name = "hints never expire", .writes = 1}},
      {Rule::kExactHintAck, {.name = "a hint's ack deletes exactly what was sent", .writes = 2}},
      {Rule::kHintsBesideEachOther, {.name = "concurrent hints stay beside each other", .writes = 2}},
      {Rule::kDistinctNodesCount, {.name = "W counts distinct nodes", .writes = 1, .crashes = 1}},
      {Rule::kContextSupersedesItsOwn, {.name = "a context supersedes only what it covers", .writes = 2}},
      {Rule::kJoinKeepsSiblings, {.name = "a join keeps concurrent siblings", .writes = 2}},
      {Rule::kAckAfterSync, {.name = "an ack comes after the sync", .writes = 1, .crashes = 1}},
      {Rule::kFallbackAbsenceProvesNothing, {.name = "a fallback's having nothing is no not-found", .writes = 1}},
      {Rule::kReadErrorIsNotAbsence, {.name = "a read error is no not-found", .writes = 2, .read_errors = 1}},
      {Rule::kReplicaPutJoins, {.name = "a replica put joins, never overwrites", .writes = 2}},
  };
}

std::vector<Scope> ScopesOf(std::string_view form) {
  std::vector<Scope> scopes{
      {.name = "2 writes, a read", .writes = 2, .reads = 1},
      {.name = "a write, a deletion, 2 reads", .writes = 1, .deletes = 1, .reads = 2},
      {.name = "3 writes on 3 nodes", .nodes = 3, .writes = 3, .reads = 0},
      {.name = "2 writes, a crash on 3 nodes", .nodes = 3, .writes = 2, .reads = 0, .crashes = 1},
      {.name = "2 writes, a crash, a lost disk, 3 nodes",
       .nodes = 3,
       .writes = 2,
       .reads = 0,
       .crashes = 1,
       .losses = 1},
      {.name = "2 writes, a crash, nothing delayed", .writes = 2, .reads = 0, .crashes = 1, .outstanding = 0},
      {.name = "2 writes, a lost disk", .writes = 2, .reads = 0, .losses = 1},
      {.name = "2 writes, a duplicate", .writes = 2, .reads = 0, .duplicates = 1},
      {.name = "2 writes, a read, a read error", .writes = 2, .reads = 1, .read_errors = 1},
      {.name = "N=2 of 4 nodes", .n = 2, .writes = 2, .reads = 1},
  };
  if (form == "smoke") return {scopes.begin() + 1, scopes.begin() + 4};
  if (form != "long") return scopes;
  const std::vector<Scope> wider{
      {.name = "2 writes, 2 delayed", .writes = 2, .reads = 0, .outstanding = 2},
      {.name = "2 writes and a deletion on 3 nodes", .nodes = 3, .writes = 2, .deletes = 1, .reads = 1},
      {.name = "3 writes on 3 nodes, a read", .nodes = 3, .writes = 3, .reads = 1},
      {.name = "2 writes, a crash", .writes = 2, .reads = 0, .crashes = 1},
  };
  scopes.insert(scopes.end(), wider.begin(), wider.end());
  return scopes;
}

}  // namespace dynamo::checker
