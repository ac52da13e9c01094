#include "tests/oracle/check.h"

#include <algorithm>
#include <set>
#include <utility>

#include "tests/oracle/causality.h"

namespace dynamo::oracle {
namespace {

std::string Name(WriteId id) { return "write " + std::to_string(id); }

std::string Name(const Observation& seen) {
  std::string text = "{";
  for (const WriteId id : seen.values) text += (text.size() > 1 ? ", " : "") + std::to_string(id);
  if (seen.tombstone) text += text.size() > 1 ? ", tombstone" : "tombstone";
  return text + "}";
}

// The check of one key.
class KeyCheck {
 public:
  KeyCheck(const History& history, const std::string& key, std::vector<Violation>* violations)
      : history_(history), key_(key), causality_(history, key), violations_(violations) {}

  void Run() {
    for (const ReadRecord* read : history_.ReadsOf(key_)) {
      CheckRead(read->seen, "client " + std::to_string(read->client));
    }
    const auto finals = history_.final_reads().find(key_);
    if (finals == history_.final_reads().end() || finals->second.empty()) return;
    for (const auto& [observer, seen] : finals->second) CheckRead(seen, observer);
    CheckAgreement(finals->second);
    const Observation& final = finals->second.begin()->second;
    if (history_.policy(key_) == Policy::kSiblings) {
      CheckSiblings(final);
    } else {
      CheckLastWriter(final);
    }
  }

 private:
  void Report(std::string property, std::string what) {
    violations_->push_back({std::move(property), key_, std::move(what)});
  }

  void CheckRead(const Observation& seen, const std::string& reader) {
    for (const std::string& foreign : seen.foreign) {
      Report("P3", reader + " read a value nobody wrote: " + foreign.substr(0, 60));
    }
    std::set<WriteId> values;
    for (const WriteId id : seen.values) {
      if (!values.insert(id).second) Report("P4", reader + " read " + Name(id) + " twice in one answer");
      const auto write = history_.writes().find(id);
      if (write == history_.writes().end() || write->second.key != key_ || write->second.is_delete) {
        Report("P3", reader + " read " + Name(id) + ", which no put to this key wrote");
      } else if (!write->second.may_be_in_effect()) {
        Report("P14", reader + " read " + Name(id) + ", which had failed for certain");
      }
    }
    if (history_.policy(key_) == Policy::kLastWriterWins) {
      if (seen.values.size() > 1) Report("P4", reader + " read siblings " + Name(seen) + " of a last-writer-wins key");
      return;
    }
    for (const WriteId a : values) {
      for (const WriteId b : values) {
        if (causality_.SurelyBefore(a, b))
          Report("P4", reader + " read " + Name(a) + " beside its successor " + Name(b));
      }
    }
  }

  void CheckAgreement(const std::map<std::string, Observation>& finals) {
    // One may have looked before a tombstone went for good, and another after it.
    const bool reaped = std::ranges::any_of(causality_.writes(),
                                            [&](const WriteRecord* write) { return history_.MayBeReaped(*write); });
    auto values_of = [reaped](const Observation& seen) {
      const bool tombstone = seen.tombstone && !(reaped && seen.values.empty());
      return std::pair(std::set<WriteId>(seen.values.begin(), seen.values.end()), tombstone);
    };
    const auto& [first, expected] = *finals.begin();
    for (const auto& [observer, seen] : finals) {
      if (values_of(seen) == values_of(expected)) continue;
      Report("P6", observer + " reads " + Name(seen) + " where " + first + " reads " + Name(expected));
    }
  }

  static bool Has(const Observation& seen, WriteId id) { return std::ranges::count(seen.values, id) > 0; }

  // The delete's tombstone is still to be seen, or one that saw it; or it was seen to go.
  bool DeleteIsInEffect(const WriteRecord& remove, const Observation& final) const {
    if (!remove.is_delete || !remove.may_be_in_effect()) return false;
    if (final.tombstone || history_.MayBeReaped(remove)) return true;
    return std::ranges::any_of(final.values, [&](WriteId id) { return causality_.MaybeBefore(remove.id, id); });
  }

  bool IsCovered(WriteId id, const Observation& final) const {
    auto covers = [&](WriteId later) { return later == id || causality_.MaybeBefore(id, later); };
    if (std::ranges::any_of(final.values, covers)) return true;
    return std::ranges::any_of(causality_.writes(), [&](const WriteRecord* write) {
      return DeleteIsInEffect(*write, final) && covers(write->id);
    });
  }

  void CheckSiblings(const Observation& final) {
    for (const WriteRecord* write : causality_.writes()) {
      if (!write->acknowledged()) continue;
      for (const WriteId id : final.values) {
        if (!causality_.SurelyBefore(id, write->id)) continue;
        Report("P5", Name(id) + " is back in " + Name(final) + " although acknowledged " +
                         (write->is_delete ? "delete " : "") + Name(write->id) + " superseded it");
      }
      if (write->is_delete) continue;
      const bool superseded = std::ranges::any_of(causality_.writes(), [&](const WriteRecord* other) {
        return other->may_be_in_effect() && causality_.MaybeBefore(write->id, other->id);
      });
      if (!superseded && !Has(final, write->id)) {
        Report("P2", "acknowledged " + Name(write->id) + ", which nothing superseded, is not in " + Name(final));
      } else if (!IsCovered(write->id, final)) {
        Report("P1", "acknowledged " + Name(write->id) + " is lost: nothing in " + Name(final) + " covers it");
      }
    }
  }

  void CheckLastWriter(const Observation& final) {
    const bool deleted = std::ranges::any_of(
        causality_.writes(), [](const WriteRecord* write) { return write->is_delete && write->may_be_in_effect(); });
    for (const WriteRecord* write : causality_.writes()) {
      if (!write->acknowledged()) continue;
      if (final.values.empty() && !deleted) {
        Report("P1", "acknowledged " + Name(write->id) + " is lost: nothing is left, and nothing was deleted");
      }
      for (const WriteId id : final.values) {
        if (!causality_.SurelyBefore(id, write->id)) continue;
        Report("P2", "acknowledged " + Name(write->id) + " lost to its predecessor " + Name(id));
      }
      if (write->order && final.order && *final.order < *write->order) {
        Report("P2", "acknowledged " + Name(write->id) + " is later than " + Name(final) + ", which won");
      }
    }
  }

  const History& history_;
  std::string key_;
  Causality causality_;
  std::vector<Violation>* violations_;
};

}  // namespace

std::vector<Violation> Check(const History& history) {
  std::set<std::string> keys;
  for (const auto& [id, write] : history.writes()) keys.insert(write.key);
  for (const ReadRecord& read : history.reads()) keys.insert(read.key);
  for (const auto& [key, finals] : history.final_reads()) keys.insert(key);
  std::vector<Violation> violations;
  for (const std::string& key : keys) KeyCheck(history, key, &violations).Run();
  return violations;
}

}  // namespace dynamo::oracle
