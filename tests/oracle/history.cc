#include "tests/oracle/history.h"

#include <algorithm>
#include <utility>

#include "common/base/check.h"

namespace dynamo::oracle {

Outcome OutcomeOf(Errc code) {
  switch (code) {
    case Errc::kInvalidArgument:
    case Errc::kBadContext:
    case Errc::kConflict:
    case Errc::kTooManySiblings:
    case Errc::kTooLarge:
    case Errc::kReadOnly:
    case Errc::kOverloaded:
    case Errc::kUnavailable: return Outcome::kFailed;
    default: return Outcome::kUnknown;
  }
}

void Observation::AddValue(const std::string& value) {
  if (const auto id = ParseValue(value)) {
    values.push_back(*id);
  } else {
    foreign.push_back(value);
  }
}

Context ContextOf(const Observation& observation) { return {observation.values, observation.tombstone}; }

bool History::MayBeReaped(const WriteRecord& remove, uint64_t by) const {
  const auto found = reaped_.find(remove.key);
  if (!remove.is_delete || !remove.may_be_in_effect() || found == reaped_.end()) return false;
  const auto next = std::ranges::upper_bound(found->second, remove.begun);
  return next != found->second.end() && *next < by;
}

Policy History::policy(const std::string& key) const {
  const auto found = policies_.find(key);
  return found == policies_.end() ? Policy::kSiblings : found->second;
}

WriteRecord& History::Begin(int client, const std::string& key) {
  const WriteId id = writes_.size() + 1;
  WriteRecord& write = writes_[id];
  writes_by_key_[key].push_back(id);
  write.id = id;
  write.key = key;
  write.client = client;
  write.begun = ++time_;
  return write;
}

WriteId History::BeginPut(int client, const std::string& key, Context context) {
  WriteRecord& write = Begin(client, key);
  write.context = std::move(context);
  return write.id;
}

WriteId History::BeginDelete(int client, const std::string& key, std::optional<Context> context) {
  WriteRecord& write = Begin(client, key);
  write.is_delete = true;
  write.of_what_is_found = !context.has_value();
  if (context) write.context = std::move(*context);
  return write.id;
}

void History::EndWrite(WriteId id, Outcome outcome, std::optional<LwwOrder> order) {
  WriteRecord& write = writes_.at(id);
  DYNAMO_CHECK(write.ended == WriteRecord::kNever);
  write.ended = ++time_;
  write.outcome = outcome;
  write.order = order;
}

void History::AddRead(int client, const std::string& key, uint64_t begun, Observation seen) {
  reads_by_key_[key].push_back(reads_.size());
  reads_.push_back({key, client, begun, ++time_, std::move(seen)});
}

void History::AddFinalRead(const std::string& key, const std::string& observer, Observation seen) {
  final_reads_[key][observer] = std::move(seen);
}

std::vector<const WriteRecord*> History::WritesTo(const std::string& key) const {
  std::vector<const WriteRecord*> writes;
  const auto found = writes_by_key_.find(key);
  if (found == writes_by_key_.end()) return writes;
  writes.reserve(found->second.size());
  for (const WriteId id : found->second) writes.push_back(&writes_.at(id));
  return writes;
}

std::vector<const ReadRecord*> History::ReadsOf(const std::string& key) const {
  std::vector<const ReadRecord*> reads;
  const auto found = reads_by_key_.find(key);
  if (found == reads_by_key_.end()) return reads;
  reads.reserve(found->second.size());
  for (const size_t place : found->second) reads.push_back(&reads_[place]);
  return reads;
}

}  // namespace dynamo::oracle
