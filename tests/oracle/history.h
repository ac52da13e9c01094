// What the clients of a store did and saw, and nothing else: no look inside.
//
// Calls are numbered in the order they are recorded, which must be an order of
// real time: a write that ended before another began has the lower numbers.
#ifndef DYNAMO_TESTS_ORACLE_HISTORY_H_
#define DYNAMO_TESTS_ORACLE_HISTORY_H_

#include <compare>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "tests/oracle/value.h"

namespace dynamo::oracle {

enum class Policy : uint8_t { kSiblings, kLastWriterWins };
enum class Outcome : uint8_t { kUnknown, kOk, kFailed };

// What an error of a write means: kFailed promises that nothing was changed.
Outcome OutcomeOf(Errc code);

// Where a last-writer-wins write stands among all, where a store lets that be seen.
struct LwwOrder {
  uint64_t stamp = 0, actor = 0, counter = 0;
  friend auto operator<=>(const LwwOrder&, const LwwOrder&) = default;
};

// What one read returned.
struct Observation {
  std::vector<WriteId> values;
  std::vector<std::string> foreign;  // Values that no client can have written.
  bool tombstone = false;            // A delete is among the siblings.
  std::optional<LwwOrder> order;

  void AddValue(const std::string& value);
};

// Where a write's causal context came from.
struct Context {
  std::vector<WriteId> ids;
  bool tombstone = false;  // The read showed a delete, whose id nobody can see.
  bool none() const { return ids.empty() && !tombstone; }
};
Context ContextOf(const Observation& observation);

struct WriteRecord {
  static constexpr uint64_t kNever = std::numeric_limits<uint64_t>::max();

  WriteId id = 0;
  std::string key;
  int client = 0;
  bool is_delete = false;
  // A delete without context: of whatever the store finds.
  bool of_what_is_found = false;
  Context context;
  uint64_t begun = 0, ended = kNever;
  Outcome outcome = Outcome::kUnknown;
  std::optional<LwwOrder> order;

  bool acknowledged() const { return outcome == Outcome::kOk; }
  bool may_be_in_effect() const { return outcome != Outcome::kFailed; }
};

struct ReadRecord {
  std::string key;
  int client = 0;
  uint64_t begun = 0, ended = 0;
  Observation seen;
};

class History {
 public:
  // Keys are siblings unless said otherwise before their first write.
  void SetPolicy(const std::string& key, Policy policy) { policies_[key] = policy; }
  Policy policy(const std::string& key) const;

  WriteId BeginPut(int client, const std::string& key, Context context);
  // `context` nullopt: a delete without one.
  WriteId BeginDelete(int client, const std::string& key, std::optional<Context> context);
  // A write that never ends is unknown.
  void EndWrite(WriteId id, Outcome outcome, std::optional<LwwOrder> order = std::nullopt);
  // A replica of the key held nothing but deletes, and was seen to be removed for good.
  void OnReaped(const std::string& key) { reaped_[key].push_back(++time_); }
  // The delete may be in effect without a trace: a replica of its key was reaped since
  // it began, and before `by`. (Which deletes a tombstone stands for nobody can see.)
  bool MayBeReaped(const WriteRecord& remove, uint64_t by = WriteRecord::kNever) const;
  // The time now, for the `begun` of a read.
  uint64_t Now() { return ++time_; }
  void AddRead(int client, const std::string& key, uint64_t begun, Observation seen);
  // A read of all replicas after all faults have healed and all hints are delivered.
  void AddFinalRead(const std::string& key, const std::string& observer, Observation seen);

  const std::map<WriteId, WriteRecord>& writes() const { return writes_; }
  const std::vector<ReadRecord>& reads() const { return reads_; }
  // Of one key, in the order recorded.
  std::vector<const WriteRecord*> WritesTo(const std::string& key) const;
  std::vector<const ReadRecord*> ReadsOf(const std::string& key) const;
  using FinalReads = std::map<std::string, std::map<std::string, Observation>>;  // Key, observer.
  const FinalReads& final_reads() const { return final_reads_; }

 private:
  WriteRecord& Begin(int client, const std::string& key);

  uint64_t time_ = 0;
  std::map<std::string, Policy> policies_;
  std::map<WriteId, WriteRecord> writes_;
  std::vector<ReadRecord> reads_;
  std::map<std::string, std::vector<WriteId>> writes_by_key_;
  std::map<std::string, std::vector<size_t>> reads_by_key_;  // Places in reads_.
  FinalReads final_reads_;
  std::map<std::string, std::vector<uint64_t>> reaped_;  // When; ascending.
};

}  // namespace dynamo::oracle

#endif  // DYNAMO_TESTS_ORACLE_HISTORY_H_
