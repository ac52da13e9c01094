#include "tests/oracle/causality.h"

#include <utility>

namespace dynamo::oracle {

Causality::Causality(const History& history, const std::string& key) {
  for (const auto& [id, write] : history.writes()) {
    if (write.key == key) writes_.push_back(&write);
  }
  Histories sure, possible;
  for (const WriteRecord* write : writes_) {
    sure[write->id].insert(write->context.ids.begin(), write->context.ids.end());
    std::set<WriteId>& maybe = possible[write->id];
    maybe = sure[write->id];
    for (const WriteRecord* other : writes_) {
      if (other == write || !other->may_be_in_effect()) continue;
      const bool seen_as_tombstone = write->context.tombstone && other->is_delete && other->begun < write->begun;
      // One of unknown fate may still run, long after its client has given up.
      const bool still_open = write->outcome == Outcome::kUnknown || other->begun < write->ended;
      const bool found = write->of_what_is_found && still_open;
      if (seen_as_tombstone || found) maybe.insert(other->id);
    }
  }
  sure_ = Close(sure);
  possible_ = Close(possible);
}

// Reachability; `possible` may hold circles, where two could each be the earlier.
Causality::Histories Causality::Close(const Histories& direct) {
  Histories closed;
  for (const auto& [id, parents] : direct) {
    std::set<WriteId>& reached = closed[id];
    std::vector<WriteId> open(parents.begin(), parents.end());
    while (!open.empty()) {
      const WriteId next = open.back();
      open.pop_back();
      if (next == id || !reached.insert(next).second) continue;
      const auto further = direct.find(next);
      if (further != direct.end()) open.insert(open.end(), further->second.begin(), further->second.end());
    }
  }
  return closed;
}

bool Causality::Contains(const Histories& histories, WriteId earlier, WriteId later) {
  const auto found = histories.find(later);
  return found != histories.end() && found->second.contains(earlier);
}

}  // namespace dynamo::oracle
