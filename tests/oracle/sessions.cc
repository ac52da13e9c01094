#include "tests/oracle/sessions.h"

#include <algorithm>
#include <optional>
#include <set>

#include "tests/oracle/causality.h"

namespace dynamo::oracle {
namespace {

// Walks the reads of one key in the order they began, with what was acknowledged
// before each.
class SessionCheck {
 public:
  SessionCheck(const History& history, const std::string& key)
      : history_(history), key_(key), causality_(history, key) {}

  std::vector<Violation> Run() {
    std::vector<const WriteRecord*> acknowledged;
    for (const WriteRecord* write : causality_.writes()) {
      if (write->acknowledged()) acknowledged.push_back(write);
      if (write->is_delete && write->may_be_in_effect()) deletes_.push_back(write);
    }
    std::ranges::sort(acknowledged, {}, &WriteRecord::ended);
    std::vector<const ReadRecord*> reads = history_.ReadsOf(key_);
    std::ranges::sort(reads, {}, &ReadRecord::begun);
    auto next = acknowledged.begin();
    for (const ReadRecord* read : reads) {
      for (; next != acknowledged.end() && (*next)->ended < read->begun; ++next) Promise(*next);
      for (const WriteRecord* write : promised_) Check(*read, *write);
    }
    return std::move(violations_);
  }

 private:
  // What covers it covers also what it has superseded.
  void Promise(const WriteRecord* write) {
    std::erase_if(promised_,
                  [&](const WriteRecord* earlier) { return causality_.SurelyBefore(earlier->id, write->id); });
    promised_.push_back(write);
  }

  void Check(const ReadRecord& read, const WriteRecord& write) {
    const std::string who = "client " + std::to_string(read.client) + " read ";
    const std::string name = "write " + std::to_string(write.id) + ", acknowledged before";
    for (const WriteId id : read.seen.values) {
      if (causality_.SurelyBefore(id, write.id)) {
        violations_.push_back({"P7", key_, who + std::to_string(id) + ", superseded by " + name});
      }
    }
    const auto& [seen_order, written_order] = std::pair(read.seen.order, write.order);
    if (seen_order && written_order && *seen_order < *written_order) {
      violations_.push_back({"P7", key_, who + "what is older than " + name});
    }
    if (write.is_delete || Covers(read, write)) return;
    violations_.push_back({"P7", key_, who + "without " + name});
  }

  bool Covers(const ReadRecord& read, const WriteRecord& write) const {
    const Observation& seen = read.seen;
    const auto reaped = [&](const WriteRecord* remove) { return history_.MayBeReaped(*remove, read.ended); };
    if (history_.policy(key_) == Policy::kLastWriterWins) {
      return !seen.values.empty() || seen.tombstone || std::ranges::any_of(deletes_, reaped);
    }
    auto shows = [&](WriteId id) {
      return std::ranges::any_of(seen.values,
                                 [&](WriteId value) { return value == id || causality_.MaybeBefore(id, value); });
    };
    if (shows(write.id)) return true;
    return std::ranges::any_of(deletes_, [&](const WriteRecord* remove) {
      return causality_.MaybeBefore(write.id, remove->id) && (seen.tombstone || shows(remove->id) || reaped(remove));
    });
  }

  const History& history_;
  std::string key_;
  Causality causality_;
  std::vector<const WriteRecord*> deletes_;
  std::vector<const WriteRecord*> promised_;
  std::vector<Violation> violations_;
};

}  // namespace

std::vector<Violation> CheckSessions(const History& history) {
  std::set<std::string> keys;
  for (const ReadRecord& read : history.reads()) keys.insert(read.key);
  std::vector<Violation> violations;
  for (const std::string& key : keys) {
    for (Violation& violation : SessionCheck(history, key).Run()) violations.push_back(std::move(violation));
  }
  return violations;
}

std::vector<Violation> CheckLoops(const History& history, const std::string& key, size_t clients) {
  std::vector<Violation> violations;
  const std::vector<const WriteRecord*> writes = history.WritesTo(key);
  for (const ReadRecord* read : history.ReadsOf(key)) {
    const auto unknown = std::ranges::count_if(writes, [&](const WriteRecord* write) {
      return write->begun < read->ended && (write->outcome == Outcome::kUnknown || write->ended > read->ended);
    });
    const size_t allowed = clients + static_cast<size_t>(unknown);
    if (read->seen.values.size() <= allowed) continue;
    violations.push_back({"P4", key,
                          "client " + std::to_string(read->client) + " saw " +
                              std::to_string(read->seen.values.size()) + " siblings of " + std::to_string(clients) +
                              " clients that read before they write"});
  }
  return violations;
}

}  // namespace dynamo::oracle
